//! Resources by their names: one or several, as of today, of a day or at a revision, read from the log itself and so
//! always fresh.

use std::sync::Arc;

use contracts::{
    queries::{GetQuery, Names, Resource as _},
    toguna::errors::v1::ErrorReason,
};
use event_store::{Date, History, Log, Stored, StreamName, Timestamp};
use tonic::{Request, Response, Status};

use crate::{
    Calls, Fields,
    call::{Asker, etag},
    mask::Mask,
    status::{self, Violation},
};

/// Names of one request at most.
const MAX_NAMES: usize = 100;
/// What stands between the name of a resource and the number of a revision.
const REVISIONS: &str = "/revisions/";

/// What is known of a resource by its log: now, or at the revision that was asked for.
#[derive(Clone)]
pub struct Known<A: Stored> {
    /// The resource's name, without that of a revision.
    pub name: StreamName,
    /// Its stream up to that revision; empty where nothing was recorded, or the revision does not exist.
    pub history: Arc<History<A>>,
    /// The day that was asked for.
    pub day: Option<Date>,
    /// The revision that was asked for.
    pub revision: Option<Revision>,
}

/// A resource as it was known right after an event of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// The event's version: 1, 2, 3, ….
    pub number: u64,
    /// When it was recorded; `None`: there is no such event.
    pub recorded_at: Option<Timestamp>,
    /// The last there is.
    pub last: u64,
}

/// Resources that were asked for by their names, in the order of these.
pub struct Asked<A: Stored, Q> {
    /// What is known of each.
    pub known: Vec<Known<A>>,
    message: Q,
    mask: Mask,
    consistency_token: String,
}

impl Calls {
    /// Takes a query for resources by their names, and folds the streams of these.
    pub async fn get<A: Stored, Q: GetQuery>(&self, log: &Log, request: Request<Q>) -> Result<Asked<A, Q>, Status> {
        self.log_query(&request, request.get_ref().at_least_as_fresh()).await?;
        found(log, request.into_inner(), |_| true).await
    }

    /// The same for resources that are each of an organisation, as `of` says: for whoever may not ask for those of all,
    /// there are those of its own, and no others.
    pub async fn get_own<A: Stored, Q: GetQuery>(
        &self,
        log: &Log,
        request: Request<Q>,
        of: impl Fn(&A) -> Option<&str>,
    ) -> Result<Asked<A, Q>, Status> {
        let fresh = request.get_ref().at_least_as_fresh();
        let (_, own) = self.own_query(Asker::Log, &request, fresh).await?;
        let sees = |resource: &A| own.as_deref().is_none_or(|own| of(resource) == Some(own));
        found(log, request.into_inner(), sees).await
    }
}

/// Folds the streams of the resources that a query names; of what the caller does not see, nothing is there.
async fn found<A: Stored, Q: GetQuery>(
    log: &Log,
    message: Q,
    sees: impl Fn(&A) -> bool,
) -> Result<Asked<A, Q>, Status> {
    let mut fields = Fields::of(&message);
    let day = fields.optional_exact_date("as_of", message.as_of());
    let mask = Mask::read::<Q::Resource>(&mut fields, message.read_mask());
    let names = names(&mut fields, message.names(), A::CATEGORY);
    if day.is_some() && names.iter().any(|(_, revision)| revision.is_some()) {
        let problem =
            ("is not for revisions, which never change", "ne vaut pas pour les révisions, qui ne changent jamais");
        fields.violation("as_of", problem);
    }
    fields.finish()?;
    let consistency_token = log.token(log.head()).to_string();
    let histories = match names.as_slice() {
        [(name, _)] => log.history(name).await.map(|history| vec![history]),
        names => log.histories(&names.iter().map(|(name, _)| name).collect::<Vec<_>>()).await,
    };
    let histories = histories.map_err(|error| status::store(&error))?;
    let known = names.into_iter().zip(histories).map(|((name, number), history)| {
        let history = if sees(history.state()) { history } else { Arc::default() };
        match number {
            None => Known { name, history, day, revision: None },
            Some(number) => Known::at(name, number, &history),
        }
    });
    Ok(Asked { known: known.collect(), message, mask, consistency_token })
}

impl<A: Stored> Known<A> {
    fn at(name: StreamName, number: u64, history: &History<A>) -> Self {
        let recorded_at = history.recorded(number).map(|event| event.recorded_at);
        let revision = Revision { number, recorded_at, last: history.version() };
        let known = if recorded_at.is_some() { history.at(number) } else { History::default() };
        Self { name, history: Arc::new(known), day: None, revision: Some(revision) }
    }

    /// The resource: as recorded, or as of the day that was asked for.
    pub fn state(&self) -> A {
        self.day.map_or_else(|| self.history.state().clone(), |day| self.history.state_as_of(day))
    }

    /// The day on whose evening the state of the world is shown: the one asked for, that of the revision, today.
    pub fn evening(&self) -> Date {
        let now = || self.revision.and_then(|revision| revision.recorded_at).unwrap_or_else(Timestamp::now);
        self.day.unwrap_or_else(|| jiff::tz::TimeZone::UTC.to_datetime(now()).date())
    }

    /// Another stream of the log as it was known then: when the revision that was asked for was recorded, or now.
    pub async fn then<B: Stored>(&self, log: &Log, stream: &StreamName) -> Result<Arc<History<B>>, Status> {
        let history = log.history::<B>(stream).await.map_err(|error| status::store(&error))?;
        let Some(revision) = self.revision else { return Ok(history) };
        let version = log.version_when(stream, &self.name, revision.number).await;
        Ok(Arc::new(history.at(version.map_err(|error| status::store(&error))?)))
    }

    /// The name under which it was asked for.
    fn shown_name(&self) -> String {
        match self.revision {
            None => self.name.to_string(),
            Some(revision) => format!("{}{REVISIONS}{}", self.name, revision.number),
        }
    }

    fn missing(&self) -> (String, String) {
        match self.revision {
            Some(Revision { last: last @ 1.., .. }) => (
                format!("{} has the revisions 1 to {last}", self.name),
                format!("{} a les révisions 1 à {last}", self.name),
            ),
            _ => (format!("there is no {}", self.name), format!("{} n’existe pas", self.name)),
        }
    }
}

impl<A: Stored, Q: GetQuery> Asked<A, Q> {
    /// Answers with the resources as `show` makes them; `None`: there is none under that name.
    pub fn answer(self, show: impl Fn(&Known<A>) -> Option<Q::Resource>) -> Result<Response<Q::Response>, Status> {
        let shown = self.known.iter().map(show).collect();
        self.answer_with(shown)
    }

    /// Answers with these resources, in the order of the names; `NOT_FOUND` names every one that is missing.
    pub fn answer_with(self, shown: Vec<Option<Q::Resource>>) -> Result<Response<Q::Response>, Status> {
        let mut resources = Vec::with_capacity(shown.len());
        let mut missing = Vec::new();
        for (index, (known, shown)) in self.known.iter().zip(shown).enumerate() {
            let Some(mut resource) = shown else {
                missing.push((index, known));
                continue;
            };
            if known.revision.is_some() {
                resource.set_name(known.shown_name());
            }
            resources.push((self.mask.of(resource)?, etag(known.history.version())));
        }
        if missing.is_empty() {
            return Ok(Response::new(Q::answer(resources, self.consistency_token)));
        }
        let names: Vec<String> = missing.iter().map(|(_, known)| known.shown_name()).collect();
        let violations = missing.iter().map(|(index, known)| Violation {
            field: match self.message.names() {
                Names::One(_) => "name".to_owned(),
                Names::Several(_) => format!("names[{index}]"),
            },
            problem: known.missing().into(),
        });
        let violations = violations.collect();
        Err(status::refused(ErrorReason::NotFound).with("resource", names.join(", ")).violating(violations).into())
    }
}

/// The names of a request, each with the revision that it may be of.
fn names(fields: &mut Fields, names: Names<'_>, category: &str) -> Vec<(StreamName, Option<u64>)> {
    match names {
        Names::One(text) => vec![name(fields, "name", text, category)],
        Names::Several(texts) => {
            if texts.is_empty() {
                fields.violation("names", ("is required", "est obligatoire"));
            }
            fields.at_most("names", texts.len(), MAX_NAMES);
            let numbered = texts.iter().take(MAX_NAMES).enumerate();
            numbered.map(|(index, text)| name(fields, &format!("names[{index}]"), text, category)).collect()
        }
    }
}

fn name(fields: &mut Fields, field: &str, text: &str, category: &str) -> (StreamName, Option<u64>) {
    let Some((resource, number)) = text.split_once(REVISIONS) else {
        return (fields.name(field, text, category), None);
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than any number has: a revision that does not exist.
    let number = digits.then(|| number.parse().unwrap_or(u64::MAX));
    if number.is_none() {
        fields.violation(
            field,
            (
                "must end with the number of a revision: 1, 2, 3, …",
                "doit finir par le numéro d’une révision\u{202f}: 1, 2, 3, …",
            ),
        );
    }
    (fields.name(field, resource, category), number.or(Some(0)))
}
