//! Requests in which every field is set and right, and the same with one thing wrong.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::super::{
    expression::Comparison,
    rules::Rule,
    shape::{Field, FieldKind, Shape, Shapes},
};

/// One rule, broken.
pub struct Breach {
    pub rule: &'static str,
    pub path: String,
    pub broken: DynamicMessage,
}

/// Texts of which one is right for every field.
const TEXTS: &[&str] = &[
    "x",
    "\"7\"",
    "EUR",
    "ML",
    "T05-EUTF",
    "22.72",
    "0193553c-8d5e-7c3b-9a55-3b6f0d0d8f11",
    "partnerships.0193553c8d5e7c3b9a553b6f0d0d8f11.42",
    "agreements/x",
    "commitments/x",
    "contracts/x",
    "contributions/x",
    "cycles/x",
    "decisions/x",
    "dialogues/x",
    "frameworks/x",
    "funds/x",
    "indicators/x",
    "initiatives/x",
    "partners/x",
    "payments/x",
];
/// Wrong wherever a text has a form.
const FORMLESS: &str = "a\nb";
/// How deep messages are filled that hold themselves.
const DEEPEST: usize = 8;

/// A request with everything in it.
pub fn whole(message: &MessageDescriptor) -> DynamicMessage {
    filled(message, DEEPEST)
}

fn filled(message: &MessageDescriptor, deeper: usize) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    if message.full_name().starts_with("google.protobuf.") {
        return filled;
    }
    for field in message.fields().filter(|field| !field.is_map()) {
        let Some(value) = value(&field, deeper) else { continue };
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        filled.set_field(&field, value);
    }
    filled
}

fn value(field: &FieldDescriptor, deeper: usize) -> Option<Value> {
    Some(match field.kind() {
        Kind::Message(_) if deeper == 0 => return None,
        Kind::Message(message) => Value::Message(filled(&message, deeper - 1)),
        Kind::Enum(kind) => Value::EnumNumber(kind.values().map(|value| value.number()).find(|number| *number > 0)?),
        Kind::String => Value::String(text(field)),
        Kind::Bytes => Value::Bytes(vec![7; bytes(field)].into()),
        Kind::Bool => Value::Bool(true),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 => Value::I64(1),
        Kind::Uint32 => Value::U32(1),
        Kind::Uint64 => Value::U64(1),
        kind => panic!("no request has a {kind:?}"),
    })
}

fn text(field: &FieldDescriptor) -> String {
    let rules = super::super::rules::Rules::of(field).value;
    let fits = |text: &&str| {
        rules.iter().all(|rule| match rule {
            Rule::Pattern(pattern) => pattern.regex.is_match(text.as_bytes()),
            Rule::Uuid => text.len() == 36 && text.contains('-'),
            _ => true,
        })
    };
    let found = TEXTS.iter().copied().find(fits);
    found.unwrap_or_else(|| panic!("no text fits {}", field.full_name())).to_owned()
}

fn bytes(field: &FieldDescriptor) -> usize {
    let rules = super::super::rules::Rules::of(field).value;
    let length = rules.iter().find_map(|rule| if let Rule::Bytes(length) = rule { Some(*length) } else { None });
    usize::try_from(length.unwrap_or(1)).expect("small")
}

/// Every way to break one rule of a request.
pub fn breaches(shapes: &Shapes, request: &MessageDescriptor) -> Vec<Breach> {
    let mut found = Breaches { shapes, request: request.clone(), open: Vec::new(), all: Vec::new() };
    if let Some(shape) = shapes.of(request.full_name()) {
        found.message(shape, request, &mut Vec::new());
    }
    found.all
}

struct Breaches<'s> {
    shapes: &'s Shapes,
    request: MessageDescriptor,
    /// Shapes that are being looked at: those that hold themselves are looked at once.
    open: Vec<*const Shape>,
    all: Vec<Breach>,
}

impl Breaches<'_> {
    fn message(&mut self, shape: &Shape, message: &MessageDescriptor, way: &mut Vec<FieldDescriptor>) {
        if self.open.contains(&std::ptr::from_ref(shape)) {
            return;
        }
        self.open.push(shape);
        for field in &shape.fields {
            let descriptor = message.get_field(field.number).expect("a shape has fields of its message");
            self.field(field, &descriptor, way);
            if let (FieldKind::Message(inner), Kind::Message(message)) = (field.kind, descriptor.kind()) {
                way.push(descriptor);
                let shapes = self.shapes;
                self.message(shapes.at(inner), &message, way);
                way.pop();
            }
        }
        for choice in &shape.any_of {
            self.breach("any_of", way, None, |message| {
                for number in choice {
                    message.clear_field_by_number(*number);
                }
            });
        }
        self.open.pop();
    }

    fn field(&mut self, field: &Field, descriptor: &FieldDescriptor, way: &[FieldDescriptor]) {
        let rules = &field.rules;
        if rules.required {
            self.breach("required", way, Some((descriptor, false)), |message| message.clear_field(descriptor));
        }
        if let Some(least) = rules.min_items {
            assert_eq!(least, 1, "an empty list breaks it");
            self.breach("min_items", way, Some((descriptor, false)), |message| message.clear_field(descriptor));
        }
        if let Some(most) = rules.max_items {
            let many = usize::try_from(most).expect("small") + 1;
            self.breach("max_items", way, Some((descriptor, false)), |message| {
                let one = message.get_field(descriptor).as_list().expect("a list")[0].clone();
                message.set_field(descriptor, Value::List(vec![one; many]));
            });
        }
        for rule in &rules.value {
            let (kind, wrong) = wrong(rule, &rules.value, descriptor);
            self.breach(kind, way, Some((descriptor, descriptor.is_list())), |message| {
                let wrong = if descriptor.is_list() { Value::List(vec![wrong.clone()]) } else { wrong.clone() };
                message.set_field(descriptor, wrong);
            });
        }
    }

    /// Breaks a rule of the message at the end of a way, at one of its fields or as a whole.
    fn breach(
        &mut self,
        rule: &'static str,
        way: &[FieldDescriptor],
        at: Option<(&FieldDescriptor, bool)>,
        break_it: impl FnOnce(&mut DynamicMessage),
    ) {
        let mut broken = whole(&self.request);
        break_it(walked(&mut broken, way));
        let steps = way.iter().map(|field| (field.name(), field.is_list()));
        let steps = steps.chain(at.map(|(field, element)| (field.name(), element)));
        let steps: Vec<String> =
            steps.map(|(name, list)| if list { format!("{name}[0]") } else { name.to_owned() }).collect();
        self.all.push(Breach { rule, path: steps.join("."), broken });
    }
}

/// The message at the end of a way; of a choice, the way's side is taken.
fn walked<'m>(message: &'m mut DynamicMessage, way: &[FieldDescriptor]) -> &'m mut DynamicMessage {
    let Some((field, rest)) = way.split_first() else { return message };
    if !message.has_field(field) {
        message.set_field(field, value(field, DEEPEST).expect("deep enough"));
    }
    let inner = match message.get_field_mut(field) {
        Value::Message(inner) => inner,
        Value::List(list) => list[0].as_message_mut().expect("a message"),
        other => panic!("no message: {other:?}"),
    };
    walked(inner, rest)
}

/// What breaks this rule and no other of the same field.
fn wrong(rule: &Rule, all: &[Rule], field: &FieldDescriptor) -> (&'static str, Value) {
    let number = |number: i128| match field.kind() {
        Kind::Int32 => Value::I32(i32::try_from(number).expect("small")),
        Kind::Int64 => Value::I64(i64::try_from(number).expect("small")),
        Kind::Uint32 => Value::U32(u32::try_from(number).expect("small")),
        Kind::Uint64 => Value::U64(u64::try_from(number).expect("small")),
        kind => panic!("no number: {kind:?}"),
    };
    match rule {
        Rule::MinLen(least) => {
            assert_eq!(*least, 1, "an empty text breaks it");
            ("min_len", Value::String(String::new()))
        }
        Rule::MaxLen(most) => {
            let length = usize::try_from(*most).expect("small") + 1;
            let formed = |text: &String| {
                all.iter().all(|rule| match rule {
                    Rule::Pattern(pattern) => pattern.regex.is_match(text.as_bytes()),
                    _ => true,
                })
            };
            let long = ["é", "A"].map(|letter| letter.repeat(length)).into_iter().find(formed);
            ("max_len", Value::String(long.expect("one letter fits")))
        }
        Rule::Uuid => ("uuid", Value::String("x".into())),
        Rule::Pattern(_) => ("pattern", Value::String(FORMLESS.into())),
        Rule::Bytes(length) => ("bytes", Value::Bytes(vec![7; usize::try_from(*length).expect("small") + 1].into())),
        Rule::Defined(_) => ("defined", Value::EnumNumber(1_000_000)),
        Rule::Number(comparison, limit) => {
            let wrong = match comparison {
                Comparison::More | Comparison::Less | Comparison::Other => *limit,
                Comparison::AtLeast => limit - 1,
                Comparison::AtMost => limit + 1,
            };
            ("number", number(wrong))
        }
    }
}
