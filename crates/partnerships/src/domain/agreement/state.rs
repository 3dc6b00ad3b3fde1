//! What is known of an agreement, and why it refuses.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use event_sourcing::{Date, LocalizedText};

use super::{
    error::AgreementError,
    events::{
        AgreementEvent, AgreementScope, BindingNature, ConsentDelivery, ConsentKind, Ground, Obligation, Registration,
        SignatureKind, TerminationCause,
    },
    terms::{Consents, EntryIntoForce, Since},
};
use crate::domain::{
    act::ActError,
    fact::{Fact, Records, Span},
};

/// An agreement that is in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// What it is.
    pub registration: Registration,
    /// Its parties, those that acceded included, and what each did.
    pub parties: BTreeMap<String, Party>,
    /// Whether it binds, as the parties see it.
    pub nature: Nature,
    /// When negotiations were opened.
    pub negotiation_opened: Option<Fact>,
    /// When the text was initialled.
    pub text_initialled: Option<Fact>,
    /// When the text was adopted.
    pub text_adopted: Option<Fact>,
    /// Its application before entry into force.
    pub provisional_application: Option<Span>,
    /// Its entry into force.
    pub in_force: Option<(Fact, Ground)>,
    /// Its ends, in order of recording.
    pub(super) ends: Vec<(Fact, End)>,
    /// Publications of the text, in order of recording.
    pub publications: Vec<Publication>,
    /// Obligations, in order of recording. They stay when the agreement ends: what was owed is owed (rule A5).
    pub obligations: Vec<(Fact, Obligation)>,
    /// Amendments, in order of recording.
    pub amendments: Vec<Amendment>,
    /// Whose word its facts rest on.
    pub records: Records<AgreementEvent>,
    /// Organisations that an event names as parties and that are none: only a correction could bring them in.
    pub(super) strangers: BTreeSet<String>,
    /// Acts of an organisation that an event says are of another: only a correction could.
    pub(super) misattributed: Vec<(String, String)>,
}

/// What one party did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// It signed.
    pub signature: Option<(Fact, SignatureKind)>,
    /// Its own law authorised it.
    pub authorisation: Option<(Fact, Option<String>)>,
    /// It consented by another act than a signature.
    pub consent: Option<(Fact, ConsentKind, ConsentDelivery)>,
    /// Its views, in order of date.
    pub views: Vec<(Fact, BindingNature)>,
    /// Its suspensions, in order of recording.
    pub suspensions: Vec<Span>,
    /// It denounced.
    pub denunciation: Option<Denunciation>,
    /// It agreed to the end.
    pub termination_agreed: Option<Fact>,
}

/// A party's notice that it ends its consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denunciation {
    /// When notice was given.
    pub notified: Fact,
    /// First day on which the party is no longer bound.
    pub takes_effect_on: Date,
    /// When it ceased to be bound while the others went on.
    pub withdrew: Option<Fact>,
}

/// Whether it binds, as the parties see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// As declared, or as all that declared a view see it.
    Agreed(BindingNature),
    /// Parties declared different views (rule A7: what rests on it is flagged, never deleted).
    Contested,
}

/// How an agreement ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was terminated.
    Terminated {
        /// Why.
        cause: TerminationCause,
        /// On what ground the register says so.
        ground: Ground,
    },
    /// Its term has run.
    Expired,
    /// Another agreement stands in its place.
    Superseded {
        /// `agreements/…`.
        by: String,
    },
}

/// A publication of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// When.
    pub fact: Fact,
    /// The party that published it.
    pub party: String,
    /// Where.
    pub reference: String,
}

/// An amendment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// Unique in the agreement.
    pub id: String,
    /// Its title.
    pub title: LocalizedText,
    /// When it was proposed.
    pub proposed: Fact,
    /// Who accepted it.
    pub accepted: BTreeMap<String, Fact>,
    /// Whom it binds.
    pub binds: BTreeMap<String, Fact>,
}

/// How far an agreement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing but its registration is recorded.
    Registered,
    /// The text is not fixed yet.
    Negotiating,
    /// The text is initialled.
    Initialled,
    /// The text is adopted.
    Adopted,
    /// At least one party signed or consented.
    Signed,
    /// Applied before its entry into force.
    ProvisionallyApplied,
    /// In force.
    InForce,
    /// A party suspends its operation.
    Suspended,
    /// Terminated.
    Terminated,
    /// Its term has run.
    Expired,
    /// Another agreement stands in its place.
    Superseded,
}

/// Where a party stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartyStanding {
    /// Nothing it did is recorded.
    Named,
    /// It signed, subject to ratification: not bound (rule A2).
    Signed,
    /// It consented to be bound.
    Consented,
    /// It is no longer bound.
    Withdrawn,
}

impl Party {
    /// Since when it is bound by its own acts: a definitive signature, or a consent. What a source says of it counts
    /// only once the party has confirmed it.
    pub fn consented(&self, records: &Records<AgreementEvent>) -> Option<Since> {
        let signature = self.signature.as_ref().filter(|(_, kind)| *kind == SignatureKind::Definitive);
        let signature = signature.map(|(fact, _)| fact).filter(|fact| records.counts(fact));
        let consent = self.consent.as_ref().map(|(fact, ..)| fact).filter(|fact| records.counts(fact));
        signature.or(consent).map(|fact| Since(fact.on))
    }

    /// The view that stands: its own latest; only where it declared none itself, the latest that sources report.
    pub fn view(&self, records: &Records<AgreementEvent>) -> Option<(Fact, BindingNature)> {
        self.views.iter().copied().max_by_key(|(fact, _)| (records.counts(fact), *fact))
    }

    /// Its suspension that lasts.
    pub fn suspension(&self) -> Option<&Span> {
        self.suspensions.iter().find(|span| span.end.is_none())
    }

    /// Whether it suspends the agreement's operation: what a source says of it counts only once the party has confirmed
    /// it.
    pub fn is_suspended(&self, records: &Records<AgreementEvent>) -> bool {
        self.suspension().is_some_and(|span| records.counts(&span.start))
    }

    /// Where it stands, whosever word that rests on.
    pub fn standing(&self) -> PartyStanding {
        let withdrew = self.denunciation.as_ref().is_some_and(|denunciation| denunciation.withdrew.is_some());
        match &self.signature {
            _ if withdrew => PartyStanding::Withdrawn,
            _ if self.consent.is_some() => PartyStanding::Consented,
            Some((_, SignatureKind::Definitive)) => PartyStanding::Consented,
            Some((_, SignatureKind::SubjectToRatification)) => PartyStanding::Signed,
            None => PartyStanding::Named,
        }
    }

    fn withdrew(&self) -> bool {
        self.standing() == PartyStanding::Withdrawn
    }
}

impl Amendment {
    /// Who accepted it by its own act, and when.
    pub fn accepted<'a>(&'a self, records: &Records<AgreementEvent>) -> Consents<'a> {
        let own = self.accepted.iter().filter(|(_, fact)| records.counts(fact));
        own.map(|(party, fact)| (party.as_str(), Since(fact.on))).collect()
    }
}

impl Registration {
    /// The parties and the rules fit together.
    pub fn check(&self) -> Result<(), AgreementError> {
        let parties = self.parties.iter().collect::<BTreeSet<_>>().len();
        let fits = match self.scope {
            AgreementScope::Bilateral => parties == 2,
            AgreementScope::Regional | AgreementScope::Global => parties >= 2,
        };
        if !fits || parties != self.parties.len() {
            return Err(AgreementError::PartiesDoNotFit { scope: self.scope, parties });
        }
        self.terms.check(&self.parties)
    }
}

impl Instrument {
    pub(super) fn new(registration: Registration) -> Self {
        Self {
            parties: registration.parties.iter().map(|party| (party.clone(), Party::default())).collect(),
            nature: Nature::Agreed(registration.declared_nature),
            registration,
            negotiation_opened: None,
            text_initialled: None,
            text_adopted: None,
            provisional_application: None,
            in_force: None,
            ends: Vec::new(),
            publications: Vec::new(),
            obligations: Vec::new(),
            amendments: Vec::new(),
            records: Records::default(),
            strangers: BTreeSet::new(),
            misattributed: Vec::new(),
        }
    }

    /// Its end, as its parties or its depositary said themselves; only where they said nothing, as sources report it,
    /// unless it came into force later. Of several the earliest: while a denunciation's notice runs, the parties may
    /// agree on another.
    pub fn end(&self) -> Option<&(Fact, End)> {
        let stands = |fact: &Fact| self.records.counts(fact) || self.may_end_on(fact.counts_from());
        let order = |fact: &Fact| (!self.records.counts(fact), fact.counts_from(), Reverse(fact.version));
        self.ends.iter().filter(|(fact, _)| stands(fact)).min_by_key(|(fact, _)| order(fact))
    }

    /// Its end, where it binds: no source ends an agreement.
    pub fn ended(&self) -> Option<&(Fact, End)> {
        self.end().filter(|(fact, _)| self.records.counts(fact))
    }

    /// How far it has come, by all that is folded into this state. Only a suspension is a party's own to say: others'
    /// rely on that phase.
    pub fn phase(&self) -> Phase {
        let applied = self.provisional_application.is_some_and(|span| span.end.is_none());
        let acted = |party: &Party| party.signature.is_some() || party.consent.is_some();
        match self.end() {
            Some((_, End::Terminated { .. })) => Phase::Terminated,
            Some((_, End::Expired)) => Phase::Expired,
            Some((_, End::Superseded { .. })) => Phase::Superseded,
            None if self.parties.values().any(|party| party.is_suspended(&self.records)) => Phase::Suspended,
            None if self.in_force.is_some() => Phase::InForce,
            None if applied => Phase::ProvisionallyApplied,
            None if self.parties.values().any(acted) => Phase::Signed,
            None if self.text_adopted.is_some() => Phase::Adopted,
            None if self.text_initialled.is_some() => Phase::Initialled,
            None if self.negotiation_opened.is_some() => Phase::Negotiating,
            None => Phase::Registered,
        }
    }

    /// The parties that have not withdrawn. One that acceded is among them once its accession is its own act.
    pub fn remaining_parties(&self) -> Vec<&str> {
        let named = |name: &String| self.registration.parties.contains(name);
        self.parties
            .iter()
            .filter(|(name, party)| !party.withdrew() && (named(name) || party.consented(&self.records).is_some()))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The parties that are bound by their own acts.
    pub fn consents(&self) -> Consents<'_> {
        let consented = self.parties.iter().map(|(name, party)| (name.as_str(), party.consented(&self.records)));
        consented.filter_map(|(name, since)| Some((name, since?))).collect()
    }

    /// Whether it may be in operation on a day: in force, applied provisionally, or, where the instrument knows no
    /// entry into force, adopted or signed.
    pub fn may_operate_on(&self, day: Date) -> bool {
        let by = |fact: &Fact| fact.may_be_by(day);
        let acted = |party: &Party| {
            party.signature.as_ref().is_some_and(|(fact, _)| by(fact))
                || party.consent.as_ref().is_some_and(|(fact, ..)| by(fact))
        };
        let by_itself = self.registration.terms.entry_into_force == EntryIntoForce::NotProvided
            && (self.text_adopted.as_ref().is_some_and(by) || self.parties.values().any(acted));
        self.in_force.as_ref().is_some_and(|(fact, _)| by(fact))
            || self.provisional_application.is_some_and(|span| span.may_cover(day))
            || by_itself
    }

    /// Facts are the parties' own, and the end does not lie before the beginning.
    pub(super) fn check(&self) -> Result<(), AgreementError> {
        self.registration.check()?;
        if let Some(stranger) = self.strangers.iter().next() {
            return Err(AgreementError::NotAParty { organisation: stranger.clone() });
        }
        if let Some((organisation, on_behalf_of)) = self.misattributed.first().cloned() {
            return Err(ActError::ActsForAnother { organisation, on_behalf_of }.into());
        }
        let dates = (self.in_force.as_ref().and_then(|(fact, _)| fact.on), self.end().and_then(|(fact, _)| fact.on));
        match dates {
            (Some(beginning), Some(end)) if end.latest() < beginning.earliest() => {
                Err(AgreementError::EndsBeforeItBegan { beginning, end })
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// An amendment.
    pub fn amendment(&self, id: &str) -> Result<&Amendment, AgreementError> {
        let found = self.amendments.iter().find(|amendment| amendment.id == id);
        found.ok_or_else(|| AgreementError::NoSuchAmendment { amendment: id.to_owned() })
    }
}
