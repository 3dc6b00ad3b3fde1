//! What a submission says of its rows.

use std::{fmt::Write as _, path::Path};

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::json;

use crate::{
    commands::show::describe,
    language::Language,
    output::{self, Page},
    submission::{
        Problem, catalogue,
        outbox::write_whole,
        outcome::{Event, Outcome, Refused},
        sending::Job,
    },
};

/// One row of the report.
#[derive(Debug, Serialize)]
pub(super) struct Reported {
    file: String,
    line: u64,
    command: String,
    resource: String,
    request_id: String,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Reported {
    /// What came of a row; a refusal speaks of the columns as the row's author wrote them.
    pub fn of(job: &Job, outcome: &Outcome) -> Self {
        let mut outcome = outcome.clone();
        if let Outcome::Refused(refused) | Outcome::Undecided(refused) = &mut outcome {
            for (field, _) in &mut refused.violations {
                if let Some(heading) = job.row.heading(field).filter(|heading| *heading != field) {
                    *field = format!("{heading} ({field})");
                }
            }
        }
        Self {
            file: job.row.file.clone(),
            line: job.row.line,
            command: catalogue::title(&job.row.method),
            resource: job.row.resource(),
            request_id: job.request_id.to_string(),
            outcome,
        }
    }

    fn what(&self, language: Language) -> String {
        match &self.outcome {
            Outcome::Done(effect) | Outcome::Replayed(effect) => {
                effect.events.iter().map(|each| event(each, language)).collect::<Vec<_>>().join("\n")
            }
            Outcome::Refused(refused) | Outcome::Undecided(refused) => refusal(refused),
            Outcome::Waiting { text } => printable(text),
        }
    }
}

/// `PartnerRegistered @12`; in a dry run no event has a position, and what it would say follows.
fn event(event: &Event, language: Language) -> String {
    let mut text = event.type_name.rsplit('.').next().unwrap_or_default().to_owned();
    if event.position > 0 {
        let _ = write!(text, " @{}", event.position);
    }
    if let Some(day) = &event.effective_on {
        let _ = write!(text, ", {day}");
    }
    if let Some(payload) = event.payload() {
        let _ = write!(text, "\n{}", describe::message(&payload, language).trim_end());
    }
    printable(&text)
}

fn refusal(refused: &Refused) -> String {
    let mut text = format!("{}: {}", refused.reason, refused.text);
    for (field, why) in &refused.violations {
        let _ = write!(text, "\n{field}: {why}");
    }
    printable(&text)
}

/// What somebody else wrote cannot move the cursor of a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|char| !char.is_control() || *char == '\n').collect()
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    rows: usize,
    done: usize,
    replayed: usize,
    refused: usize,
    undecided: usize,
    waiting: usize,
    events: usize,
}

impl Summary {
    fn of(lines: &[Reported]) -> Self {
        let mut summary = Self { rows: lines.len(), ..Self::default() };
        for line in lines {
            let count = match &line.outcome {
                Outcome::Done(effect) => {
                    summary.events += effect.events.len();
                    &mut summary.done
                }
                Outcome::Replayed(_) => &mut summary.replayed,
                Outcome::Refused(_) => &mut summary.refused,
                Outcome::Undecided(_) => &mut summary.undecided,
                Outcome::Waiting { .. } => &mut summary.waiting,
            };
            *count += 1;
        }
        summary
    }

    fn text(&self, language: Language, dry: bool) -> String {
        let Self { rows, done, replayed, refused, undecided, waiting, events } = self;
        let english = if dry { "would be done" } else { "done" };
        let french = if dry { "le seraient" } else { "faites" };
        language.say(
            format!(
                "{rows} rows: {done} {english} ({events} events), {replayed} done before, {refused} refused, \
                 {undecided} undecided, {waiting} waiting."
            ),
            format!(
                "{rows} lignes : {done} {french} ({events} événements), {replayed} déjà faites, {refused} refusées, \
                 {undecided} en suspens, {waiting} en attente."
            ),
        )
    }
}

/// Prints the report. Fails where a row was refused or still waits.
pub(super) fn print(lines: &[Reported], language: Language, as_json: bool, dry: bool) -> Result<()> {
    let summary = Summary::of(lines);
    if as_json {
        output::json(&json!({ "dry_run": dry, "rows": lines, "summary": summary }))?;
    } else {
        let mut page = Page::default();
        let header = language.say(
            ["line", "command", "resource", "outcome", "events, or why not"],
            ["ligne", "commande", "ressource", "issue", "événements, ou pourquoi pas"],
        );
        let mut table = output::table(&header, 0..1);
        let several = lines.iter().any(|line| line.file != lines[0].file);
        for line in lines {
            let place = if several { format!("{}:{}", line.file, line.line) } else { line.line.to_string() };
            let word = line.outcome.word(language, dry).to_owned();
            table.add_row([place, line.command.clone(), printable(&line.resource), word, line.what(language)]);
        }
        if !lines.is_empty() {
            page.add(table.to_string());
            page.add(String::new());
        }
        page.add(summary.text(language, dry));
        output::text(&page.text())?;
    }
    let Summary { refused, waiting, .. } = summary;
    match (refused, waiting) {
        (0, 0) => Ok(()),
        (0, _) => bail!(language.say(
            format!("{waiting} rows have no answer yet: the same command again sends them with the same ids"),
            format!("{waiting} lignes n’ont pas encore de réponse : la même commande les renvoie avec les mêmes identifiants"),
        )),
        (_, 0) => bail!(language.say(format!("{refused} rows were refused"), format!("{refused} lignes ont été refusées"))),
        _ => bail!(language.say(
            format!("{refused} rows were refused, {waiting} have no answer yet: the same command again sends those"),
            format!("{refused} lignes ont été refusées, {waiting} n’ont pas encore de réponse : la même commande les renvoie"),
        )),
    }
}

/// Prints what is wrong with the files, and fails.
pub(super) fn problems(problems: &[Problem], language: Language, as_json: bool) -> Result<()> {
    if as_json {
        output::json(&json!({ "problems": problems }))?;
    } else {
        let header = language.say(["line", "column", "problem"], ["ligne", "colonne", "problème"]);
        let mut table = output::table(&header, 0..0);
        for problem in problems {
            let more = match problem.more {
                0 => String::new(),
                more => language.say(format!(" (and {more} more lines)"), format!(" (et {more} autres lignes)")),
            };
            let place = format!("{}:{}", problem.file, problem.line);
            table.add_row([place, printable(&problem.column), printable(&problem.text) + &more]);
        }
        output::text(&table.to_string())?;
    }
    let count: usize = problems.iter().map(|problem| problem.more + 1).sum();
    bail!(language.say(
        format!("{count} problems in the files; nothing was sent"),
        format!("{count} problèmes dans les fichiers ; rien n’a été envoyé"),
    ))
}

/// Says that the files can be sent.
pub(super) fn sound(rows: usize, language: Language, as_json: bool) -> Result<()> {
    if as_json {
        return output::json(&json!({ "rows": rows, "problems": [] }));
    }
    output::text(&language.say(
        format!("{rows} rows can be sent; what the services say of them, --dry-run shows."),
        format!("{rows} lignes peuvent être envoyées ; ce qu’en disent les services, --dry-run le montre."),
    ))
}

/// Writes the report as a table that spreadsheets of the language open.
pub(super) fn write_csv(path: &Path, lines: &[Reported], language: Language, dry: bool) -> Result<()> {
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    let mut writer = csv::WriterBuilder::new().delimiter(language.say(b',', b';')).from_writer(&mut bytes);
    writer.write_record(language.say(
        ["file", "line", "command", "resource", "request_id", "outcome", "events, or why not"],
        ["fichier", "ligne", "commande", "ressource", "identifiant", "issue", "événements, ou pourquoi pas"],
    ))?;
    for line in lines {
        let word = line.outcome.word(language, dry).to_owned();
        let number = line.line.to_string();
        let fields = [
            line.file.clone(),
            number,
            line.command.clone(),
            line.resource.clone(),
            line.request_id.clone(),
            word,
            line.what(language),
        ];
        writer.write_record(fields.map(|field| inert(&field)))?;
    }
    writer.flush()?;
    drop(writer);
    write_whole(path, &bytes)
}

/// No spreadsheet takes it for a formula.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
