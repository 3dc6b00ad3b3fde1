//! The demonstration, as data: the steps of a story, each of acts that go through the services' APIs. The format of the
//! files is described beside them, in `scenario/README.md`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{language::Words, services};

pub mod run;
mod short;

/// The scenario's files, by name without `.toml`, in their order.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scenario_files.rs"));

/// Who acts where the file does not say which person.
const ANY_PERSON: &str = "officer-1";

/// A story.
#[derive(Debug)]
pub struct Scenario {
    /// Its steps, in order.
    pub steps: Vec<Step>,
    sources: BTreeMap<String, Value>,
}

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name of the file.
    #[serde(skip)]
    pub file: String,
    /// Number in the story.
    #[serde(rename = "step")]
    pub number: u32,
    /// Date of its acts, unless they have their own.
    #[serde(default)]
    pub on: Option<String>,
    /// One line.
    pub title: Words,
    /// An empty stack needs it too.
    #[serde(default)]
    pub reference: bool,
    /// Why it is not carried out.
    #[serde(default)]
    pub skipped: Option<Words>,
    /// What is done, in order.
    #[serde(default, rename = "act")]
    pub acts: Vec<Act>,
}

/// One command to a service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// Unique, for ever: the request id is derived from it.
    pub key: String,
    /// `ROLE,ROLE@ORGANISATION`.
    pub by: String,
    /// Which of the organisation's persons.
    #[serde(default)]
    pub person: Option<String>,
    /// Full name of the RPC.
    pub rpc: String,
    /// The command's own fields.
    #[serde(default)]
    pub request: Map<String, Value>,
    /// When it happened; `unknown`: not known.
    #[serde(default)]
    pub on: Option<String>,
    /// The organisation whose act it is, where the caller only records it.
    #[serde(default, rename = "for")]
    pub on_behalf_of: Option<String>,
    /// `act` or `recorded_from_source`.
    #[serde(default)]
    pub basis: Option<String>,
    /// `exact`, `inferred` or `illustrative`.
    #[serde(default)]
    pub certainty: Option<String>,
    /// Kept for ever in the log.
    #[serde(default)]
    pub reason: Option<String>,
    /// Keys of sources.
    #[serde(default)]
    pub sources: Vec<String>,
    /// The reason with which it must be refused.
    #[serde(default)]
    pub refused: Option<String>,
    /// Why it is not carried out.
    #[serde(default)]
    pub skipped: Option<Words>,
}

impl Act {
    /// The same for the same key, for ever: a UUID of version 8 over the SHA-256 of the key.
    pub fn request_id(&self) -> Uuid {
        let digest = Sha256::digest(format!("toguna scenario mali {}", self.key));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Roles, organisation as a resource name, person as a subject.
    pub fn caller(&self) -> Result<(Vec<&str>, String, String)> {
        let (roles, organisation) = self.by.split_once('@').context("`by` is ROLE@ORGANISATION")?;
        let person = self.person.as_deref().unwrap_or(ANY_PERSON);
        Ok((roles.split(',').collect(), format!("partners/{organisation}"), format!("{person}@{organisation}")))
    }
}

impl Scenario {
    /// The one in the program, checked: every act could be sent.
    pub fn load() -> Result<Self> {
        Self::read(FILES)
    }

    fn read(files: &[(&str, &str)]) -> Result<Self> {
        let mut scenario = Self { steps: Vec::new(), sources: BTreeMap::new() };
        for (name, text) in files {
            let place = || format!("scenario/{name}.toml");
            if *name == "sources" {
                scenario.sources = toml::from_str(text).with_context(place)?;
            } else {
                let step: Step = toml::from_str(text).with_context(place)?;
                scenario.steps.push(Step { file: (*name).to_owned(), ..step });
            }
        }
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<()> {
        let mut versions = BTreeMap::new();
        let mut cited = BTreeSet::new();
        for step in &self.steps {
            ensure!(!step.acts.is_empty() || step.skipped.is_some(), "scenario/{}.toml has no act", step.file);
            for act in &step.acts {
                let place = || format!("scenario/{}.toml, act {}", step.file, act.key);
                act.caller().with_context(place)?;
                self.message(step, act, &[], &versions).with_context(place)?;
                cited.extend(act.sources.iter().map(String::as_str));
                ensure!(versions.insert(act.key.clone(), 1).is_none(), "{}: the key is used twice", place());
            }
        }
        for key in self.sources.keys() {
            ensure!(cited.contains(key.as_str()), "scenario/sources.toml: no act cites {key}");
        }
        Ok(())
    }

    /// The RPC and its whole request, which has seen what `tokens` say. `versions` says which version each earlier act
    /// left behind, by its key. Fails on an act that is no request of its RPC.
    pub fn message(
        &self,
        step: &Step,
        act: &Act,
        tokens: &[String],
        versions: &BTreeMap<String, u64>,
    ) -> Result<(MethodDescriptor, DynamicMessage)> {
        let method = services::method(&act.rpc)?;
        let mut request = act.request.clone();
        for ours in ["request_id", "etag", "validate_only", "at_least_as_fresh", "act"] {
            ensure!(!request.contains_key(ours), "`request.{ours}` is the engine's to fill");
        }
        request.insert("request_id".to_owned(), json!(act.request_id().to_string()));
        request.insert("at_least_as_fresh".to_owned(), json!(tokens));
        request.insert("act".to_owned(), self.act(step, act)?);
        let request = short::expand(&method.input(), Value::Object(request), versions)?;
        let message = DynamicMessage::deserialize(method.input(), request)
            .with_context(|| format!("this is no {}", method.input().full_name()))?;
        Ok((method, message))
    }

    fn act(&self, step: &Step, act: &Act) -> Result<Value> {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Option<Value>| fields.extend(value.map(|value| (name.to_owned(), value)));
        let date = act.on.as_ref().or(step.on.as_ref()).filter(|date| *date != "unknown");
        put("effective_on", date.map(|date| json!(date)));
        put("on_behalf_of", act.on_behalf_of.as_ref().map(|organisation| json!(format!("partners/{organisation}"))));
        put("basis", act.basis.as_ref().map(|basis| json!(basis)));
        put("certainty", act.certainty.as_ref().map(|certainty| json!(certainty)));
        put("reason", act.reason.as_ref().map(|reason| json!(reason)));
        let source = |key: &String| self.sources.get(key).cloned().with_context(|| format!("no source {key:?}"));
        put("sources", Some(act.sources.iter().map(source).collect::<Result<Vec<_>>>()?.into()));
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests;
