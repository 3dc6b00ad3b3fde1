//! What is printed, and what is written as JSON.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    machine::Machine,
    measure::Sample,
    rows::{Compared, Family, Row},
    run::{Measured, Run},
};

/// The rows of a run.
pub struct Report {
    machine: Machine,
    quick: bool,
    rows: Vec<Row>,
    skipped: Vec<(Family, String)>,
}

/// Lowest, middle and highest of the rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    /// Lowest.
    pub min: f64,
    /// Middle.
    pub median: f64,
    /// Highest.
    pub max: f64,
}

impl Spread {
    /// Of values in any order; all zero where there is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(0.0);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) && middle > 0 {
            f64::midpoint(at(middle - 1), at(middle))
        } else {
            at(middle)
        };
        Self { min: at(0), median, max: at(values.len().saturating_sub(1)) }
    }
}

impl Row {
    fn ours(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|(ours, _)| ours.value))
    }

    fn beside(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|(_, beside)| beside.value))
    }

    fn ratio(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|(ours, beside)| self.compared.ratio(ours.value, beside.value)))
    }

    fn verdict(&self) -> &'static str {
        let ratio = self.ratio().median;
        if ratio >= self.compared.aim() {
            "aim"
        } else if ratio >= self.compared.reach() {
            "reach"
        } else {
            "missed"
        }
    }
}

impl Report {
    /// Nothing measured yet.
    pub fn new(run: &Run) -> Self {
        Self { machine: run.ground.machine.clone(), quick: run.quick, rows: Vec::new(), skipped: Vec::new() }
    }

    /// Adds the rows of a family, or why there are none.
    pub fn add(&mut self, family: Family, measured: Result<Vec<Row>>) {
        match measured {
            Ok(rows) => self.rows.extend(rows),
            Err(error) => {
                eprintln!("{family:?} is skipped: {error:#}");
                self.skipped.push((family, format!("{error:#}")));
            }
        }
    }

    /// Writes all of it as JSON.
    pub fn write(&self, path: &Path) -> Result<()> {
        let rows: Vec<Value> = self.rows.iter().map(row_as_json).collect();
        let skipped: Vec<Value> = self
            .skipped
            .iter()
            .map(|(family, reason)| json!({ "id": format!("{family:?}"), "reason": reason }))
            .collect();
        let all = json!({ "machine": self.machine, "quick": self.quick, "rows": rows, "skipped": skipped });
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string_pretty(&all)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Prints the table; with `verbose` every round too.
    pub fn print(&self, verbose: bool) {
        let machine = &self.machine;
        println!(
            "\n{} cores ({}), {} GiB, {}; fdatasync {:.2} ms (p99 {:.2}), load before {:.2}; source {}{}",
            machine.cores,
            machine.processor,
            machine.memory_gib,
            machine.postgres,
            machine.fdatasync_ms,
            machine.fdatasync_p99_ms,
            machine.load_before,
            machine.source,
            if self.quick { "; QUICK: a first look, not a measurement" } else { "" }
        );
        if machine.load_before > 0.3 {
            println!("Something else was running before the run began: only ratios mean anything, and they less.");
        }
        println!("{}", self.table());
        for row in &self.rows {
            print_details(row, verbose);
        }
        for (family, reason) in &self.skipped {
            println!("{family:?} ({}) is skipped: {reason}", family.what());
        }
    }

    fn table(&self) -> String {
        let header = ["row", "", "beside", "ours", "beside", "unit", "ratio", "from", "to", "reach", "aim"];
        let mut table = toguna::output::table(&header, 3..11);
        for row in &self.rows {
            let ratio = row.ratio();
            table.add_row([
                row.id.clone(),
                row.verdict().to_owned(),
                row.beside_what.clone(),
                figure(row.ours().median),
                figure(row.beside().median),
                row.compared.unit().to_owned(),
                format!("{:.2}", ratio.median),
                format!("{:.2}", ratio.min),
                format!("{:.2}", ratio.max),
                format!("{:.2}", row.compared.reach()),
                format!("{:.2}", row.compared.aim()),
            ]);
        }
        table.to_string()
    }
}

/// Three digits that count.
fn figure(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn print_details(row: &Row, verbose: bool) {
    println!("{}: {}", row.id, row.what);
    if let Compared::Latency { reach, aim, .. } = row.compared {
        println!("  ours may be {reach} × the other, {aim} × is the aim; the ratio is {reach} over what was measured");
    }
    for note in &row.notes {
        println!("  {note}");
    }
    for (side, pick) in [("ours", 0), ("beside", 1)] {
        let rounds = row.rounds.iter().map(|(ours, beside)| if pick == 0 { ours } else { beside });
        let rounds: Vec<&Measured> = rounds.collect();
        if let Some(line) = together(&rounds) {
            println!("  {side}: {line}");
        }
        if verbose {
            for (index, measured) in rounds.iter().enumerate() {
                println!(
                    "    round {}: {} {}",
                    index + 1,
                    figure(measured.value),
                    together(&[measured]).unwrap_or_default()
                );
            }
        }
    }
}

/// Latencies, failures and costs of several rounds together.
fn together(rounds: &[&Measured]) -> Option<String> {
    let mut all = Sample::empty();
    for sample in rounds.iter().filter_map(|measured| measured.sample.as_ref()) {
        all.add(sample);
        all.peak_rss = all.peak_rss.max(sample.peak_rss);
    }
    let mut parts = Vec::new();
    if !all.latency.is_empty() {
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| figure(all.quantile(part)));
        parts.push(format!("p50 {p50} ms, p99 {p99} ms, p99.9 {p999} ms"));
        parts.push(format!("{} conflicts, {} failed", all.conflicts, all.failed));
    }
    let names = rounds.first()?.costs.iter().map(|(name, _)| *name);
    let costs = names.enumerate().map(|(index, name)| {
        let of_each = rounds.iter().filter_map(|measured| measured.costs.get(index).map(|(_, cost)| *cost));
        format!("{name} {}", figure(Spread::of(of_each).median))
    });
    let costs: Vec<String> = costs.collect();
    if !costs.is_empty() {
        parts.push(format!("µs of processor each: {}", costs.join(", ")));
    }
    if all.peak_rss > 0 {
        parts.push(format!("peak memory {} MiB", all.peak_rss / 1024 / 1024));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn row_as_json(row: &Row) -> Value {
    let side = |pick: fn(&(Measured, Measured)) -> &Measured| -> Vec<Value> {
        row.rounds.iter().map(pick).map(measured_as_json).collect()
    };
    json!({
        "id": row.id,
        "ours": row.ours().median,
        "beside": row.beside().median,
        "ratio": row.ratio().median,
        "reach": row.compared.reach(),
        "aim": row.compared.aim(),
        "verdict": row.verdict(),
        "what": row.what,
        "beside_what": row.beside_what,
        "unit": row.compared.unit(),
        "payload_bytes": row.payload,
        "spread": { "ours": row.ours(), "beside": row.beside(), "ratio": row.ratio() },
        "rounds": { "ours": side(|round| &round.0), "beside": side(|round| &round.1) },
        "notes": row.notes,
    })
}

fn measured_as_json(measured: &Measured) -> Value {
    let costs: serde_json::Map<String, Value> =
        measured.costs.iter().map(|(name, cost)| ((*name).to_owned(), json!(cost))).collect();
    let mut all = json!({ "value": measured.value });
    if let Some(sample) = &measured.sample {
        all["operations"] = json!(sample.operations);
        all["failed"] = json!(sample.failed);
        all["conflicts"] = json!(sample.conflicts);
        all["seconds"] = json!(sample.elapsed.as_secs_f64());
        all["latency_ms"] =
            json!({ "p50": sample.quantile(0.5), "p99": sample.quantile(0.99), "p99.9": sample.quantile(0.999) });
        all["cpu_seconds"] = json!(sample.cpu.as_secs_f64());
        all["cpu_microseconds_each"] = json!(costs);
        all["peak_memory_bytes"] = json!(sample.peak_rss);
    }
    all
}
