//! A past, a command, what follows: the words that the tests of the agreement share.

use event_sourcing::{
    Act, Date, Draft, LocalizedText,
    testing::{Given, act, given},
};

use super::{
    events::{
        AgreementForm, AgreementScope, BindingNature, ConsentDelivery, ConsentKind, Ground, Registration,
        SignatureKind, TerminationCause,
    },
    state::{PartyStanding, Phase},
    terms::{AccessionRule, AmendmentRule, Delay, EntryIntoForce, Terms},
    *,
};
use crate::domain::{
    act::{ActError, DEPOSITARY, RECORDERS},
    fact::Standing,
};

mod amendments;
mod consent;
mod corrections;
mod ends;
mod force;
mod properties;
mod registration;
mod scenario;
mod suspensions;
mod views;

const MALI: &str = "partners/ml";
const FRANCE: &str = "partners/fr";
const SPAIN: &str = "partners/es";
const UNION: &str = "partners/eu";
const SECRETARIAT: &str = "partners/toguna-secretariat";

/// The party's own act, by somebody with full powers.
fn own(party: &str) -> Act {
    act(party).with_role("signatory")
}

/// What a source says that the party did.
fn published(party: &str) -> Act {
    act(SECRETARIAT).with_role("secretariat").recorded_from_source_of(party)
}

/// The depositary's own act.
fn depositary() -> Act {
    act(UNION).with_role("depositary")
}

fn registration(scope: AgreementScope, parties: &[&str], entry_into_force: EntryIntoForce) -> Registration {
    Registration {
        title: LocalizedText::official_fr("Convention"),
        reference: None,
        form: AgreementForm::Treaty,
        scope,
        declared_nature: BindingNature::Binding,
        parties: parties.iter().map(|party| (*party).into()).collect(),
        depositary: None,
        terms: Terms {
            entry_into_force,
            amendment: AmendmentRule::default_of(scope),
            denunciation_notice_months: terms::DEFAULT_NOTICE_MONTHS,
            accession: AccessionRule::Closed,
        },
    }
}

fn registered(registration: Registration) -> Given<Agreement> {
    given([AgreementEvent::Registered(Box::new(registration))])
}

/// Between Mali and France, in force when both have consented.
fn convention() -> Given<Agreement> {
    let rule = EntryIntoForce::AfterLastConsent { delay: Delay::None };
    registered(registration(AgreementScope::Bilateral, &[MALI, FRANCE], rule))
}

/// Between three, kept by the Union, which anybody may join.
fn open_treaty(rule: EntryIntoForce) -> Given<Agreement> {
    let mut treaty = registration(AgreementScope::Regional, &[MALI, FRANCE, UNION], rule);
    treaty.depositary = Some(UNION.into());
    treaty.terms.accession = AccessionRule::Open;
    registered(treaty)
}

/// The convention between Mali and France, in force since 2015.
fn in_force() -> Given<Agreement> {
    convention()
        .and(&sign(MALI, SignatureKind::Definitive), &own(MALI).on("2015-01-01"))
        .and(&sign(FRANCE, SignatureKind::Definitive), &own(FRANCE).on("2015-01-01"))
}

fn sign(party: &str, kind: SignatureKind) -> AgreementCommand {
    AgreementCommand::Sign { party: party.into(), kind }
}

fn ratify(party: &str) -> AgreementCommand {
    let (kind, delivery) = (ConsentKind::Ratification, ConsentDelivery::Notified);
    AgreementCommand::ExpressConsent { party: party.into(), kind, delivery }
}

fn signed(party: &str, kind: SignatureKind) -> AgreementEvent {
    AgreementEvent::Signed { party: party.into(), kind }
}

fn ratified(party: &str) -> AgreementEvent {
    let (kind, delivery) = (ConsentKind::Ratification, ConsentDelivery::Notified);
    AgreementEvent::ConsentExpressed { party: party.into(), kind, delivery }
}

fn confirm(version: u64) -> AgreementCommand {
    AgreementCommand::ConfirmRecord { version }
}

fn dated(event: AgreementEvent, on: &str) -> Draft<AgreementEvent> {
    Draft { event, effective_on: Some(on.parse().expect("a date")) }
}

fn force_by_rule() -> AgreementEvent {
    AgreementEvent::EnteredIntoForce { ground: Ground::Rule }
}

fn instrument(past: &Given<Agreement>) -> &Instrument {
    past.state().registered().expect("an agreement")
}

fn phase(past: &Given<Agreement>, as_of: &str) -> Phase {
    past.history().state_as_of(day(as_of)).registered().expect("an agreement").phase()
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}
