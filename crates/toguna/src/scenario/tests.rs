use prost_reflect::ReflectMessage as _;

use super::*;

mod story;

fn step(acts: &str) -> String {
    format!("step = 9\non = \"2016-04-15\"\ntitle.en = \"Dialogue\"\ntitle.fr = \"Dialogue\"\n{acts}")
}

const APPROVAL: &str = r#"
[[act]]
key = "ml-07-approve"
by = "committee_chair,committee_member@european-commission"
person = "chair"
rpc = "toguna.disbursements.v1.DecisionService/ApproveDecision"
certainty = "inferred"
sources = ["minutes"]
request.name = "decisions/t05-eutf-sah-ml-07"
request.amount = "EUR 15000000.00"
"#;
const SOURCES: &str = r#"
[minutes]
title = "Minutes"
kind = "minutes"
issuer = "Operational Committee"
issued_on = "2016-12"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"#;

fn approval() -> Scenario {
    let file = step(APPROVAL);
    Scenario::read(&[("09-dialogue", &file), ("sources", SOURCES)]).expect("the example is right")
}

fn problem(files: &[(&str, &str)]) -> String {
    format!("{:#}", Scenario::read(files).expect_err("it is not right"))
}

#[test]
fn the_scenario_in_the_program_could_be_sent() {
    Scenario::load().expect("every act names an RPC, its fields and its sources");
}

#[test]
fn an_act_becomes_the_whole_request() {
    let scenario = approval();
    let step = &scenario.steps[0];
    let tokens = ["token".to_owned()];
    let (method, message) =
        scenario.message(step, &step.acts[0], &tokens, &BTreeMap::new()).expect("the example is right");
    assert_eq!(method.full_name(), "toguna.disbursements.v1.DecisionService.ApproveDecision");
    let request: contracts::toguna::disbursements::v1::ApproveDecisionRequest =
        message.transcode_to().expect("it is that request");
    assert_eq!(request.request_id, step.acts[0].request_id().to_string());
    assert_eq!(request.at_least_as_fresh, tokens);
    assert_eq!(request.amount.map(|amount| amount.minor_units), Some(1_500_000_000));
    let act = request.act.expect("it says what the act is");
    assert_eq!(act.effective_on.map(|date| (date.year, date.month, date.day)), Some((2016, 4, 15)));
    assert_eq!(act.certainty(), contracts::toguna::log::v1::Certainty::Inferred);
    assert_eq!(act.sources[0].sha256[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    assert_eq!(act.sources[0].issued_on.map(|date| (date.month, date.day)), Some((12, 0)));
    assert_eq!(message.descriptor().name(), "ApproveDecisionRequest");
}

#[test]
fn the_request_id_depends_on_the_key_alone() {
    let mut scenario = approval();
    let act = &mut scenario.steps[0].acts[0];
    let id = act.request_id();
    assert_eq!(id.to_string(), "5f257af4-300b-8fc6-b1a0-05f66a76b950");
    act.reason = Some("said otherwise".to_owned());
    assert_eq!(act.request_id(), id);
    act.key.push('2');
    assert_ne!(act.request_id(), id);
    assert_eq!(id.get_version_num(), 8);
}

#[test]
fn the_caller_is_a_function_of_an_organisation() {
    let scenario = approval();
    let (roles, organisation, subject) = scenario.steps[0].acts[0].caller().expect("the example is right");
    assert_eq!(roles, ["committee_chair", "committee_member"]);
    assert_eq!(organisation, "partners/european-commission");
    assert_eq!(subject, "chair@european-commission");
}

#[test]
fn what_cannot_be_sent_is_named() {
    let unknown_source = step(APPROVAL);
    assert!(problem(&[("09", &unknown_source)]).contains("act ml-07-approve: no source \"minutes\""));
    let twice = step(&format!("{APPROVAL}{APPROVAL}"));
    assert!(problem(&[("09", &twice), ("sources", SOURCES)]).contains("used twice"));
    let field = step(&APPROVAL.replace("request.amount", "request.sum"));
    assert!(problem(&[("09", &field), ("sources", SOURCES)]).contains("ApproveDecisionRequest has no field sum"));
    let cents = step(&APPROVAL.replace("15000000.00", "15000000"));
    assert!(problem(&[("09", &cents), ("sources", SOURCES)]).contains("EUR has 2 decimals"));
    let certainty = step(&APPROVAL.replace("inferred", "sure"));
    assert!(problem(&[("09", &certainty), ("sources", SOURCES)]).contains("Certainty has no value \"sure\""));
    let rpc = step(&APPROVAL.replace("/ApproveDecision", "/Approve"));
    assert!(problem(&[("09", &rpc), ("sources", SOURCES)]).contains("DecisionService has no RPC Approve"));
    let uncited = step(&APPROVAL.replace("sources = [\"minutes\"]", ""));
    assert!(problem(&[("09", &uncited), ("sources", SOURCES)]).contains("no act cites minutes"));
}

#[test]
fn a_correction_names_what_an_earlier_act_left_behind() {
    let correction = r#"
[[act]]
key = "ml-07-correct"
by = "fund_manager@european-commission"
rpc = "toguna.disbursements.v1.CorrectionService/ProposeCorrection"
request.name = "decisions/t05-eutf-sah-ml-07"
request.mistaken_version = "version of ml-07-approve"
request.right = { type = "toguna.disbursements.events.v1.DecisionApproved", amount = "EUR 14000000.00" }
"#;
    let file = step(&format!("{APPROVAL}{correction}"));
    let scenario = Scenario::read(&[("09", &file), ("sources", SOURCES)]).expect("the example is right");
    let versions = BTreeMap::from([("ml-07-approve".to_owned(), 2)]);
    let (_, message) =
        scenario.message(&scenario.steps[0], &scenario.steps[0].acts[1], &[], &versions).expect("the example is right");
    let request: contracts::toguna::disbursements::v1::ProposeCorrectionRequest =
        message.transcode_to().expect("it is that request");
    assert_eq!(request.mistaken_version, 2);
    let right = request.right.expect("it says what is right");
    assert!(right.type_url.ends_with("/toguna.disbursements.events.v1.DecisionApproved"));
    let alone = step(correction);
    assert!(problem(&[("09", &alone)]).contains("no act \"ml-07-approve\" before this one"));
}
