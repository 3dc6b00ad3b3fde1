//! Replays in slices: where one ended, another goes on.

use std::time::{Duration, Instant};

use contracts::toguna::log::v1::{self as pb, GoodbyeReason, replay_log_request::Start, replay_log_response::Message};
use service_runtime::LogReaders;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::{
    notes::{Service, environment, reason, unique_name},
    replay::{from, next, note_in, of_stream, replay, told},
};

fn reason_of(end: &Message) -> GoodbyeReason {
    let Message::Goodbye(goodbye) = end else { panic!("a goodbye: {end:?}") };
    goodbye.reason()
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_of_so_many_events_are_together_the_whole_with_one_chain() {
    let mut service = Service::start().await;
    for number in 0..20 {
        note_in(&mut service, if number % 3 == 0 { "funds/third" } else { "funds/one" }).await;
    }
    for whole in [pb::ReplayLogRequest::default(), of_stream("funds/third"), of_stream("funds/one")] {
        let expected = told(&mut service, whole.clone()).await;
        let (mut links, mut start): (Vec<(u64, u64)>, _) = (Vec::new(), None);
        loop {
            let slice = pb::ReplayLogRequest { start, max_events: 3, ..whole.clone() };
            let told = told(&mut service, slice).await;
            links.extend(told.links.iter().copied());
            if matches!(told.end, Message::CaughtUp(_)) {
                break;
            }
            assert_eq!((told.links.len(), reason_of(&told.end)), (3, GoodbyeReason::SliceFull));
            start = Some(told.start());
        }
        assert_eq!(links, expected.links);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_goes_on_over_a_pause_in_which_the_service_was_started_again() {
    let (name, environment) = (unique_name(), environment().await);
    let mut service = Service::start_in(name, &environment, LogReaders::Partners).await;
    let filter = pb::ReplayFilter { types: vec!["toguna.log.v1.Provenance".into()], ..pb::ReplayFilter::default() };
    let large = pb::ReplayLogRequest { filter: Some(filter), ..pb::ReplayLogRequest::default() };
    for number in [600, 1, 601, 2, 3] {
        service.note(number).await;
    }
    let first = told(&mut service, large.clone()).await;
    assert_eq!((first.links.clone(), first.place().position), (vec![(1, 0), (3, 1)], 5));
    service.stop().await;
    let mut service = Service::start_in(name, &environment, LogReaders::Partners).await;
    service.note(4).await;
    service.note(602).await;
    let second = told(&mut service, pb::ReplayLogRequest { start: Some(first.start()), ..large.clone() }).await;
    assert_eq!(second.links, [(7, 3)], "the event before is that of the first replay");
    // Without the token nobody knows which one that was.
    let anew = told(&mut service, pb::ReplayLogRequest { start: from(6).start, ..large }).await;
    assert_eq!(anew.links, [(7, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_of_so_much_time_ends_then() {
    let mut service = Service::start().await;
    service.note(1).await;
    let asked = Instant::now();
    let max_duration = Some(prost_types::Duration { seconds: 0, nanos: 400_000_000 });
    let told = told(&mut service, pb::ReplayLogRequest { follow: true, max_duration, ..from(1) }).await;
    assert!(asked.elapsed() >= Duration::from_millis(400), "{:?}", asked.elapsed());
    assert_eq!((told.positions(), reason_of(&told.end)), (vec![1], GoodbyeReason::SliceFull));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_another_replay_is_none_in_this_one() {
    let (mut service, mut other) = (Service::start().await, Service::start().await);
    for service in [&mut service, &mut other] {
        service.note(1).await;
    }
    let here = told(&mut service, of_stream("funds/one")).await;
    let there = told(&mut other, of_stream("funds/one")).await;
    let Start::ResumeToken(token) = here.start() else { panic!("a token") };
    let ahead = Start::ResumeToken(token.replace(".1.1.", ".2.1."));
    for (start, of, expected) in [
        (here.start(), pb::ReplayLogRequest::default(), "RESUME_TOKEN_OTHER_FILTER"),
        (here.start(), of_stream("funds/two"), "RESUME_TOKEN_OTHER_FILTER"),
        (there.start(), of_stream("funds/one"), "RESUME_TOKEN_FOREIGN_LOG"),
        (ahead, of_stream("funds/one"), "READ_MODEL_BEHIND"),
    ] {
        let asked = replay(&mut service, pb::ReplayLogRequest { start: Some(start), ..of }).await;
        let status = asked.map(|_| ()).expect_err(expected);
        assert_eq!(reason(&status), expected);
        let code = if expected == "READ_MODEL_BEHIND" { Code::Unavailable } else { Code::FailedPrecondition };
        assert_eq!(status.code(), code, "{}", status.message());
        if code == Code::Unavailable {
            let info = status.get_details_error_info().expect("always there");
            let told = ["log", "position", "wanted", "events", "seconds"].map(|key| info.metadata[key].as_str());
            assert_eq!(told[1..], ["1", "2", "1", "0"], "{told:?}");
        }
    }
    let resumed = pb::ReplayLogRequest { start: Some(here.start()), ..of_stream("funds/one") };
    let mut resumed = replay(&mut service, resumed).await.expect("of this log and with this filter it is one");
    assert!(matches!(next(&mut resumed).await, Some(Message::CaughtUp(_))));
}
