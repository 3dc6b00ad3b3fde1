//! Every RPC of every running service, called with whatever bytes can be sent: by somebody who may do everything, so that
//! they are looked at, by somebody without a role, and by nobody.
//!
//! Each request is made of a seed and a number, which a failure tells; `TOGUNA_HOSTILE_SEED` sends others, and
//! `TOGUNA_HOSTILE_SECONDS` sends for longer.

#[path = "hostile/broken.rs"]
mod broken;
#[path = "hostile/messages.rs"]
mod messages;
#[path = "hostile/wire.rs"]
pub mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use prost_reflect::{DynamicMessage, MethodDescriptor, prost::Message as _};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::Value;
use toguna::services::{self, Services};
use tonic::{Code, codegen::http::Method};

use self::{
    broken::{LAST_OF_GRPC, WAYS},
    messages::{Author, Known},
    wire::{Answer, Sent},
};
use crate::{permissions::rpcs, stack::Stack};

const LOGS: [&str; 3] = ["partnerships", "commitments", "disbursements"];
const SERVICES: [&str; 4] = ["partnerships", "commitments", "disbursements", "oversight"];

/// Calls at a time.
const AT_ONCE: usize = 12;
/// How often every RPC is called at least, each time in another way.
const ROUNDS: u64 = 6;
/// So many problems are looked at together.
const ENOUGH: usize = 40;
/// How much more memory a service may hold in the end than after every request was sent in every way once.
const MOST_GROWTH_KIB: u64 = 96 * 1024;

/// What a run is made of.
struct Run {
    seed: u64,
    services: Services,
    known: Known,
    rpcs: Vec<(&'static str, MethodDescriptor)>,
    /// Tokens with all roles, by organisation.
    officials: Vec<(String, String)>,
    /// A token without roles.
    stranger: String,
    /// What was acknowledged: service and position.
    acknowledged: Mutex<BTreeSet<(&'static str, u64)>>,
    /// Ids of commands of which nobody waited for the answer.
    unknown: Mutex<BTreeSet<String>>,
    answers: Mutex<BTreeMap<(Who, String), u64>>,
    /// What was not clean.
    problems: Mutex<Vec<String>>,
}

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    ByAnOfficial,
    WithoutARole,
    WithoutAToken,
}

impl Run {
    fn new(stack: &Stack) -> Self {
        let seed = variable("TOGUNA_HOSTILE_SEED").unwrap_or(20_261_124);
        println!("TOGUNA_HOSTILE_SEED={seed}");
        let (mut known, mut organisations) = (Known::default(), BTreeSet::new());
        for log in LOGS {
            for event in stack.replay(log) {
                known.names.push(event["stream"].as_str().unwrap_or_default().to_owned());
                organisations.insert(event["on_behalf_of"].as_str().unwrap_or_default().to_owned());
                texts(&event["payload"], &mut known.words);
            }
        }
        for all in [&mut known.names, &mut known.words] {
            all.sort();
            all.dedup();
        }
        let roles = roles();
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let official = |name: String| (stack.token(&roles, &name, "somebody"), name);
        let officials = organisations.into_iter().filter(|it| it.starts_with("partners/")).map(official);
        let method = |(service, path): (&'static str, String)| (service, services::method(&path).expect("an RPC"));
        Self {
            seed,
            services: stack.services(),
            known,
            rpcs: rpcs().into_iter().map(method).collect(),
            officials: officials.map(|(token, name)| (name, token)).collect(),
            stranger: stack.token(&[], "partners/mli", "stranger"),
            acknowledged: Mutex::default(),
            unknown: Mutex::default(),
            answers: Mutex::default(),
            problems: Mutex::default(),
        }
    }

    /// Sends the request of a number, and says what is not clean about its answer.
    async fn send(&self, number: u64) -> Result<(), String> {
        let mut chance = StdRng::seed_from_u64(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number));
        let (round, place) = (number / self.rpcs.len() as u64, number % self.rpcs.len() as u64);
        let way = (round + place) % WAYS;
        let (service, method) = &self.rpcs[usize::try_from(place).expect("it is small")];
        let (organisation, token) = self.officials.choose(&mut chance).expect("there are some");
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let mut author = Author::new(&mut chance, &self.known, broken::wildness(way), organisation);
        let message = author.request(&method.input(), method.parent_service().full_name());
        // A date beyond all calendars has no form in JSON.
        let json = serde_json::to_value(&message).ok();
        let sent = broken::sent(way, &path, &message.encode_to_vec(), json.as_ref(), &mut chance);
        let (who, sent) = match chance.random_range(0..12) {
            0 => (Who::WithoutAToken, sent),
            1 => (Who::WithoutARole, sent.with("authorization", format!("Bearer {}", self.stranger))),
            _ => (Who::ByAnOfficial, sent.with("authorization", format!("Bearer {token}"))),
        };
        let sent = sent.with("accept-language", *["fr", "en", "fr-ML"].choose(&mut chance).expect("some"));
        let channel = self.services.channel(service).expect("it runs");
        let problem =
            |problem: String| format!("request {number}, way {way}, {service}, {who:?}: {problem}\n{}", sent.shown());
        let answer = sent.answer(channel).await.map_err(problem)?;
        *self.answers.lock().expect("no panic").entry((who, format!("{:?}", answer.code))).or_default() += 1;
        if answer.code == Code::Ok && who == Who::WithoutAToken {
            return Err(problem("answers anybody".to_owned()));
        }
        let reads =
            way <= LAST_OF_GRPC && answer.code != Code::Unauthenticated && answer.code != Code::DeadlineExceeded;
        if reads && who == Who::WithoutAToken {
            return Err(problem(format!("reads messages of anybody: {:?}", answer.code)));
        }
        let request_id = message.get_field_by_name("request_id");
        let request_id = request_id.as_deref().and_then(prost_reflect::Value::as_str);
        if let (Some(id), Code::DeadlineExceeded) = (request_id, answer.code) {
            self.unknown.lock().expect("no panic").insert(id.to_owned());
        }
        if request_id.is_some() && answer.code == Code::Ok {
            if who == Who::WithoutARole {
                return Err(problem("records for somebody without a role".to_owned()));
            }
            self.note(service, method, &answer).map_err(problem)?;
        }
        Ok(())
    }

    /// Notes the events of a receipt, where they were recorded.
    fn note(&self, service: &'static str, method: &MethodDescriptor, answer: &Answer) -> Result<(), String> {
        let receipt = receipt(method, answer)?;
        let positions = receipt["events"].as_array().into_iter().flatten();
        let positions = positions.filter_map(|event| event["position"].as_str()?.parse().ok().map(|at| (service, at)));
        self.acknowledged.lock().expect("no panic").extend(positions);
        Ok(())
    }

    /// Sends requests from a number on, as long as there are some, several at a time. Gives the number of the next one.
    async fn send_all(&self, from: u64, to: u64, until: Instant) -> u64 {
        let next = AtomicU64::new(from);
        let sender = async || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= to || Instant::now() >= until || self.problems.lock().expect("no panic").len() >= ENOUGH {
                    return;
                }
                if let Err(problem) = self.send(number).await {
                    self.problems.lock().expect("no panic").push(problem);
                }
            }
        };
        join_all((0..AT_ONCE).map(|_| sender())).await;
        next.load(Ordering::Relaxed)
    }
}

/// What a command answers, as JSON.
fn receipt(method: &MethodDescriptor, answer: &Answer) -> Result<Value, String> {
    let content_type = answer.headers.get("content-type").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let told = match content_type {
        "application/json" => serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?,
        kind => {
            let message =
                if kind.starts_with("application/grpc") { answer.body.get(5..) } else { Some(&answer.body[..]) };
            let message = message.ok_or("an answer without a message")?;
            let told = DynamicMessage::decode(method.output(), message).map_err(|error| error.to_string())?;
            serde_json::to_value(told).map_err(|error| error.to_string())?
        }
    };
    Ok(told["receipt"].clone())
}

/// The roles that there are, as the schema of the policies has them.
pub fn roles() -> Vec<String> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/policies/toguna.cedarschema");
    let schema = fs::read_to_string(schema).expect("the schema is there");
    let (_, roles) = schema.split_once("entity Role enum [").expect("it names the roles");
    let (roles, _) = roles.split_once(']').expect("the list ends");
    roles.split(',').map(|role| role.trim().trim_matches('"').to_owned()).collect()
}

/// Every text of a value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() <= 60 => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Memory that a process holds, in KiB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says how much it holds");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The heads of the logs.
fn heads(stack: &Stack) -> BTreeMap<&'static str, u64> {
    let status = stack.json(&["log", "status"]);
    LOGS.map(|log| (log, status[log]["head"].as_u64().expect("a log has a head"))).into()
}

async fn is_serving(run: &Run, service: &str) -> bool {
    let check = Sent {
        method: Method::POST,
        path: "/grpc.health.v1.Health/Check".to_owned(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: b"{}".to_vec(),
    };
    let answer = check.answer(run.services.channel(service).expect("it runs")).await.expect("health is told");
    serde_json::from_slice::<Value>(&answer.body).expect("JSON")["status"] == "SERVING"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_to_whatever_rpc_is_answered_cleanly_and_changes_nothing_but_by_acknowledged_commands() {
    let stack = Stack::with_the_scenario().await;
    let run = Run::new(&stack);
    let pids = SERVICES.map(|service| stack.pid(service));
    let before = heads(&stack);
    let (started, rpcs) = (Instant::now(), run.rpcs.len() as u64);
    let half = Duration::from_secs(variable("TOGUNA_HOSTILE_SECONDS").unwrap_or(20)) / 2;
    // Every RPC a few times, however long that takes; and then what is filled up to a limit is rather full.
    let next = run.send_all(0, ROUNDS * rpcs, started + Duration::from_hours(1)).await;
    let next = run.send_all(next, WAYS * rpcs, started + half).await;
    let full = pids.map(resident);
    let last = run.send_all(next, u64::MAX, started + half * 2).await;
    let now = pids.map(resident);
    println!("{last} requests to {rpcs} RPCs in {:?}", started.elapsed());
    println!("answers: {:?}", run.answers.lock().expect("no panic"));
    let problems = run.problems.lock().expect("no panic").clone();
    println!("memory in KiB: {full:?}, then {now:?}");
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    for ((service, full), now) in SERVICES.iter().zip(full).zip(now) {
        assert!(now < full + MOST_GROWTH_KIB, "{service} holds {now} KiB, and held {full}");
        assert!(is_serving(&run, service).await, "{service}");
        let told = stack.told_by(service);
        let bad: Vec<&str> = told.lines().filter(|line| line.contains("ERROR") || line.contains("panicked")).collect();
        assert!(bad.is_empty(), "{service}: {bad:#?}");
    }
    assert_eq!(pids, SERVICES.map(|service| stack.pid(service)), "no service stopped");
    let unknown = run.unknown.lock().expect("no panic");
    let is_ours = |event: &Value| {
        event["causation_id"].is_null() && !event["request_id"].as_str().is_some_and(|id| unknown.contains(id))
    };
    let recorded: BTreeSet<(&str, u64)> = LOGS
        .into_iter()
        .flat_map(|log| stack.replay(log).into_iter().map(move |event| (log, event)))
        .filter(|(_, event)| is_ours(event))
        .map(|(log, event)| (log, event["position"].as_u64().expect("a position")))
        .filter(|(log, position)| *position > before[log])
        .collect();
    let acknowledged = run.acknowledged.lock().expect("no panic");
    let acknowledged: BTreeSet<_> = acknowledged.iter().copied().filter(|(log, at)| *at > before[log]).collect();
    assert_eq!(recorded, acknowledged);
    assert!(recorded.len() > 5, "the commands were not such as are taken: {}", recorded.len());
}
