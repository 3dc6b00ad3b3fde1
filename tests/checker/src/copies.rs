//! I8: the copies in JetStream.

use std::collections::BTreeMap;

use crate::{
    Invariant::I8,
    Verdict,
    copy::Copy,
    history::{CopySeen, Place},
    raw::Log,
    timeline::Timeline,
};

pub fn judge(
    timeline: &Timeline<'_>,
    logs: &BTreeMap<String, Log>,
    copies: &BTreeMap<String, Copy>,
    verdict: &mut Verdict,
) {
    verdict.checked.insert(I8);
    for look in timeline.copies.iter().filter(|look| !timeline.is_restored_between(look.from, look.at)) {
        verdict.counts.looks += 1;
        let CopySeen { log, copy, head, .. } = look;
        let beyond = copy.epoch == head.epoch && copy.position > head.position;
        verdict.require(I8, !beyond || is_left_over(timeline, look), || {
            format!("the copy of {log} ended at {}, the log at {}", copy.position, head.position)
        });
    }
    for (name, copy) in copies {
        let Some(log) = logs.get(name) else { continue };
        compare(name, log, copy, verdict);
    }
}

/// Published before a restore, and not made again yet.
fn is_left_over(timeline: &Timeline<'_>, look: &CopySeen) -> bool {
    let before = |left: &Place| left.epoch == look.copy.epoch && look.copy.position <= left.position;
    let restores = timeline.restores.iter().filter(|restore| restore.until <= look.from);
    restores.filter_map(|restore| restore.left.get(&look.log)).any(before)
}

fn compare(name: &str, log: &Log, copy: &Copy, verdict: &mut Verdict) {
    let nothing = Place { epoch: String::new(), position: 0 };
    let (head, end) = (log.head.as_ref().unwrap_or(&nothing), copy.end.as_ref().unwrap_or(&nothing));
    verdict.require(I8, head.position == end.position, || {
        format!("the copy of {name} ends at {}, the log at {}", end.position, head.position)
    });
    verdict.require(I8, head.epoch == end.epoch, || {
        format!("the copy of {name} is of epoch {}, the log is in {}", end.epoch, head.epoch)
    });
    let missing = log.events.len().saturating_sub(copy.held.len());
    verdict.require(I8, missing == 0, || format!("{missing} events of {name} are not in its copy"));
    for message in &copy.held {
        let place = usize::try_from(message.sequence).unwrap_or(usize::MAX).wrapping_sub(1);
        let same = log.events.get(place).is_some_and(|event| event.bytes == message.payload);
        verdict.require(I8, same, || format!("message {} of the copy of {name} is not the record", message.sequence));
        verdict.require(I8, message.epoch == head.epoch, || {
            format!("message {} of the copy of {name} is of epoch {}", message.sequence, message.epoch)
        });
    }
}
