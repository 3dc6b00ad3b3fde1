//! From `phase desc, reference` to an order.

use event_store::Order;

use super::{Fault, Field, NAME, Table, shown};

/// Characters of an order at most.
const MAX_LENGTH: usize = 500;
/// Fields of an order at most.
const MAX_FIELDS: usize = 5;

/// Reads an order, or says all that is wrong with it. What is equal in all of its fields comes by name.
pub(super) fn read(table: &Table, text: &str) -> Result<Vec<Order>, Vec<Fault>> {
    let mut order: Vec<Order> = Vec::new();
    let mut faults = Vec::new();
    let parts: Vec<&str> = if text.trim().is_empty() { Vec::new() } else { text.split(',').collect() };
    if text.chars().nth(MAX_LENGTH).is_some() || parts.len() > MAX_FIELDS {
        let problem = (
            format!("an order has at most {MAX_FIELDS} fields"),
            format!("un ordre compte au plus {MAX_FIELDS} champs"),
        );
        return Err(vec![Fault::new(1, problem)]);
    }
    let mut column = 1;
    for part in parts {
        let blank = part.chars().take_while(|character| character.is_whitespace()).count();
        match by(table, part, column + blank) {
            Ok(by) if order.iter().any(|other| other.by == by.by) => {
                faults.push(Fault::new(column + blank, ("this field stands there twice", "ce champ figure deux fois")));
            }
            Ok(by) => order.push(by),
            Err(fault) => faults.push(fault),
        }
        column += part.chars().count() + 1;
    }
    if !order.iter().any(|order| order.by == NAME) {
        order.push(Order { by: NAME, descending: false });
    }
    if faults.is_empty() { Ok(order) } else { Err(faults) }
}

fn by(table: &Table, part: &str, column: usize) -> Result<Order, Fault> {
    let mut words = part.split_whitespace();
    let (name, direction, more) = (words.next().unwrap_or_default(), words.next(), words.next());
    if name.is_empty() {
        return Err(Fault::new(column, ("a field is missing here", "il manque un champ ici")));
    }
    let field = table.field(name, column)?;
    if !field.kind.is_ordered() {
        let orders = table.fields.iter().filter(|field| field.kind.is_ordered());
        let orders = orders.map(|Field { name, .. }| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let problem = (
            format!("a list has no order by `{name}`; it has one by {orders}"),
            format!("une liste n’a pas d’ordre selon `{name}`\u{202f}; elle en a selon {orders}"),
        );
        return Err(Fault::new(column, problem));
    }
    let descending = match (direction, more) {
        (None | Some("asc"), None) => false,
        (Some("desc"), None) => true,
        (wrong, more) => {
            let wrong = shown(more.or(wrong).unwrap_or_default());
            let problem = (
                format!("`{wrong}` is neither `asc` nor `desc`, after which a comma comes"),
                format!("`{wrong}` n’est ni `asc` ni `desc`, après quoi vient une virgule"),
            );
            return Err(Fault::new(column, problem));
        }
    };
    Ok(Order { by: field.column(), descending })
}
