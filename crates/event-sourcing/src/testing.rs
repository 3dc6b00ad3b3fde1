//! Given a past, when a command comes, then these events or this refusal: sentences for the tests of an aggregate.
//!
//! ```ignore
//! given::<Agreement>([signed()])
//!     .when(Suspend { .. }, &act("partners/ml").on("2022-11-21"))
//!     .then_refused(AgreementError::NotInForce);
//! ```

use std::{fmt::Debug, sync::Arc};

use jiff::{Timestamp, civil::date};

use crate::{Act, Actor, Aggregate, Basis, Certainty, Correction, Draft, Entry, History, Recorded, Source};

/// A past, of own acts of one organisation on no particular day.
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let act = act("partners/someone");
    given_acts(events.into_iter().map(|event| (act.clone(), event)))
}

/// A past in which each event has its own act: who, for whom, when.
pub fn given_acts<A: Aggregate>(events: impl IntoIterator<Item = (Act, A::Event)>) -> Given<A> {
    let mut given = Given { history: History::default() };
    for (act, event) in events {
        let effective_on = act.effective_on;
        given.push(act, Draft { event, effective_on });
    }
    given
}

/// An organisation's own act by its person `someone`, on 1 January 2020, exact, without a reason.
pub fn act(organisation: &str) -> Act {
    Act {
        actor: Actor {
            issuer: "test".into(),
            subject: "someone".into(),
            organisation: organisation.into(),
            roles: Vec::new(),
        },
        on_behalf_of: organisation.into(),
        basis: Basis::Act,
        effective_on: Some(date(2020, 1, 1).into()),
        sources: Vec::new(),
        certainty: Certainty::Exact,
        reason: String::new(),
        today: date(2020, 1, 1),
    }
}

impl Act {
    /// The same act by another person of the organisation.
    #[must_use]
    pub fn by(mut self, subject: &str) -> Self {
        self.actor.subject = subject.into();
        self
    }

    /// The same act on another date, such as `2016-04` (the day of the command stays).
    #[must_use]
    pub fn on(mut self, date: &str) -> Self {
        self.effective_on = date.parse().ok();
        self
    }

    /// The same act on a date that is not known.
    #[must_use]
    pub fn on_unknown_date(mut self) -> Self {
        self.effective_on = None;
        self
    }

    /// The same act, decided on another day, such as `2022-01-10`.
    #[must_use]
    pub fn today(mut self, day: &str) -> Self {
        self.today = day.parse().unwrap_or(self.today);
        self
    }

    /// The same act with a role in the token.
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.actor.roles.push(role.into());
        self
    }

    /// The same act with a reason.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = reason.into();
        self
    }

    /// The act of another organisation, recorded from a source by this one.
    #[must_use]
    pub fn recorded_from_source_of(mut self, organisation: &str) -> Self {
        self.on_behalf_of = organisation.into();
        self.basis = Basis::RecordedFromSource;
        self.sources.push(Source {
            title: "a source".into(),
            kind: "press".into(),
            issuer: String::new(),
            issued_on: None,
            language_code: "fr".into(),
            location: String::new(),
            sha256: None,
        });
        self
    }
}

/// A past.
#[derive(Clone)]
pub struct Given<A: Aggregate> {
    history: History<A>,
}

impl<A: Aggregate> Given<A> {
    /// The state that the past made.
    pub fn state(&self) -> &A {
        self.history.state()
    }

    /// The past itself.
    pub fn history(&self) -> &History<A> {
        &self.history
    }

    /// Then, one more command, which must be accepted: its events join the past.
    #[must_use]
    pub fn and(mut self, command: &A::Command, act: &Act) -> Self
    where
        A::Error: Debug,
    {
        match self.state().decide(command, act) {
            Ok(drafts) => drafts.into_iter().for_each(|draft| self.push(act.clone(), draft)),
            Err(refusal) => panic!("the past was refused: {refusal:?}"),
        }
        self
    }

    /// Then, the record of a version corrected by those who made the last one.
    #[must_use]
    pub fn and_corrected(mut self, mistaken_version: u64, right: A::Event) -> Self {
        let correction = Correction { mistaken_version, right, effective_on: None };
        let last = self.history.entries().next_back().expect("there is something to correct").clone();
        let event = Entry::Corrected { proposal_version: last.version, correction };
        self.history.push(Recorded { version: last.version + 1, event, ..last });
        self
    }

    /// When a command comes.
    pub fn when(&self, command: &A::Command, act: &Act) -> Outcome<A> {
        Outcome(self.state().decide(command, act))
    }

    fn push(&mut self, act: Act, draft: Draft<A::Event>) {
        self.history.push(Recorded {
            version: self.history.version() + 1,
            event: Entry::Fact(draft.event),
            effective_on: draft.effective_on,
            recorded_at: Timestamp::UNIX_EPOCH,
            corrected_at: None,
            act: Arc::new(act),
        });
    }
}

/// What became of the command.
pub struct Outcome<A: Aggregate>(Result<Vec<Draft<A::Event>>, A::Error>);

impl<A: Aggregate> Outcome<A>
where
    A::Event: PartialEq + Debug,
    A::Error: PartialEq + Debug,
{
    /// These events, whatever their dates.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) {
        let events: Result<Vec<_>, _> = self.0.map(|drafts| drafts.into_iter().map(|draft| draft.event).collect());
        assert_eq!(events, Ok(expected.into_iter().collect()));
    }

    /// These events on these dates.
    #[track_caller]
    pub fn then_dated(self, expected: impl IntoIterator<Item = Draft<A::Event>>) {
        assert_eq!(self.0, Ok(expected.into_iter().collect()));
    }

    /// Nothing: it had its effect before.
    #[track_caller]
    pub fn then_nothing(self) {
        self.then([]);
    }

    /// This refusal.
    #[track_caller]
    pub fn then_refused(self, refusal: A::Error) {
        assert_eq!(self.0, Err(refusal));
    }
}
