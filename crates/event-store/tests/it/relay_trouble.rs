//! What the relay does when the broker, its disk, its files or the line to it fail while it publishes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use async_nats::HeaderMap;
use event_store::{
    Nats,
    relay::{RebuildReason, RelayConfig, RelayState, RelayStatus, Trouble},
};
use tokio_util::sync::CancellationToken;

use crate::{
    stage::{Relaying, Stage, append, quick, relay_of, relay_with, until},
    tally::request,
    wire::{Cut, Wire},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_stored_though_nobody_heard_of_it_is_not_published_again() {
    the_line_is_cut(Cut::BeforeAnswer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_cut_off_before_its_end_is_published_whole() {
    the_line_is_cut(Cut::BeforeCommit).await;
}

async fn the_line_is_cut(cut: Cut) {
    let stage = Stage::new().await;
    stage.append("many", 1_900).await;
    stage.append("more", 1_900).await;
    let wire = Wire::to(&stage.server.url(), cut).await;
    let nats = Nats::connect(&wire.url(), "by a line that is cut").await.expect("a connection");
    until("NATS is connected", async || nats.is_connected()).await;
    let relaying = relay_of(&stage.log, &nats);
    stage.caught_up(&relaying).await;
    assert_eq!(wire.cuts(), 1, "{cut:?}");
    stage.append("single", 1).await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
    assert_eq!(relaying.status.borrow().rebuilds, 0, "a cut line is no reason to publish everything again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_while_the_stream_is_filled_is_filled_to_the_end() {
    let mut stage = Stage::new().await;
    for part in 0..8 {
        stage.append(&format!("part-{part}"), 1_900).await;
    }
    let relaying = stage.relay();
    for least in [1, 5_000] {
        let mut status = relaying.status.clone();
        status.wait_for(|status| status.published > least).await.expect("the relay runs");
        stage.server.kill().await.expect("killed");
        stage.server.resume().await.expect("it starts");
    }
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_deleted_while_it_is_written_comes_back_whole() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    let load = Load::start(&stage);
    for _ in 0..3 {
        let before = relaying.status.borrow().published;
        until("the relay goes on", async || relaying.status.borrow().published > before + 100).await;
        stage.jetstream().await.delete_stream("toguna-tallies").await.expect("deleted");
        until("it begins anew", async || stage.jetstream().await.get_stream("toguna-tallies").await.is_ok()).await;
    }
    load.stop().await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_into_the_stream_under_load_cannot_make_it_another_than_the_log() {
    let stage = Stage::new().await;
    let relaying = stage.relay();
    let load = Load::start(&stage);
    let intruder = stage.jetstream().await;
    for _ in 0..3 {
        let before = relaying.status.borrow().published;
        until("the relay goes on", async || relaying.status.borrow().published > before + 20).await;
        let sent = intruder.publish_with_headers("toguna.v1.tallies.other.Thing", HeaderMap::new(), "not ours".into());
        sent.await.expect("sent").await.expect("stored");
        let mut status = relaying.status.clone();
        let before = status.borrow().rebuilds;
        status.wait_for(|status| status.rebuilds > before).await.expect("the relay runs");
    }
    load.stop().await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_flips_in_the_brokers_file_leaves_no_trace() {
    let mut stage = Stage::new().await;
    let relaying = stage.relay();
    stage.append("a", 300).await;
    stage.caught_up(&relaying).await;
    stage.server.stop().await.expect("stopped");
    let block = find(&stage.server.store(), "1.blk").expect("the messages are in a file");
    let mut bytes = fs::read(&block).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&block, bytes).expect("it can be written");
    // The server's own summary of the file, which would keep it from looking.
    if let Some(index) = find(&stage.server.store(), "index.db") {
        fs::remove_file(index).expect("removed");
    }
    stage.server.resume().await.expect("it starts");
    until("the relay looks again", async || stage.nats.is_connected()).await;
    stage.append("a", 1).await;
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_stream_is_compared_whole_soon_and_the_status_says_so() {
    let stage = Stage::new().await;
    for part in 0..6 {
        stage.append(&format!("part-{part}"), 1_000).await;
    }
    // So little under load that the whole would take hours.
    let relaying = relay_with(&stage, RelayConfig { audit_records: 1, ..RelayConfig::default() });
    let mut status = relaying.status.clone();
    let whole = |status: &RelayStatus| {
        status.last_audit.is_some_and(|audit| audit.whole_since.is_some() && audit.compared_to == 6_000)
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), status.wait_for(whole)).await;
    let audit = waited.expect("in time").expect("the relay runs").last_audit.expect("it was compared");
    assert!(audit.whole_since.is_some_and(|since| since <= event_store::Timestamp::now()));
    assert!(audit.published <= 6_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_broker_is_named_and_its_restart_brings_everything_back() {
    let Some((mut stage, disk)) = on_a_small_disk(Stage::new().await).await else { return };
    let relaying = relay_with(&stage, RelayConfig { patience: Duration::from_hours(1), ..quick() });
    fill(&stage, &relaying).await;
    stage.append("the-log-goes-on", 5).await;
    stage.server.stop().await.expect("stopped");
    disk.grow();
    stage.server.resume().await.expect("it starts");
    stage.caught_up(&relaying).await;
    stage.assert_stream_is_a_copy().await;
    assert_eq!(relaying.status.borrow().rebuilds, 0, "what was stored is still right");
    relaying.stop().await;
    stage.server.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stays_silent_after_its_disk_was_full_needs_no_restart() {
    let Some((stage, disk)) = on_a_small_disk(Stage::new().await).await else { return };
    becomes_silent(stage, disk).await.assert_stream_is_a_copy().await;
}

/// Fills the disk, lets it grow, and waits until all is well again without a restart.
pub async fn becomes_silent(stage: Stage, disk: Disk) -> Stage {
    let relaying = relay_with(&stage, RelayConfig { patience: Duration::from_secs(2), ..quick() });
    fill(&stage, &relaying).await;
    // Full as it is, nothing is made again: what is there is of use.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(relaying.status.borrow().rebuilds, 0);
    disk.grow();
    relaying.rebuilds_for(RebuildReason::StandsStill).await;
    stage.caught_up(&relaying).await;
    relaying.stop().await;
    stage
}

/// Appends until the broker's disk is full and the relay says so.
async fn fill(stage: &Stage, relaying: &Relaying) {
    for part in 0..6 {
        stage.append(&format!("part-{part}"), 1_900).await;
    }
    let mut status = relaying.status.clone();
    let says =
        |status: &RelayStatus| matches!(&status.state, RelayState::Retrying { trouble: Trouble::StoresNothing, .. });
    let waited = tokio::time::timeout(crate::stage::LIMIT, status.wait_for(says)).await;
    let status = waited.unwrap_or_else(|_| panic!("not named: {:?}", relaying.status.borrow()));
    let status = status.expect("the relay runs").clone();
    assert!(status.published < status.head && !status.is_caught_up());
    assert!(Trouble::StoresNothing.advice().contains("disk"));
}

/// A disk of a size of its own.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts one at a place; only who administers the machine may.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a directory");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }

    fn grow(&self) {
        let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&self.0).status();
        assert!(grown.expect("mount runs").success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the server may still run where the test failed.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

pub async fn on_a_small_disk(mut stage: Stage) -> Option<(Stage, Disk)> {
    stage.server.stop().await.expect("stopped");
    let Some(disk) = Disk::mount(&stage.server.store()) else {
        harness::not_tried("a nats-server whose disk is full", "only root may mount a small disk");
        return None;
    };
    stage.server.resume().await.expect("it starts");
    stage.connected().await;
    Some((stage, disk))
}

/// Commands that do not stop.
struct Load {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Load {
    fn start(stage: &Stage) -> Self {
        let (stop, log) = (CancellationToken::new(), stage.log.clone());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                append(&log, request(), "load", 3).await;
            }
        });
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("no command failed");
    }
}

/// A file of that name below a folder.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    let here = entries.iter().find(|path| path.file_name().is_some_and(|file| file == name)).cloned();
    here.or_else(|| entries.iter().filter(|path| path.is_dir()).find_map(|path| find(path, name)))
}
