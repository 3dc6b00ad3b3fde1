use super::*;

#[test]
fn amounts_are_written_as_each_language_writes_them() {
    assert_eq!(Language::En.money("EUR", 4_350_000_000), "EUR 43,500,000.00");
    assert_eq!(Language::Fr.money("EUR", 4_350_000_000), "43\u{202f}500\u{202f}000,00\u{a0}EUR");
    assert_eq!(Language::En.money("EUR", 5), "EUR 0.05");
    assert_eq!(Language::Fr.money("EUR", -123_456), "\u{2212}1\u{202f}234,56\u{a0}EUR");
    assert_eq!(Language::En.money("EUR", i64::MIN), "EUR \u{2212}92,233,720,368,547,758.08");
}

#[test]
fn francs_have_no_decimals() {
    assert_eq!(Language::Fr.money("XOF", 28_534_129_500), "28\u{202f}534\u{202f}129\u{202f}500\u{a0}XOF");
    assert_eq!(Language::En.money("XOF", 0), "XOF 0");
    assert_eq!(decimal("XOF", -12), "-12");
    assert_eq!(decimal("EUR", -1), "-0.01");
}

#[test]
fn dates_are_written_as_exactly_as_they_are_known() {
    assert_eq!(Language::Fr.date(2016, 4, 15), "15 avril 2016");
    assert_eq!(Language::En.date(2016, 4, 15), "15 April 2016");
    assert_eq!(Language::Fr.date(2022, 1, 1), "1er janvier 2022");
    assert_eq!(Language::Fr.date(2016, 8, 0), "août 2016");
    assert_eq!(Language::En.date(2015, 0, 0), "2015");
}

#[test]
fn the_locale_decides_and_english_is_the_default() {
    assert_eq!(Language::of_locale("fr_ML.UTF-8"), Language::Fr);
    assert_eq!(Language::of_locale("C.UTF-8"), Language::En);
}
