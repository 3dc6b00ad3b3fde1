//! The tables of generations, read by key. Names of schemas, tables and columns cannot be parameters, so the SQL here is
//! put together from what Postgres itself says of them, quoted.

use sqlx::{AssertSqlSafe, PgConnection};

use super::GenerationError;
use crate::read_models::quoted;

/// Tables that are not of the read models.
const BOOKKEEPING: [&str; 3] = ["checkpoints", "_sqlx_migrations", "_checkpoint_migrations"];

const NO_KEY: (&str, &str) = ("it has no primary key", "elle n’a pas de clé primaire");

/// A table, the same in each generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    columns: Vec<Column>,
    /// The columns of its primary key, in its order.
    key: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    type_name: String,
}

/// A key, each part as text: where a range of keys begins or ends.
pub type Key = Vec<String>;

/// A row that is not the same in two generations. Keys and rows are JSON objects as Postgres writes `jsonb`, so that
/// equal ones are equal texts.
#[derive(Debug, Clone)]
pub struct Pair {
    pub key: String,
    pub live: Option<String>,
    pub beside: Option<String>,
}

/// The tables of a schema, by name.
pub async fn tables(connection: &mut PgConnection, schema: &str) -> Result<Vec<Table>, GenerationError> {
    type Row = (String, String, String, Option<i32>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT class.relname::text, attribute.attname::text, format_type(atttypid, atttypmod),
                array_position(index.indkey::int2[], attribute.attnum)
         FROM pg_class AS class
         JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
         JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attnum > 0 AND NOT attisdropped
         LEFT JOIN pg_index AS index ON index.indrelid = class.oid AND index.indisprimary
         WHERE nspname = $1 AND relkind IN ('r', 'p') AND relname <> ALL ($2) ORDER BY relname, attnum",
    )
    .bind(schema)
    .bind(BOOKKEEPING)
    .fetch_all(connection)
    .await?;
    let mut tables: Vec<(Table, Vec<(i32, Column)>)> = Vec::new();
    for (table, name, type_name, in_key) in rows {
        if tables.last().is_none_or(|(known, _)| known.name != table) {
            tables.push((Table { name: table, columns: Vec::new(), key: Vec::new() }, Vec::new()));
        }
        let Some((known, key)) = tables.last_mut() else { continue };
        let column = Column { name, type_name };
        key.extend(in_key.map(|place| (place, column.clone())));
        known.columns.push(column);
    }
    let finished = tables.into_iter().map(|(mut table, mut key)| {
        if key.is_empty() {
            return Err(GenerationError::NotComparable { table: table.name, problem: NO_KEY.into() });
        }
        key.sort_by_key(|(place, _)| *place);
        table.key = key.into_iter().map(|(_, column)| column).collect();
        Ok(table)
    });
    finished.collect()
}

impl Table {
    /// How many rows it has.
    pub async fn count(&self, connection: &mut PgConnection, schema: &str) -> Result<u64, sqlx::Error> {
        let sql = format!("SELECT count(*) FROM {}", self.within(schema));
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?;
        Ok(count.cast_unsigned())
    }

    /// The last key of the next range, of so many rows at most in either schema; `None`: the rest is one.
    pub async fn end_of_range(
        &self,
        connection: &mut PgConnection,
        schemas: [&str; 2],
        after: Option<&Key>,
        rows: u32,
    ) -> Result<Option<Key>, sqlx::Error> {
        let keys = self.key_list("");
        let one = |schema: &str| {
            let (table, range) = (self.within(schema), self.range(true, false));
            format!("(SELECT {keys} FROM {table} AS t WHERE {range} ORDER BY {keys} OFFSET $3 LIMIT 1)")
        };
        let texts: Vec<String> = self.key.iter().map(|column| format!("{}::text", quoted(&column.name))).collect();
        let sql = format!(
            "SELECT ARRAY[{}] FROM ({} UNION ALL {}) AS ends ORDER BY {keys} LIMIT 1",
            texts.join(", "),
            one(schemas[0]),
            one(schemas[1])
        );
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(after).bind(None::<Key>).bind(i64::from(rows) - 1);
        query.fetch_optional(connection).await
    }

    /// The rows of a range that differ: how many, and so many of them; and how many rows the first schema has there.
    pub async fn differing(
        &self,
        connection: &mut PgConnection,
        schemas: [&str; 2],
        range: (Option<&Key>, Option<&Key>),
        at_most: usize,
    ) -> Result<(u64, u64, Vec<Pair>), sqlx::Error> {
        let (after, until) = range;
        let within = self.range(true, true);
        let on: Vec<String> = self.key.iter().map(|it| format!("a.{0} = b.{0}", quoted(&it.name))).collect();
        let row = |alias: &str| {
            let columns: Vec<_> = self.columns.iter().map(|it| format!("{alias}.{}", quoted(&it.name))).collect();
            columns.join(", ")
        };
        let key: Vec<String> = (self.key.iter())
            .map(|it| format!("'{}', coalesce(a.{1}, b.{1})", it.name.replace('\'', "''"), quoted(&it.name)))
            .collect();
        let first = format!("a.{}", quoted(&self.key[0].name));
        let second = format!("b.{}", quoted(&self.key[0].name));
        let sql = format!(
            "SELECT count(*) OVER (), jsonb_build_object({key})::text,
                    CASE WHEN {first} IS NOT NULL THEN to_jsonb(a)::text END,
                    CASE WHEN {second} IS NOT NULL THEN to_jsonb(b)::text END
             FROM (SELECT * FROM {one} AS t WHERE {within}) AS a
             FULL JOIN (SELECT * FROM {other} AS t WHERE {within}) AS b ON {on}
             WHERE ROW({a}) IS DISTINCT FROM ROW({b}) ORDER BY 2 LIMIT $3",
            key = key.join(", "),
            one = self.within(schemas[0]),
            other = self.within(schemas[1]),
            on = on.join(" AND "),
            a = row("a"),
            b = row("b"),
        );
        let limit = i64::try_from(at_most.max(1)).unwrap_or(i64::MAX);
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(after).bind(until).bind(limit);
        let rows: Vec<(i64, String, Option<String>, Option<String>)> = query.fetch_all(&mut *connection).await?;
        let differing = rows.first().map_or(0, |(count, ..)| count.cast_unsigned());
        let pair = |(_, key, live, beside)| Pair { key, live, beside };
        let pairs = rows.into_iter().take(at_most).map(pair).collect();
        let sql = format!("SELECT count(*) FROM {} AS t WHERE {within}", self.within(schemas[0]));
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).bind(after).bind(until).fetch_one(connection).await?;
        Ok((differing, count.cast_unsigned(), pairs))
    }

    /// The rows of these keys, in the same order; `None`: there is none.
    pub async fn rows(
        &self,
        connection: &mut PgConnection,
        schema: &str,
        keys: &[&str],
    ) -> Result<Vec<Option<String>>, sqlx::Error> {
        let typed: Vec<String> = self.key.iter().map(|it| format!("{} {}", quoted(&it.name), it.type_name)).collect();
        let on: Vec<String> = self.key.iter().map(|it| format!("t.{0} = wanted.{0}", quoted(&it.name))).collect();
        let sql = format!(
            "SELECT to_jsonb(t)::text FROM unnest($1::text[]) WITH ORDINALITY AS asked (key, place)
             CROSS JOIN LATERAL jsonb_to_record(asked.key::jsonb) AS wanted ({})
             LEFT JOIN {} AS t ON {} ORDER BY place",
            typed.join(", "),
            self.within(schema),
            on.join(" AND "),
        );
        let rows: Vec<Option<String>> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(keys).fetch_all(connection).await?;
        Ok(rows)
    }

    fn within(&self, schema: &str) -> String {
        format!("{}.{}", quoted(schema), quoted(&self.name))
    }

    fn key_list(&self, alias: &str) -> String {
        let names: Vec<String> = self.key.iter().map(|column| format!("{alias}{}", quoted(&column.name))).collect();
        names.join(", ")
    }

    /// The rows after the key `$1` and up to the key `$2`; where one is null, there is no such limit.
    fn range(&self, after: bool, until: bool) -> String {
        let keys = self.key_list("t.");
        let bound = |parameter: &str| {
            let parts =
                (1..).zip(&self.key).map(|(place, it)| format!("({parameter}::text[])[{place}]::{}", it.type_name));
            parts.collect::<Vec<_>>().join(", ")
        };
        let mut conditions = Vec::new();
        if after {
            conditions.push(format!("($1::text[] IS NULL OR ({keys}) > ({}))", bound("$1")));
        }
        // Named also where it is not used, so that the statement has one parameter of each number.
        let until = if until { format!("OR ({keys}) <= ({})", bound("$2")) } else { "OR true".to_owned() };
        conditions.push(format!("($2::text[] IS NULL {until})"));
        conditions.join(" AND ")
    }
}
