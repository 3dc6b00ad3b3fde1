//! JSON as it was written: what is named twice in one object is not read as if it had been named once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::status::Violation;

/// Reads one value, and nothing after it.
pub(super) fn read(text: &[u8]) -> Result<Value, Violation> {
    match serde_json::from_slice::<Tree>(text) {
        Ok(Tree(value)) => Ok(value),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let problem = if error.is_data() {
                (
                    format!("a field is given twice in one object (line {line}, column {column})"),
                    format!("un champ figure deux fois dans un objet (ligne {line}, colonne {column})"),
                )
            } else {
                (
                    format!("the content is not JSON from line {line}, column {column} on"),
                    format!("le contenu n’est pas du JSON à partir de la ligne {line}, colonne {column}"),
                )
            };
            Err(Violation { field: String::new(), problem: problem.into() })
        }
    }
}

struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Grower).map(Self)
    }
}

struct Grower;

impl<'de> Visitor<'de> for Grower {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Tree(value))) = members.next_entry::<String, Tree>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("given twice"));
            }
        }
        Ok(object.into())
    }
}
