//! Clients that mean ill, one kind after the other, against a service as a process: what they cost it in memory, and
//! what a good caller notices of them.

use std::{
    env, fs,
    future::Future,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    pin::Pin,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
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

/// How long the good callers call at least before an attack, and during one.
const TIME: Duration = Duration::from_secs(1);
/// How many calls of theirs must be answered in that, so that a hundredth of them is more than chance.
const CALLS: usize = 300;
/// Callers beside it, each of whom sends one command after the other; the first connects for each of its own.
const GOOD_CALLERS: usize = 4;
/// What all that an evil client can do may cost in memory, at its worst moment.
const MOST_MEBIBYTES: u64 = 192;
/// What the evil client says when it begins.
const BEGINS: &str = "the attack begins";

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

/// The program of these tests is the evil client too, where one of them started it as a process of its own.
#[test]
fn is_the_evil_client_where_it_was_started_as_one() {
    let Ok(name) = env::var("EVIL_ATTACK") else { return };
    let said = |variable| env::var(variable).expect("whoever started it said so");
    let (service, token) = (said("EVIL_SERVICE").parse().expect("an address"), said("EVIL_TOKEN"));
    let (_, attack) = ATTACKS.iter().find(|(known, _)| *known == name).expect("there is such an attack");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("\n{BEGINS}");
    runtime.block_on(attack(Evil { service, token, addresses: 1 }));
}

/// An evil client that has begun. The processors are its own only while neither the service nor the good callers want
/// them: what these meet is then what the service does with it, and not that it sits on the same machine.
fn start_evil(attack: &str, service: SocketAddr) -> Running {
    let mut child = Command::new("nice")
        .args(["-n", "19"])
        .arg(env::current_exe().expect("this program"))
        .args(["--exact", "evil::is_the_evil_client_where_it_was_started_as_one", "--nocapture"])
        .env("EVIL_ATTACK", attack)
        .env("EVIL_SERVICE", service.to_string())
        .env("EVIL_TOKEN", harness::token("focal_point,auditor", "partners/evil", "somebody"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let begun = lines.any(|line| line.expect("text") == BEGINS);
    assert!(begun, "{attack} did not begin");
    Running(Some(child))
}

/// What the good callers met, and what the service did meanwhile.
struct Met {
    calls: usize,
    p99: Duration,
    failed: Vec<String>,
    time: Duration,
    spent: Spent,
}

impl Met {
    /// Processor time of the service for each of their calls, whatever else it did in it.
    fn milliseconds_a_call(&self) -> f64 {
        self.spent.worked.as_secs_f64() * 1000.0 / f64::from(u32::try_from(self.calls).expect("they are few"))
    }
}

/// Good callers for a while.
async fn good_callers(victim: &Running, service: &Endpoint, notes: &CorrectionServiceClient<Channel>) -> Met {
    let (began, before) = (Instant::now(), victim.spent());
    let answered = Arc::<AtomicUsize>::default();
    let callers = (0..GOOD_CALLERS).map(|number| {
        let (service, mut notes, answered) = (service.clone(), notes.clone(), answered.clone());
        tokio::spawn(async move {
            let (mut took, mut failed) = (Vec::new(), Vec::new());
            while failed.is_empty() && (began.elapsed() < TIME || answered.load(Ordering::Relaxed) < CALLS) {
                if number == 0 {
                    notes = CorrectionServiceClient::new(service.connect_lazy());
                }
                let began = Instant::now();
                match notes.propose_correction(by("aminata", note(1))).await {
                    Ok(_) => took.push(began.elapsed()),
                    Err(status) => failed.push(format!("{status:?}")),
                }
                answered.fetch_add(1, Ordering::Relaxed);
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
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    Met { calls: took.len(), p99, failed, time: began.elapsed(), spent: victim.spent() - before }
}

/// What a process has had of the processors.
#[derive(Clone, Copy)]
struct Spent {
    worked: Duration,
    /// How long its threads waited for a processor.
    waited: Duration,
}

impl std::ops::Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        let since = |now: Duration, before| now.saturating_sub(before);
        Self { worked: since(self.worked, before.worked), waited: since(self.waited, before.waited) }
    }
}

/// A process; killed when dropped.
struct Running(Option<Child>);

impl Running {
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

    /// By its threads; those that have ended count no more.
    fn spent(&self) -> Spent {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id())).expect("it runs");
        let (mut worked, mut waited) = (Duration::ZERO, Duration::ZERO);
        for thread in threads.flatten() {
            let Ok(line) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let mut numbers = line.split(' ').map(|number| Duration::from_nanos(number.trim().parse().unwrap_or(0)));
            worked += numbers.next().unwrap_or_default();
            waited += numbers.next().unwrap_or_default();
        }
        Spent { worked, waited }
    }

    /// Whether it has not ended by itself.
    fn goes_on(&mut self) -> bool {
        let ended = self.0.as_mut().expect("it was started").try_wait();
        ended.expect("it is our own child").is_none()
    }

    /// Stops it in order.
    fn stop(mut self) -> (Output, String) {
        let child = self.0.take().expect("it runs");
        process::tell(&child, "-TERM");
        process::ended(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_evil_client_does_costs_little_memory_and_fails_no_good_callers_call() {
    let mut environment = environment().await;
    let ready_file = env::temp_dir().join(format!("toguna-evil-{}", unique_name()));
    environment.insert("TOGUNA_READY_FILE", ready_file.display().to_string());
    environment.insert("RUST_LOG", "error".into());
    let victim = Running(Some(process::start(&environment)));
    let address = process::address(&ready_file).await;
    let service: SocketAddr = address.trim_start_matches("http://").parse().expect("an address");
    let endpoint = Channel::from_shared(address).expect("an address");
    let notes = CorrectionServiceClient::new(endpoint.connect().await.expect("it listens"));
    good_callers(&victim, &endpoint, &notes).await;

    for (name, _) in ATTACKS {
        let calm = good_callers(&victim, &endpoint, &notes).await;
        victim.forget_the_most();
        let before = victim.mebibytes("VmRSS");
        let mut evil = start_evil(name, service);
        let met = good_callers(&victim, &endpoint, &notes).await;
        assert!(evil.goes_on(), "{name} ended by itself");
        drop(evil);
        let most = victim.mebibytes("VmHWM").saturating_sub(before);
        let ratio = met.p99.as_secs_f64() / calm.p99.as_secs_f64();
        println!(
            "{name}: +{most} MiB at most on {before}; p99 {:.1} ms, calm {:.1} ms: {ratio:.1} times; {} calls in {:.1} s",
            met.p99.as_secs_f64() * 1000.0,
            calm.p99.as_secs_f64() * 1000.0,
            met.calls,
            met.time.as_secs_f64(),
        );
        println!(
            "    it worked {:.2} s, its threads waited {:.2} s for a processor; {:.1} ms a good call, calm {:.1} ms",
            met.spent.worked.as_secs_f64(),
            met.spent.waited.as_secs_f64(),
            met.milliseconds_a_call(),
            calm.milliseconds_a_call(),
        );
        assert!(met.failed.is_empty(), "{name}: {:?}", met.failed.first());
        assert!(calm.failed.is_empty(), "after what came before {name}: {:?}", calm.failed.first());
        assert!(most <= MOST_MEBIBYTES, "{name} cost {most} MiB");
    }

    let (output, said) = victim.stop();
    assert!(output.status.success() && !said.contains("panicked"), "{said}");
    fs::remove_file(ready_file).expect("it is there");
}
