//! Messages, fields and enums: what they are called, of what type they are, and that each is explained.

use std::collections::HashSet;

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

use super::{Judge, methods::kind_of, words};
use crate::comments::Comments;

const COMMENTED: &str = "AIP-192, comments";
const ZERO: &str = "AIP-126, zero value";
/// AIP-142: `…_on` is a day, `…_at` a moment.
pub const DATES: &str = "AIP-142, dates and times";
const CODES: &str = "AIP-143, codes";
const EXACT: &str = "no floating point";
const MONEY: &str = "money is Money";
const ONE_TYPE: &str = "AIP-148, a name has one type";
const NO_MAP: &str = "no map in what is hashed";
const PACKAGE: &str = "AIP-185, package";
const BOOLEAN: &str = "AIP-140, names";

/// Names that mean the same everywhere.
const STANDARD: &[(&str, &str)] = &[
    ("request_id", "string"),
    ("etag", "string"),
    ("validate_only", "bool"),
    ("act", "toguna.log.v1.Act"),
    ("receipt", "toguna.log.v1.Receipt"),
    ("at_least_as_fresh", "repeated string"),
    ("consistency_token", "string"),
    ("page_size", "int32"),
    ("page_token", "string"),
    ("next_page_token", "string"),
    ("as_of", "toguna.type.v1.Date"),
    ("provenance", "toguna.log.v1.Provenance"),
    ("epoch", "bytes"),
    ("position", "uint64"),
    ("amount", "toguna.type.v1.Money"),
    ("title", "toguna.type.v1.LocalizedText"),
];
/// Where a standard name means another thing: the message, the field, the reason.
const OTHER_MEANING: &[(&str, &str, &str)] = &[
    ("toguna.log.v1.EventRecord", "request_id", "stored as its 16 bytes"),
    ("toguna.log.v1.Source", "title", "of a publication, as published, in its own language"),
];

/// Words in the name of a field that holds an ISO or BCP 47 code, and so ends with `_code`.
const CODED: &[&str] = &["currency", "country", "language"];
/// Words of amounts.
const AMOUNTS: &[&str] = &["amount", "cost", "costs", "price", "cents", "share"];
/// The one message that may say what an amount is made of.
const MONEY_ITSELF: &str = "toguna.type.v1.Money";

pub fn judge(pool: &DescriptorPool, judge: &mut Judge) {
    let comments = Comments::of(pool);
    let ours = |file: &FileDescriptor| file.package_name().starts_with("toguna.");
    let hashed = hashed(pool);
    for file in pool.files().filter(ours) {
        package(pool, &comments, &file, judge);
    }
    for message in pool.all_messages().filter(|message| ours(&message.parent_file())) {
        commented(comments.said(&message.parent_file(), message.path()), message.full_name(), judge);
        for field in message.fields() {
            commented(comments.said(&field.parent_file(), field.path()), field.full_name(), judge);
            typed(&field, judge);
            let map = field.is_map() && hashed.contains(message.full_name());
            judge.hold(!map, NO_MAP, field.full_name(), "is a map, whose bytes have no order");
        }
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            commented(comments.said(&oneof.parent_file(), oneof.path()), oneof.full_name(), judge);
        }
    }
    for kind in pool.all_enums().filter(|kind| ours(&kind.parent_file())) {
        enumeration(&kind, &comments, judge);
    }
    for service in pool.services().filter(|service| ours(&service.parent_file())) {
        commented(comments.said(&service.parent_file(), service.path()), service.full_name(), judge);
        for method in service.methods() {
            commented(comments.said(&method.parent_file(), method.path()), method.full_name(), judge);
        }
    }
}

fn package(pool: &DescriptorPool, comments: &Comments, file: &FileDescriptor, judge: &mut Judge) {
    let folder = file.name().rsplit_once('/').map_or("", |(folder, _)| folder);
    judge.hold(folder.replace('/', ".") == file.package_name(), PACKAGE, file.name(), "is not in its package's folder");
    judge.hold(file.package_name().rsplit('.').next() == Some("v1"), PACKAGE, file.name(), "has no version");
    let said = comments.of_package(pool, file.package_name());
    judge.hold(!said.is_empty(), COMMENTED, file.package_name(), "says nowhere what the package is");
}

fn commented(said: &str, element: &str, judge: &mut Judge) {
    let sentence = said.ends_with(['.', '…', '?', ':', '`']) && !said.starts_with(char::is_lowercase);
    judge.hold(sentence, COMMENTED, element, "is not explained in a sentence");
}

fn typed(field: &FieldDescriptor, judge: &mut Judge) {
    let (kind, name, full) = (kind_of(field), field.name(), field.full_name());
    judge.hold(!matches!(field.kind(), Kind::Double | Kind::Float), EXACT, full, "is a floating-point number");
    let suffixes = [("_on", "toguna.type.v1.Date"), ("_at", "google.protobuf.Timestamp")];
    for (suffix, expected) in suffixes {
        judge.hold(!name.ends_with(suffix) || kind == expected, DATES, full, &format!("is not a {expected}"));
    }
    let text = matches!(field.kind(), Kind::String);
    let words = words(name);
    let coded = words.iter().any(|word| CODED.contains(&word.as_str())) && text;
    judge.hold(
        !coded || name.ends_with("_code") || name.ends_with("_codes"),
        CODES,
        full,
        "holds a code, and does not say so",
    );
    let code = name.ends_with("_code") || name.ends_with("_codes");
    judge.hold(!code || text, CODES, full, "is a code and no text");
    let number = !matches!(field.kind(), Kind::Message(_) | Kind::Enum(_) | Kind::String | Kind::Bytes | Kind::Bool);
    let amount = words.iter().any(|word| AMOUNTS.contains(&word.as_str())) && number;
    judge.hold(!amount, MONEY, full, "is an amount without a currency");
    let parts = name == "minor_units" && field.parent_message().full_name() != MONEY_ITSELF;
    judge.hold(!parts, MONEY, full, "is an amount without a currency");
    judge.hold(words[0] != "is", BOOLEAN, full, "says `is`");
    let message = field.parent_message();
    let other = OTHER_MEANING.iter().any(|(known, field, _)| *known == message.full_name() && *field == name);
    if let Some((_, expected)) = STANDARD.iter().find(|(standard, _)| *standard == name) {
        judge.hold((kind == *expected) != other, ONE_TYPE, full, &format!("is {kind}, elsewhere {expected}"));
    }
}

fn enumeration(kind: &EnumDescriptor, comments: &Comments, judge: &mut Judge) {
    commented(comments.said(&kind.parent_file(), kind.path()), kind.full_name(), judge);
    let prefix = words(kind.name()).join("_").to_uppercase();
    for value in kind.values() {
        commented(comments.said(&value.parent_file(), value.path()), value.full_name(), judge);
        let right = if value.number() == 0 {
            value.name() == format!("{prefix}_UNSPECIFIED")
        } else {
            value.name().starts_with(&format!("{prefix}_"))
        };
        judge.hold(right, ZERO, value.full_name(), "does not begin with the enum's name, or is an unexpected zero");
    }
}

/// What commands and stored events are made of: their bytes are hashed, so they must be the same however often they
/// are encoded.
fn hashed(pool: &DescriptorPool) -> HashSet<String> {
    let commands = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut open: Vec<MessageDescriptor> = commands.map(|method| method.input()).collect();
    open.extend(pool.all_messages().filter(|message| message.package_name().ends_with(".events.v1")));
    open.extend(pool.get_message_by_name("toguna.log.v1.EventRecord"));
    let mut seen = HashSet::new();
    while let Some(message) = open.pop() {
        if seen.insert(message.full_name().to_owned()) {
            open.extend(message.fields().filter_map(|field| field.kind().as_message().cloned()));
        }
    }
    seen
}
