//! Sends a scenario's acts to the running services, one after the other.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use contracts::toguna::log::v1::Receipt;
use jiff::SignedDuration;
use prost_reflect::DynamicMessage;

use super::{Act, Scenario, Step};
use crate::{
    language::Words,
    local::{identity::Identity, stack::SERVICES},
    services::{self, Services, refusal::Refusal},
};

/// How long a service may be starting, busy or behind before the run gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a run did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Events written.
    pub events: usize,
    /// Acts that had their effect in an earlier run.
    pub earlier: usize,
    /// Acts refused as the story says.
    pub refused: usize,
    /// What was not carried out.
    pub skipped: Vec<Skipped>,
    /// The latest consistency token of each log written to.
    pub tokens: Vec<String>,
}

/// What was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Number of the step.
    pub step: u32,
    /// The step's title.
    pub what: Words,
    /// Why.
    pub why: Words,
}

/// A run under way.
#[derive(Debug)]
pub struct Run<'a> {
    services: &'a Services,
    identity: &'a Identity,
    scenario: &'a Scenario,
    /// The latest token of each log written to.
    tokens: BTreeMap<String, String>,
    versions: BTreeMap<String, u64>,
    /// The act before had its effect in an earlier run.
    repeated: bool,
    outcome: Outcome,
}

/// Whether a run takes the whole story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Only the lists that an empty stack needs too.
    Reference,
}

impl Extent {
    /// Whether a step belongs to it.
    pub fn holds(self, step: &Step) -> bool {
        self == Self::Whole || step.reference
    }
}

impl<'a> Run<'a> {
    /// Prepares to send `scenario`, with tokens that `identity` signs.
    pub fn new(scenario: &'a Scenario, services: &'a Services, identity: &'a Identity) -> Self {
        let (tokens, versions) = (BTreeMap::new(), BTreeMap::new());
        Self { services, identity, scenario, tokens, versions, repeated: false, outcome: Outcome::default() }
    }

    /// Sends it. `progress` hears of each step before it begins.
    pub async fn send(mut self, extent: Extent, mut progress: impl FnMut(&Step)) -> Result<Outcome> {
        for step in self.scenario.steps.iter().filter(|step| extent.holds(step)) {
            progress(step);
            if let Some(why) = &step.skipped {
                self.skip(step, why);
                continue;
            }
            for act in &step.acts {
                let place = || format!("step {} ({}), act {}", step.number, step.file, act.key);
                self.carry_out(step, act).await.with_context(place)?;
            }
        }
        Ok(Outcome { tokens: self.tokens.into_values().collect(), ..self.outcome })
    }

    fn skip(&mut self, step: &Step, why: &Words) {
        let skipped = Skipped { step: step.number, what: step.title.clone(), why: why.clone() };
        self.outcome.skipped.push(skipped);
    }

    async fn carry_out(&mut self, step: &Step, act: &Act) -> Result<()> {
        if let Some(why) = &act.skipped {
            self.skip(step, why);
            return Ok(());
        }
        // Later acts may have changed what an act is refused for, so a refusal is only shown the first time.
        if act.refused.is_some() && self.repeated {
            return Ok(());
        }
        match (self.call(step, act).await?, &act.refused) {
            (Ok(receipt), None) => self.take(act, receipt),
            (Err(refusal), Some(reason)) if refusal.reason == *reason => {
                self.outcome.refused += 1;
                Ok(())
            }
            (Ok(_), Some(reason)) => bail!("it was accepted; it should have been refused with {reason}"),
            (Err(refusal), Some(reason)) => bail!("it was refused, but not with {reason}\n{refusal}"),
            (Err(refusal), None) => bail!("it was refused\n{refusal}"),
        }
    }

    async fn call(&self, step: &Step, act: &Act) -> Result<Result<Receipt, Refusal>> {
        let tokens = self.tokens_for(act)?;
        let (method, message) = self.scenario.message(step, act, &tokens, &self.versions)?;
        let (roles, organisation, subject) = act.caller()?;
        let token = self.identity.token(&roles, &organisation, &subject, SignedDuration::from_mins(5))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.services.call(&method, &token, &message).await? {
                Ok(response) => return Ok(Ok(receipt(&response)?)),
                Err(status) => {
                    let refusal = Refusal::from(status);
                    if !refusal.is_passing() || Instant::now() > deadline {
                        return Ok(Err(refusal));
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    /// A service can only wait for its own log and for those that it follows.
    fn tokens_for(&self, act: &Act) -> Result<Vec<String>> {
        let method = services::method(&act.rpc)?;
        let service = services::owner(method.parent_service().package_name()).to_owned();
        let last = SERVICES.iter().position(|it| *it == service).with_context(|| format!("no service {service}"))?;
        Ok(SERVICES[..=last].iter().filter_map(|it| self.tokens.get(*it)).cloned().collect())
    }

    fn take(&mut self, act: &Act, receipt: Receipt) -> Result<()> {
        let method = services::method(&act.rpc)?;
        let log = services::owner(method.parent_service().package_name()).to_owned();
        ensure!(!receipt.consistency_token.is_empty(), "{log} gave no consistency token");
        self.tokens.insert(log, receipt.consistency_token);
        if let Some(event) = receipt.events.last() {
            self.versions.insert(act.key.clone(), event.version);
        }
        self.repeated = receipt.replayed;
        if receipt.replayed {
            self.outcome.earlier += 1;
        } else {
            self.outcome.events += receipt.events.len();
        }
        Ok(())
    }
}

fn receipt(response: &DynamicMessage) -> Result<Receipt> {
    let field = response.get_field_by_name("receipt").context("the answer to a command is a receipt")?;
    let message = field.as_message().context("a receipt is a message")?;
    message.transcode_to().context("a receipt is a receipt")
}
