//! Replays that stay: what a follower hears, and when it is sent away.

use std::time::{Duration, Instant};

use contracts::toguna::log::v1::{self as pb, GoodbyeReason, replay_log_request::Start, replay_log_response::Message};
use service_runtime::LogReaders;
use sqlx::{Connection as _, PgConnection};
use tonic::{Code, Streaming};
use tonic_types::StatusExt as _;

use crate::{
    notes::{Service, by, environment, note, reason, unique_name},
    replay::{from, next, of_stream, place, replay},
};

fn following(request: pb::ReplayLogRequest) -> pb::ReplayLogRequest {
    pb::ReplayLogRequest { follow: true, ..request }
}

/// A service whose replays say after a second that they are alive.
async fn lively() -> Service {
    let mut environment = environment().await;
    environment.insert("TOGUNA_HEARTBEAT", "1".into());
    Service::start_in(unique_name(), &environment, LogReaders::Partners).await
}

/// The goodbye that a replay ends with.
async fn goodbye(answers: &mut Streaming<pb::ReplayLogResponse>) -> pb::Goodbye {
    loop {
        if let Message::Goodbye(goodbye) = next(answers).await.expect("no end without a word") {
            assert!(next(answers).await.is_none(), "nothing comes after it");
            return goodbye;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_hears_of_each_event_and_when_it_has_caught_up() {
    let mut service = Service::start().await;
    service.note(1).await;
    let mut answers = replay(&mut service, following(from(1))).await.expect("a replay");
    for position in 1..=3 {
        let Some(Message::Events(batch)) = next(&mut answers).await else { panic!("events") };
        assert_eq!((batch.events[0].position, batch.events[0].previous_position), (position, position - 1));
        let Some(Message::CaughtUp(end)) = next(&mut answers).await else { panic!("the end, for now") };
        assert_eq!(end.place.expect("a place").position, position);
        service.note(position + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_ahead_waits_for_its_position() {
    let mut service = Service::start().await;
    let mut answers = replay(&mut service, following(from(3))).await.expect("a replay");
    let Some(Message::CaughtUp(end)) = next(&mut answers).await else { panic!("the end") };
    assert_eq!(end.place.expect("a place").position, 0);
    for number in 1..=3 {
        service.note(number).await;
    }
    let Some(Message::Events(batch)) = next(&mut answers).await else { panic!("events") };
    assert_eq!(batch.events[0].position, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_broken_by_a_heartbeat_that_says_where_the_replay_is() {
    let mut service = lively().await;
    service.note(1).await;
    let began = Instant::now();
    let mut answers = replay(&mut service, following(from(1))).await.expect("a replay");
    assert!(matches!(next(&mut answers).await, Some(Message::Events(_))));
    assert!(matches!(next(&mut answers).await, Some(Message::CaughtUp(_))));
    for silences in 1..=2 {
        let Some(Message::Heartbeat(heartbeat)) = next(&mut answers).await else { panic!("a heartbeat") };
        // Whatever held up the messages on their way: each came after a whole silence of the service's.
        assert!(began.elapsed() >= silences * Duration::from_secs(1), "{:?}", began.elapsed());
        let place = heartbeat.place.expect("a place");
        assert_eq!((place.position, place.last_event_position), (1, 1));
        let resumed = pb::ReplayLogRequest { start: Some(Start::ResumeToken(place.resume_token)), ..from(1) };
        let mut resumed = replay(&mut service, resumed).await.expect("a replay");
        assert!(matches!(next(&mut resumed).await, Some(Message::CaughtUp(_))), "nothing comes twice");
    }
    service.note(2).await;
    assert!(matches!(next(&mut answers).await, Some(Message::Events(_))), "and it goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_for_whom_nothing_comes_hears_how_far_the_log_was_looked_at() {
    let mut service = Service::start().await;
    let large = pb::ReplayFilter { types: vec!["toguna.log.v1.Provenance".into()], ..pb::ReplayFilter::default() };
    let large = pb::ReplayLogRequest { filter: Some(large), ..from(1) };
    for request in [of_stream("funds/other"), large] {
        let mut answers = replay(&mut service, following(request)).await.expect("a replay");
        let Some(Message::CaughtUp(end)) = next(&mut answers).await else { panic!("the end") };
        let before = end.place.expect("a place").position;
        for number in 1..=3 {
            service.note(number).await;
        }
        let Some(Message::Checkpoint(checkpoint)) = next(&mut answers).await else { panic!("a checkpoint") };
        let place = checkpoint.place.expect("a place");
        assert!(place.position > before && place.last_event_position == 0, "{place:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_says_goodbye_and_the_next_one_goes_on() {
    let (name, environment) = (unique_name(), environment().await);
    let mut service = Service::start_in(name, &environment, LogReaders::Partners).await;
    service.note(1).await;
    let mut answers = replay(&mut service, following(from(1))).await.expect("a replay");
    assert!(matches!(next(&mut answers).await, Some(Message::Events(_))));
    service.stopping.cancel();
    let goodbye = goodbye(&mut answers).await;
    assert_eq!(goodbye.reason(), GoodbyeReason::ServerStopping);
    (&mut service.served).await.expect("no panic").expect("it stops well");

    let mut service = Service::start_in(name, &environment, LogReaders::Partners).await;
    service.note(2).await;
    let start = Some(Start::ResumeToken(goodbye.place.expect("a place").resume_token));
    let mut answers =
        replay(&mut service, following(pb::ReplayLogRequest { start, ..from(1) })).await.expect("a replay");
    let Some(Message::Events(batch)) = next(&mut answers).await else { panic!("events") };
    assert_eq!((batch.events[0].position, batch.events[0].previous_position), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_ends_in_order_before_the_callers_deadline() {
    let mut service = Service::start().await;
    service.note(1).await;
    let mut request = by("auditor", following(from(1)));
    request.set_timeout(Duration::from_secs(1));
    let asked = Instant::now();
    let mut answers = service.log.replay_log(request).await.expect("a replay").into_inner();
    let goodbye = goodbye(&mut answers).await;
    assert_eq!(goodbye.reason(), GoodbyeReason::DeadlineNear);
    assert!(asked.elapsed() >= Duration::from_millis(800), "{:?}", asked.elapsed());
    assert_eq!(goodbye.place.expect("a place").position, 1);
}

/// Takes a database back to where it was at a position, as restoring a backup does.
pub async fn restore(url: &str, position: i64) {
    let mut owner = PgConnection::connect(url).await.expect("the owner connects");
    for statement in [
        "DELETE FROM log.events WHERE position > $1",
        "DELETE FROM log.requests WHERE first_position > $1",
        "UPDATE log.head SET position = $1, root = NULL, compact_range = NULL",
    ] {
        sqlx::query(statement).bind(position).execute(&mut owner).await.expect("restored");
    }
    // Every connection of the service is cut by a restore.
    cut(&mut owner).await;
}

/// Cuts every connection of a service: the owner may cut those of the roles that it made.
pub async fn cut(owner: &mut PgConnection) {
    let join = "DO $$ BEGIN EXECUTE format('GRANT %1$I, %2$I TO CURRENT_USER',
        current_database() || '_writer', current_database() || '_reader'); END $$";
    sqlx::query(join).execute(&mut *owner).await.expect("granted");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(cut).execute(owner).await.expect("cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_a_log_that_is_restored_is_sent_away_and_its_token_is_refused() {
    let environment = environment().await;
    let mut service = Service::start_in(unique_name(), &environment, LogReaders::Partners).await;
    for number in 1..=3 {
        service.note(number).await;
    }
    let mut answers = replay(&mut service, following(from(1))).await.expect("a replay");
    let epoch = loop {
        if let Message::CaughtUp(end) = next(&mut answers).await.expect("a message") {
            break end.place.expect("a place").epoch;
        }
    };
    restore(&environment["DATABASE_URL"], 1).await;
    let started = Instant::now();
    while service.notes.propose_correction(by("aminata", note(4))).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "the log comes back");
    }
    let goodbye = goodbye(&mut answers).await;
    assert_eq!(goodbye.reason(), GoodbyeReason::EpochChanged);
    let left = goodbye.place.expect("a place");
    assert_eq!((left.position, left.epoch), (3, epoch), "where it was in the history that is no more");

    for (language, words) in [("en", "was restored"), ("fr", "a été ramené")] {
        let start = Some(Start::ResumeToken(left.resume_token.clone()));
        let mut request = by("auditor", pb::ReplayLogRequest { start, ..from(1) });
        request.metadata_mut().insert("accept-language", language.parse().expect("ASCII"));
        let status = service.log.replay_log(request).await.map(|_| ()).expect_err("of another history");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "RESUME_TOKEN_OTHER_EPOCH"));
        let said = status.get_details_localized_message().expect("in the caller's language").message;
        assert!(said.contains(words), "{said}");
    }
    let mut answers = replay(&mut service, from(1)).await.expect("a replay");
    let Some(Message::Events(batch)) = next(&mut answers).await else { panic!("events") };
    assert_eq!(batch.events.len(), 2, "the log as it is now");
    assert!(place(&next(&mut answers).await.expect("a place")).is_some());
}
