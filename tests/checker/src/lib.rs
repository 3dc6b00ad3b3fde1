//! Judges a run of the services from the outside. It reads raw tables, raw JetStream and what clients, consumers and
//! watchers wrote down, and confirms that
//!
//! | | |
//! |---|---|
//! | I1 | no acknowledged command is lost |
//! | I2 | no command has its effect twice, and a retry gets the same answer |
//! | I3 | a refused command had no effect, one of unknown outcome all of it or nothing |
//! | I4 | a log is 1, 2, 3, … without a gap, and is never rewritten within an epoch |
//! | I5 | what was acknowledged before something else was asked for stands before it |
//! | I6 | every stream's versions are 1, 2, 3, … |
//! | I7 | read models are what a fold from zero gives; their checkpoints never go back, nor beyond the log |
//! | I8 | in JetStream sequence = position with the same bytes, nothing is missing and nothing beyond the log |
//! | I9 | consumers are given every event, in order, and are told where history was restored |
//! | I10 | the head row of a log holds the Merkle tree of exactly its records, whenever somebody looks |
//!
//! It shares no code with what it judges; `proto/toguna/log/v1/record.proto` and the schema of the log are its
//! specification. An outcome that a client does not know stays unknown: it may have had its effect or not. A run in
//! which nothing was acknowledged shows nothing, and fails.

pub mod catch_up;
mod commands;
mod consumers;
mod copies;
pub mod copy;
pub mod history;
mod order;
pub mod raw;
mod read_models;
pub mod record;
pub mod text;
mod timeline;
mod tree;
mod verdict;
pub mod watch;
mod wire;

use std::collections::BTreeMap;

use anyhow::Result;

pub use self::verdict::{Counts, Fault, Invariant, Verdict, Violation};
use self::{copy::Copy, history::Line, raw::Log, timeline::Timeline};

/// All that is judged.
#[derive(Debug, Default)]
pub struct Evidence {
    /// What happened.
    pub history: Vec<Line>,
    /// What the logs hold at the end, by name.
    pub logs: BTreeMap<String, Log>,
    /// What their copies hold.
    pub copies: BTreeMap<String, Copy>,
    /// The read models as they were at the end of the run, and as a fold from zero makes them, of the same logs; `None`:
    /// nobody folded them.
    pub read_models: Option<(raw::Rows, raw::Rows)>,
    /// What did not catch up in time at the end.
    pub behind: Vec<catch_up::Behind>,
}

/// Where the raw logs and their copies are.
#[derive(Debug, Clone)]
pub struct Places {
    /// Address of each log's database, by the log's name.
    pub databases: BTreeMap<String, String>,
    /// Address of NATS.
    pub nats: String,
}

impl Evidence {
    /// Reads the logs and their copies, which must be at rest.
    pub async fn read(history: Vec<Line>, places: &Places) -> Result<Self> {
        let jetstream = copy::connect(&places.nats).await?;
        let mut evidence = Self { history, ..Self::default() };
        for (name, url) in &places.databases {
            evidence.logs.insert(name.clone(), Log::read(url).await?);
            evidence.copies.insert(name.clone(), Copy::read(&jetstream, name).await?);
        }
        Ok(evidence)
    }

    /// Judges a run.
    pub fn judge(&self) -> Verdict {
        let mut verdict = self.judge_state();
        let nothing = verdict.counts.ok == 0;
        verdict.require(Invariant::Run, !nothing, || "nothing was acknowledged: this run shows nothing".to_owned());
        verdict
    }

    /// Judges what is there, whether or not there is a history of it.
    pub fn judge_state(&self) -> Verdict {
        let mut verdict = Verdict::default();
        let timeline = Timeline::read(&self.history, &mut verdict);
        commands::judge(&timeline, &self.logs, &mut verdict);
        order::judge(&timeline, &self.logs, &mut verdict);
        tree::judge(&timeline, &self.logs, &mut verdict);
        read_models::judge(&timeline, self.read_models.as_ref(), &mut verdict);
        copies::judge(&timeline, &self.logs, &self.copies, &mut verdict);
        consumers::judge(&timeline, &self.logs, &mut verdict);
        for behind in &self.behind {
            verdict.violated(behind.invariant, behind.what.clone());
        }
        verdict
    }
}
