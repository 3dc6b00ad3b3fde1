//! Data on stdout, progress on stderr.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Prints one JSON value on a line of its own.
pub fn json(value: &impl Serialize) -> Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Prints text.
pub fn text(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Text for people, line by line.
#[derive(Debug, Default)]
pub struct Page(Vec<String>);

impl Page {
    /// Adds a line, or a block of lines.
    pub fn add(&mut self, text: impl Into<String>) {
        self.0.push(text.into());
    }

    /// Adds a heading after an empty line.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.0.push(String::new());
        self.0.push(text.into());
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.0.join("\n")
    }
}

/// Prints rows as CSV, the first one their names.
pub fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
    let mut writer = csv::Writer::from_writer(io::stdout().lock());
    for row in rows {
        writer.write_record(row)?;
    }
    Ok(writer.flush()?)
}

/// An empty table; the columns from `numbers` on are aligned to the right.
pub fn table(header: &[&str], numbers: std::ops::Range<usize>) -> Table {
    let mut table = Table::new();
    let style = presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));
    table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    if !io::stdout().is_terminal() {
        table.set_width(160);
    }
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// What is being waited for: one moving line on a terminal, a line each elsewhere.
#[derive(Debug)]
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Begins.
    pub fn start() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(ProgressStyle::with_template("{spinner} {msg} ({elapsed})").expect("the template is right"));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self(bar)
    }

    /// Shows how much of something is done, with what it is; only on a terminal.
    pub fn part(&self, done: u64, of: u64, what: &str) {
        let Some(bar) = &self.0 else { return };
        if bar.length() != Some(of) {
            let style = ProgressStyle::with_template("{spinner} {wide_bar} {human_pos}/{human_len} {msg} ({eta})");
            bar.set_style(style.expect("the template is right"));
            bar.set_length(of);
        }
        bar.set_position(done);
        bar.set_message(what.to_owned());
    }

    /// Says what is being waited for now.
    pub fn say(&self, what: &str) {
        match &self.0 {
            Some(bar) => bar.set_message(what.to_owned()),
            None => eprintln!("{what}"),
        }
    }

    /// Says something that stays.
    pub fn note(&self, what: &str) {
        match &self.0 {
            Some(bar) if !bar.is_finished() => bar.println(what),
            Some(_) | None => eprintln!("{what}"),
        }
    }

    /// Ends, leaving nothing behind.
    pub fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
