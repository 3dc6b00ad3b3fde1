//! The smallest aggregate that has a rule: a tally that never exceeds its limit.

use contracts::{
    reasons::{Reason, ReasonName},
    toguna::{errors::v1::ErrorReason, r#type::v1::Money},
};
use event_store::{
    Act, Actor, Aggregate, Basis, Certainty, CommandMeta, DecodeError, Draft, Payload, Recorded, Refusal, Stored,
    StreamName, Value,
};
use uuid::Uuid;

/// What was counted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub total: i64,
}

/// Count this much more, unless more than the limit would come out.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    pub amount: i64,
    pub limit: i64,
}

/// This much was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted(pub i64);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit is {limit}")]
pub struct OverLimit {
    limit: i64,
}

impl Aggregate for Tally {
    const CATEGORY: &'static str = "tallies";
    type Command = Count;
    type Event = Counted;
    type Error = OverLimit;

    fn decide(&self, count: &Count, act: &Act) -> Result<Vec<Draft<Counted>>, OverLimit> {
        if self.total + count.amount > count.limit {
            return Err(OverLimit { limit: count.limit });
        }
        Ok(vec![act.draft(Counted(count.amount))])
    }

    fn evolve(self, event: &Recorded<Counted>) -> Self {
        Self { total: self.total + event.event.0 }
    }
}

impl Refusal for OverLimit {
    fn reason(&self) -> &'static Reason {
        ErrorReason::Overloaded.reason()
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        vec![("limit", Value::count(self.limit))]
    }
}

impl Stored for Tally {
    fn encode(event: &Counted) -> Payload {
        Payload::of(&Money { currency_code: "XOF".into(), minor_units: event.0 })
    }

    fn decode(payload: &Payload) -> Result<Counted, DecodeError> {
        let money = payload.to::<Money>().ok_or_else(|| DecodeError::UnknownType(payload.type_name.clone()))?;
        Ok(Counted(money?.minor_units))
    }
}

/// Count without a limit that matters.
pub fn count(amount: i64) -> Count {
    Count { amount, limit: i64::MAX }
}

/// `tallies/<id>`.
pub fn tally(id: &str) -> StreamName {
    StreamName::new(Tally::CATEGORY, id).expect("a name")
}

/// A new request that any version will do for.
pub fn request() -> CommandMeta {
    CommandMeta {
        request_id: Uuid::now_v7(),
        content_hash: [7; 32],
        expected_version: None,
        validate_only: false,
        correlation_id: None,
        causation_id: None,
        traceparent: String::new(),
    }
}

/// The own act of a person of an organisation.
pub fn act_of(subject: &str) -> Act {
    Act {
        actor: Actor {
            issuer: "test".into(),
            subject: subject.into(),
            organisation: "partners/ml".into(),
            roles: vec!["focal_point".into()],
        },
        on_behalf_of: "partners/ml".into(),
        basis: Basis::Act,
        effective_on: "2016-04".parse().ok(),
        sources: Vec::new(),
        certainty: Certainty::Exact,
        reason: "why".into(),
        today: "2026-11-23".parse().expect("a day"),
    }
}
