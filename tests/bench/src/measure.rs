//! What one measurement is: callers who each wait for their answer before they call again, counted and timed.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures::future::join_all;
use hdrhistogram::Histogram;

/// Longest latency that is told apart, in microseconds: a minute.
const LONGEST: u64 = 60_000_000;
/// How often one operation is tried again after a conflict before it counts as failed.
const MAX_TRIES: u32 = 100;
/// The part of a measurement's time that is spent before it, uncounted: caches, connections and plans settle.
const WARM_UP: f64 = 0.25;

/// What became of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It had its effect.
    Done,
    /// Another one was faster; it is tried again, and the time goes on.
    Conflict,
    /// It had none, and is not tried again.
    Failed,
}

/// What callers saw in a while, and what it cost.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Operations that had their effect.
    pub operations: u64,
    /// Operations that had none.
    pub failed: u64,
    /// Tries that another one overtook.
    pub conflicts: u64,
    /// How long it was measured.
    pub elapsed: Duration,
    /// From an operation's first try to its effect, in microseconds.
    pub latency: Histogram<u64>,
    /// Processor time of the processes under test, the callers' own not included; zero: not measured.
    pub cpu: Duration,
    /// The most memory that the server under test had at once, in bytes; 0: not measured.
    pub peak_rss: u64,
}

impl Sample {
    /// Nothing measured yet.
    pub fn empty() -> Self {
        Self {
            operations: 0,
            failed: 0,
            conflicts: 0,
            elapsed: Duration::ZERO,
            latency: latencies(),
            cpu: Duration::ZERO,
            peak_rss: 0,
        }
    }

    /// Operations a second.
    pub fn rate(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// The latency that a part (0 to 1) of the operations did not exceed, in milliseconds.
    pub fn quantile(&self, part: f64) -> f64 {
        self.latency.value_at_quantile(part) as f64 / 1_000.0
    }

    /// Counts one operation.
    pub fn count(&mut self, outcome: Outcome, latency: Duration) {
        match outcome {
            Outcome::Done => {
                self.operations += 1;
                let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
                self.latency.saturating_record(micros.max(1));
            }
            Outcome::Conflict => self.conflicts += 1,
            Outcome::Failed => self.failed += 1,
        }
    }

    /// Adds what another caller saw in the same while.
    pub fn add(&mut self, other: &Self) {
        self.operations += other.operations;
        self.failed += other.failed;
        self.conflicts += other.conflicts;
        self.latency.add(&other.latency).expect("all histograms have the same bounds");
    }
}

/// An empty histogram of latencies, to three digits.
fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are good")
}

/// `callers` call `operation` (with their own number and their own count of turns) one after the other for `time`,
/// after a warm-up that is not counted. After a conflict the same turn is tried again, and its latency goes on. What was
/// under way at the end is waited for and not counted.
pub async fn closed_loop<F, Fut>(callers: usize, time: Duration, operation: F) -> Sample
where
    F: Fn(usize, u64) -> Fut,
    Fut: Future<Output = Outcome>,
{
    let (counting, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let call = async |caller: usize| {
        let mut sample = Sample::empty();
        let mut turn = 0;
        while !over.load(Ordering::Relaxed) {
            let counted = counting.load(Ordering::Relaxed);
            let began = Instant::now();
            let mut outcome = operation(caller, turn).await;
            let mut conflicts = 0;
            while outcome == Outcome::Conflict && conflicts < MAX_TRIES && !over.load(Ordering::Relaxed) {
                conflicts += 1;
                outcome = operation(caller, turn).await;
            }
            if counted && !over.load(Ordering::Relaxed) {
                sample.conflicts += u64::from(conflicts);
                let outcome = if outcome == Outcome::Conflict { Outcome::Failed } else { outcome };
                sample.count(outcome, began.elapsed());
            }
            turn += 1;
        }
        sample
    };
    let clock = async {
        tokio::time::sleep(time.mul_f64(WARM_UP)).await;
        counting.store(true, Ordering::Relaxed);
        let began = Instant::now();
        tokio::time::sleep(time).await;
        over.store(true, Ordering::Relaxed);
        began.elapsed()
    };
    let (samples, elapsed) = futures::future::join(join_all((0..callers).map(call)), clock).await;
    let mut all = Sample { elapsed, ..Sample::empty() };
    for sample in &samples {
        all.add(sample);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_conflict_is_tried_again_and_counted() {
        // Each caller's every other try: one that met nothing but conflicts would have nothing counted but those.
        let tries = [Cell::new(0_u64), Cell::new(0)];
        let sample = closed_loop(2, Duration::from_millis(200), |caller, _| {
            let tries = &tries[caller];
            tries.set(tries.get() + 1);
            let outcome = if tries.get().is_multiple_of(2) { Outcome::Done } else { Outcome::Conflict };
            async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                outcome
            }
        })
        .await;
        assert!(sample.operations > 0 && sample.conflicts > 0, "{sample:?}");
        assert_eq!(sample.failed, 0);
        assert!(sample.elapsed >= Duration::from_millis(200));
        assert_eq!(sample.latency.len(), sample.operations);
    }
}
