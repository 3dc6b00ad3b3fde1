//! What the logins of `deploy/nats.conf` may do, on a real nats-server: each service writes the copy of its own log, reads
//! what it follows, and nothing else.

use std::{collections::BTreeMap, fs, time::Duration};

use async_nats::{Client, ConnectOptions, Event, jetstream};
use event_store::{Log, Nats};
use futures::StreamExt as _;
use harness::{NatsServer, Private, Servers};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    house::{Running, Totals, elsewhere, expected, read_models, totals},
    relay_trouble::{becomes_silent, on_a_small_disk},
    stage::{Stage, until},
};

/// Whose copy the others go for.
const VICTIM: &str = "commitments";

/// How long somebody listens who should hear nothing.
const LISTEN: Duration = Duration::from_millis(500);

/// A client that says what the server refused it.
struct Intruder {
    client: Client,
    refusals: mpsc::UnboundedReceiver<String>,
}

impl Intruder {
    async fn with(url: &str) -> Self {
        let address: async_nats::ServerAddr = url.parse().expect("an address");
        let (user, password) = (address.username().expect("a user"), address.password().expect("a password"));
        let (says, refusals) = mpsc::unbounded_channel();
        let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
        let reads = ["reader", "auditor"].contains(&user);
        let options = options.custom_inbox_prefix(if reads { format!("_INBOX_{user}") } else { "_INBOX".to_owned() });
        let options = options.event_callback(move |event| {
            if let Event::ServerError(error) = event {
                // Nobody hears it where the test is over.
                let _ = says.send(error.to_string().to_lowercase());
            }
            std::future::ready(())
        });
        Self { client: options.connect(address).await.expect("a connection"), refusals }
    }

    /// Whether the server refuses what was just done about a subject.
    async fn is_refused(&mut self, subject: &str) -> bool {
        let about = format!("\"{}\"", subject.to_lowercase());
        let refusal = async {
            while let Some(refusal) = self.refusals.recv().await {
                if refusal.contains("permissions violation") && refusal.contains(&about) {
                    return true;
                }
            }
            false
        };
        timeout(LISTEN, refusal).await.unwrap_or(false)
    }

    async fn may_publish(&mut self, subject: &str, payload: &Value) -> bool {
        let (inbox, payload) = (self.client.new_inbox(), payload.to_string().into());
        self.client.publish_with_reply(subject.to_owned(), inbox, payload).await.expect("sent");
        self.client.flush().await.expect("flushed");
        !self.is_refused(subject).await
    }

    async fn may_hear(&mut self, subject: &str) -> bool {
        let _heard = self.client.subscribe(subject.to_owned()).await.expect("sent");
        self.client.flush().await.expect("flushed");
        !self.is_refused(subject).await
    }

    /// Asks JetStream for something that it may ask.
    async fn asks(&self, request: &str, payload: &Value) -> Value {
        let answer = self.client.request(format!("$JS.API.{request}"), payload.to_string().into()).await;
        serde_json::from_slice(&answer.expect("an answer").payload).expect("JSON")
    }
}

/// A log of this name with the login of the service of this name.
async fn stage_of(name: &str) -> Stage {
    let servers = Servers::shared().await;
    on(servers.private_nats().await, name).await
}

async fn on(server: Private<NatsServer>, name: &str) -> Stage {
    let url = Servers::shared().await.database("log").await;
    let log = Log::open(name, &url, CancellationToken::new()).await.expect("the log opens");
    let nats = Nats::connect(&server.service_url(name), "test").await.expect("a connection");
    let stage = Stage { url, log, server, nats };
    stage.connected().await;
    stage
}

/// Everybody but the victim.
fn others(server: &NatsServer) -> BTreeMap<&'static str, String> {
    let services = ["partnerships", "disbursements", "oversight"].map(|name| (name, server.service_url(name)));
    services.into_iter().chain([("reader", server.reader_url()), ("auditor", server.auditor_url())]).collect()
}

fn copy_of(log: &str) -> Value {
    json!({ "name": format!("toguna-{log}"), "subjects": [format!("toguna.v1.{log}.>")], "storage": "file" })
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_writes_a_log_s_copy_or_hears_what_is_not_meant_for_it() {
    let stage = stage_of(VICTIM).await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    let consumer = json!({
        "stream_name": format!("toguna-{VICTIM}"),
        "config": { "deliver_subject": format!("toguna.v1.{VICTIM}.tallies.Money"), "ack_policy": "none" },
    });
    let nothing = Value::Null;
    let mut attempts: Vec<(String, &Value)> = vec![
        (format!("toguna.v1.{VICTIM}.tallies.Money"), &nothing),
        (format!("toguna.trial.{VICTIM}"), &nothing),
        (format!("toguna.stored.{VICTIM}"), &nothing),
        ("$JS.API.STREAM.LIST".to_owned(), &nothing),
        ("$JS.API.INFO".to_owned(), &nothing),
        ("$JS.API.STREAM.CREATE.toguna-else".to_owned(), &nothing),
        ("$JS.ACK.toguna-commitments.x.1.1.1.1.1".to_owned(), &nothing),
        ("$SYS.REQ.SERVER.PING".to_owned(), &nothing),
        ("_INBOX.somebody".to_owned(), &nothing),
        ("_INBOX_reader.somebody".to_owned(), &nothing),
        ("_INBOX_auditor.somebody".to_owned(), &nothing),
        ("something.else".to_owned(), &nothing),
    ];
    for verb in ["CREATE", "UPDATE", "PURGE", "DELETE", "MSG.DELETE", "MSG.GET", "SNAPSHOT", "RESTORE"] {
        attempts.push((format!("$JS.API.STREAM.{verb}.toguna-{VICTIM}"), &nothing));
    }
    for own in [VICTIM, "partnerships", "disbursements"] {
        attempts.push((format!("$JS.API.CONSUMER.CREATE.toguna-{own}"), &consumer));
        attempts.push((format!("$JS.API.CONSUMER.CREATE.toguna-{own}.named"), &consumer));
        attempts.push((format!("$JS.API.CONSUMER.DURABLE.CREATE.toguna-{own}.named"), &consumer));
        attempts.push((format!("$JS.API.STREAM.UPDATE.toguna-{own}"), &nothing));
        attempts.push((format!("$JS.API.STREAM.PURGE.toguna-{own}"), &nothing));
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (who, url) in others(&stage.server) {
        let attempts: Vec<_> =
            attempts.iter().map(|(subject, payload)| (subject.clone(), (*payload).clone())).collect();
        tasks.spawn(async move {
            let mut intruder = Intruder::with(&url).await;
            for (subject, payload) in attempts {
                assert!(!intruder.may_publish(&subject, &payload).await, "{who} may publish to {subject}");
            }
            for subject in [">", "toguna.v1.>", "toguna.v1.commitments.>", "$JS.>", "_R_.>", "_INBOX_other.>"] {
                assert!(!intruder.may_hear(subject).await, "{who} may hear {subject}");
            }
        });
    }
    tasks.join_all().await;
    // The copy is as it was, and nobody had to make it again.
    stage.append("a", 1).await;
    stage.caught_up(&relaying).await;
    assert_eq!(relaying.status.borrow().rebuilds, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_read_the_copies_of_the_open_logs_and_auditors_that_of_disbursements_too() {
    let stage = stage_of("disbursements").await;
    let relaying = stage.relay();
    stage.append("a", 3).await;
    stage.caught_up(&relaying).await;
    let mut partner = Intruder::with(&stage.server.reader_url()).await;
    let auditor = Intruder::with(&stage.server.auditor_url()).await;
    let asked = json!({ "seq": 1 });
    for open in ["partnerships", "commitments"] {
        assert!(partner.may_publish(&format!("$JS.API.STREAM.INFO.toguna-{open}"), &Value::Null).await, "{open}");
        assert!(partner.may_publish(&format!("$JS.API.DIRECT.GET.toguna-{open}"), &asked).await, "{open}");
    }
    assert!(!partner.may_publish("$JS.API.DIRECT.GET.toguna-disbursements", &asked).await, "its events");
    // Refused under the name by which other accounts are asked.
    for state in ["toguna.state.disbursements", "$JS.API.STREAM.INFO.toguna-disbursements"] {
        partner.client.publish_with_reply(state, partner.client.new_inbox(), "".into()).await.expect("sent");
        partner.client.flush().await.expect("flushed");
        assert!(partner.is_refused("toguna.state.disbursements").await, "how many there are: {state}");
    }
    let standing = auditor.asks("STREAM.INFO.toguna-disbursements", &Value::Null).await;
    assert_eq!(standing["state"]["messages"], 3, "{standing}");
    let request = auditor.client.request("$JS.API.DIRECT.GET.toguna-disbursements", asked.to_string().into());
    let first = request.await.expect("an answer");
    assert_eq!(first.headers.expect("headers").get("Nats-Sequence").expect("a place").as_str(), "1");
    assert!(!first.payload.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_a_name_or_with_a_wrong_password_is_refused() {
    let server = Servers::shared().await.private_nats().await;
    let (_, place) = server.reader_url().rsplit_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a login");
    for login in ["", "oversight:wrong@", "toguna:toguna@"] {
        let (user, password) = login.trim_end_matches('@').split_once(':').unwrap_or_default();
        let options = match user {
            "" => ConnectOptions::new(),
            user => ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned()),
        };
        let refused = options.connect(format!("nats://{place}")).await.expect_err("refused");
        assert_eq!(refused.kind(), async_nats::ConnectErrorKind::AuthorizationViolation, "{login:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_ones_own_is_no_way_into_anothers() {
    let stage = stage_of(VICTIM).await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    let intruder = Intruder::with(&stage.server.service_url("partnerships")).await;
    let theirs = format!("toguna.v1.{VICTIM}.>");
    let external = json!({ "api": "$JS.API", "deliver": format!("toguna.v1.{VICTIM}") });
    let tricks = [
        json!({ "republish": { "src": ">", "dest": theirs } }),
        json!({ "republish": { "src": ">", "dest": format!("$JS.API.STREAM.DELETE.toguna-{VICTIM}") } }),
        json!({ "subjects": ["toguna.v1.partnerships.>", theirs] }),
        json!({ "subjects": [], "sources": [{ "name": format!("toguna-{VICTIM}") }] }),
        json!({ "subjects": [], "sources": [{ "name": format!("toguna-{VICTIM}"), "external": external }] }),
        json!({ "subjects": [], "mirror": { "name": format!("toguna-{VICTIM}") } }),
        json!({ "subjects": [], "mirror": { "name": format!("toguna-{VICTIM}"), "external": external } }),
    ];
    for trick in tricks {
        let mut config = copy_of("partnerships");
        config.as_object_mut().expect("fields").extend(trick.as_object().expect("fields").clone());
        let made = intruder.asks("STREAM.CREATE.toguna-partnerships", &config).await;
        let jetstream = jetstream::new(intruder.client.clone());
        // Where the server takes the configuration, what is published next shows what it is good for.
        let sent = jetstream.publish("toguna.v1.partnerships.tallies.Money", "made up".into()).await.expect("sent");
        let _ = timeout(LISTEN, sent).await;
        tokio::time::sleep(LISTEN).await;
        let own = intruder.asks("STREAM.INFO.toguna-partnerships", &Value::Null).await;
        let stored = own["state"]["messages"].as_u64().unwrap_or_default();
        assert!(stored <= 1, "it holds what is not its own: {trick} {made} {own}");
        let victim = stage.stream_of_reader().await;
        assert_eq!(victim.cached_info().state.last_sequence, 10, "{trick} {made}");
        intruder.client.request("$JS.API.STREAM.DELETE.toguna-partnerships", "".into()).await.expect("an answer");
    }
    stage.append("a", 1).await;
    stage.caught_up(&relaying).await;
    assert_eq!(relaying.status.borrow().rebuilds, 0, "nothing was ever wrong with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_account_a_stream_of_ones_own_would_be_such_a_way() {
    let server = Servers::shared().await.private_nats().await;
    let intruder = Intruder::with(&server.url()).await;
    intruder.asks("STREAM.CREATE.toguna-commitments", &copy_of(VICTIM)).await;
    let mut config = copy_of("partnerships");
    config["republish"] = json!({ "src": ">", "dest": format!("toguna.v1.{VICTIM}.>") });
    let made = intruder.asks("STREAM.CREATE.toguna-partnerships", &config).await;
    assert_eq!(made["error"], Value::Null);
    let jetstream = jetstream::new(intruder.client.clone());
    let sent = jetstream.publish("toguna.v1.partnerships.tallies.Money", "made up".into()).await.expect("sent");
    sent.await.expect("stored");
    let written = async || {
        let victim = intruder.asks("STREAM.INFO.toguna-commitments", &Value::Null).await;
        victim["state"]["messages"] == 1
    };
    until("another stream is written by way of ours", written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_is_out_of_everybody_elses_hearing() {
    let stage = stage_of(VICTIM).await;
    let relaying = stage.relay();
    let mut ears = Vec::new();
    for name in ["partnerships", "disbursements", "oversight"] {
        let client = Intruder::with(&stage.server.service_url(name)).await.client;
        ears.push((name, client.subscribe("_INBOX.>").await.expect("heard"), client));
    }
    for (_, _, client) in &ears {
        client.flush().await.expect("flushed");
    }
    // Answers for the owner of the log, and for somebody who reads it.
    stage.append("a", 500).await;
    stage.caught_up(&relaying).await;
    assert_eq!(stage.stream_of_reader().await.cached_info().state.last_sequence, 500);
    for (name, heard, _) in &mut ears {
        assert!(timeout(LISTEN, heard.next()).await.is_err(), "{name} hears answers of others");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_s_login_is_enough_for_its_relay_and_for_those_who_follow() {
    let mut stage = stage_of("partnerships").await;
    let relaying = stage.relay();
    let mut followers = Vec::new();
    for name in ["commitments", "disbursements", "oversight"] {
        let nats = Nats::connect(&stage.server.service_url(name), name).await.expect("a connection");
        let pool = read_models().await;
        followers.push((Running::start(elsewhere(&pool, &nats).projection(Totals::of("partnerships"))), pool));
    }
    let arrive = async |stage: &Stage| {
        for (running, pool) in &followers {
            running.reaches("totals", stage.log.head()).await;
            assert_eq!(totals(pool, "totals").await, expected(&stage.log).await);
        }
    };
    // More than a page, so that what comes next is asked for ahead.
    stage.append("a", 1_900).await;
    stage.append("a", 1_900).await;
    stage.caught_up(&relaying).await;
    arrive(&stage).await;
    // The broker loses everything.
    stage.server.kill().await.expect("killed");
    fs::remove_dir_all(stage.server.store()).expect("wiped");
    stage.append("b", 30).await;
    stage.server.resume().await.expect("it starts");
    arrive(&stage).await;
    stage.caught_up(&relaying).await;
    // The log was restored.
    let before = stage.log.epoch();
    stage.begin_epoch().await;
    stage.append("b", 2).await;
    stage.caught_up(&relaying).await;
    for (running, _) in &followers {
        until("it is in the new epoch", async || running.status("totals").epoch.is_some_and(|it| it != before)).await;
    }
    arrive(&stage).await;
    // A follower hears of an event by itself, long before it would have asked.
    let (running, _) = &followers[0];
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let appended = std::time::Instant::now();
        stage.append("b", 1).await;
        running.reaches("totals", stage.log.head()).await;
        quickest = quickest.min(appended.elapsed());
    }
    assert!(quickest < Duration::from_secs(1), "{quickest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_s_login_finds_out_whether_the_broker_stores_anything_at_all() {
    let server = Servers::shared().await.private_nats().await;
    let Some((stage, disk)) = on_a_small_disk(on(server, "partnerships").await).await else { return };
    becomes_silent(stage, disk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_reads_the_copies_by_sequence() {
    let stage = stage_of(VICTIM).await;
    let relaying = stage.relay();
    stage.append("a", 10).await;
    stage.caught_up(&relaying).await;
    let stream = stage.stream_of_reader().await;
    assert_eq!(stream.cached_info().state.last_sequence, 10);
    let message = stream.direct_get(7).await.expect("a message");
    assert_eq!(message.payload, stage.stored().await[6].record);
}
