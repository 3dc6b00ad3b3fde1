use event_sourcing::{
    Correction, CorrectionError, Date,
    testing::{act, given, given_acts},
};

use super::*;
use crate::domain::fact::Standing;

const MALI: &str = "partners/ml";

fn secretariat() -> Act {
    act("partners/icmpd").with_role("secretariat")
}

fn khartoum() -> DialogueEvent {
    DialogueEvent::Registered(Foundation {
        names: LocalizedText::official_en("Khartoum Process"),
        secretariat: Some("partners/icmpd".into()),
    })
}

fn recorded(status: MembershipStatus) -> DialogueEvent {
    DialogueEvent::MembershipRecorded { partner: MALI.into(), status }
}

fn record(status: MembershipStatus) -> DialogueCommand {
    DialogueCommand::RecordMembership { partner: MALI.into(), status }
}

fn mali(dialogue: &Dialogue) -> Membership {
    dialogue.registered().expect("a dialogue").memberships.get(MALI).cloned().unwrap_or_default()
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

#[test]
fn the_secretariat_registers_a_dialogue_with_the_day_of_its_foundation() {
    let DialogueEvent::Registered(foundation) = khartoum() else { unreachable!() };
    let command = DialogueCommand::Register(foundation);
    given::<Dialogue>([]).when(&command, &secretariat()).then([khartoum()]);
    let founded = given_acts::<Dialogue>([(secretariat().on("2014-11-28"), khartoum())]);
    assert_eq!(founded.state().registered().expect("a dialogue").founded_on, "2014-11-28".parse().ok());
    founded.when(&command, &secretariat().on("2014-11-28")).then_nothing();
    founded.when(&command, &secretariat().on("2014")).then_refused(DialogueError::AlreadyRegistered);
    given::<Dialogue>([])
        .when(&command, &act(MALI).with_role("focal_point"))
        .then_refused(ActError::RoleRequired { roles: REGISTRARS }.into());
}

#[test]
fn what_is_not_registered_has_no_members() {
    given::<Dialogue>([])
        .when(&record(MembershipStatus::Member), &secretariat())
        .then_refused(DialogueError::NotRegistered);
}

#[test]
fn a_membership_is_recorded_by_the_secretariat() {
    given::<Dialogue>([khartoum()])
        .when(&record(MembershipStatus::NonMember), &secretariat())
        .then([recorded(MembershipStatus::NonMember)]);
    given::<Dialogue>([khartoum()])
        .when(&record(MembershipStatus::Member), &act(MALI).with_role("focal_point"))
        .then_refused(ActError::RoleRequired { roles: REGISTRARS }.into());
}

#[test]
fn nobody_speaks_for_the_dialogues_side_but_its_secretariat_or_from_a_source() {
    let secretariat_of_mali = act(MALI).with_role("secretariat");
    let refusal = ActError::ActsForAnother { organisation: MALI.into(), on_behalf_of: "partners/icmpd".into() };
    given::<Dialogue>([khartoum()])
        .when(&record(MembershipStatus::Member), &secretariat_of_mali)
        .then_refused(refusal.into());
    given::<Dialogue>([khartoum()])
        .when(&record(MembershipStatus::Member), &secretariat_of_mali.recorded_from_source_of("partners/icmpd"))
        .then([recorded(MembershipStatus::Member)]);
}

#[test]
fn the_same_status_of_the_same_day_is_recorded_once() {
    given_acts::<Dialogue>([
        (secretariat(), khartoum()),
        (secretariat().on("2014-11-28"), recorded(MembershipStatus::NonMember)),
    ])
    .when(&record(MembershipStatus::NonMember), &secretariat().on("2014-11-28"))
    .then_nothing();
}

#[test]
fn membership_is_readable_as_of_any_day_however_late_it_is_recorded() {
    let dialogue = given_acts::<Dialogue>([
        (secretariat().on_unknown_date(), khartoum()),
        (secretariat().on("2015-11-12"), recorded(MembershipStatus::JvapPartner)),
        (secretariat().on("2014-11-28"), recorded(MembershipStatus::NonMember)),
        (secretariat().on("2030-01-01"), recorded(MembershipStatus::Member)),
    ]);
    let status = |as_of| mali(&dialogue.history().state_as_of(day(as_of))).status();
    assert_eq!(status("2014-11-27"), None);
    assert_eq!(status("2014-11-28"), Some(MembershipStatus::NonMember));
    assert_eq!(status("2015-11-12"), Some(MembershipStatus::JvapPartner));
    assert_eq!(status("2029-12-31"), Some(MembershipStatus::JvapPartner));
    assert_eq!(status("2030-01-01"), Some(MembershipStatus::Member));
}

#[test]
fn a_partners_own_claim_stands_beside_the_dialogues_record() {
    let dialogue = given_acts::<Dialogue>([
        (secretariat(), khartoum()),
        (secretariat().on("2014-11-28"), recorded(MembershipStatus::NonMember)),
    ])
    .and(
        &DialogueCommand::ClaimMembership(MembershipStatus::Member),
        &act(MALI).with_role("focal_point").on("2014-11-28"),
    );
    let membership = mali(dialogue.state());
    assert_eq!(membership.status(), Some(MembershipStatus::NonMember));
    assert_eq!(membership.claimed_status(), Some(MembershipStatus::Member));
}

#[test]
fn a_claim_takes_someone_who_speaks_for_the_partner() {
    given::<Dialogue>([khartoum()])
        .when(&DialogueCommand::ClaimMembership(MembershipStatus::Member), &act(MALI))
        .then_refused(ActError::RoleRequired { roles: SPEAKERS }.into());
}

#[test]
fn a_claim_may_be_recorded_from_a_source_until_the_partner_confirms_it() {
    let claim = DialogueEvent::MembershipClaimed { partner: MALI.into(), status: MembershipStatus::Member };
    let dialogue = given_acts::<Dialogue>([
        (secretariat(), khartoum()),
        (secretariat().recorded_from_source_of(MALI).on("2018"), claim),
    ]);
    let standing = |dialogue: &Dialogue| {
        let (fact, _) = mali(dialogue).claimed[0];
        dialogue.registered().expect("a dialogue").records.standing(&fact)
    };
    assert_eq!(standing(dialogue.state()), Standing::Unconfirmed);
    let mali = act(MALI).with_role("signatory");
    let confirmed = dialogue.and(&DialogueCommand::ConfirmRecord { version: 2 }, &mali);
    assert_eq!(standing(confirmed.state()), Standing::Confirmed);
    // The confirmation is of today, the fact of 2018: it is confirmed as of any day.
    assert_eq!(standing(&confirmed.history().state_as_of(day("2019-01-01"))), Standing::Confirmed);
}

#[test]
fn a_correction_makes_no_claim_of_one_partner_anothers() {
    let claim =
        |partner: &str| DialogueEvent::MembershipClaimed { partner: partner.into(), status: MembershipStatus::Member };
    let dialogue = given_acts::<Dialogue>([(secretariat(), khartoum()), (act(MALI), claim(MALI))]);
    let correction = Correction { mistaken_version: 2, right: claim("partners/ne"), effective_on: None };
    let refusal = ActError::ActsForAnother { organisation: MALI.into(), on_behalf_of: "partners/ne".into() };
    assert_eq!(
        dialogue.history().propose_correction(correction, &act(MALI).because("misread")),
        Err(CorrectionError::BreaksRule(refusal.into()))
    );
}
