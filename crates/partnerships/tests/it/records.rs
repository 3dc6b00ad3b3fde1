//! Records from sources and their confirmation; mistaken records and their correction.

use contracts::toguna::partnerships::{events::v1 as events, v1 as pb};
use event_store::Payload;
use prost_types::Any;

use crate::stage::{
    FRANCE, MALI, Stage, accepted, by, date, event_types, keeper, new_id, on, published, refusal, register_agreement,
    sign, signatory,
};

const CONVENTION: &str = "agreements/ml-fr-1994";
const DEFINITIVE: events::SignatureKind = events::SignatureKind::Definitive;
const SUBJECT: events::SignatureKind = events::SignatureKind::SubjectToRatification;

async fn signed_by_france(kind: events::SignatureKind) -> Stage {
    let mut stage = Stage::set().await;
    accepted(stage.agreements.register_agreement(keeper(register_agreement(CONVENTION, &[MALI, FRANCE]))).await);
    let request = sign(CONVENTION, kind, on("1994-10-01"));
    accepted(stage.agreements.sign_agreement(signatory(FRANCE, request)).await);
    stage
}

fn confirm(version: u64) -> pb::ConfirmRecordRequest {
    pb::ConfirmRecordRequest {
        request_id: new_id(),
        name: CONVENTION.into(),
        confirmed_version: version,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_says_binds_once_the_party_confirms_it() {
    let mut stage = signed_by_france(DEFINITIVE).await;
    let mali =
        pb::SignAgreementRequest { party: MALI.into(), ..sign(CONVENTION, DEFINITIVE, published(MALI, "1994-09-26")) };
    let recorded = accepted(stage.agreements.sign_agreement(keeper(mali)).await).receipt;
    assert_eq!(event_types(recorded), ["AgreementSigned"], "a source puts nothing into force");
    let agreement = stage.agreement(CONVENTION, "").await;
    let [waiting] = agreement.unconfirmed_records.as_slice() else { panic!("one record waits") };
    assert_eq!((waiting.version, waiting.organisation.as_str()), (3, MALI));

    let (reason, values) = refusal(stage.records.confirm_record(signatory(FRANCE, confirm(3))).await);
    assert_eq!((reason.as_str(), values["organisation"].as_str()), ("NOT_YOURS_TO_CONFIRM", MALI));
    let confirmed = accepted(stage.records.confirm_record(signatory(MALI, confirm(3))).await).receipt;
    assert_eq!(event_types(confirmed), ["AgreementRecordConfirmed", "AgreementEnteredIntoForce"]);
    let agreement = stage.agreement(CONVENTION, "1994-10-01").await;
    assert_eq!(agreement.phase(), pb::AgreementPhase::InForce);
    let mali = agreement.parties.into_iter().find(|party| party.party == MALI).expect("a party");
    let signature = mali.signature.and_then(|signature| signature.fact).expect("a signature");
    assert_eq!(signature.standing(), pb::Standing::Confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_takes_two_persons_and_draws_its_consequences() {
    let mut stage = signed_by_france(DEFINITIVE).await;
    accepted(stage.agreements.sign_agreement(signatory(MALI, sign(CONVENTION, SUBJECT, on("1994-09-26")))).await);
    let Payload { type_name, bytes } =
        Payload::of(&events::AgreementSigned { party: MALI.into(), kind: DEFINITIVE.into() });
    let propose = pb::ProposeCorrectionRequest {
        request_id: new_id(),
        act: Some(contracts::toguna::log::v1::Act { reason: "misread".into(), ..Default::default() }),
        name: CONVENTION.into(),
        mistaken_version: 3,
        right: Some(Any { type_url: format!("type.googleapis.com/{type_name}"), value: bytes }),
        effective_on: date("1994-09-27"),
        ..Default::default()
    };
    accepted(stage.corrections.propose_correction(by("aminata", "focal_point", MALI, propose)).await);
    let confirm = |person: &str| {
        let request = pb::ConfirmCorrectionRequest {
            request_id: new_id(),
            act: Some(on("2026-11-23")),
            name: CONVENTION.into(),
            proposal_version: 4,
            ..Default::default()
        };
        by(person, "focal_point", MALI, request)
    };
    let (reason, _) = refusal(stage.corrections.confirm_correction(confirm("aminata")).await);
    assert_eq!(reason, "SECOND_PERSON_REQUIRED");
    let confirmed = accepted(stage.corrections.confirm_correction(confirm("boubacar")).await).receipt;
    assert_eq!(event_types(confirmed), ["RecordCorrected", "AgreementEnteredIntoForce"]);
    let agreement = stage.agreement(CONVENTION, "1994-10-01").await;
    let mali = agreement.parties.iter().find(|party| party.party == MALI).expect("a party");
    let signature = mali.signature.clone().expect("a signature");
    assert_eq!(signature.kind(), DEFINITIVE);
    let record = signature.fact.and_then(|fact| fact.provenance).expect("a record");
    assert_eq!((record.version, record.effective_on), (3, date("1994-09-27")));
    assert_eq!(agreement.phase(), pb::AgreementPhase::InForce);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_corrects_what_others_did() {
    let mut stage = signed_by_france(DEFINITIVE).await;
    let right = Payload::of(&events::AgreementSigned { party: FRANCE.into(), kind: SUBJECT.into() });
    let propose = pb::ProposeCorrectionRequest {
        request_id: new_id(),
        act: Some(contracts::toguna::log::v1::Act { reason: "misread".into(), ..Default::default() }),
        name: CONVENTION.into(),
        mistaken_version: 2,
        right: Some(Any { type_url: format!("type.googleapis.com/{}", right.type_name), value: right.bytes }),
        ..Default::default()
    };
    let (reason, _) = refusal(stage.corrections.propose_correction(keeper(propose.clone())).await);
    assert_eq!(reason, "NOT_YOUR_RECORD");
    let unreadable = pb::ProposeCorrectionRequest { request_id: new_id(), right: Some(Any::default()), ..propose };
    let (reason, _) = refusal(stage.corrections.propose_correction(keeper(unreadable)).await);
    assert_eq!(reason, "INVALID_REQUEST");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_of_resources_of_this_service() {
    let mut stage = Stage::empty().await;
    let elsewhere = || pb::ConfirmRecordRequest { name: "funds/eutf".into(), ..confirm(1) };
    let (reason, _) = refusal(stage.records.confirm_record(signatory(MALI, elsewhere())).await);
    assert_eq!(reason, "INVALID_REQUEST");
    let (reason, values) = refusal(stage.records.confirm_record(signatory(MALI, confirm(1))).await);
    assert_eq!((reason.as_str(), values["resource"].as_str()), ("NOT_FOUND", CONVENTION));
}
