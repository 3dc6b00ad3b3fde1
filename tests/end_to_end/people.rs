//! The people whom an organisation names, and what the logs keep of them.

use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use toguna::services;

use crate::stack::{Stack, at};

const LOGS: [&str; 3] = ["partnerships", "commitments", "disbursements"];

async fn propose(stack: &Stack, token: &str, name: &str) {
    let method = services::method("toguna.disbursements.v1.DecisionService/ProposeDecision").expect("an RPC");
    let request = json!({
        "request_id": uuid::Uuid::now_v7().to_string(),
        "name": name,
        "fund": "funds/eutf-africa",
        "title": { "en": { "text": "Made up", "origin": "TEXT_ORIGIN_TRANSLATION" } },
        "window": "SAH",
        "country_codes": ["TD"],
        "amount": { "currency_code": "EUR", "minor_units": 100_000_000 },
        "act": {
            "effective_on": at(2016, 4, 2),
            "sources": [{ "title": "Action document", "kind": "action_document", "issuer": "Commission" }],
        },
    });
    let request = DynamicMessage::deserialize(method.input(), request).expect("a request");
    stack.services().call(&method, token, &request).await.expect("the call is made").expect("it is proposed");
}

#[tokio::test]
async fn an_erased_person_leaves_every_log_as_it_was_and_has_no_name_in_it() {
    let stack = Stack::shared().await;
    let (head, officer) = ("head@european-commission", "officer@european-commission");
    stack.text(&["people", "invite", head, "--name", "The Head", "--roles", "administrator"]);
    let invite = ["people", "invite", officer, "--name", "The Officer", "--roles", "fund_manager", "--by"];
    stack.text(&[&invite[..], &["head"]].concat());
    let ask = ["token", "fund_manager@european-commission", "--person", "officer"];
    let name = "decisions/made-up-for-a-person";
    propose(stack, stack.text(&ask).trim(), name).await;

    let events = |service: &str| stack.replay(service);
    let proposed = events("disbursements").into_iter().find(|event| event["stream"] == name).expect("it was recorded");
    let pseudonym = proposed["actor"]["subject"].as_str().expect("a pseudonym").to_owned();
    assert_eq!(stack.person(&pseudonym).as_deref(), Some("The Officer"));

    let before: Vec<Vec<Value>> = LOGS.map(events).into();
    stack.text(&["people", "erase", officer, "--by", "head"]);
    for (service, before) in LOGS.iter().zip(&before) {
        let after = events(service);
        assert!(after.starts_with(before), "{service}: what others wrote meanwhile comes after it");
        assert!(!after.iter().any(|event| event.to_string().contains("The Officer")), "{service}");
    }
    assert_eq!(stack.person(&pseudonym), None);
    assert!(stack.failure(&ask).contains("nobody of that name is in the directory"));
    let list = stack.text(&["people", "list", "european-commission"]);
    assert!(list.contains("The Head") && !list.contains("officer"), "{list}");
}

#[tokio::test]
async fn a_revoked_person_gets_no_token_and_a_delegated_role_ends_by_its_date() {
    let stack = Stack::shared().await;
    let people = |arguments: &[&str]| stack.text(&[&["people"], arguments].concat());
    people(&["invite", "head@made-up-ministry", "--name", "Head", "--roles", "administrator"]);
    for (person, role) in [("one", "signatory"), ("two", "focal_point")] {
        let who = format!("{person}@made-up-ministry");
        people(&["invite", &who, "--name", person, "--roles", role, "--by", "head"]);
    }
    let token = ["token", "signatory@made-up-ministry", "--person", "two"];
    assert!(stack.failure(&token).contains("the person does not have that role"));
    let delegate =
        ["delegate", "one@made-up-ministry", "--role", "signatory", "--to", "two", "--by", "head", "--until"];
    people(&[&delegate[..], &["2999-12-31"]].concat());
    assert!(!stack.text(&token).is_empty());
    let over = stack.failure(&[&["people"], &delegate[..], &["2020-12-31"]].concat());
    assert!(over.contains("that day is over"), "{over}");
    people(&["revoke", "one@made-up-ministry", "--by", "head"]);
    assert!(stack.failure(&token).contains("the person does not have that role"));
    let french = [&["--lang", "fr"], &["token", "signatory@made-up-ministry", "--person", "one"][..]].concat();
    assert!(stack.failure(&french).contains("la personne est révoquée"));
}
