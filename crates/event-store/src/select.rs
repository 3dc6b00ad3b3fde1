//! Rows of a read model, chosen while the program runs: by conditions that a caller wrote, in an order that it named,
//! from a place in that order on.
//!
//! The SQL is made of the program's own words alone: names of tables and columns are `&'static str`, and whatever a
//! caller wrote is a parameter.

use sqlx::{PgPool, Postgres, QueryBuilder};

use crate::StoreError;

/// A column of a table, or an expression over its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// As SQL has it.
    pub sql: &'static str,
    /// What it holds.
    pub holds: Holds,
}

/// What a column holds, and so how its values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A text, empty where there is none; ordered byte by byte, which its collation must say.
    Text,
    /// Texts, in an array.
    Texts,
    /// A whole number, in decimal digits; null where there is none.
    Number,
    /// A day, as `2024-05-31`; null where there is none.
    Day,
}

/// How a value stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Less, or earlier.
    Less,
    /// Less or the same.
    AtMost,
    /// The same.
    Equal,
    /// The same or more.
    AtLeast,
    /// More, or later.
    More,
}

/// What must hold of a row. Where a column holds nothing, nothing holds of it but that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Each of these; none: every row.
    All(Vec<Condition>),
    /// At least one of these.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// The column stands so to a value, which is written as the column holds it.
    Is(Column, Relation, String),
    /// The text has this part, whatever the case of its ASCII letters; the part is in lower case.
    Contains(Column, String),
    /// The array has this element.
    Has(Column, String),
    /// There is something in the column.
    IsSet(Column),
}

/// By what rows are ordered. Where a column holds nothing, that is less than everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// A column that is no array.
    pub by: Column,
    /// The greatest first.
    pub descending: bool,
}

/// Which rows of a table are wanted.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The table.
    pub table: &'static str,
    /// What holds of them.
    pub condition: Condition,
    /// In which order they come: by the first of these, then by the next. No two rows are the same in all of them.
    pub order: Vec<Order>,
    /// Only rows after this one, by its [`SelectedRow::keys`] in the same order.
    pub after: Option<Vec<String>>,
    /// At most so many.
    pub limit: i64,
}

/// A row that was wanted.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SelectedRow {
    /// The resource that it shows, encoded.
    pub resource: Vec<u8>,
    /// Its place in the order.
    pub keys: Vec<String>,
}

impl Selection {
    /// Reads the rows: the column `resource` of each.
    pub async fn rows(&self, pool: &PgPool) -> Result<Vec<SelectedRow>, StoreError> {
        Ok(self.query().build_query_as().fetch_all(pool).await?)
    }

    fn query(&self) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new("SELECT resource, ARRAY[");
        for (place, order) in self.order.iter().enumerate() {
            query.push(if place == 0 { "(" } else { ", (" });
            key(&mut query, order.by);
            query.push(")::text");
        }
        query.push("] AS keys FROM ").push(self.table).push(" WHERE ");
        condition(&mut query, &self.condition);
        if let Some(keys) = &self.after {
            query.push(" AND ");
            after(&mut query, &self.order, keys);
        }
        query.push(" ORDER BY ");
        for (place, order) in self.order.iter().enumerate() {
            query.push(if place == 0 { "" } else { ", " });
            key(&mut query, order.by);
            query.push(if order.descending { " DESC" } else { "" });
        }
        query.push(" LIMIT ").push_bind(self.limit);
        query
    }
}

fn condition(query: &mut QueryBuilder<Postgres>, wanted: &Condition) {
    match wanted {
        Condition::All(all) => joined(query, all, " AND ", "TRUE"),
        Condition::Any(any) => joined(query, any, " OR ", "FALSE"),
        Condition::Not(not) => {
            query.push("(");
            condition(query, not);
            // What is neither true nor false, because there is nothing to compare, is not so.
            query.push(") IS NOT TRUE");
        }
        Condition::Is(column, relation, text) => {
            query.push(column.sql).push(match relation {
                Relation::Less => " < ",
                Relation::AtMost => " <= ",
                Relation::Equal => " = ",
                Relation::AtLeast => " >= ",
                Relation::More => " > ",
            });
            value(query, *column, text);
        }
        Condition::Contains(column, part) => {
            query.push("position(").push_bind(part.clone()).push(" IN lower(").push(column.sql).push(")) > 0");
        }
        Condition::Has(column, element) => {
            query.push_bind(element.clone()).push(" = ANY (").push(column.sql).push(")");
        }
        Condition::IsSet(column) => {
            let (before, after) = match column.holds {
                Holds::Text => ("", " <> ''"),
                Holds::Texts => ("cardinality(", ") > 0"),
                Holds::Number | Holds::Day => ("", " IS NOT NULL"),
            };
            query.push(before).push(column.sql).push(after);
        }
    }
}

fn joined(query: &mut QueryBuilder<Postgres>, conditions: &[Condition], by: &'static str, none: &'static str) {
    if conditions.is_empty() {
        query.push(none);
    }
    for (place, each) in conditions.iter().enumerate() {
        query.push(if place == 0 { "(" } else { by });
        condition(query, each);
    }
    if !conditions.is_empty() {
        query.push(")");
    }
}

/// What rows are ordered by: never null.
fn key(query: &mut QueryBuilder<Postgres>, column: Column) {
    let (before, after) = match column.holds {
        Holds::Text | Holds::Texts => ("", ""),
        Holds::Number => ("coalesce(", ", '-9223372036854775808'::bigint)"),
        Holds::Day => ("coalesce(", ", '-infinity'::date)"),
    };
    query.push(before).push(column.sql).push(after);
}

fn value(query: &mut QueryBuilder<Postgres>, column: Column, text: &str) {
    query.push_bind(text.to_owned()).push(match column.holds {
        Holds::Text | Holds::Texts => "",
        Holds::Number => "::text::bigint",
        Holds::Day => "::text::date",
    });
}

/// Rows whose keys come after these.
fn after(query: &mut QueryBuilder<Postgres>, order: &[Order], keys: &[String]) {
    let ([first, order @ ..], [text, keys @ ..]) = (order, keys) else {
        query.push("FALSE");
        return;
    };
    query.push("(");
    key(query, first.by);
    query.push(if first.descending { " < " } else { " > " });
    value(query, first.by, text);
    if !order.is_empty() {
        query.push(" OR (");
        key(query, first.by);
        query.push(" = ");
        value(query, first.by, text);
        query.push(" AND ");
        after(query, order, keys);
        query.push(")");
    }
    query.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Column = Column { sql: "name", holds: Holds::Text };
    const DUE: Column = Column { sql: "due_on", holds: Holds::Day };

    fn sql(condition: Condition, order: Vec<Order>, after: Option<&[&str]>) -> String {
        let after = after.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect());
        let selection = Selection { table: "promises", condition, order, after, limit: 3 };
        selection.query().sql().as_str().to_owned()
    }

    #[test]
    fn what_a_caller_wrote_is_a_parameter() {
        let condition = Condition::All(vec![
            Condition::Any(vec![
                Condition::Is(NAME, Relation::Equal, "'; DROP TABLE promises; --".to_owned()),
                Condition::Not(Box::new(Condition::IsSet(DUE))),
            ]),
            Condition::Contains(NAME, "'".to_owned()),
        ]);
        assert_eq!(
            sql(condition, vec![Order { by: NAME, descending: false }], None),
            "SELECT resource, ARRAY[(name)::text] AS keys FROM promises \
             WHERE ((name = $1 OR (due_on IS NOT NULL) IS NOT TRUE) AND position($2 IN lower(name)) > 0) \
             ORDER BY name LIMIT $3"
        );
    }

    #[test]
    fn a_page_goes_on_after_the_last_row_of_the_one_before_in_any_order() {
        let order = vec![Order { by: DUE, descending: true }, Order { by: NAME, descending: false }];
        assert_eq!(
            sql(Condition::All(vec![]), order, Some(&["2020-01-01", "a"])),
            "SELECT resource, ARRAY[(coalesce(due_on, '-infinity'::date))::text, (name)::text] AS keys FROM promises \
             WHERE TRUE AND (coalesce(due_on, '-infinity'::date) < $1::text::date \
             OR (coalesce(due_on, '-infinity'::date) = $2::text::date AND (name > $3))) \
             ORDER BY coalesce(due_on, '-infinity'::date) DESC, name LIMIT $4"
        );
    }
}
