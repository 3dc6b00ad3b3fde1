//! The conventions of the API, as rules that hold for every method, message and field: those of the API improvement
//! proposals (AIP) that are kept here, each with what breaks it on purpose.

mod fields;
mod methods;

use std::collections::BTreeSet;

use crate::{none, pool};

/// What breaks a rule on purpose: the rule, the element, the reason.
const ON_PURPOSE: &[(&str, &str, &str)] = &[
    // A log is one of its service: there is nothing to choose from.
    (methods::GET, "toguna.log.v1.LogService.GetLog", "a service has one log"),
    (methods::GET, "toguna.operations.v1.OperationsService.GetLogStatus", "a service has one log"),
    // Reports are made of many resources, and answer with what they were made from.
    (methods::GET, "toguna.oversight.v1.OversightService.GetPortfolio", "a report on a country, not a resource"),
    (methods::GET, "toguna.oversight.v1.OversightService.GetContractChain", "a report with its standpoint"),
    (methods::GET, "toguna.oversight.v1.OversightService.GetScoreboard", "a report with its standpoint"),
    (
        methods::LIST,
        "toguna.operations.v1.OperationsService.ListProjections",
        "as many as the program has, never pages",
    ),
    // What is asked for whole, and has no names.
    (methods::QUERY, "toguna.log.v1.LogService.GetLog", "a few words on one log"),
    (methods::QUERY, "toguna.operations.v1.OperationsService.GetLogStatus", "a few words on one log"),
    (methods::QUERY, "toguna.operations.v1.OperationsService.ListProjections", "a few, told whole"),
    (methods::QUERY, "toguna.oversight.v1.OversightService.GetPortfolio", "figures that belong together"),
    (methods::QUERY, "toguna.oversight.v1.OversightService.GetContractChain", "figures that belong together"),
    (methods::QUERY, "toguna.oversight.v1.OversightService.GetScoreboard", "figures that belong together"),
    (methods::QUERY, "toguna.log.v1.JournalService.ListRefusals", "a journal, in its own order"),
    (methods::FRESH, "toguna.log.v1.JournalService.ListRefusals", "beside the log: what was answered is in it"),
    (fields::DATES, "toguna.operations.v1.Follower.stopped_at", "the position of an event, where a projection stopped"),
];

/// Notes what breaks a rule, unless it does so on purpose.
#[derive(Default)]
struct Judge {
    found: Vec<String>,
    excused: BTreeSet<(String, String)>,
}

impl Judge {
    fn hold(&mut self, holds: bool, rule: &str, element: &str, what: &str) {
        if holds {
            return;
        }
        if ON_PURPOSE.iter().any(|(known, name, _)| *known == rule && *name == element) {
            self.excused.insert((rule.to_owned(), element.to_owned()));
            return;
        }
        self.found.push(format!("{element}: {what} ({rule})"));
    }
}

#[test]
fn the_api_keeps_its_conventions() {
    let pool = pool();
    let mut judge = Judge::default();
    methods::judge(&pool, &mut judge);
    fields::judge(&pool, &mut judge);
    none("a convention of the API is broken", &judge.found);
    let unused = ON_PURPOSE
        .iter()
        .filter(|(rule, element, _)| !judge.excused.contains(&((*rule).to_owned(), (*element).to_owned())));
    let unused: Vec<String> = unused.map(|(rule, element, _)| format!("{element} ({rule})")).collect();
    none("keeps a rule that it is said to break", &unused);
}

/// The words of a name: `SignContract`, `page_token`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for char in name.chars() {
        if char == '_' || char.is_uppercase() || words.is_empty() {
            words.push(String::new());
        }
        if char != '_' {
            words.last_mut().expect("there is one").extend(char.to_lowercase());
        }
    }
    words
}
