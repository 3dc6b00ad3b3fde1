//! `toguna replay`: a log's events in order, checked one by one.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use contracts::toguna::log::v1::{ReplayFilter, ReplayLogRequest, replay_log_request::Start};
use jiff::Timestamp;

use crate::{
    cli::Replay,
    language::Language,
    records::{self, Event, chain::Chain},
    services,
    session::Session,
};

use reading::{Reading, Stretch};

pub(super) mod reading;

pub(super) async fn run(options: &Replay, language: Language, as_json: bool) -> Result<()> {
    let session = Session::reach(&options.reach, language)?;
    let filter = filter(options, language)?;
    let kept = options.resume_file.as_deref().map(Kept::read).transpose()?.flatten();
    let mut chain = chain(options, kept.as_ref(), filter == ReplayFilter::default(), language);
    let start = match (kept, options.since) {
        (Some(kept), _) => Start::ResumeToken(kept.token),
        (None, Some(time)) => since(time),
        (None, None) => Start::FromPosition(options.from.unwrap_or(1).max(1)),
    };
    let request = ReplayLogRequest {
        start: Some(start),
        filter: Some(filter),
        follow: options.follow,
        ..ReplayLogRequest::default()
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let reading = Reading::of(&session, &options.service, request);
    let read = reading.run(|Stretch { events, place }| {
        for link in events {
            let event = Event::read(&link.record)?;
            chain.check(&link, &event)?;
            print(&mut out, &event, as_json)?;
        }
        chain.reach(&place)?;
        // What the token stands for is out of our hands before it is kept.
        out.flush()?;
        match &options.resume_file {
            Some(file) => Kept { token: place.resume_token, last: chain.last() }.write(file),
            None => Ok(()),
        }
    });
    read.await
}

fn chain(options: &Replay, kept: Option<&Kept>, whole: bool, language: Language) -> Chain {
    match (kept, options.since) {
        (Some(Kept { last: Some(last), .. }), _) => Chain::after(*last, whole, language),
        (Some(Kept { last: None, .. }), _) | (None, Some(_)) => Chain::from(0, whole, language),
        (None, None) => Chain::from(options.from.unwrap_or(1).max(1), whole, language),
    }
}

fn print(out: &mut impl io::Write, event: &Event, as_json: bool) -> Result<()> {
    if as_json {
        serde_json::to_writer(&mut *out, event)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}", line(event))?;
    }
    Ok(())
}

/// How far a replay had come when it was interrupted.
struct Kept {
    token: String,
    /// Position of the last event; none, where it is not known.
    last: Option<u64>,
}

impl Kept {
    /// What a file holds; `None`: nothing yet.
    fn read(file: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
        };
        let mut words = text.split_whitespace();
        let Some(token) = words.next() else { return Ok(None) };
        let last = words.next().map(str::parse).transpose();
        let last = last.with_context(|| format!("{} holds no resume token", file.display()))?;
        ensure!(words.next().is_none(), "{} holds no resume token", file.display());
        Ok(Some(Self { token: token.to_owned(), last }))
    }

    /// Whoever looks sees the old place or the new one, whole.
    fn write(&self, file: &Path) -> Result<()> {
        let unfinished = file.with_extension("unfinished");
        let last = self.last.map(|last| last.to_string()).unwrap_or_default();
        let written = fs::write(&unfinished, format!("{} {last}\n", self.token));
        written.and_then(|()| fs::rename(&unfinished, file)).with_context(|| format!("cannot write {}", file.display()))
    }
}

fn filter(options: &Replay, language: Language) -> Result<ReplayFilter> {
    let mut types = Vec::new();
    for name in &options.types {
        types.extend(full_names(name).with_context(|| {
            language.say(format!("no event is called {name}"), format!("aucun événement ne s’appelle {name}"))
        })?);
    }
    let organisation = options.organisation.as_ref().map(|organisation| {
        if organisation.contains('/') { organisation.clone() } else { format!("partners/{organisation}") }
    });
    Ok(ReplayFilter {
        stream: options.stream.clone().unwrap_or_default(),
        aggregate: options.aggregate.clone().unwrap_or_default(),
        types,
        organisation: organisation.unwrap_or_default(),
    })
}

/// Full names of the events that are called so, in whatever service.
fn full_names(name: &str) -> Option<Vec<String>> {
    if name.contains('.') {
        return Some(vec![name.to_owned()]);
    }
    let stored = |package: &str| package.ends_with(".events.v1") || package == "toguna.log.v1";
    let messages = services::pool().all_messages().filter(|it| it.name() == name && stored(it.package_name()));
    let found: Vec<_> = messages.map(|message| message.full_name().to_owned()).collect();
    (!found.is_empty()).then_some(found)
}

fn since(time: Timestamp) -> Start {
    Start::Since(prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}

/// One event for a person: position, when recorded, when it happened, what, to what, whose act, how sure.
pub(super) fn line(event: &Event) -> String {
    let recorded_at = event.recorded_at.get(..19).unwrap_or_default();
    let effective_on = event.effective_on.as_deref().unwrap_or("—");
    let organisation = event.on_behalf_of.strip_prefix("partners/").unwrap_or(&event.on_behalf_of);
    let mut marks = Vec::new();
    if event.certainty != "exact" {
        marks.push(event.certainty.as_str());
    }
    if records::is_from_source(event) {
        marks.push("from source");
    }
    let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
    format!(
        "{:>6}  {recorded_at}  {effective_on:<10}  {} v{}  {}  {organisation}{marks}",
        event.position,
        event.stream,
        event.version,
        event.name(),
    )
}
