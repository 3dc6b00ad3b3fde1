//! The people whom an organisation names, and what the logs keep of them.

use jiff::{Timestamp, tz::TimeZone};
use prost_reflect::DynamicMessage;
use serde_json::json;
use toguna::{local::postgres, services};

use crate::stack::{Home, Stack, at};

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

/// Position and SHA-256 of every record that a service has stored, as PostgreSQL itself finds them.
async fn stored(stack: &Stack, service: &str) -> Vec<String> {
    let statement = "SELECT position || ' ' || encode(sha256(record), 'hex') FROM log.events ORDER BY position";
    let programs = postgres::programs().expect("PostgreSQL is installed");
    let lines = postgres::psql(&programs, &stack.database(service), statement).await.expect("it answers");
    lines.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_erased_person_leaves_every_stored_byte_as_it_was_and_is_named_nowhere() {
    let stack = Stack::shared().await;
    let (head, officer) = ("head@european-commission", "officer-of-desk-17@european-commission");
    stack.text(&["people", "invite", head, "--name", "The Head", "--roles", "administrator"]);
    let invite = ["people", "invite", officer, "--name", "The Officer of Desk 17", "--roles", "fund_manager", "--by"];
    stack.text(&[&invite[..], &["head"]].concat());
    let ask = ["token", "fund_manager@european-commission", "--person", "officer-of-desk-17"];
    let name = "decisions/made-up-for-a-person";
    propose(stack, stack.text(&ask).trim(), name).await;

    let events = stack.replay("disbursements");
    let proposed = events.into_iter().find(|event| event["stream"] == name).expect("it was recorded");
    let pseudonym = proposed["actor"]["subject"].as_str().expect("a pseudonym").to_owned();
    assert_eq!(stack.person(&pseudonym).as_deref(), Some("The Officer of Desk 17"));
    let people = stack.json(&["people", "list", "european-commission"]);
    let subject = people["partners/european-commission"]["people"]["officer-of-desk-17"]["subject"].clone();
    let known = ["The Officer of Desk 17", "officer-of-desk-17", subject.as_str().expect("a subject")];
    assert_eq!(stack.holding(&known), ["keys/people.json"], "name, short name and subject stand in one place");

    let mut before = Vec::new();
    for service in LOGS {
        before.push(stored(stack, service).await);
    }
    stack.text(&["people", "erase", officer, "--by", "head"]);
    for (service, before) in LOGS.iter().zip(&before) {
        let after = stored(stack, service).await;
        assert!(
            !before.is_empty() && after.starts_with(before),
            "{service}: what others wrote meanwhile comes after it"
        );
    }
    assert_eq!(stack.holding(&known), [""; 0], "of the whole folder of the stack");
    assert_eq!(stack.person(&pseudonym), None);
    assert!(stack.failure(&ask).contains("nobody of that name is in the directory"));
    let again = stack.failure(&[&invite[..], &["head"]].concat());
    assert!(again.contains("somebody of that name was erased within a year"), "{again}");
    let list = stack.text(&["people", "list", "european-commission"]);
    assert!(list.contains("The Head") && !list.contains("officer"), "{list}");
    let changes = stack.json(&["people", "changes", "european-commission"]);
    let told: Vec<_> = changes.as_array().expect("a list").iter().filter(|it| it["person"] == *pseudonym).collect();
    let [invited, erased] = told[..] else { panic!("{changes:#}") };
    assert_eq!((&invited["change"], &invited["roles"]), (&json!("invited"), &json!(["fund_manager"])));
    assert_eq!((&erased["change"], &erased["by"]), (&json!("erased"), &invited["by"]), "the head, as logs call it");
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
    let delegate = ["people", "delegate", "one@made-up-ministry", "--role", "signatory", "--to", "two", "--by", "head"];
    for (day, said) in [("2020-12-31", "that day is over"), ("2999-12-31", "for 92 days at most")] {
        assert!(stack.failure(&[&delegate[..], &["--until", day]].concat()).contains(said), "{day}");
    }
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let soon = today.tomorrow().expect("a day").to_string();
    stack.text(&[&delegate[..], &["--until", &soon]].concat());
    assert!(!stack.text(&token).is_empty());
    let changes = stack.text(&["people", "changes", "made-up-ministry"]);
    assert!(changes.contains("two@made-up-ministry stands in as signatory until"), "{changes}");
    let rows = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/initiatives.csv");
    let submit = ["submit", rows, "--as", "focal_point@made-up-ministry", "--dry-run", "--person"];
    let stranger = stack.failure(&[&submit[..], &["officer-1"]].concat());
    assert!(stranger.contains("officer-1@made-up-ministry: nobody of that name is in the directory"), "{stranger}");
    people(&["revoke", "one@made-up-ministry", "--by", "head"]);
    assert!(stack.failure(&token).contains("the person does not have that role"));
    let french = [&["--lang", "fr"], &["token", "signatory@made-up-ministry", "--person", "one"][..]].concat();
    assert!(stack.failure(&french).contains("la personne est révoquée"));
}

#[tokio::test]
async fn an_administrator_gives_no_role_that_is_the_operators_to_give_and_none_that_is_misspelt() {
    let stack = Stack::shared().await;
    let who = "head@made-up-agency";
    let invite = |roles: &str| ["people", "invite", who, "--name", "Head", "--roles", roles].map(str::to_owned);
    let refused = |roles: &str| stack.failure(&invite(roles).each_ref().map(String::as_str));
    for role in ["auditor", "secretariat", "verifier", "payment_verifier"] {
        let said = refused(&format!("administrator,{role}"));
        assert!(said.contains(&format!("does not let the organisation have the role “{role}”")), "{said}");
    }
    assert!(refused("administrator,signatry").contains("did you mean “signatory”?"));
    let said = stack.failure(&["token", "auditer@ml-mmeia"]);
    assert!(said.contains("did you mean “auditor”?"), "{said}");
    let list = stack.text(&["people", "list", "made-up-agency"]);
    assert!(!list.contains("Head"), "nothing of it was done: {list}");
}

#[test]
fn outside_a_demonstration_an_organisation_that_the_operator_has_not_named_gets_nothing() {
    let home = Home::new();
    let failure = |arguments: &[&str]| {
        let output = home.run(arguments);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        String::from_utf8(output.stderr).expect("an error is text")
    };
    let token = ["token", "observer@ml-mmea"];
    assert!(failure(&token).contains("does not name “partners/ml-mmea”"));
    home.write("keys/organisations.toml", "[organisations]\n\"partners/ml-mmeia\" = []\n");
    assert!(failure(&token).contains("did you mean “partners/ml-mmeia”?"));
    let invite = ["people", "invite", "head@ml-mmea", "--name", "Head", "--roles", "administrator"];
    assert!(failure(&invite).contains("did you mean “partners/ml-mmeia”?"));
    assert!(failure(&["token", "observer@ml-mmeia"]).contains("the organisation has named nobody yet"));
    home.write("keys/organisations.toml", "[organisations]\n\"partners/ml-mmeia\" = [\"auditer\"]\n");
    assert!(failure(&invite).contains("did you mean “auditor”?"), "a file that is wrong stops everything");
}
