//! What is known of a service, as messages.

use contracts::{
    reasons::ReasonName as _,
    toguna::operations::v1::{self as pb, ErrorReason, compare_read_models_response::Message},
};
use event_store::{
    Board, Comparing, Comparison, Difference, FollowerState, FollowerStatus, GenerationError, GenerationRecord,
    GenerationsRecord, LogEpoch, Timestamp, Value,
    relay::{RelayState, RelayStatus},
};
use prost_types::Timestamp as WireTime;
use tonic::Status;

use crate::status::{self, Explained};

pub(super) fn time(time: Timestamp) -> WireTime {
    WireTime { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

pub(super) fn epoch(epoch: &LogEpoch) -> pb::LogEpoch {
    pb::LogEpoch {
        epoch: epoch.epoch.as_bytes().to_vec(),
        began_after: epoch.began_after,
        began_at: Some(time(epoch.began_at)),
    }
}

pub(super) fn relay(status: &RelayStatus) -> pb::RelayStatus {
    let (state, error, retrying_since) = match &status.state {
        RelayState::Filling => (pb::RelayState::Filling, String::new(), None),
        RelayState::Following => (pb::RelayState::Following, String::new(), None),
        RelayState::Retrying { since, trouble, error } => {
            let error = format!("{error}. What to do: {}", trouble.advice());
            (pb::RelayState::Retrying, error, Some(time(*since)))
        }
    };
    pb::RelayStatus {
        state: state.into(),
        published: status.published,
        error,
        retrying_since,
        rebuilds: status.rebuilds,
        last_rebuild: status.last_rebuild.map(|reason| format!("{reason:?}")).unwrap_or_default(),
        audited_at: status.last_audit.map(|audit| time(audit.at)),
        audited_to: status.last_audit.map_or(0, |audit| audit.compared_to),
    }
}

/// Every follower on the board, and the generations that are written down.
pub(super) fn projections(board: &Board, written: Option<&GenerationsRecord>) -> pb::ListProjectionsResponse {
    let generations = written.map_or(&[][..], |written| &written.generations);
    let versions = generations.iter().map(|generation| generation.version);
    let versions: Vec<u32> = if written.is_some() { versions.collect() } else { vec![board.live()] };
    let projections = versions.into_iter().flat_map(|version| {
        let own = board.of_generation(version);
        own.map(move |(name, status)| follower(name, status, version, pb::FollowerKind::Projection))
    });
    let reactions = board.reactions().map(|(name, status)| follower(name, status, 0, pb::FollowerKind::Reaction));
    pb::ListProjectionsResponse {
        followers: projections.chain(reactions).collect(),
        generations: written
            .iter()
            .flat_map(|written| written.generations.iter().map(|generation| self::generation(generation, written)))
            .collect(),
        next_version: written.map_or(0, |written| written.next),
    }
}

fn follower(name: &str, status: &FollowerStatus, generation: u32, kind: pb::FollowerKind) -> pb::Follower {
    let (state, error, stopped_at) = match &status.state {
        FollowerState::CatchingUp => (pb::FollowerState::CatchingUp, String::new(), None),
        FollowerState::Following => (pb::FollowerState::Following, String::new(), None),
        FollowerState::Retrying { error, .. } => (pb::FollowerState::Retrying, error.clone(), None),
        FollowerState::Stopped { position, type_name, error } => {
            let event = pb::StoppingEvent { position: *position, r#type: type_name.clone() };
            (pb::FollowerState::Stopped, error.clone(), Some(event))
        }
    };
    pb::Follower {
        name: name.to_owned(),
        kind: kind.into(),
        generation,
        log: status.log.clone(),
        state: state.into(),
        position: status.position,
        log_position: status.log_position,
        lag_seconds: status.lag_seconds(),
        error,
        stopped_at,
    }
}

fn generation(generation: &GenerationRecord, written: &GenerationsRecord) -> pb::Generation {
    let is_live = generation.version == written.live;
    let standing = if is_live {
        pb::GenerationStanding::Live
    } else if !generation.is_readable {
        pb::GenerationStanding::OfAnotherShape
    } else if written.previous == Some(generation.version) {
        pb::GenerationStanding::Previous
    } else {
        pb::GenerationStanding::Beside
    };
    pb::Generation {
        version: generation.version,
        standing: standing.into(),
        shape: generation.shape,
        made_at: Some(time(generation.made_at)),
        made_by: generation.made_by.clone(),
        live_since: is_live.then(|| time(written.since)),
        switched_by: if is_live { written.switched_by.clone() } else { String::new() },
        comparison: generation.comparison.as_ref().map(comparison),
    }
}

pub(super) fn comparison(comparison: &Comparison) -> pb::Comparison {
    pb::Comparison { at: Some(time(comparison.at)), rows: comparison.rows, differing: comparison.differing }
}

pub(super) fn comparing(what: Comparing) -> Message {
    match what {
        Comparing::Rows { table, compared, of } => Message::Rows(pb::ComparedRows { table, compared, total: of }),
        Comparing::Events { log, position, of } => Message::Events(pb::FoldedEvents { log, position, until: of }),
        Comparing::Difference(found) => Message::Difference(difference(found)),
    }
}

fn difference(found: Difference) -> pb::RowDifference {
    let part = |(column, value)| pb::KeyPart { column, value };
    let column = |(column, live, other)| pb::ColumnDifference { column, live, other };
    pb::RowDifference {
        table: found.table,
        key: found.key.into_iter().map(part).collect(),
        in_live: found.in_live,
        in_other: found.in_beside,
        columns: found.columns.into_iter().map(column).collect(),
        first_event: found.first_event.map(|event| pb::FirstEvent {
            log: event.log,
            position: event.position,
            stream: event.stream,
            r#type: event.type_name,
        }),
    }
}

/// The service has no log.
pub(super) fn no_log() -> Status {
    Explained::by(ErrorReason::NoLog.reason()).into()
}

/// Why an operation was not done.
pub(super) fn refused(error: GenerationError) -> Status {
    let by = |reason: ErrorReason, version: u32| Explained::by(reason.reason()).with("version", Value::name(version));
    match error {
        GenerationError::Unknown { version, next } => {
            by(ErrorReason::GenerationUnknown, version).with("next", Value::name(next))
        }
        GenerationError::Serves { version } => by(ErrorReason::GenerationLive, version),
        GenerationError::DidNotServe { version } => by(ErrorReason::GenerationNeverLive, version),
        GenerationError::OtherShape { version, shape } => {
            by(ErrorReason::GenerationOfAnotherShape, version).with("shape", Value::name(shape))
        }
        GenerationError::Behind { version, projection, events, seconds } => by(ErrorReason::GenerationBehind, version)
            .with("projection", projection)
            .with("events", Value::count(events))
            .with("seconds", Value::count(seconds)),
        GenerationError::Stopped { version, projection, position, error } => {
            by(ErrorReason::ProjectionStopped, version)
                .with("projection", projection)
                .with("position", Value::name(position))
                .with("error", Value::name(error))
        }
        GenerationError::NotCompared { version } => by(ErrorReason::GenerationNotCompared, version),
        GenerationError::Differs { version, rows } => {
            by(ErrorReason::GenerationDiffers, version).with("rows", Value::count(rows))
        }
        GenerationError::Busy => Explained::by(ErrorReason::OperationUnderWay.reason()),
        GenerationError::NotComparable { table, problem } => {
            Explained::by(ErrorReason::TableNotComparable.reason()).with("table", table).with("problem", problem)
        }
        GenerationError::Fixed => Explained::by(ErrorReason::NoGenerations.reason()),
        GenerationError::Store(error) => return status::store(&error),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use contracts::reasons::REASONS;
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn each_refusal_of_an_operation_has_its_reason_and_values() {
        let version = 2;
        let projection = || "funds".to_owned();
        for (error, reason) in [
            (GenerationError::Unknown { version, next: 3 }, "GENERATION_UNKNOWN"),
            (GenerationError::Serves { version }, "GENERATION_LIVE"),
            (GenerationError::DidNotServe { version }, "GENERATION_NEVER_LIVE"),
            (GenerationError::OtherShape { version, shape: 7 }, "GENERATION_OF_ANOTHER_SHAPE"),
            (GenerationError::Behind { version, projection: projection(), events: 5, seconds: 1 }, "GENERATION_BEHIND"),
            (
                GenerationError::Stopped { version, projection: projection(), position: 5, error: "an event".into() },
                "PROJECTION_STOPPED",
            ),
            (GenerationError::NotCompared { version }, "GENERATION_NOT_COMPARED"),
            (GenerationError::Differs { version, rows: 9 }, "GENERATION_DIFFERS"),
            (GenerationError::Busy, "OPERATION_UNDER_WAY"),
            (
                GenerationError::NotComparable { table: "funds".into(), problem: ("a key", "une clé").into() },
                "TABLE_NOT_COMPARABLE",
            ),
            (GenerationError::Fixed, "NO_GENERATIONS"),
        ] {
            let status = refused(error);
            let info = status.get_details_error_info().expect("always there");
            let expected = REASONS.iter().find(|each| each.name == reason).expect("it is one of them");
            assert_eq!((info.reason.as_str(), i32::from(status.code())), (reason, expected.code));
            assert_eq!(status.get_details_retry_info().is_some(), expected.retryable, "{reason}");
            for key in expected.en.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)) {
                assert!(info.metadata.contains_key(key), "{reason} lacks {key}");
            }
        }
    }
}
