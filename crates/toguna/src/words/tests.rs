use std::collections::BTreeSet;

use prost_reflect::{Kind, MessageDescriptor};

use super::*;
use crate::services;

#[test]
fn a_figure_says_how_far_it_can_be_relied_on() {
    let amounts = vec![Money { currency_code: "EUR".to_owned(), minor_units: 2_000_000_000 }];
    let certain =
        Figure { amounts, certainty: Certainty::Inferred.into(), unconfirmed: true, records: 1, ..Figure::default() };
    assert_eq!(figure(Language::En, Some(&certain)), "EUR 20,000,000.00 ≈ ?");
    assert_eq!(figure(Language::En, Some(&Figure::default())), "—");
}

#[test]
fn a_text_is_given_in_the_other_language_where_it_has_none_and_a_translation_is_marked() {
    let wording = |text: &str, origin: TextOrigin| Some(Text { text: text.to_owned(), origin: origin.into() });
    let both =
        LocalizedText { fr: wording("Volet", TextOrigin::Official), en: wording("Window", TextOrigin::Translation) };
    assert_eq!(text(Language::Fr, Some(&both)), "Volet");
    assert_eq!(text(Language::En, Some(&both)), "Window *");
    let french = LocalizedText { en: None, ..both };
    assert_eq!(text(Language::En, Some(&french)), "Volet");
}

#[test]
fn states_are_said_in_the_words_of_the_field() {
    assert_eq!(named(Language::Fr, "COMMITMENT_STATUS_IN_PROGRESS", "COMMITMENT_STATUS_"), "en cours");
    assert_eq!(
        named(Language::En, "AGREEMENT_PHASE_PROVISIONALLY_APPLIED", "AGREEMENT_PHASE_"),
        "provisionally applied"
    );
}

#[test]
fn an_open_period_has_an_open_end() {
    let start = Some(Date { year: 2015, month: 11, day: 12 });
    assert_eq!(period(Language::En, Some(&Period { start, end: None })), "12 November 2015 – …");
}

#[test]
fn numbers_are_grouped_and_stay_exact() {
    assert_eq!(number(Language::En, "11420"), "11,420");
    assert_eq!(number(Language::Fr, "22.72"), "22,72");
    assert_eq!(number(Language::Fr, "1234567890123456789012345678"), "1234567890123456789012345678");
}

/// What `show` prints of every kind of resource.
fn shown() -> (BTreeSet<String>, BTreeSet<String>) {
    let mut messages: Vec<MessageDescriptor> = Vec::new();
    for method in services::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let by_name = method.name().starts_with("Get") && method.input().get_field_by_name("name").is_some();
        let resource = method.output().get_field(1).filter(|_| by_name).map(|field| field.kind());
        messages.extend(resource.and_then(|kind| kind.as_message().cloned()));
    }
    let (mut fields, mut values, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    while let Some(message) = messages.pop() {
        let known = message.package_name() == "toguna.type.v1" || message.package_name() == "google.protobuf";
        if known || !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        for field in message.fields() {
            fields.insert(field.name().to_owned());
            match field.kind() {
                Kind::Message(message) => messages.push(message),
                Kind::Enum(kind) => values.extend(kind.values().map(|it| value(Language::En, &it))),
                _ => {}
            }
        }
    }
    (fields, values)
}

#[test]
fn everything_that_is_shown_has_french_words() {
    let (fields, values) = shown();
    assert!(fields.len() > 100 && values.len() > 50, "the resources were looked for in the wrong place");
    let missing: Vec<&String> = fields.iter().filter(|name| !FRENCH.fields.contains_key(*name)).collect();
    assert!(missing.is_empty(), "[fields] of words/french.toml lacks {missing:?}");
    let missing: Vec<&String> = values.iter().filter(|word| !FRENCH.values.contains_key(*word)).collect();
    assert!(missing.is_empty(), "[values] of words/french.toml lacks {missing:?}");
}
