//! The rules are held by others as they are held here: protovalidate itself, in Python, judges the same requests.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Output, Stdio},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness::Program;
use prost_reflect::DynamicMessage;
use rand::{SeedableRng as _, rngs::StdRng};
use serde::Deserialize;
use serde_json::json;

use super::{
    requests::{Breach, breaches, whole},
    *,
};

/// Messages made by chance: mostly careful ones, and here and there anything that a field can hold.
#[path = "../../../../../tests/end_to_end/hostile/messages.rs"]
mod messages;

const SEED: u64 = 20_261_124;
/// So many of each request are made by chance, and each value of a hundredth, a tenth, or half of them is anything.
const BY_CHANCE: u64 = 9;
const WILD: [u32; 3] = [1, 10, 50];

/// Requests of every kind: whole, with one rule broken, empty, and made by chance.
fn requests() -> Vec<DynamicMessage> {
    let known = messages::Known {
        names: ["partners/ml-mmeia", "agreements/x", "funds/eutf", "No Such Name"].map(str::to_owned).into(),
        words: ["Agence", "a\nb", "FR", "\u{202e}a", "T05-EUTF", "22.72"].map(str::to_owned).into(),
    };
    let mut all = Vec::new();
    let ours = all_requests().filter(|request| request.package_name().starts_with("toguna."));
    for (number, request) in (0..).zip(ours) {
        all.push(whole(&request));
        all.push(DynamicMessage::new(request.clone()));
        all.extend(breaches(&SHAPES, &request).into_iter().map(|Breach { broken, .. }| broken));
        let mut chance = StdRng::seed_from_u64(SEED + number);
        for turn in 0..BY_CHANCE {
            let wild = WILD[usize::try_from(turn).expect("small") % WILD.len()];
            let mut author = messages::Author::new(&mut chance, &known, wild, "partners/ml-mmeia");
            all.push(author.request(&request, "toguna.partnerships.v1.PartnerService"));
        }
    }
    all
}

/// What protovalidate says is wrong: a field, and the rule that says so; an expression says so by itself.
#[derive(Deserialize)]
struct Found {
    field: String,
    rule: String,
}

impl Found {
    /// Where a service may say the same. Of what an expression asks of the fields of a message, protovalidate finds the
    /// message wrong; here it is the very fields.
    fn places(&self) -> BTreeSet<String> {
        let named = self.rule.split("this.").skip(1).map(|rest| {
            let end = rest.find(|char: char| !(char.is_ascii_lowercase() || "_.".contains(char))).unwrap_or(rest.len());
            format!("{}.{}", self.field, rest[..end].trim_end_matches(".size"))
        });
        [self.field.clone()].into_iter().chain(named).collect()
    }
}

/// What protovalidate finds in each request.
fn judged(program: &Program, requests: &[DynamicMessage]) -> Vec<Vec<Found>> {
    let line = |request: &DynamicMessage| {
        let bytes = STANDARD.encode(request.encode_to_vec());
        json!({ "message": request.descriptor().full_name(), "request": bytes }).to_string()
    };
    let lines: Vec<String> = requests.iter().map(line).collect();
    let mut judge = program.command();
    judge.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut judge = judge.spawn().expect("Python runs");
    let mut input = judge.stdin.take().expect("it is piped");
    let writing = thread::spawn(move || input.write_all(lines.join("\n").as_bytes()));
    let Output { status, stdout, stderr } = judge.wait_with_output().expect("it ends");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    writing.join().expect("no panic").expect("it reads everything");
    let told = String::from_utf8(stdout).expect("text");
    told.lines().map(|line| serde_json::from_str(line).expect("a list of what was found")).collect()
}

#[test]
fn protovalidate_finds_the_same_fields_wrong_in_every_request() {
    let program = match Program::ready("python", &["python3"], &[".venv/bin/python", "rules.py"]) {
        Ok(program) => program,
        Err(why) => return harness::not_tried("the rules, by protovalidate in Python", &why),
    };
    let requests = requests();
    let theirs = judged(&program, &requests);
    assert_eq!(theirs.len(), requests.len(), "each is judged");
    let (mut refused, mut apart) = (0, Vec::new());
    for (request, theirs) in requests.iter().zip(&theirs) {
        let ours: BTreeSet<String> = told(request).into_iter().map(|violation| violation.field).collect();
        refused += usize::from(!ours.is_empty());
        // Of a list that is too long nothing more is said here; protovalidate goes on to judge each element.
        let long = theirs.iter().filter(|found| found.rule == "repeated.max_items" && ours.contains(&found.field));
        let long: Vec<String> = long.map(|found| format!("{}[", found.field)).collect();
        let judged = theirs.iter().filter(|found| !long.iter().any(|list| found.field.starts_with(list)));
        let places: Vec<BTreeSet<String>> = judged.map(Found::places).collect();
        let there: Vec<&BTreeSet<String>> = places.iter().filter(|places| places.is_disjoint(&ours)).collect();
        let is_here_alone = |field: &&String| {
            !places.iter().any(|places| places.contains(*field)) && !long.iter().any(|list| field.starts_with(list))
        };
        let here: Vec<&String> = ours.iter().filter(is_here_alone).collect();
        if !(there.is_empty() && here.is_empty()) {
            let name = request.descriptor().full_name().to_owned();
            apart.push(format!("{name}: here alone {here:?}, there alone {there:?}"));
        }
    }
    let passed = requests.len() - refused;
    assert!(refused > 3000 && passed > 300, "{refused} were refused, {passed} passed");
    apart.sort_by_key(String::len);
    assert!(apart.is_empty(), "{} are judged otherwise:\n{}", apart.len(), apart[..apart.len().min(20)].join("\n"));
}
