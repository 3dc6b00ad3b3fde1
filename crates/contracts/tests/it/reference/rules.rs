//! What `buf.validate` asks of a field, in the words of its options.

use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, Value};

/// ``Rules: `required`, `max_len: 40`, `line`.``, or nothing.
pub fn of_field(pool: &DescriptorPool, field: &FieldDescriptor) -> String {
    told(pool, &field.options(), "buf.validate.field")
}

/// The same of a message as a whole.
pub fn of_message(pool: &DescriptorPool, message: &MessageDescriptor) -> String {
    told(pool, &message.options(), "buf.validate.message")
}

fn told(pool: &DescriptorPool, options: &DynamicMessage, option: &str) -> String {
    let option = pool.get_extension_by_name(option).expect("buf.validate defines it");
    if !options.has_extension(&option) {
        return String::new();
    }
    let mut rules = Vec::new();
    list(&options.get_extension(&option), "", &mut rules);
    format!("Rules: {}.", rules.join(", "))
}

fn list(value: &Value, name: &str, rules: &mut Vec<String>) {
    match value {
        Value::Message(message) => {
            for (field, value) in message.fields() {
                if field.name() == "items" {
                    let mut each = Vec::new();
                    list(value, "", &mut each);
                    rules.push(format!("each {}", each.join(", ")));
                } else {
                    list(value, field.name(), rules);
                }
            }
            for (rule, value) in message.extensions() {
                list(value, rule.name(), rules);
            }
        }
        Value::List(values) => values.iter().for_each(|value| list(value, name, rules)),
        Value::Bool(true) => rules.push(format!("`{name}`")),
        Value::EnumNumber(_) => rules.push("or empty".to_owned()),
        Value::String(text) if name == "cel_expression" => rules.push(format!("`{text}`")),
        other => rules.push(format!("`{name}: {}`", shown(other))),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::U64(number) => number.to_string(),
        Value::U32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::I32(number) => number.to_string(),
        other => panic!("no rule is set to {other:?}"),
    }
}
