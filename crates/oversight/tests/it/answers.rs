//! What is asked for is what was recorded, on both clocks, and what an auditor folds alone.

use contracts::toguna::{
    commitments::events::v1 as promises,
    disbursements::events::v1 as money,
    oversight::v1::{GetContractChainRequest, GetPortfolioRequest, GetScoreboardRequest, Portfolio},
    partnerships::events::v1 as agreements,
};
use event_store::{Executed, Log, Timestamp};
use figures::{Clocks, PortfolioScope};

use crate::house::{House, by_auditor, correct, day, decide, eur, own, reason, record};

#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
fn time(time: Timestamp) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}

async fn recorded_at(log: &Log, effect: &Executed) -> Timestamp {
    log.recorded_at(effect.events[0].position).await.expect("the log").expect("it is there")
}

#[tokio::test]
async fn the_portfolio_is_what_was_decided_by_each_day() {
    let house = House::new().await;
    let log = &house.disbursements;
    decide(log, "ml-01", "2016-01-14", 20_000_000).await;
    decide(log, "ml-02", "2016-04-15", 13_500_000).await;
    decide(log, "ml-03", "2016-04-15", 10_000_000).await;
    let last = decide(log, "ml-04", "2016-04-20", 13_000_000).await;
    let mut oversight = house.oversight().await;
    let on = own(&oversight.seeing(&last, "2016-04-15").await);
    assert_eq!(on, (3, vec![4_350_000_000], vec![28_534_129_500]));
    assert_eq!(own(&oversight.seeing(&last, "2016-04-20").await).0, 4);
}

#[tokio::test]
async fn whoever_sends_a_command_s_token_sees_its_effect_at_once() {
    let house = House::new().await;
    let mut oversight = house.oversight().await;
    for decisions in 1..=20 {
        let effect = decide(&house.disbursements, &format!("ml-{decisions}"), "2016-01-01", 1).await;
        assert_eq!(own(&oversight.seeing(&effect, "2016-01-01").await).0, decisions);
    }
}

#[tokio::test]
async fn what_was_known_before_a_correction_stays_readable_as_known_then() {
    let house = House::new().await;
    let log = &house.disbursements;
    let before_anything = Timestamp::now();
    let mistaken = decide(log, "ml-04", "2016-04-20", 13_000_000).await;
    let before = recorded_at(log, &mistaken).await;
    let right = money::DecisionApproved { amount: eur(12_000_000) };
    let corrected = correct(log, "decisions/ml-04", 2, &right).await;
    let after = recorded_at(log, &corrected).await;
    let mut oversight = house.oversight().await;
    let mut known_at = async |at: Timestamp| {
        let request = GetPortfolioRequest {
            as_of: day("2016-04-20"),
            known_at: time(at),
            at_least_as_fresh: vec![corrected.token.to_string()],
            ..GetPortfolioRequest::default()
        };
        let portfolio = oversight.portfolio(request).await.expect("an answer").portfolio.expect("it is there");
        let standpoint = portfolio.standpoint.clone().expect("it is there");
        let position = |name| standpoint.logs.iter().find(|log| log.log == name).map(|log| log.position);
        (own(&portfolio), position("disbursements"))
    };
    assert_eq!(known_at(before_anything).await, ((0, vec![], vec![]), Some(0)));
    assert_eq!(known_at(before).await, ((1, vec![1_300_000_000], vec![8_527_441_000]), Some(2)));
    assert_eq!(known_at(after).await, ((1, vec![1_200_000_000], vec![7_871_484_000]), Some(4)));
}

/// One agreement, one commitment under a framework, one contract that cites both, a payment and a value.
async fn story(house: &House) -> Vec<String> {
    let registered = agreements::AgreementRegistered::default();
    let agreement = record(&house.partnerships, "agreements/valletta", "2015-11-12", &registered).await;
    let commitments = &house.commitments;
    record(commitments, "frameworks/jvap", "2015-11-12", &promises::FrameworkRegistered::default()).await;
    let plan = promises::ActionPlanAdopted { plan: "2015".into(), ..promises::ActionPlanAdopted::default() };
    record(commitments, "frameworks/jvap", "2015-11-12", &plan).await;
    let declared = promises::CommitmentDeclared {
        owner: "partners/mli".into(),
        answers: Some(promises::PlanItemReference {
            framework: "frameworks/jvap".into(),
            plan: "2015".into(),
            item: String::new(),
        }),
        agreements: vec!["agreements/valletta".into()],
        ..promises::CommitmentDeclared::default()
    };
    record(commitments, "commitments/returns", "2016-01-01", &declared).await;
    let value = promises::IndicatorValueReported {
        point: Some(promises::MeasurePoint { definition: 1, subject: "contracts/iom".into(), period: None }),
        ..promises::IndicatorValueReported::default()
    };
    let value = record(commitments, "indicators/returns", "2019-01-01", &value).await;
    let log = &house.disbursements;
    decide(log, "ml-07", "2017-01-01", 15_000_000).await;
    let signed = money::ContractSigned {
        decision: "decisions/ml-07".into(),
        fund_share: eur(11_800_000),
        commitments: vec!["commitments/returns".into()],
        ..money::ContractSigned::default()
    };
    record(log, "contracts/iom", "2017-05-19", &signed).await;
    let paid = money::PaymentDisbursed {
        contract: "contracts/iom".into(),
        amount: eur(5_900_000),
        ..money::PaymentDisbursed::default()
    };
    let paid = record(log, "payments/first", "2017-06-15", &paid).await;
    [agreement, value, paid].map(|effect| effect.token.to_string()).into()
}

#[tokio::test]
async fn every_answer_is_what_an_auditor_folds_from_the_replayed_logs() {
    let house = House::new().await;
    let at_least_as_fresh = story(&house).await;
    let mut oversight = house.oversight().await;
    let clocks = Clocks { as_of: "2020-01-01".parse().expect("a day"), known_at: None };
    let facts = house.replayed().await;
    let as_of = day("2020-01-01");

    let request =
        GetPortfolioRequest { as_of, at_least_as_fresh: at_least_as_fresh.clone(), ..GetPortfolioRequest::default() };
    let answer = oversight.portfolio(request).await.expect("an answer");
    let scope = PortfolioScope { country_code: "ML".into(), fund: None };
    assert_eq!(answer.portfolio, figures::portfolio(&facts, &scope, clocks).ok());

    let request = GetContractChainRequest {
        contract: "contracts/iom".into(),
        as_of,
        at_least_as_fresh: at_least_as_fresh.clone(),
        known_at: None,
    };
    let answer = oversight.client.get_contract_chain(by_auditor(request)).await.expect("an answer").into_inner();
    let chain = answer.chain.expect("it is there");
    assert_eq!((chain.agreements.len(), chain.commitments.len(), chain.payments.len()), (1, 1, 1));
    assert_eq!(chain.measurements.len(), 1);
    assert_eq!(Ok(Some(chain)), figures::contract_chain(&facts, "contracts/iom", clocks));

    let request =
        GetScoreboardRequest { framework: "frameworks/jvap".into(), as_of, at_least_as_fresh, known_at: None };
    let answer = oversight.client.get_scoreboard(by_auditor(request)).await.expect("an answer").into_inner();
    assert_eq!(answer.scoreboard, figures::scoreboard(&facts, "frameworks/jvap", clocks));
    let tally = answer.scoreboard.expect("it is there").plans.remove(0).tally.expect("it is there");
    assert_eq!(tally.confirmed.expect("it is there").total, 1);
    house.folds_alike().await;
}

#[tokio::test]
async fn an_answer_says_how_far_it_saw_each_log() {
    let house = House::new().await;
    let at_least_as_fresh = story(&house).await;
    let mut oversight = house.oversight().await;
    let request = GetPortfolioRequest { at_least_as_fresh, ..GetPortfolioRequest::default() };
    let answer = oversight.portfolio(request).await.expect("an answer");
    let token = |log: &Log| log.token(log.head()).to_string();
    let tokens = [&house.commitments, &house.disbursements, &house.partnerships].map(token);
    assert_eq!(answer.consistency_tokens, tokens);
    let Portfolio { standpoint, .. } = answer.portfolio.expect("it is there");
    let logs = standpoint.expect("it is there").logs;
    let positions: Vec<_> = logs.iter().map(|log| (log.log.as_str(), log.position)).collect();
    assert_eq!(positions, [("commitments", 4), ("disbursements", 4), ("partnerships", 1)]);
    assert_eq!(logs[1].epoch, house.disbursements.epoch().as_bytes());
}

#[tokio::test]
async fn what_is_not_known_is_not_found() {
    let house = House::new().await;
    let mut oversight = house.oversight().await;
    let request = GetContractChainRequest { contract: "contracts/nowhere".into(), ..Default::default() };
    let status = oversight.client.get_contract_chain(by_auditor(request)).await.expect_err("it is not there");
    assert_eq!((status.code(), reason(&status).as_str()), (tonic::Code::NotFound, "NOT_FOUND"));
    let request = GetScoreboardRequest { framework: "frameworks/nowhere".into(), ..Default::default() };
    let status = oversight.client.get_scoreboard(by_auditor(request)).await.expect_err("it is not there");
    assert_eq!(status.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn a_malformed_question_is_told_all_that_is_wrong_with_it() {
    use tonic_types::StatusExt as _;
    let house = House::new().await;
    let mut oversight = house.oversight().await;
    let request = GetPortfolioRequest {
        country_code: "Mali".into(),
        fund: "decisions/x".into(),
        as_of: Some(contracts::toguna::r#type::v1::Date { year: 2016, month: 4, day: 0 }),
        known_at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }),
        at_least_as_fresh: Vec::new(),
    };
    let status = oversight.client.get_portfolio(by_auditor(request)).await.expect_err("it is malformed");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let violations = status.get_details_bad_request().expect("they are listed").field_violations;
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["country_code", "fund", "as_of", "known_at"]);
}

#[tokio::test]
async fn nobody_is_answered_without_a_token() {
    let house = House::new().await;
    let mut oversight = house.oversight().await;
    let asked = oversight.client.get_portfolio(GetPortfolioRequest { country_code: "ML".into(), ..Default::default() });
    assert_eq!(asked.await.expect_err("who asks?").code(), tonic::Code::Unauthenticated);
}
