//! Between the events of the domain and their stored form: nothing else knows both. What is written here is kept for
//! ever; `tests/fixtures/events` holds the bytes of each event type as they were first stored.

mod agreement;
mod dialogue;
mod partner;
mod terms;
mod value;

pub(crate) use terms::{rule_from_proto, terms_to_proto};
pub(crate) use value::OnWire;

#[cfg(test)]
mod tests;
