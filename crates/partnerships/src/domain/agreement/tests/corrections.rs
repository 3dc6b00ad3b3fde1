//! What a correction brings about, and what it may not.

use event_sourcing::{Correction, CorrectionError, Entry, Recorded, Timestamp};

use super::*;

/// The history in which one person of the secretariat proposed a correction and another confirmed it.
fn corrected(
    past: &Given<Agreement>,
    mistaken_version: u64,
    right: AgreementEvent,
) -> event_sourcing::History<Agreement> {
    let mut history = past.history().clone();
    let first = published(MALI).because("misread");
    let act = |person: &str| Act { basis: event_sourcing::Basis::Act, ..first.clone() }.by(person);
    let correction = Correction { mistaken_version, right, effective_on: None };
    let proposal = history.propose_correction(correction, &act("first")).expect("a proposal");
    push(&mut history, proposal, act("first"));
    let confirmation = history.confirm_correction(history.version(), &act("second")).expect("a confirmation");
    push(&mut history, confirmation, act("second"));
    history
}

fn push(history: &mut event_sourcing::History<Agreement>, draft: Draft<Entry<AgreementEvent>>, act: Act) {
    history.push(Recorded {
        version: history.version() + 1,
        event: draft.event,
        effective_on: draft.effective_on,
        recorded_at: Timestamp::UNIX_EPOCH,
        corrected_at: None,
        act: act.into(),
    });
}

#[test]
fn what_follows_from_a_corrected_record_is_drawn() {
    let past = convention()
        .and(&ratify(FRANCE), &own(FRANCE).on("2015-01-01"))
        .and(&sign(MALI, SignatureKind::SubjectToRatification), &own(MALI).on("2015-02-01"));
    let mut history = past.history().clone();
    let correction =
        Correction { mistaken_version: 3, right: signed(MALI, SignatureKind::Definitive), effective_on: None };
    let act = |person: &str| own(MALI).because("misread").by(person);
    let proposal = history.propose_correction(correction, &act("first")).expect("a proposal");
    push(&mut history, proposal, act("first"));
    let confirmation = history.confirm_correction(4, &act("second")).expect("a confirmation");
    push(&mut history, confirmation, act("second"));
    assert_eq!(
        history.state().decide(&AgreementCommand::DrawConsequences, &act("second")),
        Ok(vec![dated(force_by_rule(), "2015-02-01")])
    );
}

#[test]
fn what_was_confirmed_is_not_what_the_record_was_corrected_to() {
    let past = convention()
        .and(&sign(MALI, SignatureKind::SubjectToRatification), &published(MALI).on("2015-02-01"))
        .and(&confirm(2), &own(MALI));
    let history = corrected(&past, 2, signed(MALI, SignatureKind::Definitive));
    let state = history.state().registered().expect("an agreement");
    let (fact, kind) = state.parties[MALI].signature.expect("a signature");
    assert_eq!(kind, SignatureKind::Definitive);
    assert_eq!(state.records.standing(&fact), Standing::Unconfirmed);
}

#[test]
fn a_correction_brings_in_no_stranger() {
    let past = convention().and(&sign(MALI, SignatureKind::Definitive), &own(MALI));
    let right = signed(SPAIN, SignatureKind::Definitive);
    let correction = Correction { mistaken_version: 2, right, effective_on: None };
    assert_eq!(
        past.history().propose_correction(correction, &own(MALI).because("misread")),
        Err(CorrectionError::BreaksRule(AgreementError::NotAParty { organisation: SPAIN.into() }))
    );
}

#[test]
fn a_correction_leaves_parties_that_fit() {
    let past = convention();
    let right = registration(AgreementScope::Bilateral, &[MALI], EntryIntoForce::NotProvided);
    let correction =
        Correction { mistaken_version: 1, right: AgreementEvent::Registered(Box::new(right)), effective_on: None };
    let refusal = AgreementError::PartiesDoNotFit { scope: AgreementScope::Bilateral, parties: 1 };
    let act = act("partners/someone").because("misread");
    assert_eq!(past.history().propose_correction(correction, &act), Err(CorrectionError::BreaksRule(refusal)));
}

fn ended_earlier(mistaken_version: u64) -> Correction<AgreementEvent> {
    let effective_on = Some("2013-01-01".parse().expect("a date"));
    Correction { mistaken_version, right: AgreementEvent::Expired, effective_on }
}

#[test]
fn a_correction_does_not_let_it_end_before_it_began() {
    let past = open_treaty(EntryIntoForce::NotProvided)
        .and(&AgreementCommand::RecordEntryIntoForce, &depositary().on("2015-01-01"))
        .and(&AgreementCommand::RecordExpiry, &depositary().on("2018-01-01"));
    let refusal = AgreementError::EndsBeforeItBegan {
        beginning: "2015-01-01".parse().expect("a date"),
        end: "2013-01-01".parse().expect("a date"),
    };
    let proposed = past.history().propose_correction(ended_earlier(3), &depositary().because("misread"));
    assert_eq!(proposed, Err(CorrectionError::BreaksRule(refusal)));
}

#[test]
fn an_end_that_a_source_reports_stands_for_nothing_once_it_is_corrected_to_before_the_beginning() {
    let past = in_force().and(&AgreementCommand::RecordExpiry, &published(MALI).on("2018-01-01"));
    assert_eq!(phase(&past, "2019-01-01"), Phase::Expired);
    let mut history = past.history().clone();
    let act = |person: &str| act(SECRETARIAT).because("misread").by(person);
    let proposal = history.propose_correction(ended_earlier(5), &act("first")).expect("a proposal");
    push(&mut history, proposal, act("first"));
    let confirmation = history.confirm_correction(6, &act("second")).expect("a confirmation");
    push(&mut history, confirmation, act("second"));
    assert_eq!(history.state().registered().expect("an agreement").phase(), Phase::InForce);
}

#[test]
fn a_correction_puts_no_act_of_one_party_in_the_place_of_anothers() {
    let past = convention().and(&sign(MALI, SignatureKind::Definitive), &own(MALI));
    let right = signed(FRANCE, SignatureKind::Definitive);
    let correction = Correction { mistaken_version: 2, right, effective_on: None };
    let refusal = ActError::ActsForAnother { organisation: MALI.into(), on_behalf_of: FRANCE.into() };
    assert_eq!(
        past.history().propose_correction(correction, &own(MALI).because("misread")),
        Err(CorrectionError::BreaksRule(refusal.into()))
    );
}
