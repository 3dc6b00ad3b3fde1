//! The command line of an auditor: parts of a log, interrupted and gone on with.

use std::fs;

use serde_json::Value;

use crate::stack::Stack;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[tokio::test]
async fn a_filtered_replay_prints_what_matches_and_nothing_else() {
    let stack = Stack::shared().await;
    let all = stack.replay("disbursements");
    let text = |event: &Value, field: &str| event[field].as_str().expect("a text").to_owned();
    for (options, matches) in [
        (
            vec!["--type", "DecisionApproved", "--type", "DecisionToppedUp"],
            Box::new(|event: &Value| {
                let name = text(event, "type");
                name.ends_with(".DecisionApproved") || name.ends_with(".DecisionToppedUp")
            }) as Box<dyn Fn(&Value) -> bool>,
        ),
        (
            vec!["--stream", "decisions/t05-eutf-sah-ml-07"],
            Box::new(|event| text(event, "stream") == "decisions/t05-eutf-sah-ml-07"),
        ),
        (vec!["--aggregate", "contracts"], Box::new(|event| text(event, "stream").starts_with("contracts/"))),
        (
            vec!["--organisation", "european-commission", "--aggregate", "decisions"],
            Box::new(|event| {
                let organisations = [text(event, "on_behalf_of"), text(&event["actor"], "organisation")];
                organisations.contains(&"partners/european-commission".to_owned())
                    && text(event, "stream").starts_with("decisions/")
            }),
        ),
    ] {
        let printed = lines(&stack.text(&[&["replay", "disbursements", "--json"], &options[..]].concat()));
        let last = all.last().expect("events")["position"].as_u64();
        let known = |event: &&Value| event["position"].as_u64() <= last;
        let expected: Vec<_> = all.iter().filter(|event| matches(event)).collect();
        assert!(expected.len() > 1, "the scenario has such events: {options:?}");
        assert_eq!(printed.iter().filter(known).collect::<Vec<_>>(), expected, "{options:?}");
    }
    let error = stack.failure(&["replay", "disbursements", "--type", "DecisionMisspelt"]);
    assert!(error.contains("no event is called DecisionMisspelt"), "{error}");
    let error = stack.failure(&["--lang", "fr", "replay", "disbursements", "--type", "DecisionMisspelt"]);
    assert!(error.contains("aucun événement ne s’appelle DecisionMisspelt"), "{error}");
}

#[tokio::test]
async fn a_replay_goes_on_where_its_file_says_and_only_with_its_own_filter() {
    let stack = Stack::shared().await;
    let file = std::env::temp_dir().join(format!("toguna-resume-{}", std::process::id()));
    let path = file.to_string_lossy().into_owned();
    let replay = ["replay", "commitments", "--json", "--resume-file", &path];
    let first = lines(&stack.text(&replay));
    let kept = fs::read_to_string(&file).expect("it keeps its place");
    let last = first.last().expect("events")["position"].as_u64().expect("a position");
    assert!(kept.starts_with("commitments.") && kept.trim_end().ends_with(&format!(" {last}")), "{kept}");
    let again = lines(&stack.text(&replay));
    assert!(again.iter().all(|event| event["position"].as_u64() > Some(last)), "nothing comes twice");
    let error = stack.failure(&[&replay[..], &["--aggregate", "initiatives"]].concat());
    assert!(error.contains("RESUME_TOKEN_OTHER_FILTER"), "{error}");
    let error = stack.failure(&["replay", "partnerships", "--resume-file", &path]);
    assert!(error.contains("RESUME_TOKEN_FOREIGN_LOG"), "{error}");
    fs::write(&file, "commitments 7 8\n").expect("it can be written");
    let error = stack.failure(&replay);
    assert!(error.contains("holds no resume token"), "{error}");
    fs::remove_file(&file).expect("it is there");
}
