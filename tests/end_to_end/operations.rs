//! The command line of those who run the services, on the stack with the scenario, while others use it.

use std::fs;

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::stack::Stack;

const SERVICES: [&str; 4] = ["commitments", "disbursements", "oversight", "partnerships"];
const CONTRACT: &str = "contracts/t05-eutf-sah-ml-07-02";

/// The generations of a service that stand so.
fn standing(list: &Value, service: &str, standing: &str) -> Vec<u64> {
    let generations = list[service]["generations"].as_array().expect("a list").iter();
    let standing = json!(format!("GENERATION_STANDING_{standing}"));
    generations.filter(|it| it["standing"] == standing).filter_map(|it| it["version"].as_u64()).collect()
}

/// Changes rows by hand, as the owner of a service's database.
async fn by_hand(stack: &Stack, service: &str, sql: String) {
    let environment = fs::read(format!("/proc/{}/environ", stack.pid(service))).expect("it runs");
    let environment = String::from_utf8(environment).expect("text");
    let url = environment.split('\0').find_map(|it| it.strip_prefix("DATABASE_URL=")).expect("its database");
    let mut owner = sqlx::PgConnection::connect(url).await.expect("the database");
    let changed = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut owner).await.expect("it is changed");
    assert_eq!(changed.rows_affected(), 1);
}

#[tokio::test]
async fn the_logs_and_their_copies_are_seen() {
    let stack = Stack::shared().await;
    let status = stack.json(&["log", "status"]);
    for log in ["partnerships", "commitments", "disbursements"] {
        let of = &status[log];
        assert!(of["head"].as_u64().is_some_and(|head| head > 50), "{status}");
        assert_eq!(of["epochs"].as_array().map(Vec::len), Some(1));
        assert_eq!(of["relay"]["error"], "");
    }
    assert!(status.get("oversight").is_none(), "it has no log");
    assert!(stack.failure(&["log", "status", "oversight"]).contains("NO_LOG"));
    let text = stack.text(&["log", "status", "--lang", "fr"]);
    assert!(text.contains("Journal") && text.contains("partnerships"), "{text}");
}

#[tokio::test]
async fn read_models_are_made_again_compared_switched_and_taken_back_by_the_command_line() {
    let stack = Stack::shared().await;
    let list = stack.json(&["projections", "list"]);
    for service in SERVICES {
        assert_eq!(standing(&list, service, "LIVE").len(), 1, "{list}");
        let followers = list[service]["followers"].as_array().expect("a list");
        assert!(followers.len() >= 3 && followers.iter().all(|it| it["error"] == ""), "{followers:?}");
    }
    let first = |service| standing(&list, service, "LIVE")[0];
    // The scenario came command by command; now it is read in long batches.
    let rebuilt = stack.json(&["projections", "rebuild"]);
    let compared = stack.json(&["projections", "compare"]);
    for service in SERVICES {
        assert_eq!(rebuilt[service]["generation"], first(service) + 1);
        let comparison = &compared[service]["comparison"];
        assert!(comparison["rows"].as_u64().is_some_and(|rows| rows > 10), "{compared}");
        assert_eq!((&comparison["differing"], &compared[service]["differences"]), (&json!(0), &json!([])));
    }
    stack.text(&["projections", "switch", "oversight"]);
    let portfolio = stack.json(&["report", "portfolio", "--as-of", "2016-04-15"]);
    assert_eq!(portfolio["decisions"], 3, "another generation says the same");

    // Somebody has changed a row by hand: it is found, with the event that it should have been made by.
    let served = first("disbursements");
    let change = format!(
        "UPDATE disbursements_v{served}.contracts SET implementer = 'partners/nobody' WHERE name = '{CONTRACT}'"
    );
    by_hand(stack, "disbursements", change).await;
    let refused = stack.run(&["projections", "compare", "disbursements", "--lang", "fr"]);
    let (said, why) = (String::from_utf8_lossy(&refused.stdout), String::from_utf8_lossy(&refused.stderr));
    assert_eq!(refused.status.code(), Some(1), "{why}");
    assert!(why.contains("1 lignes diffèrent"), "{why}");
    assert!(said.contains("partners/nobody") && said.contains("partners/iom"), "{said}");
    let signed = stack.replay("disbursements").into_iter().find(|event| event["stream"] == CONTRACT).expect("signed");
    let event = format!("disbursements {}, ContractSigned de {CONTRACT}", signed["position"]);
    assert!(said.contains(&event), "{said} names {event}");
    let refused = stack.failure(&["projections", "switch", "disbursements"]);
    assert!(refused.contains("GENERATION_DIFFERS"), "{refused}");

    stack.text(&["projections", "switch", "disbursements", "--unchecked"]);
    let switched = stack.json(&["projections", "list", "disbursements"]);
    assert_eq!(
        (standing(&switched, "disbursements", "LIVE"), standing(&switched, "disbursements", "PREVIOUS")),
        (vec![served + 1], vec![served])
    );
    let back = stack.json(&["projections", "back", "oversight"]);
    assert_eq!(back["oversight"]["generation"], first("oversight"));
    assert_eq!(stack.json(&["report", "portfolio", "--as-of", "2016-04-15"])["decisions"], 3);
    stack.text(&["projections", "drop", "disbursements"]);
    let list = stack.json(&["projections", "list", "disbursements"]);
    assert_eq!(list["disbursements"]["generations"].as_array().map(Vec::len), Some(1));
    let text = stack.text(&["projections", "list", "--lang", "fr"]);
    assert!(text.contains("servait auparavant") && text.contains("Génération"), "{text}");
    assert!(stack.failure(&["projections", "back", "disbursements"]).contains("there is no such generation"));
}

#[tokio::test]
async fn what_was_refused_is_listed_with_who_and_why_and_is_in_no_log() {
    let stack = Stack::shared().await;
    let before = stack.replay("disbursements").len();
    let name = "contracts/nobody-signs-this";
    let rpc = "toguna.disbursements.v1.ContractService/SignContract";
    let refusal =
        stack.call(rpc, "observer@ml", "onlooker", json!({ "name": name })).await.expect_err("no role for it");
    assert_eq!(refusal.reason, "ROLE_REQUIRED", "{refusal}");
    let listed = stack.json(&["log", "refusals", "--organisation", "ml", "--since", "2026-01-01"]);
    assert!(listed.get("oversight").is_none(), "it has no log");
    let kept = listed["disbursements"].as_array().expect("a list").iter();
    let entry = kept.clone().find(|entry| entry["resource"] == name).expect("it is kept");
    assert_eq!((&entry["reason"], &entry["kind"]), (&json!("ROLE_REQUIRED"), &json!("REFUSAL_KIND_PERMISSION")));
    assert_eq!(entry["actor"]["roles"], json!(["observer"]));
    assert!(kept.clone().all(|entry| entry["actor"]["organisation"] == "partners/ml"), "{listed}");
    assert_eq!(
        stack.json(&["log", "refusals", "disbursements", "--limit", "1"])["disbursements"].as_array().map(Vec::len),
        Some(1)
    );
    let text = stack.text(&["log", "refusals", "disbursements", "--organisation", "ml", "--lang", "fr"]);
    for said in ["onlooker@ml", "SignContract", "ROLE_REQUIRED", "permission", name, "Motif"] {
        assert!(text.contains(said), "{said} is not in:\n{text}");
    }
    println!("{text}");
    let events = stack.replay("disbursements");
    assert!(events.len() >= before && events.iter().all(|event| event["stream"] != name), "no event is of it");
}
