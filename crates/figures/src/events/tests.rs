//! Every event of the three logs is either counted or said not to count.

use std::collections::BTreeSet;

use contracts::{DESCRIPTORS, toguna::log::v1::EventRecord};
use prost::Message as _;
use prost_types::{FileDescriptorSet, field_descriptor_proto::Type};

use crate::{Log, NotUnderstood, counts};

/// The messages of a log's events, without those that are only parts of others.
fn events(log: Log) -> BTreeSet<String> {
    let package = format!("toguna.{log}.events.v1");
    let files = FileDescriptorSet::decode(DESCRIPTORS).expect("the descriptors are there").file;
    let messages = || files.iter().filter(|file| file.package() == package).flat_map(|file| &file.message_type);
    let fields = messages().flat_map(|message| &message.field);
    let parts: BTreeSet<_> = fields
        .filter(|field| field.r#type() == Type::Message)
        .map(|field| field.type_name().trim_start_matches('.').to_owned())
        .collect();
    messages().map(|message| format!("{package}.{}", message.name())).filter(|name| !parts.contains(name)).collect()
}

#[test]
fn every_event_that_can_be_stored_is_known_here() {
    for log in Log::ALL {
        let events = events(log);
        assert!(events.len() > 15, "{log}: {events:?}");
        for event in events {
            let record = EventRecord { r#type: event.clone(), ..EventRecord::default() };
            let understood = counts(log, &record);
            assert!(!matches!(understood, Err(NotUnderstood::UnknownType(_))), "{event}: does it count?");
        }
    }
}
