//! What is published is the log, signed and witnessed, whatever happens on the way.

use std::{collections::BTreeMap, fs, path::PathBuf};

use event_store::publication::PublicationState;
use transparency::{Hash, Known};

use crate::{
    publishing::{Publishing, files, restore},
    stage::until,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_the_log_at_every_size_on_the_way() {
    let stage = Publishing::new(0, 0).await;
    let published = stage.start();
    let mut size = 0;
    // Around the ends of tiles, and many at once.
    for next in [1, 2, 255, 256, 257, 511, 512, 700] {
        stage.append(next - size).await;
        size = next;
        published.signed(size as u64).await;
        stage.assert_published_is_the_log().await;
    }
    let (checkpoint, _) = stage.checkpoint("checkpoint");
    assert_eq!(checkpoint.size(), 700, "a policy without a quorum is met by the log's own signature");
    assert!(!stage.place().join("tile/0/000.p").exists(), "a full tile needs no partial one");
    let lines = fs::read_to_string(stage.place().join("checkpoints.jsonl")).expect("the list of checkpoints");
    assert!(lines.lines().last().is_some_and(|line| line.contains(r#""size":700"#)), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_grew_long_before_it_was_published_is_published_whole() {
    let stage = Publishing::new(0, 0).await;
    stage.append(65_536 + 300).await;
    let published = stage.start();
    published.signed(65_836).await;
    stage.assert_published_is_the_log().await;
    published.stop().await;
    // Taken up again from tiles of three levels.
    stage.append(1).await;
    let published = stage.start();
    published.signed(65_837).await;
    stage.assert_published_is_the_log().await;
    assert_eq!(published.status.borrow().state, PublicationState::Publishing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_published_once_enough_witnesses_signed_and_late_lines_are_kept() {
    let stage = Publishing::new(2, 3).await;
    for witness in &stage.witnesses[1..] {
        *witness.ailing.lock().expect("no panic") = Some(503);
    }
    let published = stage.start();
    stage.append(3).await;
    published.signed(3).await;
    published.is("one line", |status| status.witnesses.iter().any(|witness| witness.cosigned == 3)).await;
    published
        .is("two in trouble", |status| status.witnesses.iter().filter(|it| it.trouble.is_some()).count() == 2)
        .await;
    assert_eq!(published.status.borrow().witnessed, 0);
    assert!(!stage.place().join("checkpoint").exists(), "one of three is not enough");
    *stage.witnesses[1].ailing.lock().expect("no panic") = None;
    let status = published.witnessed(3).await;
    assert_eq!(stage.checkpoint("checkpoint").1.to_string(), status.note);
    assert_eq!(stage.checkpoint("checkpoint").1.lines().len(), 3, "the log and two witnesses");
    *stage.witnesses[2].ailing.lock().expect("no panic") = None;
    until("the late line is kept", async || stage.checkpoint("checkpoint").1.lines().len() == 4).await;
    assert_eq!(stage.checkpoint("signed").1.lines().len(), 4);
    stage.append(5).await;
    published.witnessed(8).await;
    published.stop().await;
    // What was witnessed is known after a restart, and nobody signs twice for nothing.
    let published = stage.start();
    published.witnessed(8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_epoch_is_a_tree_of_its_own() {
    let stage = Publishing::new(1, 1).await;
    let published = stage.start();
    stage.append(4).await;
    published.witnessed(4).await;
    let (before, old) = (stage.place(), files(&stage.place()));
    let lost = event_store::Published {
        epoch: stage.log.epoch(),
        position: stage.log.head() + 1,
        record: bytes::Bytes::from("lost"),
    };
    assert!(stage.log.compare_with_published(&lost).await.expect("the log"), "an epoch begins");
    let epoch = stage.log.epoch();
    published.is("another epoch", |status| status.epoch == epoch && status.witnessed == 4).await;
    assert_ne!(stage.place(), before);
    stage.assert_published_is_the_log().await;
    assert_eq!(files(&before), old, "the old tree stays as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_do_not_give_the_root_of_the_head_are_neither_published_nor_signed() {
    let stage = Publishing::new(0, 0).await;
    stage.append(5).await;
    stage.as_owner("UPDATE events SET record = record || '\\x00'::bytea WHERE position = 3").await;
    let published = stage.start();
    let error = published.stops().await;
    assert!(error.contains("from position 1 to 5"), "{error}");
    assert!(!stage.place().join("tile").exists() && !stage.place().join("signed").exists());
    assert_eq!(stage.signer.asked.load(std::sync::atomic::Ordering::Relaxed), 0, "the signer was not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_record_that_is_published_is_named_by_its_position() {
    let stage = Publishing::new(0, 0).await;
    let published = stage.start();
    stage.append(300).await;
    published.signed(300).await;
    published.stop().await;
    let before = files(&stage.place());
    stage.as_owner("UPDATE events SET record = record || '\\x00'::bytea WHERE position = 270").await;
    let published = stage.start();
    let error = published.stops().await;
    assert!(error.contains("position 270") && error.contains("tile/0/001"), "{error}");
    assert_eq!(files(&stage.place()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_any_two_files_is_gone_on_from() {
    let stage = Publishing::new(1, 1).await;
    let published = stage.start();
    stage.append(250).await;
    published.witnessed(250).await;
    published.stop().await;
    let before = files(&stage.place());
    let published = stage.start();
    stage.append(10).await;
    published.witnessed(260).await;
    published.stop().await;
    let after = files(&stage.place());
    // In the order in which they are written, each as it is before it has its name, too.
    let order = |path: &PathBuf| {
        let last = ["signed", "checkpoints.jsonl", "checkpoint"].iter().position(|name| path.ends_with(name));
        (last.map_or(0, |place| place + 1), path.clone())
    };
    let mut new: Vec<_> = after.keys().filter(|path| before.get(*path) != after.get(*path)).cloned().collect();
    new.sort_by_key(order);
    assert!(new.len() >= 7, "{new:?}");
    for written in 0..=new.len() {
        let mut crashed: BTreeMap<PathBuf, Vec<u8>> = before.clone();
        for path in &new[..written] {
            crashed.insert(path.clone(), after[path].clone());
        }
        let torn = new.get(written).map(|path| after[path][..after[path].len() / 2].to_vec());
        match new.get(written) {
            Some(path) if path.ends_with("checkpoints.jsonl") => {
                crashed.insert(path.clone(), torn.unwrap_or_default());
            }
            _ => {
                crashed.insert(".unfinished".into(), torn.unwrap_or_default());
            }
        }
        restore(&stage.place(), &crashed);
        let published = stage.start();
        published.witnessed(260).await;
        published.stop().await;
        stage.assert_published_is_the_log().await;
        assert_eq!(stage.checkpoint("checkpoint").0.size(), 260, "{written} written");
        let list = fs::read_to_string(stage.place().join("checkpoints.jsonl")).expect("the list");
        for line in list.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_another_log_is_not_touched() {
    let (stage, other) = (Publishing::new(0, 0).await, Publishing::new(0, 0).await);
    let published = other.start();
    other.append(6).await;
    published.signed(6).await;
    published.stop().await;
    let foreign = files(&other.place());
    restore(&stage.place(), &foreign);
    stage.append(6).await;
    let published = stage.start();
    let error = published.stops().await;
    assert!(error.starts_with("signed is not what this log publishes"), "{error}");
    assert_eq!(files(&stage.place()), foreign);
    published.stop().await;
    // Without the checkpoint it is the tiles that tell.
    let mut tiles = foreign;
    tiles.retain(|path, _| path.starts_with("tile"));
    restore(&stage.place(), &tiles);
    let published = stage.start();
    let error = published.stops().await;
    assert!(error.contains("tile/entries/000.p/6"), "{error}");
    let mut left = files(&stage.place());
    left.retain(|path, _| path.starts_with("tile"));
    assert_eq!(left, tiles);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_restored_is_not_published_over_what_it_lost() {
    let stage = Publishing::new(0, 0).await;
    let published = stage.start();
    stage.append(3).await;
    published.signed(3).await;
    stage.as_owner("CREATE TABLE backup AS SELECT root, compact_range, recorded_at_us FROM head").await;
    stage.append(3).await;
    published.signed(6).await;
    published.stop().await;
    let before = files(&stage.place());
    stage
        .as_owner(
            "DELETE FROM events WHERE position > 3;
             UPDATE head SET (position, root, compact_range, recorded_at_us) = (SELECT 3, backup.* FROM backup)",
        )
        .await;
    let published = stage.start();
    let error = published.stops().await;
    assert_eq!(error, "6 records are published, and the log has 3");
    assert_eq!(files(&stage.place()), before);
    published.stop().await;
    // Nor does it help to take the folder away: the signer knows.
    fs::remove_dir_all(stage.place()).expect("it is gone");
    let published = stage.start();
    let error = published.stops().await;
    assert!(error.contains("signed 6 records") && error.contains("restored"), "{error}");
    assert!(!stage.place().join("signed").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_signer_holds_for_a_fork_is_not_signed() {
    let stage = Publishing::new(0, 0).await;
    stage.append(4).await;
    let other = Known { size: 3, root: Hash::from([9; 32]) };
    stage.signer.known.lock().expect("no panic").insert(stage.origin(), other);
    let published = stage.start();
    let error = published.stops().await;
    assert!(error.contains("this is not the log that it signed before"), "{error}");
    assert!(!stage.place().join("signed").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_publication_go_on_when_the_signer_comes_back() {
    let stage = Publishing::new(0, 0).await;
    *stage.signer.ailing.lock().expect("no panic") = Some(404);
    let published = stage.start();
    stage.append(2).await;
    let troubled = |state: &PublicationState| matches!(state, PublicationState::Retrying { .. });
    published.is("waiting for the signer", |status| troubled(&status.state)).await;
    stage.append(2).await;
    *stage.signer.ailing.lock().expect("no panic") = None;
    published.is("all signed", |status| status.signed == 4 && status.state == PublicationState::Publishing).await;
    stage.assert_published_is_the_log().await;
}
