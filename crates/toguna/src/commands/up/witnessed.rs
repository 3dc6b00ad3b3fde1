//! How far the witnesses of the stack have signed each log, and what their policy withstands.

use std::time::{Duration, Instant};

use anyhow::Result;
use contracts::toguna::log::v1::GetLogResponse;
use serde_json::{Value, json};
use transparency::Tolerance;

use crate::{
    language::Language,
    local::{home::Home, witnesses},
    output::Page,
};

/// How long what was just recorded may take to be witnessed; then it is told how far they are.
const SOON: Duration = Duration::from_secs(10);

/// A log, its head, and how much of it is witnessed.
struct Extent {
    log: String,
    head: u64,
    size: u64,
}

/// How far the witnesses are.
pub(super) struct Witnessed {
    logs: Vec<Extent>,
    tolerance: Option<Tolerance>,
}

impl Witnessed {
    /// Asks until all that the logs held is witnessed, for a while.
    pub(super) async fn soon(home: &Home, logs: &[GetLogResponse]) -> Result<Self> {
        let policy = witnesses::policy(home)?;
        let deadline = Instant::now() + SOON;
        loop {
            let extent = |log: &GetLogResponse| {
                let size = witnesses::witnessed(home, &policy, &log.log, &log.epoch)?;
                // What was recorded since is no part of what is told.
                Ok(Extent { log: log.log.clone(), head: log.head, size: size.min(log.head) })
            };
            let extents = logs.iter().map(extent).collect::<Result<Vec<_>>>()?;
            if extents.iter().all(|log| log.size >= log.head) || Instant::now() > deadline {
                return Ok(Self { logs: extents, tolerance: policy.tolerates() });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let logs = self.logs.iter().map(|log| (log.log.clone(), json!({ "head": log.head, "witnessed": log.size })));
        let (quorum, governments) = witnesses::quorum();
        json!({
            "logs": logs.collect::<serde_json::Map<_, _>>(),
            "witnesses": governments,
            "quorum": quorum,
            "may_be_down": self.tolerance.map(|tolerance| tolerance.down),
            "may_be_dishonest": self.tolerance.map(|tolerance| tolerance.dishonest),
        })
    }

    pub(super) fn to_text(&self, language: Language) -> String {
        let mut page = Page::default();
        let extent = |log: &Extent| {
            let (size, head) = (language.count(log.size), language.count(log.head));
            format!("{} {size} {} {head}", log.log, language.say("of", "sur"))
        };
        let logs = self.logs.iter().map(extent).collect::<Vec<_>>().join(", ");
        page.heading(language.say(
            format!("Events that the witnesses have signed: {logs}."),
            format!("Événements que les témoins ont signés\u{202f}: {logs}."),
        ));
        let (quorum, governments) = witnesses::quorum();
        let Tolerance { down, dishonest } = self.tolerance.unwrap_or(Tolerance { down: 0, dishonest: 0 });
        let governments = governments.join(", ");
        page.add(language.say(
            format!(
                "{quorum} of the witnesses {governments} must sign (demo keys): {} may be down, {} dishonest.",
                some(down),
                some(dishonest),
            ),
            format!(
                "Il faut {quorum} des témoins {governments} (clés de démonstration)\u{202f}: {} manquer, {} mentir.",
                peuvent(down),
                peuvent(dishonest),
            ),
        ));
        page.text()
    }
}

/// At most so many, in English.
fn some(count: usize) -> String {
    match count {
        0 => "none".to_owned(),
        1 => "one".to_owned(),
        more => more.to_string(),
    }
}

/// That at most so many may, in French.
fn peuvent(count: usize) -> String {
    match count {
        0 => "aucun ne peut".to_owned(),
        1 => "un peut".to_owned(),
        more => format!("{more} peuvent"),
    }
}
