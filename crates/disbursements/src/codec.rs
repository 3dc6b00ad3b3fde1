//! Between the events of the domain and their stored form: nothing else knows both. What is written here is for ever;
//! `tests/fixtures/events` holds the bytes of each event type as they were first stored.

mod contract;
mod contribution;
mod decision;
mod fund;
mod payment;
mod standing;

use contracts::toguna::r#type::v1 as types;
use event_store::{Date, DecodeError, Payload, date_from_proto, date_to_proto};
use prost::Name;

use crate::domain::money::{Currency, Money};

pub(crate) use contract::{cause_from_proto, cofinancing_to_proto, kind_from_proto, kind_to_proto};
pub(crate) use fund::{seat_from_proto, seat_to_proto, window_to_proto};

/// Tries one message type after the other.
struct Decoding<'a, E> {
    payload: &'a Payload,
    event: Option<Result<E, DecodeError>>,
}

impl<'a, E> Decoding<'a, E> {
    fn of(payload: &'a Payload) -> Self {
        Self { payload, event: None }
    }

    /// If it is such a message, this is its event.
    fn or<M: prost::Message + Name + Default>(mut self, event: impl FnOnce(M) -> Result<E, DecodeError>) -> Self {
        if self.event.is_none() {
            self.event = self.payload.to::<M>().map(|message| event(message?));
        }
        self
    }

    fn finish(self) -> Result<E, DecodeError> {
        self.event.unwrap_or_else(|| Err(DecodeError::UnknownType(self.payload.type_name.clone())))
    }
}

/// An amount on the wire.
pub(crate) fn money_to_proto(money: Money) -> types::Money {
    types::Money { currency_code: money.currency().to_string(), minor_units: money.minor_units() }
}

fn money(sent: Option<types::Money>, field: &'static str) -> Result<Money, DecodeError> {
    let sent = sent.ok_or(DecodeError::Missing(field))?;
    let currency: Currency = sent.currency_code.parse().map_err(|_| DecodeError::Invalid(field))?;
    Money::new(currency, sent.minor_units).ok_or(DecodeError::Invalid(field))
}

fn optional_money(sent: Option<types::Money>, field: &'static str) -> Result<Option<Money>, DecodeError> {
    sent.map(|sent| money(Some(sent), field)).transpose()
}

/// A full date on the wire.
pub(crate) fn day_to_proto(day: Date) -> types::Date {
    date_to_proto(day.into())
}

fn day(sent: Option<&types::Date>, field: &'static str) -> Result<Date, DecodeError> {
    date_from_proto(sent.ok_or(DecodeError::Missing(field))?)?.exact().ok_or(DecodeError::Invalid(field))
}

/// A name that may be missing, which is empty on the wire.
fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
