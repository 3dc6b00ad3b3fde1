//! Who and what the tests of the rules speak of: a fund run by the Commission, and people with one role each.

use event_sourcing::{Act, Date, LocalizedText, PartialDate, Source, testing::act};

use super::{
    authority,
    fund::{Constitution, Deadlines, Window},
    money::{Currency, Money},
};

pub const TRUSTEE: &str = "partners/eu-commission";
pub const IOM: &str = "partners/iom";
pub const SPAIN: &str = "partners/esp";
pub const FUND: &str = "funds/eutf-africa";
pub const ML_07: &str = "decisions/t05-eutf-sah-ml-07";

/// So many whole euros.
pub fn eur(euros: i64) -> Money {
    Money::of(Currency::EUR, euros * 100)
}

/// So many cents.
pub fn cents(cents: i64) -> Money {
    Money::of(Currency::EUR, cents)
}

/// So many francs.
pub fn xof(francs: i64) -> Money {
    Money::of(Currency::XOF, francs)
}

pub fn day(text: &str) -> Date {
    text.parse::<PartialDate>().ok().and_then(PartialDate::exact).expect("a day")
}

pub fn deadlines() -> Deadlines {
    Deadlines { contracting: day("2021-12-31"), end_of_activities: day("2025-12-31") }
}

pub fn constitution() -> Constitution {
    Constitution {
        title: LocalizedText::official_en("Emergency Trust Fund for Africa"),
        reference: "T05-EUTF".into(),
        trustee: TRUSTEE.into(),
        constitutive_agreement: None,
        currency: Currency::EUR,
        windows: vec![Window { code: "SAH".into(), title: LocalizedText::official_en("Sahel and Lake Chad") }],
        deadlines: deadlines(),
    }
}

/// An own act of an organisation, by the one person there who has the role.
pub fn by(organisation: &str, role: &str) -> Act {
    act(organisation).by(&format!("{role} of {organisation}")).with_role(role)
}

/// An own act of the trustee.
pub fn trustee(role: &str) -> Act {
    by(TRUSTEE, role)
}

/// What the trustee's secretariat enters of what an organisation published.
pub fn published(organisation: &str) -> Act {
    trustee(authority::SECRETARIAT).recorded_from_source_of(organisation)
}

/// The same act with a document of a kind among its sources.
pub fn with_document(mut act: Act, kind: &str) -> Act {
    act.sources.push(Source {
        title: "a document".into(),
        kind: kind.into(),
        issuer: TRUSTEE.into(),
        issued_on: None,
        language_code: "fr".into(),
        location: String::new(),
        sha256: None,
    });
    act
}
