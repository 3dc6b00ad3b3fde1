//! Projects and policies, and what is measured of them.

use contracts::toguna::{
    commitments::v1 as pb,
    log::v1::{Act, Basis},
    r#type::v1::{Decimal, Money, Period},
};
use tonic::Code;

use crate::house::{
    COMMITMENT, Caller, FOCAL_POINT, House, SECRETARY, VERIFIER, date, id, official, pb_events, place, refusal, source,
};

pub const PROJECT: &str = "initiatives/ml-insertion-2016";
pub const INDICATOR: &str = "indicators/jobs";

fn project() -> pb::RegisterInitiativeRequest {
    pb::RegisterInitiativeRequest {
        request_id: id(),
        name: PROJECT.into(),
        r#type: pb_events::InitiativeType::Project.into(),
        responsible: "partners/ml".into(),
        description: Some(pb_events::InitiativeDescription {
            title: Some(official("Insertion projects")),
            places: vec!["ML-BKO".into()],
            target_groups: vec![official("young people")],
            serves: vec![place("valletta", "15")],
            commitments: vec![COMMITMENT.into()],
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn definition(population: &str) -> pb::DefineIndicatorRequest {
    pb::DefineIndicatorRequest {
        request_id: id(),
        name: INDICATOR.into(),
        definition: Some(pb_events::IndicatorDefinition {
            title: Some(official("Jobs")),
            unit: Some(official("persons")),
            population: Some(official(population)),
            aggregation: pb_events::Aggregation::Sum.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A value of that indicator for the project in 2016.
pub fn value(qualifier: pb_events::Qualifier, number: &str) -> pb::ReportIndicatorValueRequest {
    pb::ReportIndicatorValueRequest {
        request_id: id(),
        name: INDICATOR.into(),
        point: Some(pb_events::MeasurePoint {
            definition: 1,
            subject: PROJECT.into(),
            period: Some(Period { start: Some(date(2016, 1, 1)), end: Some(date(2016, 12, 31)) }),
        }),
        value: Some(pb_events::Quantity {
            qualifier: qualifier.into(),
            value: Some(Decimal { value: number.into() }),
            words: None,
        }),
        source_status: pb_events::SourceStatus::Official.into(),
        ..Default::default()
    }
}

/// A service with a project and an indicator.
pub async fn measured() -> House {
    let house = House::with_commitment().await;
    house.initiatives().register_initiative(FOCAL_POINT.sends(project())).await.expect("it is registered");
    house.indicators().define_indicator(SECRETARY.sends(definition("young people"))).await.expect("it is defined");
    house
}

async fn indicator(house: &House) -> pb::Indicator {
    let asked = pb::GetIndicatorRequest { name: INDICATOR.into(), ..Default::default() };
    let answer = house.indicators().get_indicator(FOCAL_POINT.sends(asked)).await.expect("it is there");
    answer.into_inner().indicator.expect("an indicator")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_paid_for_carried_out_and_verified_by_another_organisation() {
    let house = measured().await;
    let mut initiatives = house.initiatives();
    let line = pb::RecordBudgetLineRequest {
        request_id: id(),
        name: PROJECT.into(),
        budget_line: "Budget spécial d’investissement (BSI)".into(),
        amount: Some(Money { currency_code: "XOF".into(), minor_units: 250_000_000 }),
        funder: "partners/ml".into(),
        ..Default::default()
    };
    initiatives.record_budget_line(FOCAL_POINT.sends(line)).await.expect("it is recorded");
    let ongoing = pb::RecordInitiativeStatusRequest {
        request_id: id(),
        name: PROJECT.into(),
        act: Some(Act { effective_on: Some(date(2016, 0, 0)), ..Act::default() }),
        status: pb_events::InitiativeStatus::Ongoing.into(),
        ..Default::default()
    };
    initiatives.record_initiative_status(FOCAL_POINT.sends(ongoing)).await.expect("it is recorded");
    let verify = pb::VerifyInitiativeRequest { request_id: id(), name: PROJECT.into(), ..Default::default() };
    let by_itself = Caller("verifier", "partners/ml", "another");
    let refused = initiatives.verify_initiative(by_itself.sends(verify.clone())).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "VERIFIER_IS_REPORTER".into()));
    let token = initiatives.verify_initiative(VERIFIER.sends(verify)).await.expect("it is verified").into_inner();
    let token = token.receipt.expect("a receipt").consistency_token;

    let asked = pb::ListInitiativesRequest {
        r#type: pb_events::InitiativeType::Project.into(),
        responsible: "partners/ml".into(),
        status: pb_events::InitiativeStatus::Ongoing.into(),
        verification: pb::Verification::Verified.into(),
        framework: "frameworks/jvap".into(),
        place: "ML-BKO".into(),
        at_least_as_fresh: vec![token],
        ..Default::default()
    };
    let listed = initiatives.list_initiatives(FOCAL_POINT.sends(asked.clone())).await.expect("a list").into_inner();
    let found = pb::GetInitiativeRequest { name: PROJECT.into(), ..Default::default() };
    let found = initiatives.get_initiative(FOCAL_POINT.sends(found)).await.expect("it is there").into_inner();
    assert_eq!(listed.initiatives, [found.initiative.expect("an initiative")]);
    let elsewhere = pb::ListInitiativesRequest { place: "ML-4".into(), ..asked };
    let listed = initiatives.list_initiatives(FOCAL_POINT.sends(elsewhere)).await.expect("a list").into_inner();
    assert!(listed.initiatives.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_that_disagree_both_stand_and_are_flagged() {
    let house = measured().await;
    let mut indicators = house.indicators();
    indicators
        .report_indicator_value(FOCAL_POINT.sends(value(pb_events::Qualifier::Exact, "775")))
        .await
        .expect("it is reported");
    let press = pb::ReportIndicatorValueRequest {
        act: Some(Act {
            on_behalf_of: "partners/ml".into(),
            basis: Basis::RecordedFromSource.into(),
            sources: vec![source("a newspaper")],
            ..Act::default()
        }),
        source_status: pb_events::SourceStatus::Press.into(),
        ..value(pb_events::Qualifier::About, "400")
    };
    let answer = indicators.report_indicator_value(SECRETARY.sends(press)).await.expect("it is reported");
    let token = answer.into_inner().receipt.expect("a receipt").consistency_token;

    let shown = indicator(&house).await;
    assert!(shown.values.iter().all(|value| value.agreement() == pb::ValueAgreement::Conflicting));
    let press = shown.values[1].provenance.as_ref().expect("who says so");
    assert_eq!((press.basis(), press.sources[0].title.as_str()), (Basis::RecordedFromSource, "a newspaper"));
    let asked = pb::ListIndicatorsRequest {
        subject: PROJECT.into(),
        agreement: pb::ValueAgreement::Conflicting.into(),
        at_least_as_fresh: vec![token],
        ..Default::default()
    };
    let listed = indicators.list_indicators(FOCAL_POINT.sends(asked)).await.expect("a list").into_inner();
    assert_eq!(listed.indicators, [shown]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_is_restated_by_a_second_person_and_a_new_definition_starts_anew() {
    let house = measured().await;
    let mut indicators = house.indicators();
    indicators
        .report_indicator_value(FOCAL_POINT.sends(value(pb_events::Qualifier::Exact, "775")))
        .await
        .expect("it is reported");
    let restate = pb::ProposeRestatementRequest {
        request_id: id(),
        name: INDICATOR.into(),
        act: Some(Act { reason: "digits swapped".into(), ..Act::default() }),
        value_version: 2,
        value: value(pb_events::Qualifier::Exact, "757").value,
        source_status: pb_events::SourceStatus::Official.into(),
        ..Default::default()
    };
    indicators.propose_restatement(FOCAL_POINT.sends(restate)).await.expect("it is proposed");
    let confirm = pb::ConfirmRestatementRequest {
        request_id: id(),
        name: INDICATOR.into(),
        proposal_version: 3,
        ..Default::default()
    };
    let alone = indicators.confirm_restatement(FOCAL_POINT.sends(confirm.clone())).await;
    assert_eq!(refusal(alone), (Code::FailedPrecondition, "RESTATEMENT_BY_SAME_PERSON".into()));
    indicators.confirm_restatement(crate::house::COLLEAGUE.sends(confirm)).await.expect("it is confirmed");
    indicators.define_indicator(SECRETARY.sends(definition("women"))).await.expect("it is defined anew");

    let shown = indicator(&house).await;
    let number =
        |quantity: &Option<pb_events::Quantity>| quantity.clone().and_then(|q| q.value).expect("a number").value;
    assert_eq!(number(&shown.values[0].value), "757");
    assert_eq!(number(&shown.restatements[0].wrong), "775");
    assert_eq!(shown.values[0].point.as_ref().expect("a point").definition, 1);
    assert_eq!(shown.definitions.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_figure_and_what_takes_none_is_told_field_by_field() {
    let house = measured().await;
    let mut report = value(pb_events::Qualifier::Exact, "N/A");
    report.point.as_mut().expect("a point").subject = "decisions/t05-eutf-sah-ml-07".into();
    let answer = house.indicators().report_indicator_value(FOCAL_POINT.sends(report)).await;
    let status = answer.expect_err("it is refused");
    let told = tonic_types::StatusExt::get_details_bad_request(&status).expect("it lists them").field_violations;
    let fields: Vec<_> = told.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["point.subject", "value.value.value"]);
    assert_eq!(indicator(&house).await.values.len(), 0);

    let words = pb_events::Quantity {
        qualifier: pb_events::Qualifier::InWords.into(),
        value: None,
        words: Some(official("yes")),
    };
    let yes = pb::ReportIndicatorValueRequest { value: Some(words), ..value(pb_events::Qualifier::Exact, "1") };
    let yes = house.indicators().report_indicator_value(FOCAL_POINT.sends(yes)).await;
    assert_eq!(refusal(yes), (Code::InvalidArgument, "INVALID_REQUEST".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initiative_serves_places_and_promises_that_are_there() {
    let house = House::with_commitment().await;
    let mut nowhere = project();
    nowhere.description.as_mut().expect("described").commitments = vec!["commitments/none".into()];
    let nowhere = house.initiatives().register_initiative(FOCAL_POINT.sends(nowhere)).await;
    assert_eq!(refusal(nowhere), (Code::NotFound, "NOT_FOUND".into()));
    house.indicators().define_indicator(SECRETARY.sends(definition("all"))).await.expect("it is defined");
    let of_nobody = value(pb_events::Qualifier::Exact, "7");
    let nobody = house.indicators().report_indicator_value(FOCAL_POINT.sends(of_nobody)).await;
    assert_eq!(refusal(nobody), (Code::NotFound, "NOT_FOUND".into()));
}
