//! What `proto/` asks of one field.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use prost_reflect::{DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};
use regex::bytes::Regex;

use super::expression::{self, Asked, Comparison, Demand};
use crate::{Wording, web::schema};

/// What is asked of a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// It is set, and not to its zero value.
    pub required: bool,
    /// Of its zero value nothing is asked.
    pub unless_zero: bool,
    /// Of a repeated field: how many elements there are at least.
    pub min_items: Option<u64>,
    /// Of a repeated field: how many elements there are at most.
    pub max_items: Option<u64>,
    /// What is asked of the value, or of each element.
    pub value: Vec<Rule>,
    /// What is asked of the fields of the value, or of each element.
    pub within: Vec<Demand>,
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    /// A text of at least so many characters.
    MinLen(u64),
    /// A text of at most so many characters.
    MaxLen(u64),
    /// A UUID in its usual form.
    Uuid,
    /// A text that looks like this.
    Pattern(Arc<Pattern>),
    /// Bytes, so many.
    Bytes(u64),
    /// A value that the enumeration has: these, sorted.
    Defined(Vec<i32>),
    /// A number that compares so.
    Number(Comparison, i128),
}

/// A rule of `toguna.rules.v1`.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// As a regular expression.
    pub regex: Regex,
    /// What is said of a text that does not match.
    pub problem: Wording,
}

static FIELD: LazyLock<ExtensionDescriptor> = LazyLock::new(|| extension("buf.validate.field"));
static MESSAGE: LazyLock<ExtensionDescriptor> = LazyLock::new(|| extension("buf.validate.message"));
static PREDEFINED: LazyLock<ExtensionDescriptor> = LazyLock::new(|| extension("buf.validate.predefined"));
static PROBLEM: LazyLock<ExtensionDescriptor> = LazyLock::new(|| extension("toguna.rules.v1.problem"));

fn extension(name: &str) -> ExtensionDescriptor {
    schema::all().get_extension_by_name(name).expect("proto/ defines it")
}

/// `IGNORE_IF_ZERO_VALUE` of `buf.validate.Ignore`.
const IF_ZERO: i32 = 1;

impl Rules {
    /// Of a field. Panics on a rule that this cannot hold: rules are compiled in, and tests read all of them.
    pub fn of(field: &FieldDescriptor) -> Self {
        let options = field.options();
        let mut rules = Self::default();
        if options.has_extension(&FIELD) {
            let Value::Message(declared) = &*options.get_extension(&FIELD) else { unreachable!("it is a message") };
            rules.read(declared, field);
        }
        rules
    }

    fn read(&mut self, declared: &DynamicMessage, field: &FieldDescriptor) {
        for (option, value) in declared.fields() {
            match (option.name(), value) {
                ("required", Value::Bool(required)) => self.required = *required,
                ("ignore", Value::EnumNumber(IF_ZERO)) => self.unless_zero = true,
                ("cel_expression", Value::List(expressions)) => {
                    for expression in expressions.iter().filter_map(Value::as_str) {
                        let read = expression::demands(expression);
                        self.within.extend(read.unwrap_or_else(|| unknown(field, expression)));
                    }
                }
                ("repeated", Value::Message(list)) => self.read_list(list, field),
                (_, Value::Message(of_type)) => self.read_value(of_type, field),
                (name, _) => unknown(field, name),
            }
        }
    }

    fn read_list(&mut self, declared: &DynamicMessage, field: &FieldDescriptor) {
        for (option, value) in declared.fields() {
            match (option.name(), value) {
                ("min_items", Value::U64(count)) => self.min_items = Some(*count),
                ("max_items", Value::U64(count)) => self.max_items = Some(*count),
                ("items", Value::Message(of_items)) => self.read(of_items, field),
                (name, _) => unknown(field, name),
            }
        }
    }

    fn read_value(&mut self, declared: &DynamicMessage, field: &FieldDescriptor) {
        for (option, value) in declared.fields() {
            self.value.push(match (option.name(), value) {
                ("min_len", Value::U64(count)) => Rule::MinLen(*count),
                ("max_len", Value::U64(count)) => Rule::MaxLen(*count),
                ("uuid", Value::Bool(true)) => Rule::Uuid,
                ("len", Value::U64(count)) if matches!(field.kind(), Kind::Bytes) => Rule::Bytes(*count),
                ("defined_only", Value::Bool(true)) => Rule::Defined(defined(field)),
                (name, value) => {
                    let known = comparison(name).zip(number(value));
                    known.map_or_else(|| unknown(field, name), |(comparison, limit)| Rule::Number(comparison, limit))
                }
            });
        }
        for (option, value) in declared.extensions() {
            self.value.push(Rule::Pattern(Pattern::known(&option, value)));
        }
    }

    /// Whether the field must be there: said, or because nothing about an empty text is right.
    pub fn ask_for_it(&self) -> bool {
        let refused = |rule: &Rule| match rule {
            Rule::MinLen(least) => *least > 0,
            Rule::Uuid => true,
            Rule::Pattern(pattern) => !pattern.regex.is_match(b""),
            _ => false,
        };
        let list = self.min_items.or(self.max_items).is_some();
        self.required || self.min_items.is_some() || !self.unless_zero && !list && self.value.iter().any(refused)
    }

    /// What an expression on the message that holds the field asks of it besides.
    pub fn add(&mut self, asked: &Asked) {
        match asked {
            Asked::Presence => self.required = true,
            Asked::MaxLen(count) => {
                // Its own is the limit of all places; this one is that of the place.
                self.value.retain(|rule| !matches!(rule, Rule::MaxLen(_)));
                self.value.push(Rule::MaxLen(*count));
            }
            Asked::Comparison(comparison, limit) => self.value.push(Rule::Number(*comparison, *limit)),
        }
    }
}

/// The fields of a message of which at least one is to be set, for each rule that asks for that.
pub(super) fn any_of(message: &MessageDescriptor) -> Vec<Vec<String>> {
    let options = message.options();
    if !options.has_extension(&MESSAGE) {
        return Vec::new();
    }
    let declared = options.get_extension(&MESSAGE);
    let declared = declared.as_message().expect("it is a message");
    let expressions = declared.get_field_by_name("cel_expression").expect("it has expressions");
    let expressions = expressions.as_list().expect("it has several");
    let read = |expression: &str| {
        let fields = expression::any_of(expression);
        fields.unwrap_or_else(|| panic!("{} has a rule that is not held: {expression}", message.full_name()))
    };
    expressions.iter().filter_map(Value::as_str).map(read).collect()
}

/// Each pattern once, by its rule and what that is set to: hundreds of fields share a few.
static PATTERNS: LazyLock<Mutex<Patterns>> = LazyLock::new(Mutex::default);
type Patterns = HashMap<(u32, String), Arc<Pattern>>;

impl Pattern {
    fn known(option: &ExtensionDescriptor, set_to: &Value) -> Arc<Self> {
        let key = (option.number(), set_to.as_str().unwrap_or_default().to_owned());
        let mut known = PATTERNS.lock().expect("whoever reads a rule that is not held ends the program");
        known.entry(key).or_insert_with(|| Arc::new(Self::of(option, set_to))).clone()
    }

    fn of(option: &ExtensionDescriptor, set_to: &Value) -> Self {
        let options = option.options();
        let said = options.get_extension(&PROBLEM);
        let said = said.as_message().expect("it is a message");
        let declared = options.get_extension(&PREDEFINED);
        let cel = declared.as_message().and_then(|rules| rules.get_field_by_name("cel").map(Cow::into_owned));
        let cel = cel.as_ref().and_then(Value::as_list).and_then(|rules| rules.first()?.as_message().cloned());
        let expression = cel.as_ref().map(|rule| text(rule, "expression")).unwrap_or_default();
        let rule = set_to.as_str().unwrap_or_default();
        let pattern = expression::pattern(&expression, rule);
        let pattern = pattern.unwrap_or_else(|| panic!("{} is a rule that is not held", option.full_name()));
        let (en, fr) = (text(said, "en"), text(said, "fr"));
        assert!(!en.is_empty() && !fr.is_empty(), "{} says nothing of what breaks it", option.full_name());
        let problem = (en.replace("{rule}", &categories(rule, "or")), fr.replace("{rule}", &categories(rule, "ou")));
        Self { regex: Regex::new(&pattern).expect("a rule's pattern is one"), problem: problem.into() }
    }
}

/// `` `agreements/` or `partners/` ``.
fn categories(rule: &str, or: &str) -> String {
    let quoted: Vec<String> = rule.split('|').map(|category| format!("`{category}/`")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} {or} {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field).expect("it has such a field");
    value.as_str().unwrap_or_default().to_owned()
}

fn defined(field: &FieldDescriptor) -> Vec<i32> {
    let Kind::Enum(kind) = field.kind() else { unreachable!("the compiler refuses the rule on anything else") };
    let mut numbers: Vec<i32> = kind.values().map(|value| value.number()).collect();
    numbers.sort_unstable();
    numbers
}

fn comparison(name: &str) -> Option<Comparison> {
    match name {
        "gt" => Some(Comparison::More),
        "gte" => Some(Comparison::AtLeast),
        "lt" => Some(Comparison::Less),
        "lte" => Some(Comparison::AtMost),
        _ => None,
    }
}

fn number(value: &Value) -> Option<i128> {
    match value {
        Value::I32(number) => Some((*number).into()),
        Value::I64(number) => Some((*number).into()),
        Value::U32(number) => Some((*number).into()),
        Value::U64(number) => Some((*number).into()),
        _ => None,
    }
}

fn unknown<T>(field: &FieldDescriptor, rule: &str) -> T {
    panic!("{} has a rule that is not held: {rule}", field.full_name())
}
