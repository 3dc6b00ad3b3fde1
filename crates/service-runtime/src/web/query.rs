//! A message as the query of an address: `from_position=7&filter.stream=agreements/ml-fr-1994-circulation`.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use crate::status::Violation;

/// The JSON of a message that a query says. A field within a field is written with a point between their names; a
/// field that is a list may come several times. What is no field stays in it, to be refused with everything else.
pub(super) fn tree(kind: &MessageDescriptor, query: &str) -> Result<Value, Vec<Violation>> {
    let mut tree = Map::new();
    let mut violations = Vec::new();
    for (path, value) in form_urlencoded::parse(query.as_bytes()) {
        if !set(kind, &mut tree, &path, &value) {
            let problem = ("is given twice", "figure deux fois").into();
            violations.push(Violation { field: path.into_owned(), problem });
        }
    }
    if violations.is_empty() { Ok(tree.into()) } else { Err(violations) }
}

/// Whether there was room for it.
fn set(kind: &MessageDescriptor, tree: &mut Map<String, Value>, path: &str, text: &str) -> bool {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = kind.get_field_by_name(name).or_else(|| kind.get_field_by_json_name(name));
    let Some(field) = field else { return tree.insert(path.to_owned(), text.into()).is_none() };
    let place = tree.entry(field.json_name().to_owned());
    match (rest, field.kind()) {
        (Some(rest), Kind::Message(kind)) if !field.is_list() => {
            let within = place.or_insert_with(|| Map::new().into()).as_object_mut();
            within.is_some_and(|within| set(&kind, within, rest, text))
        }
        (Some(_), _) => tree.insert(path.to_owned(), text.into()).is_none(),
        (None, _) if field.is_list() => {
            let items = place.or_insert_with(|| Value::Array(Vec::new())).as_array_mut();
            items.is_some_and(|items| {
                items.push(value(&field, text));
                true
            })
        }
        (None, _) => {
            let is_new = matches!(place, serde_json::map::Entry::Vacant(_));
            place.or_insert_with(|| value(&field, text));
            is_new
        }
    }
}

/// JSON takes numbers as texts too, but not what is true or false.
fn value(field: &FieldDescriptor, text: &str) -> Value {
    match (field.kind(), text) {
        (Kind::Bool, "true" | "") => true.into(),
        (Kind::Bool, "false") => false.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::schema;

    fn read(query: &str) -> Result<Value, Vec<String>> {
        let kind = schema::message("toguna.log.v1.ReplayLogRequest").expect("it is ours");
        tree(&kind, query).map_err(|found| found.into_iter().map(|each| each.field).collect())
    }

    #[test]
    fn a_query_is_read_as_the_message_that_it_spells() {
        let said = read("from_position=7&filter.types=a.B&filter.types=c.D&filter.stream=agreements%2Fx&follow=true");
        let expected = json!({
            "fromPosition": "7", "follow": true, "filter": { "types": ["a.B", "c.D"], "stream": "agreements/x" },
        });
        assert_eq!(said, Ok(expected));
        assert_eq!(read(""), Ok(json!({})));
        assert_eq!(read("follow&maxEvents=3"), Ok(json!({ "follow": true, "maxEvents": "3" })));
    }

    #[test]
    fn what_is_no_field_is_left_to_be_refused() {
        assert_eq!(read("fro=1&filter.strem=x"), Ok(json!({ "fro": "1", "filter": { "strem": "x" } })));
        assert_eq!(read("follow.x=1"), Ok(json!({ "follow.x": "1" })));
        assert_eq!(read("filter=x"), Ok(json!({ "filter": "x" })));
    }

    #[test]
    fn what_is_given_twice_is_not_chosen_from() {
        assert_eq!(read("follow=true&follow=false&x=1&x=2"), Err(vec!["follow".to_owned(), "x".to_owned()]));
        assert_eq!(read("filter=x&filter.stream=y"), Err(vec!["filter.stream".to_owned()]));
    }
}
