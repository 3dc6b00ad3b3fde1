//! What was promised under a framework and where it stands.

mod plan;
mod tally;

use std::collections::HashMap;

use contracts::toguna::oversight::v1 as pb;

use self::plan::Plan;
use crate::{
    Clocks, Facts, calendar,
    commitment::CommitmentState,
    events::commitments::Commitment,
    evidence::Evidence,
    initiative::InitiativeState,
    measurement::{Measured, latest, measured},
    view::View,
};

/// The scoreboard of a framework; `None`: the framework is not known.
pub fn scoreboard(facts: &Facts, framework: &str, clocks: Clocks) -> Option<pb::Scoreboard> {
    let view = View::new(facts, clocks);
    let registered = view.commitments.known(framework).find_map(|seen| match seen.fact() {
        Commitment::FrameworkRegistered(event) => Some(event),
        _ => None,
    })?;
    let answers = Answers::to(framework, &view);
    let plans = Plan::all(framework, &view, &answers);
    let own: Vec<_> = answers.measured.iter().filter(|measured| lists(framework, measured)).collect();
    let mut own = latest(own);
    own.sort_by_key(|measured| (natural(code(measured)), measured.indicator));

    let of_framework = view.commitments.counted(framework).map(|seen| Evidence::of(seen, false));
    let mut evidence: Evidence = of_framework.collect();
    evidence.extend(answers.commitments.iter().map(|commitment| commitment.evidence.clone()));
    evidence.extend(answers.initiatives.iter().map(|initiative| initiative.evidence.clone()));
    evidence.extend(own.iter().map(|measured| measured.evidence()));
    Some(pb::Scoreboard {
        framework: framework.into(),
        title: registered.title.clone(),
        kind: registered.kind,
        secretariat: registered.secretariat.clone(),
        plans: plans.iter().map(|plan| plan.report(&view, &answers, &mut evidence)).collect(),
        measurements: own.into_iter().map(Measured::report).collect(),
        standpoint: Some(view.standpoint(&evidence)),
    })
}

/// What answers a framework, and what was measured.
struct Answers<'a> {
    commitments: Vec<CommitmentState<'a>>,
    initiatives: Vec<InitiativeState<'a>>,
    measured: Vec<Measured<'a>>,
    /// By subject, places in `measured`.
    by_subject: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Answers<'a> {
    fn to(framework: &str, view: &View<'a>) -> Self {
        let log = view.commitments;
        let commitments = log.streams("commitments").filter_map(|name| CommitmentState::seen(log, name));
        let answers = |state: &CommitmentState<'_>| state.answers.is_some_and(|item| item.framework == framework);
        let initiatives = log.streams("initiatives").filter_map(|name| InitiativeState::seen(log, name));
        let serves = |state: &InitiativeState<'_>| state.serves().any(|item| item.framework == framework);
        let measured = measured(log);
        let mut by_subject: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, measured) in measured.iter().enumerate() {
            by_subject.entry(measured.point.subject.as_str()).or_default().push(index);
        }
        Self {
            commitments: commitments.filter(answers).collect(),
            initiatives: initiatives.filter(serves).collect(),
            measured,
            by_subject,
        }
    }

    /// The latest values measured of these subjects.
    fn latest_of<'s>(&'s self, subjects: impl Iterator<Item = &'a str>) -> Vec<&'s Measured<'a>> {
        let of = subjects.flat_map(|subject| self.by_subject.get(subject).into_iter().flatten());
        latest(of.map(|index| &self.measured[*index]))
    }
}

fn lists(framework: &str, measured: &Measured<'_>) -> bool {
    measured.definition.is_some_and(|definition| definition.framework == framework)
}

fn code<'m>(measured: &Measured<'m>) -> &'m str {
    measured.definition.map_or("", |definition| definition.code.as_str())
}

/// Sorts `1.10` after `1.9`, and `3.5 bis` after `3.5`.
fn natural(code: &str) -> Vec<(u64, &str)> {
    let part = |part| {
        let end = str::find(part, |character: char| !character.is_ascii_digit()).unwrap_or(part.len());
        (part[..end].parse().unwrap_or(u64::MAX), &part[end..])
    };
    code.split('.').map(part).collect()
}

/// A plan counts from its adoption; what is in it, from then on too unless it has a date of its own.
fn holds(date: Option<contracts::toguna::r#type::v1::Date>, as_of: jiff::civil::Date) -> bool {
    date.and_then(calendar::last_day).is_none_or(|day| day <= as_of)
}

#[cfg(test)]
mod tests;
