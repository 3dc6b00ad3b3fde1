//! Agreements, from signature to end.

use contracts::toguna::partnerships::{events::v1 as events, v1 as pb};
use partnerships::projections::{Agreements, Partners};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::stage::{
    FRANCE, KEEPER, MALI, Stage, UNION, accepted, as_role, date, event_types, french, keeper, new_id, on, published,
    refusal, register_agreement, register_partner, sign, signatory,
};

const DEFINITIVE: events::SignatureKind = events::SignatureKind::Definitive;
const SUBJECT: events::SignatureKind = events::SignatureKind::SubjectToRatification;
const CONVENTION: &str = "agreements/ml-fr-1994";

async fn convention() -> Stage {
    let mut stage = Stage::set().await;
    accepted(stage.agreements.register_agreement(keeper(register_agreement(CONVENTION, &[MALI, FRANCE]))).await);
    stage
}

/// The convention in force since 2015, by the acts of both parties.
async fn in_force() -> Stage {
    let mut stage = convention().await;
    for party in [MALI, FRANCE] {
        let request = sign(CONVENTION, DEFINITIVE, on("2015-01-01"));
        accepted(stage.agreements.sign_agreement(signatory(party, request)).await);
    }
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_constitutive_agreement_is_in_force_on_signature_whenever_others_ratify() {
    const NAME: &str = "agreements/eutf-2015-constitutive";
    const BULGARIA: &str = "partners/bg";
    let mut stage = Stage::set().await;
    let bulgaria = register_partner(BULGARIA, events::PartnerKind::State, "BG");
    accepted(stage.partners.register_partner(keeper(bulgaria)).await);
    let rule = events::OnSignature { parties: vec![UNION.into()], others: 1 };
    let request = pb::RegisterAgreementRequest {
        scope: events::AgreementScope::Regional.into(),
        form: events::AgreementForm::NonTreatyAgreement.into(),
        depositary: UNION.into(),
        terms: Some(events::AgreementTerms {
            entry_into_force: Some(events::EntryIntoForceRule {
                rule: Some(events::entry_into_force_rule::Rule::OnSignature(rule)),
            }),
            ..Default::default()
        }),
        ..register_agreement(NAME, &[UNION, FRANCE, BULGARIA])
    };
    accepted(stage.agreements.register_agreement(keeper(request)).await);
    let bulgaria =
        pb::SignAgreementRequest { party: BULGARIA.into(), ..sign(NAME, SUBJECT, published(BULGARIA, "2015-11-12")) };
    accepted(stage.agreements.sign_agreement(keeper(bulgaria)).await);
    accepted(stage.agreements.sign_agreement(signatory(UNION, sign(NAME, DEFINITIVE, on("2015-11-12")))).await);
    let second = stage.agreements.sign_agreement(signatory(FRANCE, sign(NAME, DEFINITIVE, on("2015-11-12")))).await;
    assert_eq!(event_types(accepted(second).receipt), ["AgreementSigned", "AgreementEnteredIntoForce"]);

    let ratification = pb::ExpressConsentRequest {
        request_id: new_id(),
        act: Some(published(BULGARIA, "2016-02-12")),
        name: NAME.into(),
        party: BULGARIA.into(),
        kind: events::ConsentKind::Ratification.into(),
        delivery: events::ConsentDelivery::Deposited.into(),
        ..Default::default()
    };
    let ratified = stage.agreements.express_consent(keeper(ratification)).await;
    assert_eq!(event_types(accepted(ratified).receipt), ["AgreementConsentExpressed"]);

    let agreement = stage.agreement(NAME, "").await;
    assert_eq!(agreement.phase(), pb::AgreementPhase::InForce);
    let force = agreement.entry_into_force.expect("in force");
    assert_eq!(force.ground(), events::OutcomeGround::Rule);
    assert_eq!(force.fact.expect("a fact").provenance.expect("a record").effective_on, date("2015-11-12"));
    let [bulgaria, ..] = agreement.parties.as_slice() else { panic!("three parties") };
    assert_eq!((bulgaria.party.as_str(), bulgaria.standing()), (BULGARIA, pb::PartyStanding::Consented));
    let consent = bulgaria.consent.clone().and_then(|consent| consent.fact).expect("a consent");
    assert_eq!(consent.standing(), pb::Standing::Unconfirmed);
    assert_eq!(consent.provenance.expect("a record").sources[0].title, "Journal officiel");

    let before = stage.agreement(NAME, "2015-11-11").await;
    assert_eq!(before.phase(), pb::AgreementPhase::Registered);
    let between = stage.agreement(NAME, "2016-02-11").await;
    assert_eq!(between.parties[0].standing(), pb::PartyStanding::Signed);
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_contest_what_they_signed() {
    const NAME: &str = "agreements/ml-eu-2016-communique";
    let mut stage = Stage::set().await;
    let request = pb::RegisterAgreementRequest {
        form: events::AgreementForm::JointCommunique.into(),
        declared_nature: events::BindingNature::NonBinding.into(),
        terms: None,
        ..register_agreement(NAME, &[MALI, UNION])
    };
    accepted(stage.agreements.register_agreement(keeper(request)).await);
    let view = |party: &str, view: events::BindingNature, day: &str| {
        let request = pb::DeclareViewRequest {
            request_id: new_id(),
            act: Some(on(day)),
            name: NAME.into(),
            view: view.into(),
            ..Default::default()
        };
        signatory(party, request)
    };
    accepted(stage.agreements.declare_view(view(UNION, events::BindingNature::Binding, "2016-12-11")).await);
    let contested = stage.agreements.declare_view(view(MALI, events::BindingNature::NonBinding, "2016-12-14")).await;
    let receipt = accepted(contested).receipt.expect("a receipt");
    assert_eq!(event_types(Some(receipt.clone())), ["AgreementViewDeclared", "AgreementNatureContested"]);
    assert_eq!(stage.agreement(NAME, "2016-12-13").await.nature(), pb::AgreementNature::NonBinding);
    assert_eq!(stage.agreement(NAME, "2016-12-14").await.nature(), pb::AgreementNature::Contested);

    let list = pb::ListAgreementsRequest {
        nature: pb::AgreementNature::Contested.into(),
        at_least_as_fresh: vec![receipt.consistency_token],
        ..Default::default()
    };
    let today = accepted(stage.agreements.list_agreements(as_role("observer", MALI, list.clone())).await);
    assert_eq!(today.agreements, [stage.agreement(NAME, "").await]);
    let earlier = pb::ListAgreementsRequest { as_of: date("2016-12-13"), ..list };
    let earlier = accepted(stage.agreements.list_agreements(as_role("observer", MALI, earlier)).await);
    assert_eq!(earlier.agreements, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denunciation_shows_in_lists_from_the_day_on_which_it_takes_effect() {
    let mut stage = in_force().await;
    let request = pb::DenounceAgreementRequest {
        request_id: new_id(),
        act: Some(on("2016-01-31")),
        name: CONVENTION.into(),
        takes_effect_on: date("2999-01-01"),
        ..Default::default()
    };
    let asked = pb::DenounceAgreementRequest { validate_only: true, ..request.clone() };
    let asked = accepted(stage.agreements.denounce_agreement(signatory(MALI, asked)).await).receipt;
    let [notice, end] = asked.expect("a receipt").events.try_into().expect("two events");
    let end_told: events::AgreementTerminated = end.event.expect("what it says").to_msg().expect("of its type");
    assert_eq!((end_told.denounced_by.as_str(), end_told.ground()), (MALI, events::OutcomeGround::Rule));
    assert_eq!(
        (notice.effective_on, end.effective_on),
        (date("2016-01-31"), date("2999-01-01")),
        "derived by the rule"
    );
    let receipt = accepted(stage.agreements.denounce_agreement(signatory(MALI, request)).await).receipt;
    assert!(receipt.iter().flat_map(|receipt| &receipt.events).all(|event| event.event.is_none()), "it is in the log");
    let token = receipt.clone().expect("a receipt").consistency_token;
    assert_eq!(event_types(receipt), ["AgreementDenounced", "AgreementTerminated"]);
    for (as_of, phase) in [
        ("2014-12-31", pb::AgreementPhase::Registered),
        ("2015-01-01", pb::AgreementPhase::InForce),
        ("", pb::AgreementPhase::InForce),
        ("2998-12-31", pb::AgreementPhase::InForce),
        ("2999-01-01", pb::AgreementPhase::Terminated),
    ] {
        let list = pb::ListAgreementsRequest {
            phase: phase.into(),
            party: FRANCE.into(),
            as_of: date(as_of),
            at_least_as_fresh: vec![token.clone()],
            ..Default::default()
        };
        let listed = accepted(stage.agreements.list_agreements(as_role("auditor", FRANCE, list)).await);
        let names: Vec<_> = listed.agreements.iter().map(|agreement| agreement.name.as_str()).collect();
        assert_eq!(names, [CONVENTION], "{as_of}");
        assert_eq!(stage.agreement(CONVENTION, as_of).await, listed.agreements[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_and_a_resumption_say_who_still_suspends() {
    let mut stage = in_force().await;
    let suspend = |party: &str| {
        let (request_id, name) = (new_id(), CONVENTION.into());
        signatory(
            party,
            pb::SuspendAgreementRequest { request_id, name, act: Some(on("2022-11-21")), ..Default::default() },
        )
    };
    accepted(stage.agreements.suspend_agreement(suspend(MALI)).await);
    let again = pb::SuspendAgreementRequest { act: Some(on("2022-12-01")), ..suspend(MALI).into_inner() };
    let (reason, values) = refusal(stage.agreements.suspend_agreement(signatory(MALI, again)).await);
    assert_eq!((reason.as_str(), values["since"].as_str()), ("ALREADY_SUSPENDED", "2022-11-21"));
    let resume = pb::ResumeAgreementRequest {
        request_id: new_id(),
        act: Some(on("2023-01-01")),
        name: CONVENTION.into(),
        ..Default::default()
    };
    let resumed = stage.agreements.resume_agreement(signatory(MALI, resume)).await;
    assert_eq!(event_types(accepted(resumed).receipt), ["AgreementResumed"]);
    assert_eq!(stage.agreement(CONVENTION, "2022-12-31").await.phase(), pb::AgreementPhase::Suspended);
    assert_eq!(stage.agreement(CONVENTION, "2023-01-01").await.phase(), pb::AgreementPhase::InForce);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_and_an_obligation_are_shown_with_their_records() {
    let mut stage = in_force().await;
    let obligation = pb::RecordObligationRequest {
        request_id: new_id(),
        act: Some(on("2015-01-01")),
        name: CONVENTION.into(),
        obligation_id: "art-1".into(),
        article: "1".into(),
        obliged_parties: vec![FRANCE.into()],
        text: Some(french("protéger les personnes et les biens")),
        ..Default::default()
    };
    accepted(stage.agreements.record_obligation(keeper(obligation)).await);
    let propose = pb::ProposeAmendmentRequest {
        request_id: new_id(),
        act: Some(on("2016-01-01")),
        name: CONVENTION.into(),
        amendment_id: "avenant-1".into(),
        title: Some(french("Avenant")),
        ..Default::default()
    };
    accepted(stage.agreements.propose_amendment(keeper(propose)).await);
    for party in [MALI, FRANCE] {
        let accept = pb::AcceptAmendmentRequest {
            request_id: new_id(),
            act: Some(on("2016-02-01")),
            name: CONVENTION.into(),
            amendment_id: "avenant-1".into(),
            ..Default::default()
        };
        accepted(stage.agreements.accept_amendment(signatory(party, accept)).await);
    }
    let agreement = stage.agreement(CONVENTION, "").await;
    assert_eq!(agreement.obligations[0].obliged_parties, [FRANCE]);
    assert_eq!(agreement.amendments[0].binds.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_that_nobody_registered_are_not_found() {
    let mut stage = Stage::set().await;
    let request = register_agreement(CONVENTION, &[MALI, "partners/nowhere"]);
    let (reason, values) = refusal(stage.agreements.register_agreement(keeper(request)).await);
    assert_eq!((reason.as_str(), values["resource"].as_str()), ("NOT_FOUND", "partners/nowhere"));
    let get = pb::GetAgreementRequest { name: CONVENTION.into(), ..Default::default() };
    let (reason, _) = refusal(stage.agreements.get_agreement(as_role("observer", MALI, get)).await);
    assert_eq!(reason, "NOT_FOUND", "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_is_told_at_once() {
    let mut stage = Stage::set().await;
    let request = pb::RegisterAgreementRequest {
        request_id: "not a uuid".into(),
        title: None,
        form: 99,
        parties: vec!["ML".into(), FRANCE.into()],
        terms: Some(events::AgreementTerms {
            denunciation_notice_months: Some(1_000_000),
            amendment: events::AmendmentRule::AllAfterAcceptances.into(),
            ..Default::default()
        }),
        ..register_agreement("agreements/Ünknown", &[])
    };
    let status = stage.agreements.register_agreement(keeper(request)).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations = status.get_details_bad_request().expect("violations").field_violations;
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    for field in [
        "request_id",
        "name",
        "title",
        "form",
        "parties[0]",
        "terms.denunciation_notice_months",
        "terms.amendment_acceptances",
    ] {
        assert!(fields.contains(&field), "{field} is not in {fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_act_is_told_why() {
    let mut stage = convention().await;
    let request = || sign(CONVENTION, DEFINITIVE, on("2015-01-01"));
    let status = stage.agreements.sign_agreement(as_role("observer", MALI, request())).await.expect_err("refused");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(status.get_details_error_info().expect("a reason").reason, "ROLE_REQUIRED");
    let (reason, values) = refusal(stage.agreements.sign_agreement(signatory(UNION, request())).await);
    assert_eq!((reason.as_str(), values["resource"].as_str()), ("NOT_A_PARTY", CONVENTION));
    let for_france = pb::SignAgreementRequest { party: FRANCE.into(), ..request() };
    let (reason, _) = refusal(stage.agreements.sign_agreement(signatory(MALI, for_france)).await);
    assert_eq!(reason, "ACTS_FOR_ANOTHER");
    let ending = pb::RecordExpiryRequest {
        request_id: new_id(),
        act: Some(on("2020-01-01")),
        name: CONVENTION.into(),
        ..Default::default()
    };
    let (reason, _) = refusal(stage.agreements.record_expiry(as_role("depositary", MALI, ending)).await);
    assert_eq!(reason, "STATED_BY_DEPOSITARY_OR_SOURCE");
    let unsigned = stage.agreements.sign_agreement(request()).await.expect_err("without a token");
    assert_eq!(unsigned.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_one_effect_and_may_be_tried_before() {
    let mut stage = convention().await;
    let request = sign(CONVENTION, DEFINITIVE, on("2015-01-01"));
    let trial = pb::SignAgreementRequest { validate_only: true, ..request.clone() };
    let trial = accepted(stage.agreements.sign_agreement(signatory(MALI, trial)).await);
    assert_eq!(trial.receipt.expect("a receipt").events[0].position, 0);
    let first = accepted(stage.agreements.sign_agreement(signatory(MALI, request.clone())).await).receipt;
    let again = accepted(stage.agreements.sign_agreement(signatory(MALI, request)).await).receipt;
    let (first, again) = (first.expect("a receipt"), again.expect("a receipt"));
    assert_eq!((again.replayed, again.events), (true, first.events));
    let outdated = pb::SignAgreementRequest { etag: "\"1\"".into(), ..sign(CONVENTION, DEFINITIVE, on("2015-01-01")) };
    let (reason, values) = refusal(stage.agreements.sign_agreement(signatory(FRANCE, outdated)).await);
    assert_eq!((reason.as_str(), values["etag"].as_str()), ("STALE_VERSION", first.etag.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_agreement_stands_in_its_place() {
    let mut stage = in_force().await;
    let supersede = |by: &str| pb::RecordSupersessionRequest {
        request_id: new_id(),
        act: Some(published(FRANCE, "2018-01-01")),
        name: CONVENTION.into(),
        superseded_by: by.into(),
        ..Default::default()
    };
    let (reason, values) = refusal(stage.agreements.record_supersession(keeper(supersede("agreements/nowhere"))).await);
    assert_eq!((reason.as_str(), values["resource"].as_str()), ("NOT_FOUND", "agreements/nowhere"));
    let status = stage.agreements.record_supersession(keeper(supersede(CONVENTION))).await.expect_err("itself");
    assert_eq!(status.code(), Code::InvalidArgument);
    let other = register_agreement("agreements/ml-fr-2018", &[MALI, FRANCE]);
    accepted(stage.agreements.register_agreement(keeper(other)).await);
    accepted(stage.agreements.record_supersession(keeper(supersede("agreements/ml-fr-2018"))).await);
    assert_eq!(stage.agreement(CONVENTION, "2018-01-01").await.phase(), pb::AgreementPhase::Superseded);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_made_again_from_the_log_are_the_same() {
    let mut stage = in_force().await;
    let other = register_agreement("agreements/ml-eu", &[MALI, UNION]);
    let token = accepted(stage.agreements.register_agreement(keeper(other)).await).receipt.expect("a receipt");
    let list = pb::ListAgreementsRequest {
        page_size: 1,
        at_least_as_fresh: vec![token.consistency_token],
        ..Default::default()
    };
    let pages = async |stage: &mut Stage| {
        let first = accepted(stage.agreements.list_agreements(as_role("observer", KEEPER, list.clone())).await);
        let next = pb::ListAgreementsRequest { page_token: first.next_page_token.clone(), ..list.clone() };
        let second = accepted(stage.agreements.list_agreements(as_role("observer", KEEPER, next)).await);
        assert!(second.next_page_token.is_empty());
        [first.agreements, second.agreements].concat()
    };
    let before = pages(&mut stage).await;
    assert_eq!(
        before.iter().map(|agreement| agreement.name.as_str()).collect::<Vec<_>>(),
        ["agreements/ml-eu", CONVENTION]
    );
    let mut stage = stage
        .restart(async |database_url| {
            let mut owner = <sqlx::PgConnection as sqlx::Connection>::connect(database_url).await.expect("it is there");
            sqlx::raw_sql("DROP SCHEMA partnerships_v2 CASCADE").execute(&mut owner).await.expect("dropped");
        })
        .await;
    assert_eq!(pages(&mut stage).await, before);
    stage
        .folds_alike(|log| {
            let log = || log.clone();
            vec![Box::new(Partners { log: log() }), Box::new(Agreements { log: log() })]
        })
        .await;
}
