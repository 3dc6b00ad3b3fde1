//! Services, nats-server and Postgres are killed at random under load. Afterwards, from the outside: every acknowledged
//! command is in its log once, positions have no gap, JetStream holds the same bytes, reactions had one effect each, and
//! read models equal those built anew.
//!
//! `CHAOS_SECONDS` (20) says how long the faults go on, `CHAOS_SEED` (a new one, printed) which ones come.

#[path = "chaos/check.rs"]
mod check;
#[path = "chaos/faults.rs"]
mod faults;
#[path = "chaos/load.rs"]
mod load;
#[path = "chaos/stack.rs"]
mod stack;

use std::{env, sync::Arc, time::Duration};

use tokio::sync::Mutex;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_done_twice() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("CHAOS_SECONDS").unwrap_or(20);
    let seed = number("CHAOS_SEED").unwrap_or_else(|| u64::from(uuid::Uuid::new_v4().as_fields().0));
    println!("seed {seed}, {seconds} s");

    let stack = stack::Stack::start().await;
    let clients = load::Clients::new(&stack);
    load::prepare(&clients).await;
    let stack = Arc::new(Mutex::new(stack));
    let load = load::Load::start(&clients);
    let faults = faults::strike(&stack, &load.acknowledged, seed, Duration::from_secs(seconds)).await;
    let history = load.stop().await;
    println!("faults: {faults:?}");
    println!("acknowledged {}, retries {}, refused {}", history.acknowledged.len(), history.retries, history.refused);

    let mut stack = Arc::into_inner(stack).expect("the faults are over").into_inner();
    check::settled(&stack, &clients).await;
    check::logs(&stack, &clients, &history).await;
    check::read_models(&mut stack, &clients).await;
}
