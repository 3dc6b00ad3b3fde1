//! What was released stays readable: the image of the last release beside what is compiled now. `buf breaking` holds
//! the whole API; this holds what is stored for ever, also where buf is not at hand.

use std::fs;

use prost_reflect::{
    DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    prost::Message as _,
    prost_types::{
        DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet, field_descriptor_proto::Type,
    },
};

use crate::{none, pool, root};

/// Packages of what is stored, and of what that is made of.
fn is_stored(file: &FileDescriptor) -> bool {
    let package = file.package_name();
    package.ends_with(".events.v1") || ["toguna.log.v1", "toguna.type.v1"].contains(&package)
}

fn released() -> DescriptorPool {
    let image = fs::read(root().join("proto/released.binpb")).expect("the image of the last release is committed");
    DescriptorPool::decode(image.as_slice()).expect("the image is whole")
}

/// What someone who holds the earlier descriptors would read differently now.
fn broken(earlier: &DescriptorPool, now: &DescriptorPool) -> Vec<String> {
    let mut found = Vec::new();
    for message in earlier.all_messages().filter(|message| is_stored(&message.parent_file())) {
        match now.get_message_by_name(message.full_name()) {
            Some(same) => compare_messages(&message, &same, &mut found),
            None => found.push(format!("{} is gone", message.full_name())),
        }
    }
    for kind in earlier.all_enums().filter(|kind| is_stored(&kind.parent_file())) {
        match now.get_enum_by_name(kind.full_name()) {
            Some(same) => compare_enums(&kind, &same, &mut found),
            None => found.push(format!("{} is gone", kind.full_name())),
        }
    }
    found
}

fn compare_messages(earlier: &MessageDescriptor, now: &MessageDescriptor, found: &mut Vec<String>) {
    if earlier.parent_file().name() != now.parent_file().name() {
        found.push(format!("{} moved to {}", earlier.full_name(), now.parent_file().name()));
    }
    for field in earlier.fields() {
        let Some(same) = now.get_field(field.number()) else {
            found.push(format!("{} is gone", field.full_name()));
            continue;
        };
        let (was, is) = (shape(&field), shape(&same));
        if was != is {
            found.push(format!("{} was {was} and is {is}", field.full_name()));
        }
    }
    for range in earlier.reserved_ranges() {
        if !now.reserved_ranges().any(|kept| kept.start <= range.start && range.end <= kept.end) {
            found.push(format!("{} no longer reserves {range:?}", earlier.full_name()));
        }
    }
}

/// Everything of a field but its comment.
fn shape(field: &FieldDescriptor) -> String {
    let kind = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(kind) => kind.full_name().to_owned(),
        scalar => format!("{scalar:?}"),
    };
    let oneof = field.containing_oneof().map(|oneof| format!(" of {}", oneof.name())).unwrap_or_default();
    let presence = if field.supports_presence() { " with presence" } else { "" };
    format!("{:?} {kind} {} ({}){presence}{oneof}", field.cardinality(), field.name(), field.json_name())
}

fn compare_enums(earlier: &EnumDescriptor, now: &EnumDescriptor, found: &mut Vec<String>) {
    for value in earlier.values() {
        match now.get_value(value.number()) {
            Some(same) if same.name() == value.name() => {}
            Some(same) => found.push(format!("{} is now {}", value.full_name(), same.name())),
            None => found.push(format!("{} is gone", value.full_name())),
        }
    }
}

#[test]
fn what_was_stored_by_the_last_release_is_read_the_same_way_now() {
    let earlier = released();
    let stored = earlier.all_messages().filter(|message| is_stored(&message.parent_file())).count();
    assert!(stored > 100, "the image holds {stored} stored messages");
    none("what is stored for ever has changed", &broken(&earlier, &pool()));
}

/// The descriptors after a change to one file.
fn changed(name: &str, change: impl Fn(&mut FileDescriptorProto)) -> DescriptorPool {
    let mut set = FileDescriptorSet::decode(contracts::DESCRIPTORS).expect("the descriptors are whole");
    change(set.file.iter_mut().find(|file| file.name() == name).expect("the file is there"));
    DescriptorPool::from_file_descriptor_set(set).expect("still whole")
}

fn message<'a>(file: &'a mut FileDescriptorProto, name: &str) -> &'a mut DescriptorProto {
    file.message_type.iter_mut().find(|message| message.name() == name).expect("the message is there")
}

fn enumeration<'a>(file: &'a mut FileDescriptorProto, name: &str) -> &'a mut EnumDescriptorProto {
    file.enum_type.iter_mut().find(|kind| kind.name() == name).expect("the enum is there")
}

#[test]
fn every_change_to_what_is_stored_is_noticed() {
    type Change = fn(&mut FileDescriptorProto);
    let record = "toguna/log/v1/record.proto";
    let changes: &[(&str, Change)] = &[
        ("EventRecord.position is gone", |file| drop(message(file, "EventRecord").field.remove(0))),
        ("EventRecord.epoch was", |file| message(file, "EventRecord").field[1].set_type(Type::String)),
        ("EventRecord.stream was", |file| message(file, "EventRecord").field[2].name = Some("resource".into())),
        ("EventRecord.version was", |file| message(file, "EventRecord").field[3].number = Some(99)),
        ("BASIS_ACT is gone", |file| drop(enumeration(file, "Basis").value.remove(1))),
        ("BASIS_ACT is now", |file| enumeration(file, "Basis").value[1].name = Some("BASIS_OWN_ACT".into())),
        ("toguna.log.v1.Unused is gone", |_| {}),
    ];
    for (expected, change) in changes {
        let earlier = changed(record, |file| {
            file.message_type.push(DescriptorProto { name: Some("Unused".into()), ..DescriptorProto::default() });
        });
        let found = broken(&earlier, &changed(record, change)).join("\n");
        // A field of another number is gone from its old one.
        let expected = expected.replace("version was", "version is gone");
        assert!(found.contains(&expected), "{expected}: {found}");
    }
    assert_eq!(broken(&pool(), &pool()), [""; 0]);
}
