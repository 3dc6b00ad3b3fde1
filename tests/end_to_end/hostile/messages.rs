//! Messages made by chance from their descriptors: mostly such as a careful caller sends, so that they get past the
//! first look, and here and there anything that the type of a field can hold.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value, prost::Message as _};
use rand::{Rng as _, rngs::StdRng, seq::IndexedRandom as _};

/// How deep messages are made; what lies deeper stays unset.
const DEEPEST: u32 = 7;

/// What the logs hold already, for messages that speak of it.
#[derive(Debug, Default)]
pub struct Known {
    /// Names of resources.
    pub names: Vec<String>,
    /// Codes, titles and whatever other texts are recorded.
    pub words: Vec<String>,
}

/// Makes messages.
pub struct Author<'a> {
    chance: &'a mut StdRng,
    known: &'a Known,
    /// Of a hundred values, so many are anything at all.
    wild: u32,
    /// For whom the caller may act.
    organisation: &'a str,
}

impl<'a> Author<'a> {
    pub fn new(chance: &'a mut StdRng, known: &'a Known, wild: u32, organisation: &'a str) -> Self {
        Self { chance, known, wild, organisation }
    }

    /// A message for an RPC of this service: `toguna.disbursements.v1.ContractService`.
    pub fn request(&mut self, kind: &MessageDescriptor, service: &str) -> DynamicMessage {
        let about = service.rsplit('.').next().unwrap_or_default().trim_end_matches("Service").to_ascii_lowercase();
        self.message(kind, &about, 0)
    }

    fn message(&mut self, kind: &MessageDescriptor, about: &str, depth: u32) -> DynamicMessage {
        if kind.full_name() == "google.protobuf.Any" {
            return self.any(kind, depth);
        }
        let mut message = DynamicMessage::new(kind.clone());
        // A date, an amount, a text and a source are whole or not at all.
        let whole = kind.package_name() == "toguna.type.v1" || kind.name() == "Source";
        for field in kind.fields() {
            let chosen = field.containing_oneof().is_none_or(|choice| {
                choice.is_synthetic() || self.chance.random_range(0..choice.fields().len()) == 0 || self.is_wild()
            });
            let wanted = match field.name() {
                "validate_only" | "etag" | "basis" => self.percent(8),
                "at_least_as_fresh" | "page_token" | "filter" | "order_by" | "read_mask" => self.is_wild(),
                "name" | "request_id" | "act" => !self.is_wild(),
                _ if whole => !self.is_wild(),
                _ => self.percent(90),
            };
            let too_deep = depth >= DEEPEST && matches!(field.kind(), Kind::Message(_));
            if chosen && wanted && !too_deep {
                let value = self.value(&field, about, depth);
                message.set_field(&field, value);
            }
        }
        message
    }

    /// An event of the logs in the place of another, whole or not, under its own name or a strange one.
    fn any(&mut self, kind: &MessageDescriptor, depth: u32) -> DynamicMessage {
        let pool = kind.parent_pool();
        let events: Vec<_> = pool.all_messages().filter(|it| it.package_name().ends_with(".events.v1")).collect();
        let event = events.choose(self.chance).expect("there are events").clone();
        let payload = if depth < DEEPEST { self.message(&event, "", depth + 1).encode_to_vec() } else { Vec::new() };
        let name = if self.is_wild() { self.wild_text() } else { format!("type.googleapis.com/{}", event.full_name()) };
        let mut any = DynamicMessage::new(kind.clone());
        any.set_field_by_name("type_url", Value::String(name));
        let payload = if self.is_wild() { self.bytes() } else { payload };
        any.set_field_by_name("value", Value::Bytes(payload.into()));
        any
    }

    fn value(&mut self, field: &FieldDescriptor, about: &str, depth: u32) -> Value {
        if field.is_list() {
            let (least, most) = (usize::from(field.name() == "sources"), if self.is_wild() { 40 } else { 2 });
            let length = self.chance.random_range(least..=most);
            return Value::List((0..length).map(|_| self.single(field, about, depth)).collect());
        }
        self.single(field, about, depth)
    }

    fn single(&mut self, field: &FieldDescriptor, about: &str, depth: u32) -> Value {
        let wild = self.is_wild();
        match field.kind() {
            Kind::Message(kind) => Value::Message(self.message(&kind, field.name(), depth + 1)),
            Kind::Enum(_) if wild => {
                Value::EnumNumber(*[-1, 0, 99, i32::MAX, i32::MIN].choose(self.chance).expect("some"))
            }
            Kind::Enum(kind) => {
                // The first one stands for nothing.
                let numbers: Vec<i32> = kind.values().map(|value| value.number()).filter(|it| *it != 0).collect();
                Value::EnumNumber(numbers.choose(self.chance).copied().unwrap_or_default())
            }
            Kind::Bool => Value::Bool(self.percent(50)),
            Kind::String if wild => Value::String(self.wild_text()),
            Kind::String => Value::String(self.text(field.name(), about)),
            Kind::Bytes => Value::Bytes(if wild { self.bytes() } else { vec![7; 32] }.into()),
            Kind::Double => Value::F64(self.number()),
            #[expect(clippy::cast_possible_truncation, reason = "any number does")]
            Kind::Float => Value::F32(self.number() as f32),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.small(field.name(), about, wild)),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.small(field.name(), about, wild).cast_unsigned()),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.large(wild)),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.large(wild).cast_unsigned()),
        }
    }

    fn number(&mut self) -> f64 {
        *[0.0, -0.0, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE]
            .choose(self.chance)
            .expect("some")
    }

    fn small(&mut self, name: &str, about: &str, wild: bool) -> i32 {
        if wild {
            return *[0, 1, -1, 13, 32, 10_000, i32::MAX, i32::MIN].choose(self.chance).expect("some");
        }
        match name {
            "year" if about == "start" => self.chance.random_range(1990..2016),
            "year" => self.chance.random_range(2016..2026),
            "month" => self.chance.random_range(1..13),
            "day" => self.chance.random_range(1..29),
            _ => self.chance.random_range(1..6),
        }
    }

    fn large(&mut self, wild: bool) -> i64 {
        if wild {
            let extremes = [0, -1, i64::MAX, i64::MIN, 1_000_000_000_000_000, 1_000_000_000_000_001, 253_402_300_800];
            return *extremes.choose(self.chance).expect("some");
        }
        if self.percent(50) { self.chance.random_range(1..12) } else { self.chance.random_range(1..1_000_000_000) }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = *[0, 1, 16, 31, 32, 33, 5_000].choose(self.chance).expect("some");
        (0..length).map(|_| self.chance.random()).collect()
    }

    /// A text that a field of this name may well hold. `about`: what the message is about.
    fn text(&mut self, name: &str, about: &str) -> String {
        match name {
            "request_id" => uuid::Builder::from_random_bytes(self.chance.random()).into_uuid().to_string(),
            "on_behalf_of" if self.percent(80) => self.organisation.to_owned(),
            "name" if ["correction", "record"].contains(&about) => self.any_name(),
            "name" | "names" => self.name_of(about),
            "etag" => format!("\"{}\"", self.chance.random_range(0..9)),
            "currency_code" => self.one_of(&["EUR", "EUR", "EUR", "XOF", "USD"]),
            "country_code" | "country_codes" | "countries" | "country" => self.one_of(&["ML", "FR", "SN", "NE"]),
            "language_code" => self.one_of(&["fr", "en", "bm"]),
            "kind" => self.one_of(&["minutes", "action_document", "report"]),
            "value" => self.one_of(&["0", "12.5", "-3", "9999999999999999999999999999"]),
            "page_token" | "at_least_as_fresh" | "resume_token" | "filter" | "order_by" | "aggregate" => {
                self.wild_text()
            }
            "plan" | "item" | "window" | "code" | "order" | "amendment_id" => {
                self.word(|word| word.is_ascii() && !word.contains(' '))
            }
            "reference" => self.word(|word| word.contains('-') && word.to_ascii_uppercase() == *word),
            "places" => self.one_of(&["ML", "ML-4", "FR"]),
            "agreements" | "commitments" => self.name_of(name.trim_end_matches('s')),
            "superseded_by" | "constitutive_agreement" => self.name_of("agreement"),
            "agreement" | "commitment" | "fund" | "contract" | "decision" | "framework" | "cycle" | "indicator"
            | "initiative" | "payment" => self.name_of(name),
            "on_behalf_of" | "organisation" | "party" | "parties" | "partner" | "parent" | "owner" | "donor"
            | "implementer" | "implementers" | "member" | "secretariat" | "trustee" | "responsible" | "funder"
            | "depositary" | "financier" | "obliged_parties" => {
                if self.percent(60) {
                    self.organisation.to_owned()
                } else {
                    self.name_of("partner")
                }
            }
            _ => self.word(|word| word.contains(' ')),
        }
    }

    /// A text of the logs, or another one.
    fn word(&mut self, fits: impl Fn(&str) -> bool) -> String {
        let few = self.known.words.choose_multiple(self.chance, 30);
        let word = few.into_iter().find(|word| fits(word));
        word.cloned().unwrap_or_else(|| "Quelque chose – something".to_owned())
    }

    /// The name of a resource of a kind: mostly of one that is there.
    fn name_of(&mut self, kind: &str) -> String {
        let kind = kind.strip_suffix('y').map_or_else(|| format!("{kind}s/"), |stem| format!("{stem}ies/"));
        let there: Vec<&String> = self.known.names.iter().filter(|name| name.starts_with(&kind)).collect();
        match there.choose(self.chance) {
            Some(name) if self.percent(70) => (*name).clone(),
            // Few enough to be met again.
            _ if self.percent(70) => format!("{kind}new-{}", self.chance.random_range(0..40)),
            _ => self.any_name(),
        }
    }

    fn any_name(&mut self) -> String {
        self.known.names.choose(self.chance).cloned().unwrap_or_default()
    }

    /// Anything but what is expected.
    pub fn wild_text(&mut self) -> String {
        let texts = [
            "",
            " ",
            "\0",
            "null",
            "NaN",
            "-1",
            "'; DROP TABLE log.events; --",
            "../../etc/passwd",
            "=cmd|' /C calc'!A0",
            "\u{202e}evil\u{2066}",
            "line\nbreak\r\nX-Header: yes",
            "\u{1b}[2J",
            "é\u{301}\u{300}\u{1f468}\u{200d}\u{1f469}",
            "partners/",
            "partners/UPPER",
            "partners/ml-mmeia/",
            "/",
            "a/b/c",
            "partners//x",
            "{violations}",
            "{0} %s %n",
            "00000000-0000-0000-0000-000000000000",
            "\"18446744073709551616\"",
            "\"-1\"",
            "W/\"1\"",
            "\u{feff}",
            "\u{fffd}",
            "partnerships.00000000-0000-4000-8000-000000000000.9223372036854775807",
            "partnerships.00000000-0000-4000-8000-000000000000.9223372036854775807.9223372036854775807.0000000000000000",
        ];
        match self.chance.random_range(0..12) {
            0 if self.percent(10) => "a".repeat(70_000),
            0 => "a".repeat(3_000),
            1 => format!("partners/{}", "x".repeat(64)),
            2 => "\u{1f600}".repeat(500),
            3 => (0..24).map(|_| self.chance.random::<char>()).collect(),
            _ => (*texts.choose(self.chance).expect("some")).to_owned(),
        }
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        (*texts.choose(self.chance).expect("some")).to_owned()
    }

    fn is_wild(&mut self) -> bool {
        let wild = self.wild;
        self.percent(wild)
    }

    fn percent(&mut self, of_a_hundred: u32) -> bool {
        self.chance.random_range(0..100) < of_a_hundred
    }
}
