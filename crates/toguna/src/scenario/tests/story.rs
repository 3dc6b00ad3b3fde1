//! The story keeps to what is published: its decisions, contracts and payments, added up day by day.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{Act, Scenario, Step};

const FUND: &str = "toguna.disbursements.v1.";

/// Whole euros of each contract as published, the fund's share and co-financing together.
const CONTRACTS: [(&str, i64); 18] = [
    ("01-01", 16_112_780),
    ("01-02", 5_560_000),
    ("01-03", 4_200_000),
    ("01-04", 1_500_000),
    ("02-01", 14_000_000),
    ("03-01", 10_000_000),
    ("04-01", 19_000_000),
    ("05-01", 8_200_000),
    ("05-02", 1_000_000),
    ("06-01", 686_755),
    ("06-02", 28_313_245),
    ("07-01", 3_200_000),
    ("07-02", 11_800_000),
    ("08-01", 8_000_000),
    ("08-02", 17_000_000),
    ("09-01", 20_935_041),
    ("10-01", 35_000_000),
    ("12-01", 13_000_000),
];

/// Acts of one RPC that the services accept, each with the day on which it counts: the last one that its date may mean.
fn acts<'a>(scenario: &'a Scenario, rpc: &str) -> Vec<(&'a Act, String)> {
    let accepted = |act: &&Act| act.rpc == format!("{FUND}{rpc}") && act.refused.is_none() && act.skipped.is_none();
    let of_step = |step: &'a Step| step.acts.iter().filter(accepted).map(|act| (act, last_day(step, act)));
    scenario.steps.iter().filter(|step| step.skipped.is_none()).flat_map(of_step).collect()
}

/// Sorts as text, like the dates themselves; no month is given its real length because none is compared with its end.
fn last_day(step: &Step, act: &Act) -> String {
    let date = act.on.as_ref().or(step.on.as_ref()).expect("money moves on a date");
    match date.len() {
        4 => format!("{date}-12-31"),
        7 => format!("{date}-31"),
        _ => date.clone(),
    }
}

fn text<'a>(act: &'a Act, field: &str) -> &'a str {
    act.request.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("{} has {field}", act.key))
}

/// Whole euros: the story has no cents.
fn euros(amount: &str) -> i64 {
    let whole = amount.strip_prefix("EUR ").and_then(|amount| amount.strip_suffix(".00"));
    whole.and_then(|whole| whole.parse().ok()).unwrap_or_else(|| panic!("{amount} is in whole euros"))
}

fn cofinancing(shares: Option<&Value>) -> i64 {
    let amount = |share: &Value| euros(share["amount"].as_str().expect("a share has an amount"));
    shares.and_then(Value::as_array).into_iter().flatten().map(amount).sum()
}

/// What moves a decision's ceiling, a contract's share or a fund's cash: a day, what it is of, by how much.
type Movement = (String, String, i64);

fn movements(scenario: &Scenario, rpc: &str, of: &str, amount: &str) -> Vec<Movement> {
    let movement = |(act, day): (&Act, String)| (day, text(act, of).to_owned(), euros(text(act, amount)));
    acts(scenario, rpc).into_iter().map(movement).collect()
}

fn ceilings(scenario: &Scenario) -> Vec<Movement> {
    let mut all = movements(scenario, "DecisionService/ApproveDecision", "name", "amount");
    all.extend(movements(scenario, "DecisionService/TopUpDecision", "name", "amount"));
    all
}

fn draws(scenario: &Scenario) -> Vec<Movement> {
    let signed = acts(scenario, "ContractService/SignContract");
    let decision: BTreeMap<_, _> = signed.iter().map(|(act, _)| (text(act, "name"), text(act, "decision"))).collect();
    let mut all = movements(scenario, "ContractService/SignContract", "decision", "fund_share");
    for (contract_of, sign) in [("ContractService/RiderContract", 1), ("ContractService/DecommitContract", -1)] {
        let amount = if sign > 0 { "fund_share_change" } else { "amount" };
        for (day, contract, change) in movements(scenario, contract_of, "name", amount) {
            all.push((day, decision[contract.as_str()].to_owned(), sign * change));
        }
    }
    all
}

/// Number and sum of Mali's own decisions as of a day.
fn portfolio(scenario: &Scenario, as_of: &str) -> (usize, i64) {
    let own = |movement: &&Movement| movement.1.starts_with("decisions/t05-eutf-sah-ml-") && *movement.0 <= *as_of;
    let all = ceilings(scenario);
    let counted: Vec<_> = all.iter().filter(own).collect();
    let decisions: BTreeSet<_> = counted.iter().map(|movement| &movement.1).collect();
    (decisions.len(), counted.iter().map(|movement| movement.2).sum())
}

fn story() -> Scenario {
    Scenario::load().expect("the scenario can be sent")
}

#[test]
fn the_portfolio_of_mali_is_what_was_published_on_each_day() {
    let story = story();
    assert_eq!(portfolio(&story, "2016-04-14"), (0, 0));
    assert_eq!(portfolio(&story, "2016-04-15"), (3, 43_500_000));
    assert_eq!(portfolio(&story, "2016-04-20"), (5, 62_500_000));
    assert_eq!(portfolio(&story, "2016-12-11"), (6, 91_500_000));
    // About 119 and about 128 billion XOF, as the press wrote: 181.4 and 195.1 million.
    assert_eq!(portfolio(&story, "2018-06-30"), (10, 181_500_000));
    assert_eq!(portfolio(&story, "2018-12-31"), (11, 194_500_000));
    assert_eq!(portfolio(&story, "2022-01-31"), (13, 217_426_233));
}

#[test]
fn three_regional_decisions_are_one_record_apart() {
    let all = ceilings(&story());
    let regional: Vec<_> = all.iter().filter(|movement| movement.1.contains("regional")).collect();
    assert_eq!(regional.len(), 1);
    assert_eq!((regional[0].0.as_str(), regional[0].2), ("2016-12-11", 53_600_000));
}

#[test]
fn the_eighteen_contracts_have_their_published_totals() {
    let story = story();
    let mut totals = BTreeMap::new();
    for (act, _) in acts(&story, "ContractService/SignContract") {
        let total = euros(text(act, "fund_share")) + cofinancing(act.request.get("cofinancing"));
        totals.insert(text(act, "name").to_owned(), total);
    }
    for (act, _) in acts(&story, "ContractService/RiderContract") {
        let total = totals.get_mut(text(act, "name")).expect("a rider changes a contract that is there");
        *total += euros(text(act, "fund_share_change"));
        if let Some(plan) = act.request.get("cofinancing") {
            let signed = acts(&story, "ContractService/SignContract");
            let before = signed.iter().find(|(signed, _)| text(signed, "name") == text(act, "name"));
            let before = before.map_or(0, |(signed, _)| cofinancing(signed.request.get("cofinancing")));
            *total += cofinancing(plan.get("shares")) - before;
        }
    }
    let published = CONTRACTS.map(|(contract, total)| (format!("contracts/t05-eutf-sah-ml-{contract}"), total));
    assert_eq!(totals, BTreeMap::from(published));
}

#[test]
fn no_day_overdraws_a_decision() {
    let story = story();
    let (ceilings, draws) = (ceilings(&story), draws(&story));
    for (day, decision, _) in &draws {
        let sum = |all: &[Movement]| -> i64 {
            all.iter().filter(|(on, of, _)| of == decision && on <= day).map(|(.., amount)| amount).sum()
        };
        assert!(sum(&draws) <= sum(&ceilings), "{decision} on {day}: {} of {}", sum(&draws), sum(&ceilings));
    }
}

#[test]
fn money_comes_in_before_it_goes_out() {
    let story = story();
    let received = movements(&story, "ContributionService/ReceiveContribution", "name", "amount");
    let accepted = movements(&story, "PaymentService/VerifyPayment", "name", "accepted");
    let total: i64 = received.iter().map(|(.., amount)| amount).sum();
    assert_eq!(total, 217_426_233);
    for (day, ..) in &accepted {
        let until = |all: &[Movement]| -> i64 { all.iter().filter(|(on, ..)| on <= day).map(|(.., sum)| sum).sum() };
        assert!(until(&accepted) <= until(&received), "{day}");
    }
}

#[test]
fn whatever_is_not_published_says_how_it_came_here() {
    for step in &story().steps {
        for act in &step.acts {
            let said = act.reason.as_deref().is_some_and(|reason| !reason.is_empty());
            let published = act.certainty.as_deref().is_none_or(|certainty| certainty == "exact");
            assert!(published || said, "{}: {} is not exact and gives no reason", step.file, act.key);
        }
    }
}

#[test]
fn the_story_has_twenty_seven_steps() {
    let numbers: BTreeSet<u32> = story().steps.iter().map(|step| step.number).collect();
    assert_eq!(numbers.into_iter().filter(|number| *number > 0).collect::<Vec<_>>(), (1..=27).collect::<Vec<_>>());
}
