//! Every rule of every request, broken alone.

mod others;
mod requests;

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::ReflectMessage as _;

use self::requests::{Breach, breaches, whole};
use super::*;
use crate::language::Language;

fn told(request: &prost_reflect::DynamicMessage) -> Vec<Violation> {
    SHAPES.violations(request.descriptor().full_name(), &request.encode_to_vec())
}

fn all_requests() -> impl Iterator<Item = prost_reflect::MessageDescriptor> {
    schema::all().services().flat_map(|service| service.methods().map(|method| method.input()).collect::<Vec<_>>())
}

#[test]
fn a_request_whose_fields_are_all_as_they_must_be_passes() {
    for request in all_requests() {
        assert_eq!(told(&whole(&request)), [], "{}", request.full_name());
    }
}

#[test]
fn whatever_breaks_one_rule_is_refused_at_that_field_in_both_languages() {
    let mut rules = BTreeSet::new();
    let mut count = 0;
    for request in all_requests() {
        for Breach { rule, path, broken } in breaches(&SHAPES, &request) {
            let told = told(&broken);
            let fields: Vec<&str> = told.iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!(fields, [path.as_str()], "{} breaks {rule} at {path}", request.full_name());
            let [english, french] =
                [Language::English, Language::French].map(|language| told[0].problem.say(language).to_owned());
            assert!(!english.is_empty() && !french.is_empty() && english != french, "{path}: {english} / {french}");
            rules.insert(rule);
            count += 1;
        }
    }
    assert!(count > 2000, "only {count} rules were broken: they are looked for in the wrong place");
    let kinds =
        ["any_of", "bytes", "defined", "max_items", "max_len", "min_items", "number", "pattern", "required", "uuid"];
    assert!(kinds.iter().all(|kind| rules.contains(kind)), "{rules:?}");
}

#[test]
fn everything_wrong_is_told_at_once_in_the_order_of_the_fields() {
    use contracts::toguna::{disbursements::v1::DecommitContractRequest, log::v1 as log, r#type::v1::Money};
    let source = log::Source { title: "x".repeat(501), sha256: vec![0; 31], ..log::Source::default() };
    let request = DecommitContractRequest {
        request_id: "7".into(),
        etag: "3".into(),
        at_least_as_fresh: vec!["nonsense".into()],
        act: Some(log::Act { on_behalf_of: "France".into(), basis: 9, sources: vec![source], ..log::Act::default() }),
        name: "contracts/".into(),
        amount: Some(Money { currency_code: "euro".into(), minor_units: 0 }),
        ..DecommitContractRequest::default()
    };
    let told = violations(&request);
    let fields: Vec<&str> = told.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "request_id",
            "etag",
            "at_least_as_fresh[0]",
            "act.on_behalf_of",
            "act.basis",
            "act.sources[0].title",
            "act.sources[0].sha256",
            "name",
            "amount.currency_code",
            "amount.minor_units",
        ]
    );
}

#[test]
fn a_text_is_counted_in_characters_and_takes_one_line() {
    use contracts::toguna::commitments::v1::RegisterCommitmentRequest;
    let refused = |reference: &str| {
        let request = RegisterCommitmentRequest {
            request_id: "0193553c-8d5e-7c3b-9a55-3b6f0d0d8f11".into(),
            name: "commitments/x".into(),
            reference: reference.into(),
            ..RegisterCommitmentRequest::default()
        };
        !violations(&request).is_empty()
    };
    for right in ["", "é", &"é".repeat(40), "a b", "n° 2", "l’un\u{202f}; l’autre", "\u{627}\u{200c}\u{628}"] {
        assert!(!refused(right), "{right:?}");
    }
    let lines = ["a\nb", "a\tb", "a\0", "\u{7f}", "a\u{2028}b", "\n"];
    let disguises = ["\u{202e}a", "a\u{2066}b", "\u{feff}a", "\u{85}"];
    let spaces = [" a", "a ", "a\u{202f}", " ", "\u{3000}a"];
    for wrong in lines.into_iter().chain(disguises).chain(spaces).chain([&*"é".repeat(41)]) {
        assert!(refused(wrong), "{wrong:?}");
    }
}
