//! What the pages on HTTP show is what happens: their examples are run as they stand, by the shell and curl.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::stage::{KEEPER, Stage};

/// Between the answers of two examples.
const MARK: &str = "=== next example ===";

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_page_on_http_work() {
    examples_work("http.md").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_french_page_on_http_work() {
    examples_work("http.fr.md").await;
}

async fn examples_work(page: &str) {
    if !Command::new("curl").arg("--version").output().is_ok_and(|curl| curl.status.success()) {
        return harness::not_tried(&format!("the examples of docs/{page}"), "there is no curl here");
    }
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page)).expect("a page");
    let examples = examples(&text);
    assert!(examples.len() >= 6, "the examples were looked for in the wrong place");
    let stage = Stage::empty().await;
    let folder = std::env::temp_dir().join(format!("toguna-{page}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let script: Vec<&str> = examples.iter().map(|example| example.shell.as_str()).collect();
    let run = tokio::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script.join(&format!("\necho; echo '{MARK}'\n"))])
        .current_dir(&folder)
        .env("ADDRESS", format!("http://{}", stage.address))
        .env("TOKEN", harness::token("secretariat", KEEPER, "aminata"))
        .output()
        .await
        .expect("there is a shell");
    fs::remove_dir_all(&folder).expect("it is ours");
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
    let answers: Vec<&str> = told.split(MARK).map(str::trim).collect();
    assert_eq!(answers.len(), examples.len(), "{told}");
    for (example, answer) in examples.iter().zip(answers) {
        example.check(answer);
    }
}

/// What is run, and what the page shows of the answer.
struct Example {
    shell: String,
    json: Option<String>,
    text: Option<String>,
}

/// Every block of shell, with the block of JSON or text that comes after it.
fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        let (kind, content) = block.split_once('\n').expect("a block has lines");
        let content = content.to_owned();
        match (kind, examples.last_mut()) {
            ("sh", _) => examples.push(Example { shell: content, json: None, text: None }),
            ("json", Some(example)) => example.json = Some(content),
            ("text", Some(example)) => example.text = Some(content),
            _ => {}
        }
    }
    examples
}

impl Example {
    fn check(&self, answer: &str) {
        if let Some(json) = &self.json {
            let shown: Value = serde_json::from_str(json).expect("the page shows JSON");
            let told: Value = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
            assert!(holds(&shown, &told), "{}\nshown: {shown}\ntold: {told}", self.shell);
        }
        let mut rest = answer;
        for line in self.text.iter().flat_map(|text| text.lines()) {
            let (_, after) =
                rest.split_once(line).unwrap_or_else(|| panic!("{}\n{line}\nis not in {rest}", self.shell));
            rest = after;
        }
    }
}

/// Whether what is shown is in what was told. `…` stands for anything, and lists may be longer.
fn holds(shown: &Value, told: &Value) -> bool {
    match (shown, told) {
        (Value::Object(shown), Value::Object(told)) => {
            shown.iter().all(|(name, value)| told.get(name).is_some_and(|told| holds(value, told)))
        }
        (Value::Array(shown), Value::Array(told)) => {
            let mut told = told.iter();
            shown.iter().all(|shown| told.any(|told| holds(shown, told)))
        }
        (Value::String(shown), Value::String(told)) if shown == "…" => !told.is_empty(),
        _ => shown == told,
    }
}
