//! Reads files into records: CSV as spreadsheets write it, JSON, or one JSON object a line.

use serde_json::{Map, Value};

use super::Problem;
use crate::language::Language;

/// One row as its author wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Line of the file, from 1; of a JSON array, which element.
    pub line: u64,
    /// What is filled in, in the order of the columns.
    pub cells: Vec<Cell>,
}

/// One filled cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The heading over it, as written.
    pub heading: String,
    /// How many columns to the left have the same heading.
    pub occurrence: usize,
    /// Text in a CSV file, anything in JSON.
    pub value: Value,
}

/// The rows of a file. It is JSON if it begins like JSON; else CSV, with `;`, `,` or tabs, whichever its headings show.
pub fn read(file: &str, bytes: &[u8], language: Language) -> Result<Vec<Record>, Vec<Problem>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count() as u64;
        vec![Problem::at(file, line, "", not_utf8(language))]
    })?;
    let records = match text.trim_start().as_bytes().first() {
        Some(b'[') => array(file, text, language),
        Some(b'{') => objects(file, text, language),
        _ => csv(file, text, language),
    }?;
    if records.is_empty() {
        let empty = language.say("there is no row", "il n’y a pas de ligne");
        return Err(vec![Problem::at(file, 1, "", empty)]);
    }
    Ok(records)
}

fn not_utf8(language: Language) -> &'static str {
    language.say(
        "this is not UTF-8: save the table as “CSV UTF-8”",
        "ce n’est pas de l’UTF-8 : enregistrez le tableau comme « CSV UTF-8 »",
    )
}

fn csv(file: &str, text: &str, language: Language) -> Result<Vec<Record>, Vec<Problem>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let wrong = |error: &csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        vec![Problem::at(file, line, "", error.to_string())]
    };
    let headings = reader.headers().map_err(|error| wrong(&error))?.clone();
    let occurrences: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(at, name)| headings.iter().take(at).filter(|it| *it == name).count())
        .collect();
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    let mut lines = Lines { text, byte: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|error| wrong(&error))?;
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        let mut cells = Vec::new();
        for (at, text) in record.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            match headings.get(at).filter(|heading| !heading.is_empty()) {
                Some(heading) => {
                    let (heading, occurrence) = (heading.to_owned(), occurrences[at]);
                    cells.push(Cell { heading, occurrence, value: Value::String(text.to_owned()) });
                }
                None => problems.push(Problem::at(file, line, "", no_heading(text, language))),
            }
        }
        if !cells.is_empty() {
            records.push(Record { line, cells });
        }
    }
    if problems.is_empty() { Ok(records) } else { Err(problems) }
}

/// Which line of a text a record begins on: the reader's own count forgets empty lines and those that end in CR LF.
struct Lines<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first character from `byte` on; bytes rise from call to call.
    fn at(&mut self, byte: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let byte = usize::try_from(byte).unwrap_or(bytes.len());
        while let Some(next) = bytes.get(self.byte).filter(|next| self.byte < byte || b"\r\n".contains(next)) {
            self.line += u64::from(*next == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

fn no_heading(text: &str, language: Language) -> String {
    language.say(
        format!("there is no heading over “{text}”; a text that contains the separator stands in quotation marks"),
        format!(
            "il n’y a pas d’intitulé au-dessus de « {text} » ; un texte qui contient le séparateur \
             se met entre guillemets droits"
        ),
    )
}

/// What the first line has most of, outside quotation marks.
fn delimiter(text: &str) -> u8 {
    let mut quoted = false;
    let (mut semicolons, mut commas, mut tabs) = (0, 0, 0);
    for byte in text.trim_start().bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b';' if !quoted => semicolons += 1,
            b',' if !quoted => commas += 1,
            b'\t' if !quoted => tabs += 1,
            _ => {}
        }
    }
    let most = [(semicolons, b';'), (tabs, b'\t'), (commas, b',')].into_iter().max_by_key(|(count, _)| *count);
    most.map_or(b',', |(_, delimiter)| delimiter)
}

fn array(file: &str, text: &str, language: Language) -> Result<Vec<Record>, Vec<Problem>> {
    let rows: Vec<Value> = serde_json::from_str(text).map_err(|error| vec![no_json(file, 0, &error)])?;
    records(file, (1..).zip(rows), language)
}

fn objects(file: &str, text: &str, language: Language) -> Result<Vec<Record>, Vec<Problem>> {
    // One object over several lines is a file of one row.
    if let Ok(row @ Value::Object(_)) = serde_json::from_str(text) {
        return records(file, [(1, row)], language);
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        match serde_json::from_str(text) {
            Ok(row) => rows.push((line, row)),
            Err(error) => problems.push(no_json(file, line - 1, &error)),
        }
    }
    if problems.is_empty() { records(file, rows, language) } else { Err(problems) }
}

/// `before`: lines before the text that was parsed.
fn no_json(file: &str, before: u64, error: &serde_json::Error) -> Problem {
    Problem::at(file, before + error.line() as u64, "", error.to_string())
}

fn records(
    file: &str,
    rows: impl IntoIterator<Item = (u64, Value)>,
    language: Language,
) -> Result<Vec<Record>, Vec<Problem>> {
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    for (line, row) in rows {
        if let Value::Object(fields) = row {
            records.push(Record { line, cells: cells(fields) });
        } else {
            let text = language.say("a row is an object: {…}", "une ligne est un objet\u{202f}: {…}");
            problems.push(Problem::at(file, line, "", text));
        }
    }
    if problems.is_empty() { Ok(records) } else { Err(problems) }
}

fn cells(fields: Map<String, Value>) -> Vec<Cell> {
    let filled = fields.into_iter().filter(|(_, value)| !value.is_null());
    filled.map(|(heading, value)| Cell { heading, occurrence: 0, value }).collect()
}
