use event_store::date_to_proto;
use tonic_types::StatusExt as _;

use super::*;

/// The fields that are violated after a reading.
fn violated<T>(read: impl FnOnce(&mut Fields) -> T) -> Vec<String> {
    let mut fields = Fields::new();
    read(&mut fields);
    fields.violations.into_iter().map(|violation| violation.field).collect()
}

fn date(year: i32, month: i32, day: i32) -> types::Date {
    types::Date { year, month, day }
}

fn decimal(value: &str) -> types::Decimal {
    types::Decimal { value: value.into() }
}

#[test]
fn a_request_without_violations_passes() {
    let mut fields = Fields::new();
    assert_eq!(fields.name("name", "agreements/ml-fr-1994", "agreements").id(), "ml-fr-1994");
    assert_eq!(fields.organisation("party", "partners/mli"), "partners/mli");
    assert_eq!(fields.text("title", "Accord", 6), "Accord");
    assert_eq!(fields.optional_text("note", "", 6), None);
    assert_eq!(fields.date("on", Some(&date(2016, 4, 0))).to_string(), "2016-04");
    assert_eq!(fields.exact_date("on", Some(&date(2016, 4, 15))).to_string(), "2016-04-15");
    assert_eq!(fields.optional_date("on", None), None);
    assert_eq!(fields.decimal("value", Some(&decimal("-22.720"))).to_string(), "-22.720");
    let money = types::Money { currency_code: "XOF".into(), minor_units: 28_534_129_500 };
    assert_eq!(fields.money("amount", Some(&money)), ("XOF".into(), 28_534_129_500));
    assert!(fields.finish().is_ok());
}

#[test]
fn every_violation_is_told_at_once() {
    let mut fields = Fields::new();
    fields.name("name", "partners/mli", "agreements");
    fields.text("title", "", 10);
    fields.money("amount", Some(&types::Money { currency_code: "euro".into(), minor_units: 1 }));
    fields.violation("parties", ("must be two or more", "doivent être deux ou plus"));
    let status = fields.finish().expect_err("four violations");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let told = status.get_details_bad_request().expect("it lists them").field_violations;
    let told: Vec<_> = told.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(told, ["name", "title", "amount.currency_code", "parties"]);
}

#[test]
fn a_name_is_of_its_category() {
    for text in ["", "mli", "partners/", "partners/MLI", "agreements/mli", "partners/a/b", "partners/mli "] {
        assert_eq!(violated(|fields| fields.organisation("party", text)), ["party"], "{text}");
    }
}

#[test]
fn a_text_is_one_line_of_so_many_characters() {
    for text in ["a\nb", "a\tb", "a\0", "\u{202e}a", "a\u{2066}b", "a\u{2028}b", "\u{feff}a", "abcdefghijk", "\u{7f}"] {
        assert_eq!(violated(|fields| fields.text("title", text, 10)), ["title"], "{text:?}");
    }
    for text in [" a", "a ", "a\u{202f}", " "] {
        assert_eq!(violated(|fields| fields.text("title", text, 10)), ["title"], "{text:?}");
    }
    assert!(violated(|fields| fields.text("title", "Résilience", 10)).is_empty(), "characters, not bytes");
}

#[test]
fn a_date_is_in_the_calendar_and_as_exact_as_needed() {
    for (year, month, day) in [
        (0, 0, 0),
        (2015, 2, 29),
        (2015, 13, 1),
        (2015, 0, 3),
        (-5, 0, 0),
        (10_000, 0, 0),
        (70_000, 1, 1),
        (2015, 300, 1),
    ] {
        let sent = date(year, month, day);
        assert_eq!(violated(|fields| fields.date("on", Some(&sent))), ["on"], "{sent:?}");
        assert_eq!(violated(|fields| fields.optional_date("on", Some(&sent))), ["on"], "{sent:?}");
    }
    assert_eq!(violated(|fields| fields.date("on", None)), ["on"]);
    assert_eq!(violated(|fields| fields.exact_date("on", None)), ["on"]);
    assert_eq!(violated(|fields| fields.exact_date("on", Some(&date(2015, 6, 0)))), ["on"]);
    assert_eq!(violated(|fields| fields.optional_exact_date("on", Some(&date(2015, 0, 0)))), ["on"]);
}

#[test]
fn a_period_does_not_end_before_it_starts() {
    let days = |start: Option<types::Date>, end: Option<types::Date>| types::Period { start, end };
    let (first, last) = (date(2016, 1, 1), date(2016, 12, 31));
    for good in
        [days(Some(first), Some(last)), days(Some(first), Some(first)), days(None, Some(last)), days(None, None)]
    {
        assert!(violated(|fields| fields.period("period", Some(&good))).is_empty(), "{good:?}");
    }
    assert_eq!(violated(|fields| fields.period("period", Some(&days(Some(last), Some(first))))), ["period"]);
    let vague = days(Some(date(2016, 0, 0)), None);
    assert_eq!(violated(|fields| fields.period("period", Some(&vague))), ["period.start"]);
    assert_eq!(violated(|fields| fields.period("period", None)), ["period"]);
}

#[test]
fn a_decimal_is_exact() {
    for text in ["0", "-0.5", "22.72", "1234567890123456789012345678", "0.1234567890123456789012345678"[..29].into()] {
        let read = |fields: &mut Fields| assert_eq!(fields.decimal("value", Some(&decimal(text))).to_string(), text);
        assert!(violated(read).is_empty(), "{text}");
    }
    for text in
        ["", "-", ".5", "5.", "1e5", "+1", "1_000", "1 000", "1,5", "--1", "NaN", "٣", "12345678901234567890123456789"]
    {
        assert_eq!(violated(|fields| fields.decimal("value", Some(&decimal(text)))), ["value.value"], "{text}");
    }
    assert_eq!(violated(|fields| fields.decimal("value", None)), ["value"]);
}

#[test]
fn money_has_an_upper_case_currency() {
    for code in ["", "EU", "eur", "EURO", "E R", "€"] {
        let money = types::Money { currency_code: code.into(), minor_units: 1 };
        assert_eq!(violated(|fields| fields.money("amount", Some(&money))), ["amount.currency_code"], "{code}");
    }
    assert_eq!(violated(|fields| fields.money("amount", None)), ["amount"]);
}

#[derive(Debug, PartialEq)]
enum Origin {
    Official,
    Translation,
}

fn origin(fields: &mut Fields, value: i32) -> Origin {
    fields.enumeration("origin", value, |sent| match sent {
        types::TextOrigin::Unspecified => None,
        types::TextOrigin::Official => Some(Origin::Official),
        types::TextOrigin::Translation => Some(Origin::Translation),
    })
}

#[test]
fn an_enumeration_has_a_known_value() {
    assert_eq!(origin(&mut Fields::new(), 1), Origin::Official);
    assert_eq!(origin(&mut Fields::new(), 2), Origin::Translation);
    for value in [0, 3, -1, i32::MAX] {
        assert_eq!(violated(|fields| origin(fields, value)), ["origin"], "{value}");
    }
}

#[test]
fn a_text_in_two_languages_has_one_of_them_and_says_whose_words_they_are() {
    let text = |words: &str, origin: i32| Some(types::Text { text: words.into(), origin });
    let french = types::LocalizedText { fr: text("Accord", 1), en: None };
    let mut fields = Fields::new();
    assert_eq!(fields.localized("title", Some(&french), 10), LocalizedText::official_fr("Accord"));
    assert!(fields.violations.is_empty());
    assert_eq!(violated(|fields| fields.localized("title", None, 10)), ["title"]);
    let none = types::LocalizedText { fr: None, en: None };
    assert_eq!(violated(|fields| fields.localized("title", Some(&none), 10)), ["title"]);
    assert!(violated(|fields| fields.optional_localized("title", None, 10)).is_empty());
    let bad = types::LocalizedText { fr: text("", 1), en: text("Agreement", 0) };
    assert_eq!(violated(|fields| fields.localized("title", Some(&bad), 10)), ["title.fr.text", "title.en.origin"]);
}

#[test]
fn a_violated_date_is_no_date_of_anything() {
    let day = Fields::new().date("on", None);
    assert_eq!(date_to_proto(day), date(1, 1, 1));
}
