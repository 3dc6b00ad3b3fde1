//! Clients that mean ill, one kind after the other, against a service as a process: what they cost it in memory, and
//! what a good caller notices of them.

use std::{
    env, fs,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    process::{Child, Output},
    time::{Duration, Instant},
};

use contracts::toguna::disbursements::v1::correction_service_client::CorrectionServiceClient;
use tonic::transport::{Channel, Endpoint};

use self::attacks::Evil;
use crate::{
    notes::{by, environment, note, unique_name},
    process,
};

mod attacks;
mod wire;

/// How long each attack goes on, and how long the calm before it.
const TIME: Duration = Duration::from_secs(1);
/// Callers beside it, each of whom sends one command after the other; the first connects for each of its own.
const GOOD_CALLERS: usize = 4;
/// What all that an evil client can do may cost in memory, at its worst moment.
const MOST_MEBIBYTES: u64 = 192;

type Attack = fn(Evil) -> Pin<Box<dyn Future<Output = ()> + Send>>;

const ATTACKS: [(&str, Attack); 18] = [
    ("10,000 streams on a connection", |evil| Box::pin(evil.ten_thousand_streams())),
    ("rapid reset", |evil| Box::pin(evil.rapid_reset())),
    ("CONTINUATION flood", |evil| Box::pin(evil.continuation_flood())),
    ("small DATA flood", |evil| Box::pin(evil.small_data_flood())),
    ("windows that stay shut", |evil| Box::pin(evil.shut_windows())),
    ("PING and SETTINGS flood, unread", |evil| Box::pin(evil.deaf())),
    ("bodies that do not end", |evil| Box::pin(evil.unfinished_bodies())),
    ("2,000 silent connections", |evil| Box::pin(evil.silent_connections())),
    ("heads of 60 KB", |evil| Box::pin(evil.large_heads())),
    ("8,000 groups in each other", |evil| Box::pin(evil.deep_nesting())),
    ("lists of 50,000 empty things", |evil| Box::pin(evil.giant_lists())),
    ("decompression bombs", |evil| Box::pin(evil.bombs())),
    ("all connections, from two addresses", |evil| Box::pin(evil.from(2).all_connections())),
    ("all connections, from 200 addresses", |evil| Box::pin(evil.from(200).all_connections())),
    ("bodies that do not end, from eight addresses", |evil| Box::pin(evil.from(8).unfinished_bodies())),
    ("answers that nobody takes, from eight addresses", |evil| Box::pin(evil.from(8).answers_not_taken())),
    ("commands as they should be, too many", |evil| Box::pin(evil.valid_commands())),
    ("queries as they should be, too many", |evil| Box::pin(evil.valid_queries())),
];

/// What the good callers met.
struct Met {
    calls: usize,
    p99: Duration,
    failed: Vec<String>,
}

/// Good callers for a while.
async fn good_callers(service: &Endpoint, notes: &CorrectionServiceClient<Channel>, time: Duration) -> Met {
    let until = Instant::now() + time;
    let callers = (0..GOOD_CALLERS).map(|number| {
        let (service, mut notes) = (service.clone(), notes.clone());
        tokio::spawn(async move {
            let (mut took, mut failed) = (Vec::new(), Vec::new());
            while Instant::now() < until {
                if number == 0 {
                    notes = CorrectionServiceClient::new(service.connect_lazy());
                }
                let began = Instant::now();
                match notes.propose_correction(by("aminata", note(1))).await {
                    Ok(_) => took.push(began.elapsed()),
                    Err(status) => failed.push(format!("{status:?}")),
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            (took, failed)
        })
    });
    let (mut took, mut failed) = (Vec::new(), Vec::new());
    for caller in futures::future::join_all(callers).await {
        let (its, wrong) = caller.expect("no panic");
        took.extend(its);
        failed.extend(wrong);
    }
    took.sort();
    Met { calls: took.len(), p99: took.get(took.len() * 99 / 100).copied().unwrap_or_default(), failed }
}

/// The service; killed when dropped.
struct Victim(Option<Child>);

impl Victim {
    fn id(&self) -> u32 {
        self.0.as_ref().expect("it runs").id()
    }

    /// Mebibytes of memory that it has; `VmHWM`: at most, since that was forgotten.
    fn mebibytes(&self, what: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(what)).expect("the kernel says so");
        let kibibytes: u64 = line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().expect("a number");
        kibibytes / 1024
    }

    fn forget_the_most(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.id()), "5").expect("it is our own child");
    }

    /// Stops it in order.
    fn stop(mut self) -> (Output, String) {
        let child = self.0.take().expect("it runs");
        process::tell(&child, "-TERM");
        process::ended(child)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_evil_client_does_costs_little_memory_and_fails_no_good_callers_call() {
    let mut environment = environment().await;
    let ready_file = env::temp_dir().join(format!("toguna-evil-{}", unique_name()));
    environment.insert("TOGUNA_READY_FILE", ready_file.display().to_string());
    environment.insert("RUST_LOG", "error".into());
    let victim = Victim(Some(process::start(&environment)));
    let address = process::address(&ready_file).await;
    let service: SocketAddr = address.trim_start_matches("http://").parse().expect("an address");
    let endpoint = Channel::from_shared(address).expect("an address");
    let notes = CorrectionServiceClient::new(endpoint.connect().await.expect("it listens"));
    good_callers(&endpoint, &notes, TIME).await;

    for (name, attack) in ATTACKS {
        let calm = good_callers(&endpoint, &notes, TIME).await;
        victim.forget_the_most();
        let before = victim.mebibytes("VmRSS");
        let token = harness::token("focal_point,auditor", "partners/evil", "somebody");
        let until = tokio::time::Instant::now() + TIME;
        let attacked = tokio::spawn(attack(Evil { service, token, until, addresses: 1 }));
        let met = good_callers(&endpoint, &notes, TIME).await;
        attacked.await.expect("the attack goes on to its end");
        let most = victim.mebibytes("VmHWM").saturating_sub(before);
        let ratio = met.p99.as_secs_f64() / calm.p99.as_secs_f64();
        println!(
            "{name}: +{most} MiB at most on {before}; p99 {:.1} ms, calm {:.1} ms: {ratio:.1} times; {} calls, calm {}",
            met.p99.as_secs_f64() * 1000.0,
            calm.p99.as_secs_f64() * 1000.0,
            met.calls,
            calm.calls,
        );
        assert!(
            met.failed.is_empty() && met.calls > 0,
            "{name}: {} failed: {:?}",
            met.failed.len(),
            met.failed.first()
        );
        assert!(calm.failed.is_empty(), "after what came before {name}: {:?}", calm.failed.first());
        assert!(most <= MOST_MEBIBYTES, "{name} cost {most} MiB");
    }

    let (output, said) = victim.stop();
    assert!(output.status.success() && !said.contains("panicked"), "{said}");
    fs::remove_file(ready_file).expect("it is there");
}
