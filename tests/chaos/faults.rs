//! What goes wrong, one thing after another, as a seed says.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use crate::stack::{LOGS, Stack};

/// A small generator of the numbers that a seed stands for (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// How long the stack may take to answer commands again after a fault.
const RECOVERY: Duration = Duration::from_mins(1);

/// Strikes for a time, mends what it broke, and says how often each fault came. One fault in three strikes while the
/// one before is not mended yet; after the others, commands must be answered again before the next one comes.
pub async fn strike(
    stack: &Arc<Mutex<Stack>>,
    acknowledged: &AtomicU64,
    seed: u64,
    time: Duration,
) -> BTreeMap<&'static str, u32> {
    let mut numbers = Numbers(seed.max(1));
    let mut counts = BTreeMap::new();
    let end = Instant::now() + time;
    while Instant::now() < end {
        if numbers.below(3) > 0 {
            let enough = acknowledged.load(Ordering::Relaxed) + 5 + numbers.below(30);
            let limit = Instant::now() + RECOVERY;
            while acknowledged.load(Ordering::Relaxed) < enough {
                assert!(Instant::now() < limit, "commands are not answered again after {counts:?}");
                stack.lock().await.start_missing();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        } else {
            tokio::time::sleep(Duration::from_millis(numbers.below(1_000))).await;
        }
        let outage = Duration::from_millis(numbers.below(800));
        let mut stack = stack.lock().await;
        let fault = match numbers.below(7) {
            0..=2 => {
                let index = usize::try_from(numbers.below(3)).unwrap_or_default();
                stack.services.get_mut(LOGS[index]).expect("a service").kill();
                tokio::time::sleep(outage).await;
                "service killed"
            }
            3 => {
                stack.nats.kill().await.expect("killed");
                tokio::time::sleep(outage).await;
                stack.nats.resume().await.expect("nats-server starts again");
                "nats-server killed"
            }
            4 => {
                stack.nats.kill().await.expect("killed");
                fs::remove_dir_all(stack.nats.store()).expect("wiped");
                stack.nats.resume().await.expect("nats-server starts again");
                "JetStream wiped"
            }
            5 => {
                stack.postgres.stop_immediately().await.expect("stopped");
                tokio::time::sleep(outage).await;
                stack.postgres.resume().await.expect("PostgreSQL starts again");
                "PostgreSQL stopped at once"
            }
            _ => {
                stack.postgres.stop_immediately().await.expect("stopped");
                let index = usize::try_from(numbers.below(3)).unwrap_or_default();
                stack.services.get_mut(LOGS[index]).expect("a service").kill();
                stack.nats.kill().await.expect("killed");
                stack.postgres.resume().await.expect("PostgreSQL starts again");
                stack.nats.resume().await.expect("nats-server starts again");
                "everything at once"
            }
        };
        *counts.entry(fault).or_default() += 1;
        stack.start_missing();
    }
    stack.lock().await.until_ready().await;
    counts
}
