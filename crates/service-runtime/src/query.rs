//! What callers write to choose from a list: a filter and an order, over the fields that the list declares. The page
//! `docs/queries.md` describes the language, a part of that of AIP-160.

mod documented;
mod filter;
mod order;
mod restriction;
mod tokens;
mod wordings;

use event_store::{Column, Condition, Holds, Order};

pub use self::{
    documented::{documented, mistaken},
    wordings::{first_day, wordings},
};
use crate::{Fields, language::Wording, nearest::nearest};

/// A table of a read model that a list is answered from. Its columns `name` and `resource` hold each resource's name
/// and the resource itself, encoded; names are ordered byte by byte.
#[derive(Debug)]
pub struct Table {
    /// As SQL has it.
    pub name: &'static str,
    /// What callers may write of.
    pub fields: &'static [Field],
}

/// A field of a list: something of its resources that a filter or an order may speak of.
#[derive(Debug)]
pub struct Field {
    /// As callers write it.
    pub name: &'static str,
    /// The column that holds it, or an expression over the row.
    pub sql: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What a field is, and so how its column holds it and what may be said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The name of a resource of a category, or none: a text.
    Name(&'static str),
    /// Names of resources of a category: an array of texts.
    Names(&'static str),
    /// A reference or a code, or none: a text.
    Text,
    /// References or codes: an array of texts.
    Texts,
    /// A text in two languages: [`wordings`] in one text.
    Words,
    /// A value of an enumeration of the API, by its full name: the value's number.
    Enum(&'static str),
    /// A whole number of 64 bits.
    Number,
    /// A date, as exactly as it is known: its first day.
    Date,
}

/// The name of every resource, by which lists are ordered where nothing else is asked for.
pub(crate) const NAME: Column = Column { sql: "name", holds: Holds::Text };

impl Field {
    /// A field.
    pub const fn new(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind }
    }

    /// Where it is kept.
    pub const fn column(&self) -> Column {
        Column { sql: self.sql, holds: self.kind.holds() }
    }
}

impl Kind {
    const fn holds(self) -> Holds {
        match self {
            Self::Name(_) | Self::Text | Self::Words => Holds::Text,
            Self::Names(_) | Self::Texts => Holds::Texts,
            Self::Enum(_) | Self::Number => Holds::Number,
            Self::Date => Holds::Day,
        }
    }

    /// Whether there is one value, by which a list can be ordered.
    const fn is_ordered(self) -> bool {
        !matches!(self, Self::Names(_) | Self::Texts | Self::Words)
    }
}

impl Table {
    /// Reads a filter; empty: everything. Each fault is a violation of `filter` that names the column.
    pub(crate) fn filter(&self, fields: &mut Fields, text: &str) -> Condition {
        filter::read(self, text).unwrap_or_else(|faults| {
            for fault in faults {
                fault.violates(fields, "filter");
            }
            Condition::All(Vec::new())
        })
    }

    /// Reads an order; what is equal in it comes by name.
    pub(crate) fn order(&self, fields: &mut Fields, text: &str) -> Vec<Order> {
        order::read(self, text).unwrap_or_else(|faults| {
            for fault in faults {
                fault.violates(fields, "order_by");
            }
            Vec::new()
        })
    }

    fn field(&self, name: &str, column: usize) -> Result<&'static Field, Fault> {
        self.fields.iter().find(|field| field.name == name).ok_or_else(|| {
            let names = || self.fields.iter().map(|field| field.name);
            let shown = shown(name);
            let problem = if let Some(meant) = nearest(name, names()) {
                (
                    format!("`{shown}` is no field here; did you mean `{meant}`?"),
                    format!("`{shown}` n’est pas un champ ici\u{202f}; vouliez-vous dire `{meant}`\u{202f}?"),
                )
            } else {
                let all = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                (
                    format!("`{shown}` is no field here; there are {all}"),
                    format!("`{shown}` n’est pas un champ ici\u{202f}; il y a {all}"),
                )
            };
            Fault::new(column, problem)
        })
    }
}

/// What is wrong with a text that a caller wrote, and where.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    /// The first character that it is about: 1, 2, 3, ….
    column: usize,
    problem: Wording,
}

impl Fault {
    fn new(column: usize, problem: impl Into<Wording>) -> Self {
        Self { column, problem: problem.into() }
    }

    fn violates(self, fields: &mut Fields, field: &str) {
        let Self { column, problem: Wording { en, fr } } = self;
        fields.violation(field, (format!("column {column}: {en}"), format!("colonne {column}\u{202f}: {fr}")));
    }
}

/// What a caller wrote, so short that it can be repeated to it.
fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
