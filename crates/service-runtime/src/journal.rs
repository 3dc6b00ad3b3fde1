//! What a service refuses for want of a permission, by a rule about persons or by one about money is kept for auditors,
//! beside its log.
//!
//! No service does anything for it. Every refusal becomes a status in [`crate::status`], which leaves it in the context
//! of its call where the reason says in `proto/` that it is kept; what surrounds the call has it written before it is
//! answered. So whoever was refused knows that it is kept, as long as the database can be reached, and a flood costs
//! little: beyond so many a minute of one organisation, refusals for the same reason are counted and written together.

mod keeping;
mod listing;

use std::{
    collections::BTreeMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use contracts::{commands::Command, reasons::Reason, toguna::errors::v1::RefusalKind};
use event_store::{Actor, Refused, StreamName, Value, refused_at};
use http::HeaderMap;
use tonic::Status;
use tonic_types::StatusExt as _;
use uuid::Uuid;

pub(crate) use self::{
    keeping::{Keeper, keeper},
    listing::Refusals,
};
use crate::{authorisation::Ground, context::CallContext};

/// Values of one refusal, and bytes of each, at most.
const MAX_VALUES: usize = 16;
const MAX_VALUE_BYTES: usize = 200;
/// Values that an entry has elsewhere.
const ELSEWHERE: [&str; 3] = ["trace_id", "permission", "on_behalf_of"];
/// In the place of what is no name, number or date: nobody writes sentences into the journal.
const NOT_KEPT: &str = "…";

/// What is known of a call, should it be refused.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    asked: OnceLock<Asked>,
    told: Mutex<Option<Told>>,
}

/// Who asked for what.
#[derive(Debug)]
pub(crate) struct Asked {
    keeper: Keeper,
    actor: Actor,
    on_behalf_of: String,
    resource: String,
    request_id: Option<Uuid>,
    validate_only: bool,
}

/// The refusal that became a status last.
#[derive(Debug)]
struct Told {
    reason: &'static Reason,
    kind: RefusalKind,
    values: BTreeMap<String, String>,
}

impl Asked {
    /// A call that records nothing.
    pub fn query(keeper: &Keeper, actor: &Actor) -> Self {
        Self {
            keeper: keeper.clone(),
            actor: actor.clone(),
            on_behalf_of: String::new(),
            resource: String::new(),
            request_id: None,
            validate_only: false,
        }
    }

    /// A command, whosever act it would record. Nothing of it has been looked at yet: what is no name is left out.
    pub fn command(keeper: &Keeper, actor: &Actor, command: &impl Command, ground: Ground<'_>) -> Self {
        let on_behalf_of = match ground {
            Ground::Act { on_behalf_of, .. } => name(on_behalf_of),
            Ground::Register(_) | Ground::Of(_) => String::new(),
        };
        Self {
            on_behalf_of,
            resource: name(command.name()),
            request_id: Uuid::try_parse(command.request_id()).ok(),
            validate_only: command.validate_only(),
            ..Self::query(keeper, actor)
        }
    }
}

impl Watch {
    /// The caller is verified, and asks for this.
    pub fn asks(&self, asked: Asked) {
        // A call is taken once.
        let _ = self.asked.set(asked);
    }

    /// A refusal became a status, which may be the answer.
    pub fn tells(&self, reason: &'static Reason, values: &[(&'static str, Value)]) {
        let Some(kind) = reason.kept_as.filter(|_| self.asked.get().is_some()) else { return };
        let named = values.iter().filter(|(key, _)| !ELSEWHERE.contains(key)).take(MAX_VALUES);
        let values = named.map(|(key, value)| ((*key).to_owned(), plain(key, &value.plain))).collect();
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(Told { reason, kind, values });
    }
}

/// Keeps the refusal that a call is answered with, where it is one that is kept, and returns once it is written or the
/// caller must be told.
pub(crate) async fn keep(call: &CallContext, answer: &HeaderMap) {
    let watch = &call.watch;
    let Some(asked) = watch.asked.get() else { return };
    let Some(told) = watch.told.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    // It may have been put into other words, or not be the answer at all.
    let reason = Status::from_header_map(answer).and_then(|status| status.get_details_error_info());
    if reason.is_none_or(|info| info.reason != told.reason.name) {
        return;
    }
    let id = Uuid::now_v7();
    let refused = Refused {
        id,
        first_at: refused_at(id),
        count: 1,
        kind: told.kind,
        reason: told.reason.name.to_owned(),
        values: told.values,
        actor: asked.actor.clone(),
        on_behalf_of: asked.on_behalf_of.clone(),
        method: call.method.clone(),
        resource: asked.resource.clone(),
        request_id: asked.request_id,
        trace_id: call.trace.trace_id().to_string(),
        validate_only: asked.validate_only,
    };
    asked.keeper.keep(refused, call.patience()).await;
}

/// The name of a resource; of anything else nothing.
fn name(text: &str) -> String {
    text.parse::<StreamName>().map(|name| name.to_string()).unwrap_or_default()
}

/// A value as it is kept: names, numbers, codes and dates, one or several.
fn plain(key: &str, value: &str) -> String {
    let of_names = key == "organisation";
    let word = |word: &str| {
        let signs = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:+".contains(&byte);
        !word.is_empty() && word.bytes().all(signs) && (!of_names || word.parse::<StreamName>().is_ok())
    };
    let kept = value.len() <= MAX_VALUE_BYTES && value.split(", ").all(word);
    if kept { value.to_owned() } else { NOT_KEPT.to_owned() }
}

#[cfg(test)]
mod tests;
