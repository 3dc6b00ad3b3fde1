//! What callers are shown: a state and the records that it rests on, as the resource of the API.

mod agreement;
mod dialogue;
mod partner;

use contracts::toguna::partnerships::v1 as pb;
use event_store::{History, Stored, date_to_proto, provenance};
use prost::Message;

use crate::domain::{Fact, Records, Span, Standing};

/// An aggregate that can be shown.
pub(crate) trait Resource: Stored {
    /// What is shown of it.
    type Shown: Message + Default;

    /// Its resource, made of a state and of the history that holds the state's records; `None`: nothing is registered
    /// under that name.
    fn show(&self, name: &str, history: &History<Self>) -> Option<Self::Shown>;
}

/// Shows the facts of one state.
struct Facts<'a, A: Stored> {
    history: &'a History<A>,
    records: &'a Records<A::Event>,
}

impl<A: Stored<Event: PartialEq>> Facts<'_, A> {
    /// A fact and its record; its date is that of the last correction.
    fn fact(&self, fact: &Fact) -> pb::Fact {
        let mut provenance = self.history.recorded(fact.version).map(provenance).unwrap_or_default();
        provenance.effective_on = fact.on.map(date_to_proto);
        let standing = match self.records.standing(fact) {
            Standing::OwnAct => pb::Standing::OwnAct,
            Standing::Unconfirmed => pb::Standing::Unconfirmed,
            Standing::Confirmed => pb::Standing::Confirmed,
        };
        pb::Fact { provenance: Some(provenance), standing: standing.into() }
    }

    fn optional(&self, fact: Option<&Fact>) -> Option<pb::Fact> {
        fact.map(|fact| self.fact(fact))
    }

    fn span(&self, span: &Span) -> pb::Span {
        pb::Span { start: Some(self.fact(&span.start)), end: self.optional(span.end.as_ref()) }
    }
}
