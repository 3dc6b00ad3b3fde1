//! Messages as they must be where they are used: what their own fields ask for, and what the fields that hold them ask
//! for besides.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use super::{
    expression::Demand,
    rules::{self, Rules},
};

/// The shapes of all requests, and of the messages in them.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    requests: HashMap<String, usize>,
    all: Vec<Shape>,
    /// By the message, and what is asked of it besides.
    known: HashMap<(String, String), usize>,
}

/// What is asked of a message.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Fields of which something is asked, by number.
    pub fields: Vec<Field>,
    /// Numbers of fields of which at least one is set, for each rule.
    pub any_of: Vec<Vec<u32>>,
}

/// What is asked of a field.
#[derive(Debug)]
pub(super) struct Field {
    pub number: u32,
    pub name: String,
    pub repeated: bool,
    /// Whether an unset field differs from one with the zero value.
    pub presence: bool,
    pub kind: FieldKind,
    pub rules: Rules,
}

/// How a field's value is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// A number that may be negative.
    Signed,
    /// A number that may not.
    Unsigned,
    /// A message of this shape.
    Message(usize),
}

impl Shapes {
    /// Reads what is asked of everything that is called.
    pub fn of_requests(pool: &DescriptorPool) -> Self {
        let mut shapes = Self::default();
        for service in pool.services() {
            for method in service.methods() {
                let request = method.input();
                let shape = shapes.shape(&request, &[]);
                shapes.requests.insert(request.full_name().to_owned(), shape);
            }
        }
        shapes
    }

    /// The shape of a request; `None`: nobody asks anything of it.
    pub fn of(&self, request: &str) -> Option<&Shape> {
        self.requests.get(request).map(|&shape| self.at(shape))
    }

    pub fn at(&self, shape: usize) -> &Shape {
        &self.all[shape]
    }

    fn shape(&mut self, message: &MessageDescriptor, besides: &[Demand]) -> usize {
        let key = (message.full_name().to_owned(), format!("{besides:?}"));
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        // It may hold itself.
        let place = self.all.len();
        self.all.push(Shape::default());
        self.known.insert(key, place);
        let mut fields: Vec<FieldDescriptor> = message.fields().collect();
        fields.sort_by_key(FieldDescriptor::number);
        for demand in besides {
            let there = fields.iter().any(|field| field.name() == demand.path[0]);
            assert!(there, "{} has no field {}", message.full_name(), demand.path[0]);
        }
        let fields = fields.iter().filter_map(|field| self.field(field, besides)).collect();
        let number = |name: &String| message.get_field_by_name(name).expect("a rule names a field").number();
        let any_of = rules::any_of(message).iter().map(|names| names.iter().map(number).collect()).collect();
        self.all[place] = Shape { fields, any_of };
        place
    }

    fn field(&mut self, field: &FieldDescriptor, besides: &[Demand]) -> Option<Field> {
        let mut rules = Rules::of(field);
        for Demand { path, what } in besides.iter().filter(|demand| demand.path[0] == field.name()) {
            match &path[1..] {
                [] => rules.add(what),
                deeper => rules.within.push(Demand { path: deeper.to_vec(), what: what.clone() }),
            }
        }
        let kind = match field.kind() {
            Kind::Message(message) => {
                let shape = self.shape(&message, &rules.within);
                let asks = !self.at(shape).fields.is_empty() || !self.at(shape).any_of.is_empty();
                if !asks && !rules.asks() {
                    return None;
                }
                FieldKind::Message(shape)
            }
            _ if !rules.asks() => return None,
            Kind::String => FieldKind::Text,
            Kind::Bytes => FieldKind::Bytes,
            Kind::Int32 | Kind::Int64 | Kind::Enum(_) if !field.is_list() => FieldKind::Signed,
            Kind::Uint32 | Kind::Uint64 | Kind::Bool if !field.is_list() => FieldKind::Unsigned,
            kind => panic!("{} has rules that are not held for {kind:?}", field.full_name()),
        };
        assert!(!field.is_map(), "{} is a map, whose rules are not held", field.full_name());
        Some(Field {
            number: field.number(),
            name: field.name().to_owned(),
            repeated: field.is_list(),
            presence: field.supports_presence(),
            kind,
            rules,
        })
    }
}

impl Rules {
    fn asks(&self) -> bool {
        self.required || self.min_items.is_some() || self.max_items.is_some() || !self.value.is_empty()
    }
}
