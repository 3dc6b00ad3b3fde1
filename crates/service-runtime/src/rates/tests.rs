use std::time::Instant as Clock;

use tonic::Code;
use tonic_types::StatusExt as _;

use super::*;

const MALI: &str = "partners/ml";

fn rates() -> Rates {
    let limits = Limits {
        commands_per_second: 10,
        commands_burst: 3,
        queries_per_second: 100,
        queries_burst: 1,
        calls_at_once: 2,
        reads_at_once: 1,
        replays_at_once: 1,
        ..Limits::default()
    };
    Rates::new(&limits)
}

#[test]
fn an_organisation_sends_a_burst_and_then_at_its_rate() {
    let rates = rates();
    let at = |milliseconds| rates.began + Duration::from_millis(milliseconds);
    let command = |milliseconds| rates.call(MALI, Kind::Command, at(milliseconds)).map(drop);
    for _ in 0..3 {
        command(1000).expect("the burst");
    }
    let status = command(1000).expect_err("one too many");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_details_error_info().expect("always there").reason, "RATE_LIMITED");
    let wait = status.get_details_retry_info().expect("it says when").retry_delay.expect("a delay");
    assert_eq!(wait, Duration::from_millis(100), "a refused call costs nothing");
    let quota = status.get_details_quota_failure().expect("it says which").violations;
    assert_eq!((quota[0].subject.as_str(), quota[0].description.as_str()), (MALI, "10 commands a second"));
    command(1000 + 99).expect_err("too early");
    command(1000 + 100).expect("as told");
    command(1000 + 100).expect_err("and no more");
}

#[test]
fn commands_and_queries_and_organisations_have_budgets_of_their_own() {
    let rates = rates();
    for organisation in [MALI, "partners/fr"] {
        for kind in [Kind::Command, Kind::Query] {
            rates.call(organisation, kind, rates.began).expect("a full budget");
        }
        rates.call(organisation, Kind::Query, rates.began).expect_err("its own budget is used up");
    }
}

#[test]
fn an_organisation_has_only_so_many_calls_and_replays_under_way() {
    let rates = rates();
    let first = rates.call(MALI, Kind::Command, rates.began).expect("a turn");
    let _second = rates.call(MALI, Kind::Query, rates.began).expect("a turn");
    let status = rates.call(MALI, Kind::Command, rates.began).expect_err("one too many");
    assert_eq!(status.get_details_error_info().expect("always there").reason, "TOO_MANY_AT_ONCE");
    let quota = status.get_details_quota_failure().expect("it says which").violations;
    assert_eq!(quota[0].description, "2 calls at a time");
    assert!(status.get_details_retry_info().is_some());
    drop(first);
    rates.call(MALI, Kind::Command, rates.began).expect("a turn is free again");

    let replay = rates.replay(MALI).expect("a turn");
    assert_eq!(rates.replay(MALI).expect_err("one too many").code(), Code::ResourceExhausted);
    rates.replay("partners/fr").expect("a turn of its own");
    drop(replay);
    rates.replay(MALI).expect("a turn is free again");
}

#[test]
fn to_be_let_in_costs_far_less_than_a_call() {
    let rates = Rates::new(&Limits { queries_per_second: 1_000_000_000, ..Limits::default() });
    let organisations: Vec<String> = (0..200).map(|number| format!("partners/p{number}")).collect();
    let (rounds, began) = (500, Clock::now());
    for _ in 0..rounds {
        for organisation in &organisations {
            rates.call(organisation, Kind::Query, Instant::now()).expect("let in");
        }
    }
    let each = began.elapsed() / rounds / 200;
    println!("{each:?} a call");
    // Some 300 ns on a quiet machine, without optimisation; tests run on busy ones.
    assert!(each < Duration::from_micros(50), "{each:?}");
}

#[tokio::test]
async fn queries_of_an_organisation_wait_for_each_other_and_those_of_another_do_not() {
    let rates = rates();
    let first = rates.read(MALI).await;
    let mut second = std::pin::pin!(rates.read(MALI));
    assert!(futures::poll!(second.as_mut()).is_pending());
    drop(rates.read("partners/fr").await);
    drop(first);
    drop(second.await);
}
