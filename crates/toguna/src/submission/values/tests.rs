use super::*;
use crate::services;

fn field(message: &str, name: &str) -> FieldDescriptor {
    let message = services::pool().get_message_by_name(message).expect("a message");
    message.get_field_by_name(name).expect("a field")
}

fn amount(text: &str, french: bool, currency: &str) -> Option<(String, i64)> {
    let field = field("toguna.disbursements.v1.RequestPaymentRequest", "amount");
    let read = read(&field, text, Manner { french, currency, language: Language::En }).ok()?;
    let text = |name: &str| read[name].as_str().expect("a text").to_owned();
    Some((text("currency_code"), text("minor_units").parse().expect("a number")))
}

#[test]
fn an_amount_is_read_exactly_or_not_at_all() {
    let euros = |cents: i64| Some(("EUR".to_owned(), cents));
    assert_eq!(amount("EUR 1500.00", false, ""), euros(150_000));
    assert_eq!(amount("1500.05 EUR", false, ""), euros(150_005));
    assert_eq!(amount("1500", false, "EUR"), euros(150_000));
    assert_eq!(amount("-0.01", false, "EUR"), euros(-1));
    assert_eq!(amount("1 500,50", true, "EUR"), euros(150_050));
    assert_eq!(amount("1\u{202f}234\u{202f}500,50\u{a0}EUR", true, ""), euros(123_450_050));
    assert_eq!(amount("1500.50", true, "EUR"), euros(150_050), "a point is no thousands sign anywhere");
    assert_eq!(amount("28534129500", false, "XOF"), Some(("XOF".to_owned(), 28_534_129_500)));
    assert_eq!(amount("90071992547409.93", false, "EUR"), euros(9_007_199_254_740_993), "no float was in between");
    assert_eq!(amount("1,500", true, "TND"), Some(("TND".to_owned(), 1500)));
}

#[test]
fn an_amount_that_could_mean_two_things_is_refused() {
    for (text, french, currency) in [
        ("1,500", false, "EUR"),
        ("1,500.00", false, "EUR"),
        ("1500,00", false, "EUR"),
        ("1,500", true, "EUR"),
        ("1.500,00", true, "EUR"),
        ("1 500 00", true, "EUR"),
        ("1500.5", false, "EUR"),
        ("1500.00", false, "XOF"),
        ("1.500", true, "XOF"),
        ("1500.00", false, ""),
        ("EUR", false, ""),
        ("1e3", false, "EUR"),
        ("--5", false, "EUR"),
        ("+5", false, "EUR"),
        ("99999999999999999999", false, "XOF"),
        ("٥٠٠", false, "EUR"),
        ("", false, "EUR"),
    ] {
        assert_eq!(amount(text, french, currency), None, "{text}");
    }
}

#[test]
fn a_date_is_iso_and_as_exact_as_known() {
    assert_eq!(date("2016-04-15", Language::En), Ok(json!({ "year": 2016, "month": 4, "day": 15 })));
    assert_eq!(date("2016-04", Language::En), Ok(json!({ "year": 2016, "month": 4 })));
    assert_eq!(date("2016", Language::En), Ok(json!({ "year": 2016 })));
    for text in
        ["15/04/2016", "2016-4-15", "2016-02-30", "2016-13", "16-04-15", "0000", "2016-04-15T10:00:00Z", "-2016"]
    {
        assert!(date(text, Language::En).is_err(), "{text}");
    }
    let said = date("15/04/2016", Language::Fr).expect_err("no date");
    assert!(said.contains("écrivez 2016-04-15"), "{said}");
    assert_eq!(period("2015-01-01/", Language::En), Ok(json!({ "start": { "year": 2015, "month": 1, "day": 1 } })));
}

#[test]
fn a_value_of_an_enum_has_its_short_name_its_full_name_and_its_french_word() {
    let kind = field("toguna.partnerships.v1.RegisterPartnerRequest", "kind");
    let manner = Manner { french: false, currency: "", language: Language::En };
    for text in ["public_agency", "Public agency", "PARTNER_KIND_PUBLIC_AGENCY", "établissement public"] {
        assert_eq!(read(&kind, text, manner), Ok(json!("PARTNER_KIND_PUBLIC_AGENCY")), "{text}");
    }
    let said = read(&kind, "ministery", manner).expect_err("misspelt");
    assert!(said.contains("did you mean ministry?"), "{said}");
    assert!(read(&kind, "unspecified", manner).is_err(), "what is not said is not filled in");
}

#[test]
fn digests_are_hexadecimal_and_numbers_whole() {
    let manner = Manner { french: false, currency: "", language: Language::En };
    let digest = field("toguna.log.v1.Source", "sha256");
    assert_eq!(read(&digest, "00ff10", manner), Ok(json!("AP8Q")));
    for text in ["0", "0g", "é0"] {
        assert!(read(&digest, text, manner).is_err(), "{text}");
    }
    let version = field("toguna.partnerships.v1.ConfirmRecordRequest", "confirmed_version");
    assert_eq!(read(&version, "7", manner), Ok(json!("7")));
    for text in ["-1", "1.0", "+1", "1e3", ""] {
        assert!(read(&version, text, manner).is_err(), "{text}");
    }
}
