//! Sends rows, a few at a time, until each has its answer or the line has been silent for too long.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use contracts::toguna::log::v1::Receipt;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use rand::Rng as _;
use tokio::task::JoinSet;
use tonic::Status;
use uuid::Uuid;

use super::{
    order,
    outcome::{Fate, Outcome, Refused},
    rows::{self, Row},
};
use crate::{
    language::Language,
    local::stack::SERVICES,
    services::{Services, refusal::Refusal},
};

/// How far ahead of the first row without an answer others are looked at.
const LOOKAHEAD: usize = 1000;
/// First and longest pause between two tries of a row, before chance makes it shorter.
const PAUSES: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(20));
/// How often a row is sent to a service that meets a fault of its own.
const FAULTS: u32 = 4;

/// How rows are sent.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How many rows are on their way at once.
    pub window: usize,
    /// How long a row may go without any answer.
    pub patience: Duration,
    /// Nothing is sent after a refused row.
    pub stop_on_refusal: bool,
    /// The services only say what would happen.
    pub dry_run: bool,
}

/// A row with its id, and what is known of it.
#[derive(Debug)]
pub struct Job {
    /// The row.
    pub row: Row,
    /// Its request id.
    pub request_id: Uuid,
    /// What came of it in an earlier run.
    pub known: Option<Outcome>,
}

/// How far a row has come.
#[derive(Debug, PartialEq)]
enum Stage {
    /// It is to be sent; `alone`: once every row before it has its answer.
    Open {
        alone: bool,
    },
    /// It is on its way; `early`: a row before it was still without an answer.
    Away {
        early: bool,
    },
    Over(Outcome),
}

/// What one row's tries came to.
enum Tried {
    Answered(Receipt),
    Refused(Refused),
    /// No answer in time.
    Silent(String),
    /// The service met a fault of its own each time.
    Faulty(String),
    /// Nothing is taken from this caller.
    Stop(String),
}

/// A submission under way.
pub struct Sending<'a, T> {
    services: &'a Services,
    /// Gives the caller's token; it may be another one each time.
    token: T,
    manner: Manner,
    language: Language,
    jobs: &'a [Job],
    before: Vec<Vec<usize>>,
    /// The first row that acts on each resource.
    first_acts: BTreeMap<String, usize>,
    stages: Vec<Stage>,
    /// The first row that is not over.
    first: usize,
    /// The latest token of each log.
    tokens: BTreeMap<String, String>,
    /// Services that were silent for too long.
    silent: BTreeSet<String>,
    stopped: Option<String>,
}

impl<'a, T: Fn() -> Result<String>> Sending<'a, T> {
    /// Prepares to send `jobs`, in their order.
    pub fn new(services: &'a Services, token: T, manner: Manner, language: Language, jobs: &'a [Job]) -> Self {
        let rows: Vec<&Row> = jobs.iter().map(|job| &job.row).collect();
        let before = if manner.dry_run { vec![Vec::new(); jobs.len()] } else { order::before(&rows) };
        let first_acts = rows.iter().enumerate().rev().map(|(index, row)| (row.resource(), index)).collect();
        let stage = |job: &Job| match &job.known {
            Some(outcome) => Stage::Over(outcome.clone()),
            None => Stage::Open { alone: false },
        };
        let stages = jobs.iter().map(stage).collect();
        let mut sending = Self {
            services,
            token,
            manner,
            language,
            jobs,
            before,
            first_acts,
            stages,
            first: 0,
            tokens: BTreeMap::new(),
            silent: BTreeSet::new(),
            stopped: None,
        };
        for job in jobs {
            if let Some(outcome) = &job.known {
                sending.learn(outcome);
            }
        }
        sending
    }

    /// Sends them. `note` hears of each outcome as soon as it is known, and makes it safe.
    pub async fn run(mut self, mut note: impl FnMut(usize, &Outcome) -> Result<()>) -> Result<Vec<Outcome>> {
        let mut away: JoinSet<(usize, Result<Tried>)> = JoinSet::new();
        loop {
            while away.len() < self.window() {
                let Some(index) = self.next() else { break };
                let tries = self.tries(index)?;
                let early = index > self.first;
                self.stages[index] = Stage::Away { early };
                away.spawn(async move { (index, tries.run().await) });
            }
            let Some(joined) = away.join_next().await else { break };
            let (index, tried) = joined.context("a row's task failed")?;
            if let Some(outcome) = self.settle(index, tried?) {
                note(index, &outcome)?;
                self.learn(&outcome);
                self.stages[index] = Stage::Over(outcome);
            }
        }
        let unsent = self.stopped.clone().unwrap_or_else(|| self.say_after());
        let ended = self.stages.into_iter().map(|stage| match stage {
            Stage::Over(outcome) => outcome,
            Stage::Open { .. } | Stage::Away { .. } => Outcome::Waiting { text: unsent.clone() },
        });
        Ok(ended.collect())
    }

    fn window(&self) -> usize {
        if self.manner.stop_on_refusal { 1 } else { self.manner.window }
    }

    /// The next row that may go.
    fn next(&mut self) -> Option<usize> {
        while self.stopped.is_none() {
            while matches!(self.stages.get(self.first), Some(Stage::Over(_))) {
                self.first += 1;
            }
            let ahead = self.first..self.stages.len().min(self.first + LOOKAHEAD);
            let index = ahead.into_iter().find(|index| self.may_go(*index) || self.must_wait(*index))?;
            if !self.must_wait(index) {
                return Some(index);
            }
            // What waits for this one waits too, and it may have been the first.
            self.stages[index] = Stage::Over(Outcome::Waiting { text: self.say_after() });
        }
        None
    }

    fn may_go(&self, index: usize) -> bool {
        let Stage::Open { alone } = self.stages[index] else { return false };
        let answered = |before: &usize| matches!(self.stages[*before], Stage::Over(_));
        self.before[index].iter().all(answered) && (!alone || self.first == index)
    }

    /// Whether nothing will come of a row in this run.
    fn must_wait(&self, index: usize) -> bool {
        let open = matches!(self.stages[index], Stage::Open { .. });
        let silent = self.silent.contains(self.jobs[index].row.service());
        open && (silent || self.before[index].iter().any(|before| waits(&self.stages[*before])))
    }

    /// What came of a row; nothing: it is to be sent again.
    fn settle(&mut self, index: usize, tried: Tried) -> Option<Outcome> {
        match tried {
            Tried::Answered(receipt) => {
                self.silent.remove(self.jobs[index].row.service());
                Some(receipt.into())
            }
            Tried::Refused(refused) => self.refused(index, refused),
            Tried::Silent(text) => {
                self.silent.insert(self.jobs[index].row.service().to_owned());
                Some(Outcome::Waiting { text })
            }
            Tried::Faulty(text) => Some(Outcome::Waiting { text }),
            Tried::Stop(text) => {
                self.stopped = Some(text.clone());
                Some(Outcome::Waiting { text })
            }
        }
    }

    fn refused(&mut self, index: usize, refused: Refused) -> Option<Outcome> {
        let early = matches!(self.stages[index], Stage::Away { early: true });
        if self.manner.dry_run {
            return Some(self.dry(index, refused));
        }
        if FOREIGN_TOKENS.contains(&refused.reason.as_str()) && !self.tokens.is_empty() {
            // A log was restored since an earlier run: what was seen there is no more.
            self.tokens.clear();
            self.stages[index] = Stage::Open { alone: false };
            return None;
        }
        // A row before it may be what it needs: it is asked again when all of them have their answers.
        if refused.rests_on_state() && self.stages[..index].iter().any(waits) {
            return Some(Outcome::Waiting { text: format!("{}: {}", refused.reason, refused.text) });
        }
        if refused.rests_on_state() && early {
            self.stages[index] = Stage::Open { alone: true };
            return None;
        }
        if self.manner.stop_on_refusal {
            let line = self.jobs[index].row.line;
            let stopped =
                self.language.say(format!("line {line} was refused"), format!("la ligne {line} a été refusée"));
            self.stopped = Some(stopped);
        }
        Some(Outcome::Refused(refused))
    }

    /// In a dry run no row has its effect, so what needs the effect of a row before it cannot be said.
    fn dry(&self, index: usize, refused: Refused) -> Outcome {
        let acted = |name: &String| self.first_acts.get(name).is_some_and(|first| *first < index);
        let before = self.jobs[index].row.mentioned().iter().any(acted);
        if before && refused.rests_on_state() { Outcome::Undecided(refused) } else { Outcome::Refused(refused) }
    }

    fn learn(&mut self, outcome: &Outcome) {
        let Some(effect) = outcome.effect().filter(|effect| !effect.consistency_token.is_empty()) else { return };
        let log = effect.consistency_token.split('.').next().unwrap_or_default();
        self.tokens.insert(log.to_owned(), effect.consistency_token.clone());
    }

    fn say_after(&self) -> String {
        self.language.say(
            "a row before it has no answer yet".to_owned(),
            "une ligne avant elle n’a pas encore de réponse".to_owned(),
        )
    }

    fn tries(&self, index: usize) -> Result<Tries> {
        let job = &self.jobs[index];
        let service = job.row.service();
        // A service can only wait for its own log and for those that it follows.
        let followed = SERVICES.iter().take_while(|name| **name != service).chain([&service]);
        let tokens = followed.filter_map(|log| self.tokens.get(*log)).cloned().collect();
        Ok(Tries {
            services: self.services.clone(),
            method: job.row.method.clone(),
            token: (self.token)()?,
            request: rows::request(&job.row.request, job.request_id, tokens, self.manner.dry_run),
            patience: self.manner.patience,
        })
    }
}

/// Reasons of a service that does not know, or knows no more, what we have seen.
const FOREIGN_TOKENS: [&str; 2] = ["TOKEN_OTHER_EPOCH", "TOKEN_FOREIGN_LOG"];

fn waits(stage: &Stage) -> bool {
    matches!(stage, Stage::Over(Outcome::Waiting { .. }))
}

/// One row on its way.
struct Tries {
    services: Services,
    method: MethodDescriptor,
    token: String,
    request: DynamicMessage,
    patience: Duration,
}

impl Tries {
    /// Sends it until its fate is known, with longer and longer pauses.
    async fn run(self) -> Result<Tried> {
        let begun = Instant::now();
        let (mut pause, mut faults) = (PAUSES.0, 0);
        loop {
            let status = match self.services.call(&self.method, &self.token, &self.request).await? {
                Ok(response) => return Ok(Tried::Answered(receipt(&response)?)),
                Err(status) => status,
            };
            let after = match Fate::of(&status) {
                Fate::Refused => return Ok(Tried::Refused(Refusal::from(status).into())),
                Fate::Stop => return Ok(Tried::Stop(text(status))),
                Fate::Unknown { after, fault } => {
                    faults += u32::from(fault);
                    after
                }
            };
            // Many who lost the same line do not all come back at the same moment.
            let wait = after.max(pause.mul_f64(rand::rng().random_range(0.5..1.0)));
            if faults >= FAULTS {
                return Ok(Tried::Faulty(text(status)));
            }
            if begun.elapsed() + wait > self.patience {
                return Ok(Tried::Silent(text(status)));
            }
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

fn text(status: Status) -> String {
    let refused = Refused::from(Refusal::from(status));
    format!("{}: {}", refused.reason, refused.text)
}

fn receipt(response: &DynamicMessage) -> Result<Receipt> {
    let field = response.get_field_by_name("receipt").context("the answer to a command is a receipt")?;
    let message = field.as_message().context("a receipt is a message")?;
    message.transcode_to().context("a receipt is a receipt")
}
