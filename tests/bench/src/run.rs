//! One run: how long, how often, on what ground.

use std::time::Duration;

use anyhow::Result;
use tokio::sync::Mutex;

use crate::{
    arguments::Arguments,
    ground::Ground,
    measure::Sample,
    process::{Watched, own_cpu},
    stage::Site,
};

/// What all rows need.
pub struct Run {
    /// The servers.
    pub ground: Ground,
    /// An answer soon instead of a good one.
    pub quick: bool,
    /// A long and a short log that several rows use, once they are there.
    pub grown: Mutex<Option<[Site; 2]>>,
}

/// What one measurement came to.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What is compared, in the unit of the row.
    pub value: f64,
    /// What callers saw, where callers measured it.
    pub sample: Option<Sample>,
    /// Processor time of an operation by who used it, in microseconds.
    pub costs: Vec<(&'static str, f64)>,
}

impl Measured {
    /// A value alone.
    pub fn value(value: f64) -> Self {
        Self { value, sample: None, costs: Vec::new() }
    }

    /// Compared by operations a second.
    pub fn rate(sample: Sample, costs: Vec<(&'static str, f64)>) -> Self {
        Self { value: sample.rate(), sample: Some(sample), costs }
    }

    /// Compared by another figure of the same sample.
    #[must_use]
    pub fn by(mut self, figure: impl FnOnce(&Sample) -> f64) -> Self {
        if let Some(sample) = &self.sample {
            self.value = figure(sample);
        }
        self
    }
}

impl Run {
    /// Starts the servers.
    pub async fn prepare(arguments: &Arguments) -> Result<Self> {
        Ok(Self { ground: Ground::prepare().await?, quick: arguments.quick, grown: Mutex::default() })
    }

    /// Stops what still runs and removes its files.
    pub async fn end(mut self) -> Result<()> {
        drop(self.grown.get_mut().take());
        self.ground.clear().await
    }

    /// How often ours and the other are measured in turn.
    pub fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// How long callers are measured in each turn; the warm-up comes before.
    pub fn time(&self) -> Duration {
        if self.quick { Duration::from_secs(2) } else { Duration::from_secs(8) }
    }

    /// How many events a long log has.
    pub fn events(&self, whole: u64, quick: u64) -> u64 {
        if self.quick { quick } else { whole }
    }

    /// Sizes of an event's payload, in bytes.
    pub fn payloads(&self) -> &'static [usize] {
        if self.quick { &[256] } else { &[256, 1024] }
    }

    /// Measures ours and the other in turn; who begins changes with each round.
    pub async fn in_turn(
        &self,
        mut ours: impl AsyncFnMut() -> Result<Measured>,
        mut beside: impl AsyncFnMut() -> Result<Measured>,
    ) -> Result<Vec<(Measured, Measured)>> {
        let mut rounds = Vec::new();
        for round in 0..self.rounds() {
            rounds.push(if round % 2 == 0 {
                let first = ours().await?;
                (first, beside().await?)
            } else {
                let first = beside().await?;
                (ours().await?, first)
            });
        }
        Ok(rounds)
    }
}

/// The part whose memory is told: what PostgreSQL shares among its sessions would be counted with each.
pub const SERVER: &str = "server";

/// Counts the processor time that a measurement uses, by who uses it.
pub struct Meter {
    parts: Vec<(&'static str, Watched, Duration)>,
    own: Duration,
}

impl Meter {
    /// Begins to count.
    pub fn begin(parts: Vec<(&'static str, Watched)>) -> Self {
        let parts = parts.into_iter().map(|(name, watched)| {
            watched.forget_peaks();
            let before = watched.cpu();
            (name, watched, before)
        });
        Self { parts: parts.collect(), own: own_cpu() }
    }

    /// Ends it: what was used goes into the sample, and by part into the answer, as microseconds of one operation. The
    /// warm-up before the sample is taken to have cost as much a second as the sample itself.
    pub fn end(self, sample: &mut Sample, whole: Duration) -> Vec<(&'static str, f64)> {
        let part = sample.elapsed.as_secs_f64() / whole.as_secs_f64().max(f64::EPSILON);
        let operations = (sample.operations as f64).max(1.0);
        let of_one = |used: Duration| used.as_secs_f64() * part * 1e6 / operations;
        let mut costs = Vec::new();
        for (name, watched, before) in &self.parts {
            let used = watched.cpu().saturating_sub(*before);
            sample.cpu += used.mul_f64(part);
            if *name == SERVER {
                sample.peak_rss = watched.peak_rss();
            }
            costs.push((*name, of_one(used)));
        }
        costs.push(("callers", of_one(own_cpu().saturating_sub(self.own))));
        costs
    }
}
