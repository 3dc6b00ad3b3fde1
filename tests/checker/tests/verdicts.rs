//! What the checker says of small runs, each with one thing wrong.

use std::collections::BTreeMap;

use checker::{
    Evidence,
    Invariant::{self, I1, I2, I3, I4, I5, I6, I7, I8, I9, I10},
    copy::{Copy, Message},
    history::{CheckpointSeen, CopySeen, Delivered, Expect, Invoke, Line, Place, Restore, Run, Seen},
    raw::{Event, Log, Tree},
    record::Record,
    text::{digest, hex},
};

use sha2::{Digest as _, Sha256};

const LOG: &str = "partnerships";
const WHO: &str = "partners/one";

fn place(epoch: &str, position: u64) -> Place {
    Place { epoch: epoch.to_owned(), position }
}

/// A run of three commands, `c1` to `c3`, each sent after the one before was acknowledged at `10 * number + 5`.
fn run() -> Evidence {
    let run = Run { logs: vec![LOG.to_owned()], complete: vec![LOG.to_owned()], ..Run::default() };
    let mut evidence = Evidence { history: vec![Line::Run(run)], ..Evidence::default() };
    evidence.logs.insert(LOG.to_owned(), Log { epochs: vec![("e1".to_owned(), 0)], ..Log::default() });
    for number in 1..=3 {
        let at = 10 * number;
        invoke(&mut evidence, number, at, &format!("c{number}"));
        acknowledged(&mut evidence, number, at + 5, &format!("c{number}"), "e1", number, false);
        write(&mut evidence, &format!("c{number}"), "e1");
    }
    follow(&mut evidence);
    evidence
}

fn invoke(evidence: &mut Evidence, attempt: u64, at: u64, content: &str) {
    evidence.history.push(Line::Invoke(Invoke {
        at,
        attempt,
        log: LOG.to_owned(),
        organisation: WHO.to_owned(),
        request_id: hex(content.as_bytes()),
        command: "Rename".to_owned(),
        content: content.to_owned(),
        expect: Some(Expect { events: 1, since: 0 }),
    }));
}

fn acknowledged(
    evidence: &mut Evidence,
    attempt: u64,
    at: u64,
    content: &str,
    epoch: &str,
    position: u64,
    replayed: bool,
) {
    let stream = format!("partners/{content}");
    let event = [number(1, position), bytes(2, stream.as_bytes()), number(3, 1), bytes(4, b"Renamed")].concat();
    let token = format!("{LOG}.{epoch}.{position}");
    let receipt = [bytes(1, &event), bytes(2, b"\"1\""), bytes(3, token.as_bytes()), number(4, replayed.into())];
    evidence.history.push(Line::Ok { at, attempt, receipt: hex(&receipt.concat()) });
}

/// A field of protobuf; small numbers and short texts only.
fn number(field: u8, value: u64) -> Vec<u8> {
    vec![field << 3, u8::try_from(value).expect("small")]
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2, u8::try_from(value.len()).expect("short")], value].concat()
}

fn log(evidence: &mut Evidence) -> &mut Log {
    evidence.logs.get_mut(LOG).expect("the log")
}

/// Adds the event of a command at the end of the log.
fn write(evidence: &mut Evidence, content: &str, epoch: &str) {
    let position = log(evidence).events.len() as u64 + 1;
    let record = Record {
        position,
        epoch: epoch.to_owned(),
        stream: format!("partners/{content}"),
        version: 1,
        event_id: format!("id{position}"),
        type_name: "Renamed".to_owned(),
        organisation: WHO.to_owned(),
        reason: content.to_owned(),
        request_id: hex(content.as_bytes()),
        ..Record::default()
    };
    let (stream, version) = (record.stream.clone(), record.version);
    let bytes = format!("{content} in {epoch} at {position}").into_bytes();
    log(evidence).events.push(Event { position, stream, version, bytes, record });
    log(evidence).head = Some(place(epoch, position));
}

/// Makes the copy, a consumer and a watcher of the log as it is.
fn follow(evidence: &mut Evidence) {
    let log = log(evidence).clone();
    let head = log.head.expect("a head");
    let digests: Vec<String> = log.events.iter().map(|event| digest(&event.bytes)).collect();
    let messages = log.events.iter().map(|event| Message {
        sequence: event.position,
        epoch: head.epoch.clone(),
        payload: event.bytes.clone(),
    });
    let copy = Copy { end: Some(head.clone()), messages: head.position, held: messages.collect() };
    evidence.copies.insert(LOG.to_owned(), copy);
    let log = LOG.to_owned();
    let seen =
        Seen { from: 40, at: 41, log: log.clone(), head: head.clone(), root: None, first: 1, digests: digests.clone() };
    evidence.history.push(Line::Seen(seen));
    evidence.history.push(Line::Delivered(Delivered {
        at: 45,
        consumer: "a consumer".to_owned(),
        log,
        epoch: head.epoch,
        connection: 0,
        expected: 1,
        positions: (1..=head.position).collect(),
        digests,
    }));
}

/// A backup of the first `position` events is put back from 50 to 60.
fn restore(evidence: &mut Evidence, position: u64) {
    let left = log(evidence).head.clone().expect("a head");
    let found = place(&left.epoch, position);
    log(evidence).events.truncate(usize::try_from(position).expect("small"));
    log(evidence).head = Some(found.clone());
    let of = |place| BTreeMap::from([(LOG.to_owned(), place)]);
    evidence.history.push(Line::Restore(Restore { from: 50, until: 60, left: of(left), found: of(found) }));
}

/// The run that follows a restore: one more command, in an epoch.
fn go_on(evidence: &mut Evidence, epoch: &str) {
    invoke(evidence, 9, 70, "c9");
    let position = log(evidence).events.len() as u64 + 1;
    acknowledged(evidence, 9, 75, "c9", epoch, position, false);
    write(evidence, "c9", epoch);
    let log = log(evidence).clone();
    let head = log.head.expect("a head");
    let copy = evidence.copies.get_mut(LOG).expect("a copy");
    copy.held = log
        .events
        .iter()
        .map(|event| Message { sequence: event.position, epoch: epoch.to_owned(), payload: event.bytes.clone() })
        .collect();
    copy.end = Some(head);
}

#[track_caller]
fn broken(evidence: &Evidence, by: &[Invariant]) {
    let verdict = evidence.judge();
    assert_eq!(verdict.broken().collect::<Vec<_>>(), by, "{verdict}");
}

#[test]
fn a_run_in_which_all_holds_is_found_to_hold() {
    let verdict = run().judge();
    assert!(verdict.holds(), "{verdict}");
    assert_eq!((verdict.counts.ok, verdict.counts.events, verdict.counts.delivered), (3, 3, 3));
}

#[test]
fn without_a_history_the_log_and_its_copy_are_judged_by_themselves() {
    let mut evidence = run();
    evidence.history.clear();
    assert!(evidence.judge_state().holds());
    evidence.copies.get_mut(LOG).expect("a copy").held.pop();
    assert_eq!(evidence.judge_state().broken().collect::<Vec<_>>(), [I8]);
}

#[test]
fn a_run_in_which_nothing_was_acknowledged_shows_nothing() {
    broken(&Evidence::default(), &[Invariant::Run]);
}

#[test]
fn an_acknowledged_command_that_is_not_in_the_log_is_lost() {
    let mut evidence = run();
    evidence.history.retain(|line| !matches!(line, Line::Seen(_) | Line::Delivered(_)));
    log(&mut evidence).events.pop();
    log(&mut evidence).head = Some(place("e1", 2));
    follow(&mut evidence);
    broken(&evidence, &[I1, I2]);
}

#[test]
fn a_request_with_two_effects_is_found() {
    let mut evidence = run();
    write(&mut evidence, "c1", "e1");
    log(&mut evidence).events[3].stream = "partners/else".to_owned();
    log(&mut evidence).events[3].record.stream = "partners/else".to_owned();
    follow(&mut evidence);
    evidence.history.pop();
    broken(&evidence, &[I2, I5]);
}

#[test]
fn a_retry_that_gets_another_answer_is_found() {
    let mut evidence = run();
    invoke(&mut evidence, 7, 70, "c1");
    acknowledged(&mut evidence, 7, 75, "c1", "e1", 2, true);
    assert!(evidence.judge().broken().any(|invariant| invariant == I2));
    let mut evidence = run();
    invoke(&mut evidence, 7, 70, "c1");
    acknowledged(&mut evidence, 7, 75, "c1", "e1", 1, false);
    broken(&evidence, &[I2]);
}

#[test]
fn an_effect_that_nobody_asked_for_is_found() {
    let mut evidence = run();
    write(&mut evidence, "c4", "e1");
    follow(&mut evidence);
    evidence.history.pop();
    broken(&evidence, &[I2]);
}

#[test]
fn a_refused_command_has_no_effect_and_an_unknown_one_may_have_one() {
    let sent = |line: Line| {
        let mut evidence = run();
        evidence.history.pop();
        invoke(&mut evidence, 7, 36, "c4");
        evidence.history.push(line);
        write(&mut evidence, "c4", "e1");
        follow(&mut evidence);
        evidence
    };
    broken(&sent(Line::Fail { at: 39, attempt: 7, code: String::new() }), &[I3]);
    broken(&sent(Line::Unknown { at: 39, attempt: 7, code: String::new() }), &[]);
}

#[test]
fn a_gap_and_a_rewritten_record_are_found() {
    let mut evidence = run();
    let first = &mut log(&mut evidence).events[0];
    first.bytes = b"something else".to_vec();
    evidence.copies.get_mut(LOG).expect("a copy").held[0].payload = b"something else".to_vec();
    broken(&evidence, &[I4, I9]);
    let mut evidence = run();
    log(&mut evidence).head = Some(place("e1", 4));
    evidence.copies.get_mut(LOG).expect("a copy").end = Some(place("e1", 4));
    broken(&evidence, &[I4]);
}

/// The hash of a leaf, or of the node above two hashes.
fn hash(parts: &[&[u8]]) -> Vec<u8> {
    Sha256::digest(parts.concat()).to_vec()
}

#[test]
fn a_head_row_that_holds_another_tree_than_that_of_the_records_is_found() {
    let mut evidence = run();
    let [first, second, third] = [0, 1, 2].map(|index| hash(&[&[0], &log(&mut evidence).events[index].bytes]));
    let both = hash(&[&[1], &first, &second]);
    let tree = Tree { root: hash(&[&[1], &both, &third]), range: [both.clone(), third.clone()].concat() };
    log(&mut evidence).tree = Some(tree.clone());
    let verdict = evidence.judge();
    assert!(verdict.holds() && verdict.checked.contains(&I10), "{verdict}");
    // The root or the range of one event less, of other leaves, and none at all.
    for root in [both.clone(), hash(&[&both, &third]), Vec::new()] {
        log(&mut evidence).tree = Some(Tree { root, ..tree.clone() });
        broken(&evidence, &[I10]);
    }
    for range in [both.clone(), [both, second].concat(), Vec::new()] {
        log(&mut evidence).tree = Some(Tree { range, ..tree.clone() });
        broken(&evidence, &[I10]);
    }
}

#[test]
fn a_head_that_was_seen_with_a_root_that_is_not_that_of_its_records_is_found() {
    let seen_with = |root: Vec<u8>| {
        let mut evidence = run();
        for line in &mut evidence.history {
            if let Line::Seen(seen) = line {
                seen.root = Some(hex(&root));
            }
        }
        evidence
    };
    let [first, second, third] = [0, 1, 2].map(|index| hash(&[&[0], &log(&mut run()).events[index].bytes]));
    let right = hash(&[&[1], &hash(&[&[1], &first, &second]), &third]);
    broken(&seen_with(right.clone()), &[]);
    broken(&seen_with(hash(&[&[1], &first, &hash(&[&[1], &second, &third])])), &[I10]);
    // What was seen before a restore took it back was right then.
    let mut evidence = seen_with(right);
    restore(&mut evidence, 2);
    log(&mut evidence).epochs.push(("e2".to_owned(), 2));
    go_on(&mut evidence, "e2");
    broken(&evidence, &[]);
}

#[test]
fn a_command_that_stands_before_one_that_was_acknowledged_earlier_is_found() {
    let mut evidence = run();
    for line in &mut evidence.history {
        if let Line::Invoke(invoke) = line
            && invoke.content == "c3"
        {
            invoke.at = 1;
        }
    }
    broken(&evidence, &[]);
    for line in &mut evidence.history {
        match line {
            Line::Invoke(invoke) if invoke.content == "c1" => invoke.at = 38,
            Line::Ok { at, attempt: 1, .. } => *at = 39,
            _ => {}
        }
    }
    broken(&evidence, &[I5]);
}

#[test]
fn a_version_that_is_left_out_is_found() {
    let mut evidence = run();
    evidence.history.retain(|line| !matches!(line, Line::Ok { attempt: 3, .. }));
    log(&mut evidence).events[2].version = 2;
    log(&mut evidence).events[2].record.version = 2;
    broken(&evidence, &[I6]);
}

#[test]
fn checkpoints_beyond_the_log_or_going_back_are_found() {
    let look = |at: u64, checkpoint: u64| {
        Line::Checkpoint(CheckpointSeen {
            from: at,
            at,
            follower: "a follower".to_owned(),
            log: LOG.to_owned(),
            checkpoint: place("e1", checkpoint),
            head: place("e1", 3),
        })
    };
    let mut evidence = run();
    evidence.history.extend([look(20, 2), look(21, 3)]);
    broken(&evidence, &[]);
    evidence.history.push(look(22, 4));
    broken(&evidence, &[I7]);
    let mut evidence = run();
    evidence.history.extend([look(20, 3), look(30, 2)]);
    broken(&evidence, &[I7]);
    evidence.history.push(Line::Crash { from: 22, until: 25 });
    broken(&evidence, &[]);
}

#[test]
fn rows_that_a_fold_from_zero_does_not_make_are_found() {
    let rows = |rows: &[&str]| BTreeMap::from([("t".to_owned(), rows.iter().map(ToString::to_string).collect())]);
    let mut evidence = run();
    evidence.read_models = Some((rows(&["a", "b"]), rows(&["a", "b"])));
    broken(&evidence, &[]);
    evidence.read_models = Some((rows(&["a"]), rows(&["a", "b"])));
    broken(&evidence, &[I7]);
}

#[test]
fn a_copy_that_differs_from_the_log_or_is_ahead_of_it_is_found() {
    let mut evidence = run();
    evidence.copies.get_mut(LOG).expect("a copy").held.remove(1);
    broken(&evidence, &[I8]);
    let mut evidence = run();
    evidence.copies.get_mut(LOG).expect("a copy").held[1].payload.push(0);
    broken(&evidence, &[I8]);
    let mut evidence = run();
    let (copy, head) = (place("e1", 3), place("e1", 2));
    evidence.history.push(Line::Copy(CopySeen { from: 30, at: 31, log: LOG.to_owned(), copy, head }));
    broken(&evidence, &[I8]);
}

#[test]
fn a_consumer_that_misses_an_event_is_found() {
    let mut evidence = run();
    for line in &mut evidence.history {
        if let Line::Delivered(delivered) = line {
            delivered.positions.remove(1);
            delivered.digests.remove(1);
        }
    }
    broken(&evidence, &[I9]);
}

#[test]
fn an_announced_restore_takes_back_what_came_after_the_backup_and_nothing_else() {
    let mut evidence = run();
    restore(&mut evidence, 2);
    log(&mut evidence).epochs.push(("e2".to_owned(), 2));
    go_on(&mut evidence, "e2");
    let verdict = evidence.judge();
    assert!(verdict.holds(), "{verdict}");
    assert_eq!((verdict.counts.lost_by_restore, verdict.counts.restores), (1, 1));
    // One more than that is gone.
    restore(&mut evidence, 1);
    evidence.history.pop();
    assert!(evidence.judge().broken().any(|invariant| invariant == I1));
}

#[test]
fn a_restored_log_that_goes_on_in_the_same_epoch_is_found() {
    let mut evidence = run();
    restore(&mut evidence, 2);
    go_on(&mut evidence, "e1");
    broken(&evidence, &[I4, I5]);
}

#[test]
fn a_new_epoch_without_a_restore_is_found() {
    let mut evidence = run();
    log(&mut evidence).epochs.push(("e2".to_owned(), 3));
    go_on(&mut evidence, "e2");
    broken(&evidence, &[I4]);
}

#[test]
fn a_consumer_that_is_led_into_another_history_is_found() {
    let mut evidence = run();
    restore(&mut evidence, 2);
    log(&mut evidence).epochs.push(("e2".to_owned(), 2));
    write(&mut evidence, "c8", "e2");
    invoke(&mut evidence, 8, 64, "c8");
    go_on(&mut evidence, "e2");
    let given = |expected: u64, evidence: &mut Evidence| {
        let digests = log(evidence).events[usize::try_from(expected - 1).expect("small")..].iter();
        Line::Delivered(Delivered {
            at: 80,
            consumer: "a consumer".to_owned(),
            log: LOG.to_owned(),
            epoch: "e2".to_owned(),
            connection: 1,
            expected,
            positions: (expected..=4).collect(),
            digests: digests.map(|event| digest(&event.bytes)).collect(),
        })
    };
    let begins_again = given(1, &mut evidence);
    evidence.history.push(begins_again);
    broken(&evidence, &[]);
    evidence.history.pop();
    let goes_on = given(4, &mut evidence);
    evidence.history.push(goes_on);
    broken(&evidence, &[I9]);
}
