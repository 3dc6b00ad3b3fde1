//! Callers as tasks of their own: a client library that does its work where it is called has all processors for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::{
    measure::{Outcome, Sample, closed_loop},
    process::Watched,
};

/// The same as [`closed_loop`], each caller in a task of its own, with the processor time of the store's processes.
pub async fn spread<F, Fut>(store: &Watched, callers: usize, time: Duration, operation: F) -> Result<Sample>
where
    F: Fn(usize, u64) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send,
{
    let (began, before) = (Instant::now(), store.cpu());
    let operation = Arc::new(operation);
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let operation = operation.clone();
        tasks.spawn(async move { closed_loop(1, time, |_, turn| operation(caller, turn)).await });
    }
    let mut all = Sample::empty();
    while let Some(sample) = tasks.join_next().await {
        let sample = sample?;
        all.elapsed = all.elapsed.max(sample.elapsed);
        all.add(&sample);
    }
    // The warm-up is taken to have cost as much a second as the rest.
    let counted = all.elapsed.as_secs_f64() / began.elapsed().as_secs_f64();
    all.cpu = store.cpu().saturating_sub(before).mul_f64(counted);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_caller_calls_as_itself_and_all_are_counted() {
        let seen = Arc::new([const { std::sync::atomic::AtomicU64::new(0) }; 3]);
        let calls = seen.clone();
        let sample = spread(&Watched::default(), 3, Duration::from_millis(100), move |caller, _| {
            calls[caller].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Outcome::Done
            }
        })
        .await
        .expect("no task fails");
        assert!(seen.iter().all(|calls| calls.load(std::sync::atomic::Ordering::Relaxed) > 0));
        assert!(sample.operations >= 3 && sample.elapsed >= Duration::from_millis(100));
    }
}
