//! The whole system as its users meet it: `toguna up` on an empty home, the scenario, then questions on the command
//! line and commands by gRPC.

#[path = "end_to_end/archive.rs"]
mod archive;
#[path = "end_to_end/deciders.rs"]
mod deciders;
#[path = "end_to_end/far.rs"]
mod far;
#[path = "end_to_end/hostile.rs"]
mod hostile;
#[path = "end_to_end/line.rs"]
mod line;
#[path = "end_to_end/operations.rs"]
mod operations;
#[path = "end_to_end/people.rs"]
mod people;
#[path = "end_to_end/permissions.rs"]
mod permissions;
#[path = "end_to_end/reasons.rs"]
mod reasons;
#[path = "end_to_end/replay.rs"]
mod replay;
#[path = "end_to_end/stack.rs"]
mod stack;
#[path = "end_to_end/submit.rs"]
mod submit;
#[path = "end_to_end/telemetry.rs"]
mod telemetry;
#[path = "end_to_end/witnesses.rs"]
mod witnesses;

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Value, json};
use stack::{Stack, at};

/// Day, decisions, EUR, XOF: what the press said of Mali's portfolio on each day.
const PORTFOLIO: [(&str, u64, &str, &str); 4] = [
    ("2016-04-15", 3, "43500000.00", "28534129500"),
    ("2016-04-20", 5, "62500000.00", "40997312500"),
    ("2016-12-11", 6, "91500000.00", "60020065500"),
    ("", 13, "217426233.00", "142622259520"),
];

fn portfolio(stack: &Stack, options: &[&str]) -> Value {
    stack.json(&[&["report", "portfolio"], options].concat())
}

#[tokio::test]
async fn the_portfolio_of_each_day_is_what_was_decided_by_then() {
    let stack = Stack::shared().await;
    for (day, decisions, euros, francs) in PORTFOLIO {
        let portfolio = if day.is_empty() { portfolio(stack, &[]) } else { portfolio(stack, &["--as-of", day]) };
        assert_eq!(portfolio["decisions"], decisions, "{day}");
        assert_eq!(portfolio["total"], json!({ "EUR": euros }), "{day}");
        assert_eq!(portfolio["derived"], json!({ "XOF": francs }), "{day}");
    }
}

#[tokio::test]
async fn before_anything_was_recorded_nothing_was_known() {
    let stack = Stack::shared().await;
    let portfolio = portfolio(stack, &["--known-at", "2026-01-01T00:00:00Z"]);
    assert_eq!(portfolio["decisions"], 0);
    assert_eq!((&portfolio["total"], &portfolio["derived"]), (&json!({}), &json!({})));
}

#[tokio::test]
async fn every_log_replays_without_a_gap_and_each_event_says_who_when_why_and_where_it_can_be_read() {
    let stack = Stack::shared().await;
    for service in ["partnerships", "commitments", "disbursements"] {
        let events = stack.replay(service);
        assert!(events.len() > 50, "{service} has {} events", events.len());
        let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["position"], index as u64 + 1);
            let version = versions.entry(event["stream"].as_str().expect("a name")).or_default();
            *version += 1;
            assert_eq!(event["version"], *version, "{event}");
            let actor = &event["actor"];
            // A person by pseudonym, or the service itself where it follows another one's log.
            let person = actor["subject"].as_str().is_some_and(|it| it.len() == 64);
            assert!(person || event["causation_id"].is_string(), "{event}");
            let from_source = event["basis"] == "recorded_from_source";
            assert!(!from_source || event["sources"].as_array().is_some_and(|it| !it.is_empty()), "{event}");
            let exact = event["certainty"] == "exact" || event["reason"].as_str().is_some_and(|it| !it.is_empty());
            assert!(exact, "what is not exact says why: {event}");
        }
    }
}

/// A fold of one's own over the lines of the replay, as an auditor would write it.
#[tokio::test]
async fn an_auditors_own_fold_over_the_replay_reaches_the_same_totals() {
    let stack = Stack::shared().await;
    let events = stack.replay("disbursements");
    for (day, _, euros, _) in PORTFOLIO {
        let mut malian: BTreeMap<&str, bool> = BTreeMap::new();
        let mut cents: i64 = 0;
        for event in &events {
            let stream = event["stream"].as_str().expect("a name");
            let name = event["type"].as_str().and_then(|it| it.rsplit('.').next()).expect("a type");
            let in_time = day.is_empty() || event["effective_on"].as_str().is_some_and(|date| date <= day);
            match name {
                "DecisionProposed" => {
                    malian.insert(stream, event["payload"]["countryCodes"] == json!(["ML"]));
                }
                "DecisionApproved" | "DecisionToppedUp" if malian[stream] && in_time => {
                    let amount = &event["payload"]["amount"];
                    assert_eq!(amount["currencyCode"], "EUR");
                    cents += amount["minorUnits"].as_str().and_then(|it| it.parse::<i64>().ok()).expect("an amount");
                }
                _ => {}
            }
        }
        assert_eq!(format!("{}.{:02}", cents / 100, cents % 100), euros, "{day}");
    }
}

#[tokio::test]
async fn a_second_demo_appends_no_event() {
    let stack = Stack::shared().await;
    let heads = || ["partnerships", "commitments"].map(|service| stack.replay(service).len());
    let before = heads();
    let outcome = stack.json(&["demo"]);
    assert_eq!(outcome["events"], 0, "{outcome}");
    assert!(outcome["earlier"].as_u64().is_some_and(|acts| acts > 100), "{outcome}");
    assert_eq!(heads(), before);
}

#[tokio::test]
async fn one_euro_more_than_a_decision_leaves_is_refused_and_so_is_a_contract_after_the_last_day() {
    let stack = Stack::shared().await;
    let chain = stack.json(&["report", "chain", "contracts/t05-eutf-sah-ml-07-02"]);
    assert_eq!(chain["contract"]["implementer"], "partners/iom");
    assert_eq!(chain["decision"]["decision"], "decisions/t05-eutf-sah-ml-07");
    let contract = |euros: i64, day: Value| {
        json!({
            "name": "contracts/t05-eutf-sah-ml-07-09",
            "decision": "decisions/t05-eutf-sah-ml-07",
            "reference": "T05-EUTF-SAH-ML-07-09",
            "title": { "en": { "text": "One more", "origin": "TEXT_ORIGIN_TRANSLATION" } },
            "implementer": "partners/iom",
            "fund_share": { "currency_code": "EUR", "minor_units": euros * 100 },
            "period": { "start": day, "end": at(2024, 12, 31) },
            "act": { "effective_on": day },
        })
    };
    let caller = "contracting_authority@european-commission";
    let rpc = "toguna.disbursements.v1.ContractService/SignContract";
    // IOM's contract gave 236,000 back when it closed.
    let one_more = contract(236_001, at(2017, 6, 1));
    let refusal = stack.call(rpc, caller, "contracting-officer", one_more).await.expect_err("too much");
    assert_eq!(refusal.reason, "EXCEEDS_DECISION_CEILING", "{refusal}");
    let refusal = stack.call(rpc, caller, "contracting-officer", contract(1, at(2022, 1, 10))).await.expect_err("late");
    assert_eq!(refusal.reason, "CONTRACTING_DEADLINE_PASSED", "{refusal}");
}

#[tokio::test]
async fn a_corrected_amount_is_known_from_then_on_and_the_old_one_as_known_before() {
    let stack = Stack::shared().await;
    let minutes = json!([{ "title": "Minutes", "kind": "minutes", "issuer": "Operational Committee" }]);
    let document = json!([{ "title": "Action document", "kind": "action_document", "issuer": "Commission" }]);
    let name = "decisions/made-up-for-senegal";
    let euros = |euros: i64| json!({ "currency_code": "EUR", "minor_units": euros * 100 });
    let service = "toguna.disbursements.v1.DecisionService";
    let proposal = json!({
        "name": name,
        "fund": "funds/eutf-africa",
        "title": { "en": { "text": "Made up", "origin": "TEXT_ORIGIN_TRANSLATION" } },
        "window": "SAH",
        "country_codes": ["SN"],
        "amount": euros(5_000_000),
        "act": { "effective_on": at(2016, 5, 1), "sources": document },
    });
    let commission = |role: &str| format!("{role}@european-commission");
    let manager = commission("fund_manager");
    stack.call(&format!("{service}/ProposeDecision"), &manager, "manager", proposal).await.expect("it is proposed");
    let approval = json!({
        "name": name,
        "amount": euros(5_000_000),
        "act": { "effective_on": at(2016, 5, 2), "sources": minutes },
    });
    let chair = commission("committee_chair");
    let approved =
        stack.call(&format!("{service}/ApproveDecision"), &chair, "chair", approval).await.expect("approved");
    stack.seen(&approved).await;
    let senegal = |known_at: &str| {
        let known_at = if known_at.is_empty() { vec![] } else { vec!["--known-at", known_at] };
        portfolio(stack, &[&["--country", "SN", "--as-of", "2016-12-31"], &known_at[..]].concat())
    };
    assert_eq!(senegal("")["total"], json!({ "EUR": "5000000.00" }));
    let before = stack.recorded_at("disbursements", name, 2);

    let service = "toguna.disbursements.v1.CorrectionService";
    let correction = json!({
        "name": name,
        "mistaken_version": 2,
        "right": { "@type": "type.googleapis.com/toguna.disbursements.events.v1.DecisionApproved", "amount": euros(4_000_000) },
        "effective_on": at(2016, 5, 2),
        "act": { "reason": "The minutes say four million.", "sources": minutes },
    });
    stack.call(&format!("{service}/ProposeCorrection"), &chair, "chair", correction).await.expect("it is proposed");
    let confirmation = json!({ "name": name, "proposal_version": 3, "act": { "sources": minutes } });
    let alone = stack.call(&format!("{service}/ConfirmCorrection"), &chair, "chair", confirmation.clone()).await;
    assert!(alone.is_err(), "nobody confirms a correction of their own");
    let second = stack.call(&format!("{service}/ConfirmCorrection"), &chair, "deputy", confirmation).await;
    stack.seen(&second.expect("another person confirms it")).await;

    assert_eq!(senegal("")["total"], json!({ "EUR": "4000000.00" }));
    assert_eq!(senegal(&before)["total"], json!({ "EUR": "5000000.00" }));
    let shown = stack.json(&["show", name]);
    let correction = &shown["corrections"][0];
    assert_eq!(correction["proposed_by"]["name"], "chair@european-commission");
    assert_eq!(correction["confirmed_by"]["name"], "deputy@european-commission");
    assert_eq!(correction["reason"], "The minutes say four million.");
    let text = stack.text(&["show", name]);
    assert!(text.contains("proposed by chair@european-commission, confirmed by deputy@european-commission"), "{text}");
}

#[tokio::test]
async fn reports_are_written_as_each_language_writes_them_and_as_csv() {
    let stack = Stack::shared().await;
    let french = stack.text(&["--lang", "fr", "report", "portfolio", "--as-of", "2016-04-15"]);
    assert!(french.contains("43\u{202f}500\u{202f}000,00\u{a0}EUR"), "{french}");
    assert!(french.contains("15 avril 2016"), "{french}");
    let english = stack.text(&["--lang", "en", "report", "portfolio", "--as-of", "2016-04-15"]);
    assert!(english.contains("EUR 43,500,000.00"), "{english}");
    let csv = stack.text(&["report", "portfolio", "--csv"]);
    assert_eq!(csv.lines().filter(|line| line.starts_with("own,decisions/")).count(), 13, "{csv}");
    let scoreboard = stack.text(&["report", "scoreboard", "frameworks/joint-valletta-action-plan"]);
    assert!(scoreboard.contains("Support reintegration of returnees into their communities"), "{scoreboard}");
}

#[tokio::test]
async fn what_is_not_there_and_who_is_nobody_is_refused_with_a_reason() {
    let stack = Stack::shared().await;
    let error = stack.failure(&["show", "decisions/nowhere"]);
    assert!(error.contains("NOT_FOUND: There is no decisions/nowhere."), "{error}");
    let error = stack.failure(&["show", "nothing"]);
    assert!(error.contains("is no resource"), "{error}");
    let error = stack.failure(&["replay", "nobody"]);
    assert!(error.contains("there is: commitments, disbursements, oversight, partnerships"), "{error}");
}

#[tokio::test]
async fn two_stacks_run_side_by_side_and_know_nothing_of_each_other() {
    let _shared = Stack::shared().await;
    let other = stack::Home::new();
    let first = other.run(&["up", "--once", "--no-demo", "--json"]);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let started = Instant::now();
    let second = other.run(&["up", "--once", "--no-demo", "--json"]);
    println!("started on what it had, asked and stopped again in {:?}", started.elapsed());
    let summary: Value = serde_json::from_slice(&second.stdout).expect("a summary");
    assert_eq!(summary["portfolio"]["decisions"], 0, "the stacks know nothing of each other");
    let failure = other.run(&["report", "portfolio"]);
    assert!(String::from_utf8_lossy(&failure.stderr).contains("toguna up"), "it says what to do");
}
