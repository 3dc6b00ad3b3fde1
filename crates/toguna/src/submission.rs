//! Commands from a file, for partners over weak lines: what a spreadsheet says becomes requests, is kept on disk before
//! anything is sent, and is sent again with the same request ids until every row has its answer.
//!
//! The way of a row: `table` reads files into records, `rows` makes a record into a request (`headings` knows which
//! field a column means, `values` how a cell is read), `enrolment` gives it its id, `outbox` keeps it, `order` says which
//! rows must wait for which,
//! `sending` sends, and `outcome` is what came of it. Everything follows from the descriptors: a new command of any
//! service can be submitted without a line here.

use serde::Serialize;

pub mod catalogue;
pub mod enrolment;
pub mod headings;
pub mod order;
pub mod outbox;
pub mod outcome;
pub mod rows;
pub mod sending;
pub mod table;
pub mod values;

/// What is wrong with a file, found before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Its line, from 1; of a JSON array, which element.
    pub line: u64,
    /// The heading of the column; empty: the row as a whole.
    pub column: String,
    /// What is wrong and what to write instead, in the reader's language.
    pub text: String,
    /// How many lines below have the very same problem.
    pub more: usize,
}

impl Problem {
    /// At a line of a file.
    pub fn at(file: &str, line: u64, column: &str, text: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, column: column.to_owned(), text: text.into(), more: 0 }
    }
}

/// The same problem in many lines is said once.
pub fn gathered(problems: Vec<Problem>) -> Vec<Problem> {
    let mut gathered: Vec<Problem> = Vec::new();
    for problem in problems {
        let same = |known: &&mut Problem| {
            (&known.file, &known.column, &known.text) == (&problem.file, &problem.column, &problem.text)
        };
        match gathered.iter_mut().find(same) {
            Some(known) => known.more += 1,
            None => gathered.push(problem),
        }
    }
    gathered
}

#[cfg(test)]
mod tests;
