//! `toguna submit`: commands from tables.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use prost_reflect::MethodDescriptor;

use crate::{
    cli::Submit,
    language::Language,
    output::Progress,
    submission::{
        Problem, catalogue,
        enrolment::{self, Enrolled},
        gathered,
        outbox::Outbox,
        outcome::Outcome,
        rows::{self, Row},
        sending::{Job, Manner, Sending},
        table,
    },
};

use place::Place;
use report::Reported;

mod place;
mod report;

pub(super) async fn run(options: &Submit, language: Language, as_json: bool) -> Result<()> {
    let read = read_all(options, language)?;
    let rows = match read {
        Ok(rows) => rows,
        Err(problems) => return report::problems(&gathered(problems), language, as_json),
    };
    if options.offline {
        return report::sound(rows.len(), language, as_json);
    }
    let place = Place::find(options, language)?;
    let mut outbox = Outbox::open(&place.outbox, &place.target, options.moved, language)?;
    let enrolled = if options.files.is_empty() {
        let open = outbox.unanswered(&place.organisation);
        open.into_iter().map(Enrolled::of).collect::<Result<_>>()?
    } else {
        match enrolment::enrol(rows, &outbox, &place.organisation, language) {
            Ok(enrolled) => enrolled,
            Err(problems) => return report::problems(&problems, language, as_json),
        }
    };
    if !options.dry_run {
        let new = enrolled.iter().filter(|it| it.new).map(|it| it.entry(&place.organisation));
        outbox.enter(new.collect::<Result<_>>()?)?;
    }
    let (jobs, outcomes) = send(options, &place, &mut outbox, enrolled, language).await?;
    let lines: Vec<Reported> = jobs.iter().zip(&outcomes).map(|(job, outcome)| Reported::of(job, outcome)).collect();
    if let Some(path) = &options.report {
        report::write_csv(path, &lines, language, options.dry_run)?;
    }
    report::print(&lines, language, as_json, options.dry_run)
}

/// Every row of every file, or everything that is wrong with any of them.
fn read_all(options: &Submit, language: Language) -> Result<Result<Vec<Row>, Vec<Problem>>> {
    let command = options.row_command.as_ref().map(|name| catalogue::find(name, language));
    let command = match command.transpose() {
        Ok(command) => command,
        Err(text) => bail!(text),
    };
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for path in &options.files {
        let (more, wrong) = read(path, command.as_ref(), language)?;
        rows.extend(more);
        problems.extend(wrong);
    }
    Ok(if problems.is_empty() { Ok(rows) } else { Err(problems) })
}

fn read(path: &Path, command: Option<&MethodDescriptor>, language: Language) -> Result<(Vec<Row>, Vec<Problem>)> {
    let file = path.display().to_string();
    let bytes = fs::read(path)
        .with_context(|| language.say(format!("{file} cannot be read"), format!("{file} ne se lit pas")))?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    match table::read(&file, &bytes, language) {
        Err(wrong) => problems = wrong,
        Ok(records) => {
            for record in &records {
                match rows::row(&file, record, command, language) {
                    Ok(row) => rows.push(row),
                    Err(wrong) => problems.extend(wrong),
                }
            }
        }
    }
    Ok((rows, problems))
}

async fn send(
    options: &Submit,
    place: &Place,
    outbox: &mut Outbox,
    enrolled: Vec<Enrolled>,
    language: Language,
) -> Result<(Vec<Job>, Vec<Outcome>)> {
    let (mut jobs, mut fingerprints) = (Vec::new(), Vec::new());
    for Enrolled { row, request_id, fingerprint, .. } in enrolled {
        place.services.channel(row.service())?;
        let known = match outbox.outcome(&fingerprint) {
            Some(Outcome::Done(effect) | Outcome::Replayed(effect)) => Some(Outcome::Replayed(effect.clone())),
            // What was refused is asked again: the reason may be gone.
            Some(refused) if options.resume => Some(refused.clone()),
            _ => None,
        };
        jobs.push(Job { row, request_id, known });
        fingerprints.push(fingerprint);
    }
    let manner = Manner {
        window: options.window.get(),
        patience: Duration::from_secs(options.reach.patience),
        stop_on_refusal: options.stop_on_refusal,
        dry_run: options.dry_run,
    };
    let progress = Progress::start();
    let (total, mut done) = (jobs.len() as u64, jobs.iter().filter(|job| job.known.is_some()).count() as u64);
    let what = language.say("rows", "lignes");
    progress.part(done, total, what);
    let sending = Sending::new(&place.services, || place.token(), manner, language, &jobs);
    let outcomes = sending.run(|index, outcome| {
        done += 1;
        progress.part(done, total, what);
        if options.dry_run { Ok(()) } else { outbox.note(&fingerprints[index], outcome) }
    });
    let outcomes = outcomes.await;
    progress.end();
    Ok((jobs, outcomes?))
}
