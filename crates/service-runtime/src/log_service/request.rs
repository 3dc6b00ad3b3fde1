//! What a caller asks to have replayed.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use contracts::toguna::{
    errors::v1::ErrorReason,
    log::v1::{self as pb, replay_log_request::Start as Asked},
};
use event_store::{Epoch, EventFilter, Log, NotFresh, StreamName, Timestamp};
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};
use tonic::Status;

use super::resume::{FilterHash, ResumeToken};
use crate::{PARTNERS, fields::Fields, status};

/// Positions beyond are no numbers of Postgres.
const LAST_POSITION: u64 = i64::MAX.cast_unsigned();
/// Types that one filter may name.
const MAX_TYPES: usize = 64;

/// A request whose every field is as it must be.
pub(super) struct Wanted {
    from: From,
    pub filter: EventFilter,
    pub follow: bool,
    pub max_events: Option<u64>,
    pub max_duration: Option<Duration>,
}

enum From {
    Position(u64),
    Since(Timestamp),
    Token(ResumeToken),
}

/// Where a replay starts.
pub(super) struct Start {
    /// First position to be looked at.
    pub from: u64,
    /// Position of the last matching event before it, as a resume token tells.
    pub last_event: Option<u64>,
    pub matching: Matching,
}

/// What matches, for the chain of events and the tokens to come.
pub(super) struct Matching {
    pub filter: FilterHash,
    /// Every event matches.
    pub all: bool,
}

impl Wanted {
    pub fn read(request: pb::ReplayLogRequest) -> Result<Self, Status> {
        let mut fields = Fields::of(&request);
        let from = from(&mut fields, request.start);
        let filter = filter(&mut fields, request.filter.unwrap_or_default());
        let max_duration = request.max_duration.and_then(|duration| {
            // Not by prost’s conversion: it negates what is negative, and the least of all numbers has no opposite.
            let parts = u64::try_from(duration.seconds).ok().zip(u32::try_from(duration.nanos).ok());
            let parts = parts.filter(|(_, nanos)| *nanos < 1_000_000_000);
            let read = parts.map(|(s, ns)| Duration::new(s, ns)).filter(|duration| !duration.is_zero());
            if read.is_none() {
                fields.violation("max_duration", ("must be more than nothing", "doit être plus que rien"));
            }
            read
        });
        fields.finish()?;
        let max_events = (request.max_events > 0).then_some(request.max_events);
        Ok(Self { from, filter, follow: request.follow, max_events, max_duration })
    }

    /// Finds the first position, or refuses a token that is not of this log, epoch and filter.
    pub async fn start(&self, log: &Log, epoch: Epoch) -> Result<Start, Status> {
        let filter = FilterHash::of(&self.filter);
        let (from, last_event) = match &self.from {
            From::Position(position) => ((*position).clamp(1, LAST_POSITION), None),
            From::Since(time) => (log.position_since(*time).await.map_err(|error| status::store(&error))?, None),
            From::Token(token) => {
                accept(token, log, epoch, filter)?;
                (token.position + 1, Some(token.last_event))
            }
        };
        Ok(Start { from, last_event, matching: Matching { filter, all: self.filter.takes_all() } })
    }
}

fn accept(token: &ResumeToken, log: &Log, epoch: Epoch, filter: FilterHash) -> Result<(), Status> {
    let refused = if token.log != log.name() {
        status::refused(ErrorReason::ResumeTokenForeignLog).with("token_log", token.log.clone())
    } else if token.epoch != epoch {
        status::refused(ErrorReason::ResumeTokenOtherEpoch)
    } else if token.filter != filter {
        status::refused(ErrorReason::ResumeTokenOtherFilter).with("position", (token.position + 1).to_string())
    } else if token.position > log.head() {
        // Of another replica, which knows more of the log: nobody knows here for how long.
        let (log, position, wanted) = (log.name().to_owned(), log.head(), token.position);
        return Err(status::not_fresh(NotFresh::Behind { log, position, wanted, seconds: 0 }));
    } else {
        return Ok(());
    };
    Err(refused.with("log", log.name().to_owned()).into())
}

fn from(fields: &mut Fields, asked: Option<Asked>) -> From {
    let (read, field, problem) = match asked {
        None => return From::Position(1),
        Some(Asked::FromPosition(position)) => return From::Position(position),
        Some(Asked::Since(time)) => (
            Timestamp::new(time.seconds, time.nanos).ok().map(From::Since),
            "since",
            ("is not a point in time", "n’est pas un instant"),
        ),
        Some(Asked::ResumeToken(token)) => (
            token.parse().ok().map(From::Token),
            "resume_token",
            ("is not a resume token of a replay", "n’est pas un jeton de reprise d’une relecture"),
        ),
    };
    read.unwrap_or_else(|| {
        fields.violation(field, problem);
        From::Position(1)
    })
}

fn filter(fields: &mut Fields, asked: pb::ReplayFilter) -> EventFilter {
    let no_name = ("is not the name of a resource", "n’est pas le nom d’une ressource");
    let stream: Option<StreamName> = asked.stream.parse().ok();
    if stream.is_none() && !asked.stream.is_empty() {
        fields.violation("filter.stream", no_name);
    }
    if !asked.aggregate.is_empty() && StreamName::new(&asked.aggregate, "x").is_err() {
        let problem = ("is not the first part of such a name", "n’est pas la première partie d’un tel nom");
        fields.violation("filter.aggregate", problem);
    }
    fields.at_most("filter.types", asked.types.len(), MAX_TYPES);
    for (index, name) in asked.types.iter().enumerate().take(MAX_TYPES) {
        if !KNOWN_TYPES.contains(name) {
            let problem = (
                "is not the full name of a message, such as toguna.partnerships.events.v1.AgreementSigned",
                "n’est pas le nom complet d’un message, comme toguna.partnerships.events.v1.AgreementSigned",
            );
            fields.violation(format!("filter.types[{index}]"), problem);
        }
    }
    let organisation = fields.optional_name("filter.organisation", &asked.organisation, PARTNERS);
    EventFilter {
        stream,
        category: Some(asked.aggregate).filter(|it| !it.is_empty()),
        types: asked.types,
        organisation: organisation.map(|name| name.to_string()),
    }
}

/// Full names of all messages: a misspelt one would match nothing, and look like a log without such events.
static KNOWN_TYPES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(contracts::DESCRIPTORS).expect("the descriptors were compiled with us");
    let full_name = |package: &str, message: &DescriptorProto| format!("{package}.{}", message.name());
    let names = |package: String, messages: &[DescriptorProto]| -> Vec<String> {
        messages.iter().map(|message| full_name(&package, message)).collect()
    };
    files.file.iter().flat_map(|file| names(file.package().to_owned(), &file.message_type)).collect()
});
