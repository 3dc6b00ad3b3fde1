//! Every stored event type beside its bytes: what was stored once is read for ever.

use event_sourcing::{LocalizedText, Text, TextOrigin};
use event_store::{Date, DecodeError, PartialDate, Payload, Stored, testing::Fixtures};

use crate::domain::{
    Agreement, AgreementEvent, Confirmation, Dialogue, DialogueEvent, Partner, PartnerEvent,
    agreement::{
        events::{
            AgreementForm, AgreementScope, BindingNature, ConsentDelivery, ConsentKind, Ground, Obligation,
            Registration, SignatureKind, TerminationCause,
        },
        terms::{AccessionRule, AmendmentRule, Delay, EntryIntoForce, Terms},
    },
    dialogue::{Foundation, MembershipStatus},
    partner::{MigrationRole, Names, PartnerKind, Profile},
};

/// One event of each type.
fn partner_events() -> Vec<PartnerEvent> {
    let role = PartnerEvent::RoleStarted { role: MigrationRole::Origin };
    vec![
        PartnerEvent::Registered(Profile {
            kind: PartnerKind::Ministry,
            names: Names {
                full: both("Ministère des Maliens de l’Extérieur", "Ministry of Malians Abroad"),
                short: LocalizedText::official_fr("MMEIA"),
            },
            country: "ML".parse().ok(),
            parent: Some("partners/ml".into()),
        }),
        PartnerEvent::Renamed(Names { full: LocalizedText::official_fr("Mali"), short: LocalizedText::default() }),
        PartnerEvent::ParentChanged { parent: Some("partners/ml".into()) },
        role.clone(),
        PartnerEvent::RoleEnded { role: MigrationRole::Transit },
        PartnerEvent::RecordConfirmed(confirmed(role).into()),
    ]
}

fn dialogue_events() -> Vec<DialogueEvent> {
    let partner = || String::from("partners/ml");
    let claimed = DialogueEvent::MembershipClaimed { partner: partner(), status: MembershipStatus::Member };
    vec![
        DialogueEvent::Registered(Foundation {
            names: both("Processus de Khartoum", "Khartoum Process"),
            secretariat: Some("partners/icmpd".into()),
        }),
        DialogueEvent::MembershipRecorded { partner: partner(), status: MembershipStatus::JvapPartner },
        claimed.clone(),
        DialogueEvent::RecordConfirmed(confirmed(claimed).into()),
    ]
}

fn agreement_events() -> Vec<AgreementEvent> {
    use AgreementEvent as Event;
    let party = || String::from("partners/ml");
    let amendment_id = || String::from("prolongation-2020");
    let (rule, stated) = (Ground::Rule, Ground::Stated);
    let signed = Event::Signed { party: party(), kind: SignatureKind::SubjectToRatification };
    vec![
        Event::Registered(Box::new(registration(on_signature()))),
        Event::NegotiationOpened,
        Event::TextInitialled,
        Event::TextAdopted,
        signed.clone(),
        Event::DomesticallyAuthorised { party: party(), legal_basis: Some("loi du 30 décembre 1995".into()) },
        Event::ConsentExpressed { party: party(), kind: ConsentKind::Approval, delivery: ConsentDelivery::Notified },
        Event::EnteredIntoForce { ground: stated },
        Event::ProvisionallyApplied,
        Event::ProvisionalApplicationEnded,
        Event::Published { party: party(), reference: "décret du 9 décembre 1996".into() },
        Event::ObligationRecorded(Obligation {
            id: "art-1".into(),
            article: "1".into(),
            obliged_parties: vec![party()],
            text: LocalizedText::official_fr("protéger les personnes et les biens"),
        }),
        Event::AmendmentProposed { amendment_id: amendment_id(), title: both("Prolongation", "Extension") },
        Event::AmendmentAccepted { amendment_id: amendment_id(), party: party() },
        Event::Amended { amendment_id: amendment_id(), parties: vec![party()], ground: rule },
        Event::Suspended { party: party() },
        Event::Resumed { party: party(), still_suspended_by: vec!["partners/fr".into()] },
        Event::Denounced { party: party(), takes_effect_on: day("2023-11-21") },
        Event::PartyWithdrew { party: party() },
        Event::TerminationAgreed { party: party() },
        Event::Terminated { cause: TerminationCause::Denunciation { by: party() }, ground: rule },
        Event::Expired,
        Event::Superseded { by: "agreements/ml-fr-2000".into() },
        Event::ViewDeclared { party: party(), view: BindingNature::NonBinding },
        Event::NatureContested {
            views: vec![("partners/eu".into(), BindingNature::Binding), (party(), BindingNature::NonBinding)],
        },
        Event::NatureSettled { nature: BindingNature::NonBinding },
        Event::RecordConfirmed(confirmed(signed).into()),
    ]
}

fn registration(entry_into_force: EntryIntoForce) -> Registration {
    Registration {
        title: both("Acte constitutif", "Constitutive Agreement"),
        reference: Some("C(2015) 7293".into()),
        form: AgreementForm::NonTreatyAgreement,
        scope: AgreementScope::Regional,
        declared_nature: BindingNature::Binding,
        parties: vec!["partners/eu".into(), "partners/fr".into()],
        depositary: Some("partners/eu".into()),
        terms: Terms {
            entry_into_force,
            amendment: AmendmentRule::AllAfterAcceptances(2),
            denunciation_notice_months: 6,
            accession: AccessionRule::Open,
        },
    }
}

fn on_signature() -> EntryIntoForce {
    EntryIntoForce::OnSignature { parties: vec!["partners/eu".into()], others: 1 }
}

fn both(fr: &str, en: &str) -> LocalizedText {
    let en = Text { text: en.into(), origin: TextOrigin::Translation };
    LocalizedText { en: Some(en), ..LocalizedText::official_fr(fr) }
}

fn confirmed<E>(event: E) -> Confirmation<E> {
    Confirmation { version: 7, event, effective_on: Some(PartialDate::month(2015, 11).expect("a month")) }
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

#[test]
fn what_was_stored_is_read_for_ever() {
    Fixtures::in_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/events"))
        .hold::<Partner>(partner_events())
        .hold::<Dialogue>(dialogue_events())
        .hold::<Agreement>(agreement_events())
        .cover("toguna.partnerships.events.v1");
}

#[test]
fn every_rule_reads_back_as_written() {
    let rules = [
        EntryIntoForce::NotProvided,
        on_signature(),
        EntryIntoForce::AfterConsents { consents: 2, delay: Delay::FirstOfMonth(2) },
        EntryIntoForce::AfterLastConsent { delay: Delay::Days(30) },
        EntryIntoForce::AfterLastConsent { delay: Delay::None },
        EntryIntoForce::OnDate("2015-11".parse().expect("a date")),
    ];
    for rule in rules {
        let event = AgreementEvent::Registered(Box::new(registration(rule)));
        assert_eq!(Agreement::decode(&Agreement::encode(&event)).expect("readable"), event);
    }
}

#[test]
fn a_value_that_is_never_stored_is_not_read() {
    let unspecified = Payload::of(&contracts::toguna::partnerships::events::v1::AgreementSigned::default());
    assert!(matches!(Agreement::decode(&unspecified), Err(DecodeError::Missing("kind"))));
    let unknown = Payload { type_name: "toguna.partnerships.events.v1.AgreementSung".into(), bytes: Vec::new() };
    assert!(matches!(Agreement::decode(&unknown), Err(DecodeError::UnknownType(_))));
}
