//! I7: read models and how far they are.

use std::collections::HashMap;

use crate::{Invariant::I7, Verdict, history::CheckpointSeen, raw::Rows, timeline::Timeline};

pub fn judge(timeline: &Timeline<'_>, read_models: Option<&(Rows, Rows)>, verdict: &mut Verdict) {
    verdict.checked.insert(I7);
    let mut last: HashMap<&str, &CheckpointSeen> = HashMap::new();
    for look in timeline.checkpoints.iter().filter(|look| !timeline.is_restored_between(look.from, look.at)) {
        verdict.counts.looks += 1;
        let CheckpointSeen { follower, checkpoint, head, log, .. } = look;
        let beyond = checkpoint.epoch == head.epoch && checkpoint.position > head.position;
        verdict.require(I7, !beyond, || {
            format!("{follower} was at {} where {log} ended at {}", checkpoint.position, head.position)
        });
        if let Some(before) = last.insert(follower, look) {
            let same = before.checkpoint.epoch == checkpoint.epoch;
            let back = same && before.checkpoint.position > checkpoint.position;
            // Checkpoints and rows go back together in a crash: they are made again from the log, which does not.
            verdict.require(I7, !back || timeline.is_disturbed_between(before.from, look.at), || {
                format!("{follower} went back from {} to {}", before.checkpoint.position, checkpoint.position)
            });
        }
    }
    if let Some((lived, folded)) = read_models {
        compare(lived, folded, verdict);
    }
}

fn compare(lived: &Rows, folded: &Rows, verdict: &mut Verdict) {
    verdict.require(I7, !folded.is_empty(), || "there are no read models".to_owned());
    let none = Vec::new();
    for table in folded.keys().chain(lived.keys().filter(|table| !folded.contains_key(*table))) {
        let (lived, folded) = (lived.get(table).unwrap_or(&none), folded.get(table).unwrap_or(&none));
        verdict.counts.rows += folded.len();
        let missing = folded.iter().find(|row| lived.binary_search(row).is_err());
        let other = lived.iter().find(|row| folded.binary_search(row).is_err());
        verdict.require(I7, missing.is_none() && other.is_none() && lived.len() == folded.len(), || {
            let (have, want) = (lived.len(), folded.len());
            format!("{table} has {have} rows, a fold from zero {want}; has {other:?}, lacks {missing:?}")
        });
    }
}
