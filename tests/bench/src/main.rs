//! Benchmarks: this project beside its peers and the limits of the machine, in the same run.

mod ground;
mod machine;
mod measure;
mod peers;
mod process;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let ground = ground::Ground::prepare().await?;
    println!("{:#?}", ground.machine);
    let available = peers::available(&ground).await;
    for peer in &available.peers {
        for (events, payload) in [(1, 256), (10, 256)] {
            ground.settle().await?;
            let sample = peer.append(64, events, payload, std::time::Duration::from_secs(2)).await?;
            println!(
                "{} × {events}: {:.0}/s, p99 {:.2} ms, {} conflicts, {} failed",
                peer.name(),
                sample.rate(),
                sample.quantile(0.99),
                sample.conflicts,
                sample.failed
            );
        }
    }
    for (name, reason) in &available.skipped {
        println!("{name} is skipped: {reason}");
    }
    Ok(())
}
