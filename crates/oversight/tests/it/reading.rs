//! Reading the logs: again after a restart, anew in another epoch, and no further than is understood.

use contracts::toguna::{disbursements::events::v1 as money, oversight::v1::GetPortfolioRequest};
use event_sourcing::testing::act;
use event_store::{Payload, Timestamp};

use crate::{
    house::{House, by_auditor, correct, day, decide, eur, own, reason, record, restore},
    logs,
};

#[tokio::test]
async fn a_restarted_oversight_answers_as_before_and_goes_on() {
    let house = House::new().await;
    decide(&house.disbursements, "ml-01", "2016-01-14", 20_000_000).await;
    let right = money::DecisionApproved { amount: eur(21_000_000) };
    let last = correct(&house.disbursements, "decisions/ml-01", 2, &right).await;
    let mut oversight = house.oversight().await;
    let before = oversight.seeing(&last, "2016-04-15").await;
    oversight.stop().await;
    let mut oversight = house.oversight().await;
    assert_eq!(oversight.seeing(&last, "2016-04-15").await, before);
    let next = decide(&house.disbursements, "ml-02", "2016-04-15", 13_500_000).await;
    assert_eq!(own(&oversight.seeing(&next, "2016-04-15").await).0, 2);
}

#[tokio::test]
async fn a_log_in_another_epoch_is_read_anew_and_old_tokens_are_refused() {
    let house = House::new().await;
    let old = decide(&house.disbursements, "ml-01", "2016-01-14", 20_000_000).await;
    let mut oversight = house.oversight().await;
    let before = own(&oversight.seeing(&old, "2016-04-15").await);
    restore(&house.disbursements).await;
    let new = decide(&house.disbursements, "ml-02", "2016-05-01", 1).await;
    let portfolio = oversight.seeing(&new, "2016-04-15").await;
    assert_eq!(own(&portfolio), before);
    let logs = portfolio.standpoint.expect("it is there").logs;
    assert_eq!((logs[1].epoch.as_slice(), logs[1].position), (new.token.epoch.as_bytes().as_slice(), 4));
    let request = GetPortfolioRequest {
        country_code: "ML".into(),
        at_least_as_fresh: vec![old.token.to_string()],
        ..GetPortfolioRequest::default()
    };
    let mut request = by_auditor(request);
    request.set_timeout(std::time::Duration::from_secs(2));
    let status = oversight.client.get_portfolio(request).await.expect_err("that history is gone");
    assert_eq!(reason(&status), "TOKEN_OTHER_EPOCH");
}

#[tokio::test]
async fn a_token_of_a_log_that_is_not_followed_is_refused() {
    let house = House::new().await;
    let mut oversight = house.oversight().await;
    let foreign = house.disbursements.token(0).to_string().replace("disbursements", "elsewhere");
    let request = GetPortfolioRequest { at_least_as_fresh: vec![foreign], ..GetPortfolioRequest::default() };
    let status = oversight.portfolio(request).await.expect_err("nothing is known of it");
    assert_eq!(reason(&status), "TOKEN_FOREIGN_LOG");
}

#[tokio::test]
async fn records_that_never_count_move_the_position_and_nothing_else() {
    let house = House::new().await;
    decide(&house.disbursements, "ml-01", "2016-01-14", 20_000_000).await;
    let moved = money::CashMovementSet { amount: eur(-5), ..money::CashMovementSet::default() };
    let last = record(&house.disbursements, "funds/eutf", "2016-01-15", &moved).await;
    let mut oversight = house.oversight().await;
    let portfolio = oversight.seeing(&last, "2016-04-15").await;
    assert_eq!(own(&portfolio), (1, vec![2_000_000_000], vec![13_119_140_000]));
    assert_eq!(portfolio.standpoint.expect("it is there").logs[1].position, 3);
}

#[tokio::test]
async fn no_figure_is_given_with_a_hole_in_it() {
    let house = House::new().await;
    decide(&house.disbursements, "ml-01", "2016-01-14", 20_000_000).await;
    let before = Timestamp::now();
    decide(&house.disbursements, "ml-02", "2016-04-15", 1).await;
    let unknown = Payload { type_name: "toguna.disbursements.events.v1.NotKnownYet".into(), bytes: Vec::new() };
    logs::record(&house.disbursements, "funds/eutf", act("partners/european-commission"), unknown).await;
    let mut oversight = house.start().await;
    let status = loop {
        match oversight.portfolio(GetPortfolioRequest::default()).await {
            Err(status) if reason(&status) == "LOG_NOT_UNDERSTOOD" => break status,
            _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    };
    assert!(status.message().contains("record 5 of the log disbursements"), "{}", status.message());
    // What was known before is whole.
    let known_at = Some(prost_types::Timestamp { seconds: before.as_second(), nanos: before.subsec_nanosecond() });
    let request = GetPortfolioRequest { as_of: day("2016-04-15"), known_at, ..GetPortfolioRequest::default() };
    let answer = loop {
        match oversight.portfolio(request.clone()).await {
            // The two empty logs may still have to be looked at.
            Err(status) if reason(&status) == "LOGS_NOT_READ_YET" => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            answer => break answer.expect("an answer"),
        }
    };
    assert_eq!(own(&answer.portfolio.expect("it is there")).0, 1);
}
