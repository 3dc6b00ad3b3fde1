//! Every stored event type beside its bytes: what was stored once is read for ever.

use std::{collections::BTreeSet, fs, path::PathBuf};

use event_sourcing::{LocalizedText, Text, TextOrigin};
use event_store::{Date, DecodeError, PartialDate, Payload, Stored};
use prost_types::FileDescriptorSet;

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

const PACKAGE: &str = "toguna.partnerships.events.v1.";

/// Messages of that package that are parts of events.
const VALUES: [&str; 7] =
    ["AgreementTerms", "EntryIntoForceRule", "OnSignature", "AfterConsents", "AfterLastConsent", "Delay", "PartyView"];

/// One event of each type, and more of those that have variants on the wire.
fn partner_events() -> Vec<(&'static str, PartnerEvent)> {
    let role = PartnerEvent::RoleStarted { role: MigrationRole::Origin };
    vec![
        (
            "PartnerRegistered",
            PartnerEvent::Registered(Profile {
                kind: PartnerKind::Ministry,
                names: Names {
                    full: both("Ministère des Maliens de l’Extérieur", "Ministry of Malians Abroad"),
                    short: LocalizedText::official_fr("MMEIA"),
                },
                country: "ML".parse().ok(),
                parent: Some("partners/ml".into()),
            }),
        ),
        (
            "PartnerRenamed",
            PartnerEvent::Renamed(Names { full: LocalizedText::official_fr("Mali"), short: LocalizedText::default() }),
        ),
        ("PartnerParentChanged", PartnerEvent::ParentChanged { parent: Some("partners/ml".into()) }),
        ("PartnerRoleStarted", role.clone()),
        ("PartnerRoleEnded", PartnerEvent::RoleEnded { role: MigrationRole::Transit }),
        ("PartnerRecordConfirmed", PartnerEvent::RecordConfirmed(confirmation(role))),
    ]
}

fn dialogue_events() -> Vec<(&'static str, DialogueEvent)> {
    let partner = || String::from("partners/ml");
    let claimed = DialogueEvent::MembershipClaimed { partner: partner(), status: MembershipStatus::Member };
    vec![
        (
            "DialogueRegistered",
            DialogueEvent::Registered(Foundation {
                names: both("Processus de Khartoum", "Khartoum Process"),
                secretariat: Some("partners/icmpd".into()),
            }),
        ),
        (
            "DialogueMembershipRecorded",
            DialogueEvent::MembershipRecorded { partner: partner(), status: MembershipStatus::JvapPartner },
        ),
        ("DialogueMembershipClaimed", claimed.clone()),
        ("DialogueRecordConfirmed", DialogueEvent::RecordConfirmed(confirmation(claimed))),
    ]
}

fn agreement_events() -> Vec<(&'static str, AgreementEvent)> {
    use AgreementEvent as Event;
    let party = || String::from("partners/ml");
    let amendment_id = || String::from("prolongation-2020");
    let (rule, stated) = (Ground::Rule, Ground::Stated);
    let signed = Event::Signed { party: party(), kind: SignatureKind::SubjectToRatification };
    vec![
        ("AgreementRegistered", Event::Registered(Box::new(registration(on_signature())))),
        ("AgreementNegotiationOpened", Event::NegotiationOpened),
        ("AgreementTextInitialled", Event::TextInitialled),
        ("AgreementTextAdopted", Event::TextAdopted),
        ("AgreementSigned", signed.clone()),
        (
            "AgreementDomesticallyAuthorised",
            Event::DomesticallyAuthorised { party: party(), legal_basis: Some("loi du 30 décembre 1995".into()) },
        ),
        (
            "AgreementConsentExpressed",
            Event::ConsentExpressed {
                party: party(),
                kind: ConsentKind::Approval,
                delivery: ConsentDelivery::Notified,
            },
        ),
        ("AgreementEnteredIntoForce", Event::EnteredIntoForce { ground: stated }),
        ("AgreementProvisionallyApplied", Event::ProvisionallyApplied),
        ("AgreementProvisionalApplicationEnded", Event::ProvisionalApplicationEnded),
        ("AgreementPublished", Event::Published { party: party(), reference: "décret du 9 décembre 1996".into() }),
        (
            "AgreementObligationRecorded",
            Event::ObligationRecorded(Obligation {
                id: "art-1".into(),
                article: "1".into(),
                obliged_parties: vec![party()],
                text: LocalizedText::official_fr("protéger les personnes et les biens"),
            }),
        ),
        (
            "AgreementAmendmentProposed",
            Event::AmendmentProposed { amendment_id: amendment_id(), title: both("Prolongation", "Extension") },
        ),
        ("AgreementAmendmentAccepted", Event::AmendmentAccepted { amendment_id: amendment_id(), party: party() }),
        ("AgreementAmended", Event::Amended { amendment_id: amendment_id(), parties: vec![party()], ground: rule }),
        ("AgreementSuspended", Event::Suspended { party: party() }),
        ("AgreementResumed", Event::Resumed { party: party(), still_suspended_by: vec!["partners/fr".into()] }),
        ("AgreementDenounced", Event::Denounced { party: party(), takes_effect_on: day("2023-11-21") }),
        ("AgreementPartyWithdrew", Event::PartyWithdrew { party: party() }),
        ("AgreementTerminationAgreed", Event::TerminationAgreed { party: party() }),
        (
            "AgreementTerminated",
            Event::Terminated { cause: TerminationCause::Denunciation { by: party() }, ground: rule },
        ),
        ("AgreementExpired", Event::Expired),
        ("AgreementSuperseded", Event::Superseded { by: "agreements/ml-fr-2000".into() }),
        ("AgreementViewDeclared", Event::ViewDeclared { party: party(), view: BindingNature::NonBinding }),
        (
            "AgreementNatureContested",
            Event::NatureContested {
                views: vec![("partners/eu".into(), BindingNature::Binding), (party(), BindingNature::NonBinding)],
            },
        ),
        ("AgreementNatureSettled", Event::NatureSettled { nature: BindingNature::NonBinding }),
        ("AgreementRecordConfirmed", Event::RecordConfirmed(confirmation(signed))),
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

fn confirmation<E>(event: E) -> Box<Confirmation<E>> {
    Box::new(Confirmation { version: 7, event, effective_on: Some(PartialDate::month(2015, 11).expect("a month")) })
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events").join(format!("{name}.hex"))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |pair| u8::from_str_radix(pair, 16).expect("two hexadecimal digits");
    (0..text.len()).step_by(2).map(|start| byte(&text[start..start + 2])).collect()
}

/// The bytes of a fixture are read as the event beside them, which is stored as those bytes.
fn assert_frozen<A: Stored<Event: PartialEq + std::fmt::Debug>>(name: &str, event: &A::Event) {
    let frozen = fs::read_to_string(fixture(name)).unwrap_or_else(|_| panic!("{name} needs a fixture"));
    let stored = A::encode(event);
    assert_eq!(stored.type_name, format!("{PACKAGE}{name}"));
    assert_eq!(hex(&stored.bytes), frozen.trim_end(), "{name}");
    let kept = Payload { type_name: stored.type_name, bytes: unhex(frozen.trim_end()) };
    assert_eq!(&A::decode(&kept).expect("what was stored can be read"), event, "{name}");
}

#[test]
fn what_was_stored_is_read_for_ever() {
    for (name, event) in partner_events() {
        assert_frozen::<Partner>(name, &event);
    }
    for (name, event) in dialogue_events() {
        assert_frozen::<Dialogue>(name, &event);
    }
    for (name, event) in agreement_events() {
        assert_frozen::<Agreement>(name, &event);
    }
}

#[test]
fn every_event_type_has_its_bytes_kept() {
    let descriptors: FileDescriptorSet = prost::Message::decode(contracts::DESCRIPTORS).expect("descriptors");
    let in_proto: BTreeSet<String> = descriptors
        .file
        .iter()
        .filter(|file| file.package().starts_with(PACKAGE.trim_end_matches('.')))
        .flat_map(|file| &file.message_type)
        .map(|message| message.name().to_owned())
        .filter(|name| !VALUES.contains(&name.as_str()))
        .collect();
    let kept: BTreeSet<String> = fs::read_dir(fixture("x").parent().expect("a folder"))
        .expect("fixtures")
        .map(|entry| entry.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let partners = partner_events().into_iter().map(|(name, _)| name);
    let dialogues = dialogue_events().into_iter().map(|(name, _)| name);
    let agreements = agreement_events().into_iter().map(|(name, _)| name);
    let tested: BTreeSet<String> = partners.chain(dialogues).chain(agreements).map(str::to_owned).collect();
    assert_eq!(in_proto, tested);
    assert_eq!(kept, tested);
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
