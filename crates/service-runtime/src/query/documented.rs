//! What the page on queries says of lists, and what is wrong with their declarations: for the tests of services.

use std::fmt::Write as _;

use super::{
    Kind, Table,
    restriction::{enumeration, values},
};
use crate::{Language, language::Wording};

impl Kind {
    fn described(self) -> Wording {
        match self {
            Self::Name(category) => (format!("name, `{category}/…`"), format!("nom, `{category}/…`")),
            Self::Names(category) => (format!("names, `{category}/…`"), format!("noms, `{category}/…`")),
            Self::Text => ("text".to_owned(), "texte".to_owned()),
            Self::Texts => ("texts".to_owned(), "textes".to_owned()),
            Self::Words => ("text in two languages".to_owned(), "texte en deux langues".to_owned()),
            Self::Enum(kind) => {
                let values = values(kind).into_keys().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
                (format!("one of {values}"), format!("une des valeurs {values}"))
            }
            Self::Number => ("whole number".to_owned(), "nombre entier".to_owned()),
            Self::Date => ("date".to_owned(), "date".to_owned()),
        }
        .into()
    }
}

/// A section of the page: each list by the RPC that answers it, with its fields.
pub fn documented(lists: &[(&str, &Table)], language: Language) -> String {
    let head = Wording::from(("| field | what it is | signs | order |", "| champ | ce que c’est | signes | ordre |"));
    let mut text = String::new();
    for (rpc, table) in lists {
        let _ = write!(text, "### `{rpc}`\n\n{}\n|---|---|---|---|\n", head.say(language));
        for field in table.fields {
            let kind = field.kind.described();
            let signs: Vec<String> = field.kind.signs().iter().map(|sign| format!("`{}`", sign.as_str())).collect();
            let order = if field.kind.is_ordered() { "✓" } else { "" };
            let _ = writeln!(text, "| `{}` | {} | {} | {order} |", field.name, kind.say(language), signs.join(" "));
        }
        text.push('\n');
    }
    text
}

/// What a declaration says that is not so: enumerations that the API does not have, names that stand there twice, a
/// list without names.
pub fn mistaken(table: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (place, field) in table.fields.iter().enumerate() {
        if table.fields[..place].iter().any(|other| other.name == field.name) {
            found.push(format!("{} has {} twice", table.name, field.name));
        }
        if let Kind::Enum(kind) = field.kind
            && enumeration(kind).is_none()
        {
            found.push(format!("{} of {} is no {kind}", field.name, table.name));
        }
    }
    if !matches!(table.fields, [name, ..] if name.name == "name" && name.column() == super::NAME) {
        found.push(format!("{} does not begin with names", table.name));
    }
    found
}
