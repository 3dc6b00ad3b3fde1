//! Whether the stream is a copy of the log.

use super::{RelayError, in_time, walk::STEP};
use crate::{
    Epoch, Log, NatsError, PageLimit, Published, StoredEvent,
    nats::{LogStream, PublishedMessage},
};

/// Most bytes of a step.
const STEP_BYTES: usize = 4 * 1024 * 1024;

/// Why a stream could not be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RebuildReason {
    /// It is configured otherwise: its messages can expire, say, or cannot be read by sequence.
    OtherConfiguration,
    /// It was made for another epoch of the log.
    OtherEpoch,
    /// Messages are missing within it.
    Hole,
    /// It goes on after the log's last event.
    LongerThanLog,
    /// A message in it is not the log's record.
    OtherBytes,
    /// It takes no more messages, although the broker stores others.
    StandsStill,
}

/// What a comparison found.
pub(super) enum Verdict {
    /// There is no stream.
    Missing,
    /// As far as it was looked at, it is the log's copy up to this position, and may be continued after its end.
    CopyUpTo(u64),
    /// It is none. Where it holds a record of the log's own epoch that the log does not hold, that is the evidence
    /// that the log was restored.
    NoCopy(RebuildReason, Option<Published>),
}

/// Compares the stream's counts and its last message with the log.
pub(super) async fn end(log: &Log, stream: &LogStream, epoch: Epoch, head: u64) -> Result<Verdict, RelayError> {
    let Some(state) = stream.state().await? else { return Ok(Verdict::Missing) };
    if state.epoch != Some(epoch) {
        return Ok(Verdict::NoCopy(RebuildReason::OtherEpoch, None));
    }
    if !state.configured {
        return Ok(Verdict::NoCopy(RebuildReason::OtherConfiguration, None));
    }
    if !state.whole {
        return Ok(Verdict::NoCopy(RebuildReason::Hole, None));
    }
    if state.last == 0 {
        return Ok(Verdict::CopyUpTo(0));
    }
    let found = match stream.message(state.last).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Verdict::NoCopy(RebuildReason::Hole, None)),
        Err(NatsError::NotARecord { .. }) => return Ok(Verdict::NoCopy(RebuildReason::OtherBytes, None)),
        Err(error) => return Err(error.into()),
    };
    let ours = in_time(log.page(state.last, PageLimit { events: 1, bytes: 1 })).await?;
    Ok(match ours.first().filter(|event| event.position == state.last) {
        Some(event) => judge(&found, event, epoch),
        // The page was read after the head: what was committed in between is there.
        None if state.last > head => Verdict::NoCopy(RebuildReason::LongerThanLog, evidence(&found, epoch)),
        None => return Err(RelayError::LogMoved),
    })
}

/// Compares a step of records, byte for byte. The answer's position is the last one compared.
pub(super) async fn step(
    log: &Log,
    stream: &LogStream,
    epoch: Epoch,
    from: u64,
    published: u64,
) -> Result<Verdict, RelayError> {
    let length = usize::try_from(published + 1 - from).unwrap_or(STEP).min(STEP);
    let ours = in_time(log.page(from, PageLimit { events: length, bytes: STEP_BYTES }));
    let theirs = async { Ok(stream.messages(from, length).await) };
    let (ours, theirs) = tokio::try_join!(ours, theirs)?;
    let theirs = match theirs {
        Ok(theirs) => theirs,
        Err(NatsError::NotARecord { .. }) => return Ok(Verdict::NoCopy(RebuildReason::OtherBytes, None)),
        Err(error) => return Err(error.into()),
    };
    let mut to = 0;
    for (found, event) in theirs.iter().zip(&ours) {
        if found.sequence != event.position {
            return Ok(Verdict::NoCopy(RebuildReason::Hole, None));
        }
        match judge(found, event, epoch) {
            Verdict::CopyUpTo(position) => to = position,
            verdict => return Ok(verdict),
        }
    }
    // Either side may stop early, at its limit of bytes; neither may be empty.
    if to == 0 { Err(RelayError::LogMoved) } else { Ok(Verdict::CopyUpTo(to)) }
}

fn judge(found: &PublishedMessage, event: &StoredEvent, epoch: Epoch) -> Verdict {
    if found.epoch != epoch {
        Verdict::NoCopy(RebuildReason::OtherEpoch, None)
    } else if found.is_copy_of(event) {
        Verdict::CopyUpTo(found.sequence)
    } else {
        Verdict::NoCopy(RebuildReason::OtherBytes, evidence(found, epoch))
    }
}

/// A record that was written in the log's own epoch, and is not in the log.
fn evidence(found: &PublishedMessage, epoch: Epoch) -> Option<Published> {
    let found = found.clone().record().ok()?;
    (found.record.epoch == epoch.as_bytes()).then_some(Published {
        epoch: found.epoch,
        position: found.position,
        record: found.bytes,
    })
}
