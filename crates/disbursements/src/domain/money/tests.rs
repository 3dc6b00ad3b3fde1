use proptest::prelude::*;

use super::*;

fn eur(cents: i64) -> Money {
    Money::of(Currency::EUR, cents)
}

fn xof(francs: i64) -> Money {
    Money::of(Currency::XOF, francs)
}

#[test]
fn the_parity_gives_what_the_press_gave_where_it_calculated_well() {
    for (euros, francs) in [
        (43_500_000, 28_534_129_500),
        (62_500_000, 40_997_312_500),
        (91_500_000, 60_020_065_500),
        (145_100_000, 95_179_360_700),
        (217_426_233, 142_622_259_520),
        (20_935_041, 13_732_486_689),
        (4_672_897, 3_065_219_497),
        (3_000_000, 1_967_871_000),
        (15_000_000, 9_839_355_000),
        (236_000, 154_805_852),
        (45_000, 29_518_065),
    ] {
        assert_eq!(eur(euros * 100).at_parity_in(Currency::XOF), Some(xof(francs)), "{euros} EUR");
    }
}

#[test]
fn the_parity_is_never_round_tripped() {
    let euros = xof(120_000_000_000).at_parity_in(Currency::EUR).expect("a parity");
    assert_eq!(euros, eur(18_293_882_068));
    assert_eq!(euros.at_parity_in(Currency::XOF), Some(xof(119_999_999_997)));
}

#[test]
fn half_a_franc_is_rounded_up() {
    // 500 EUR and 50,000 XOF-thousandths meet at exactly half a franc: 655.957 × 500 = 327,978.5.
    assert_eq!(eur(50_000).at_parity_in(Currency::XOF), Some(xof(327_979)));
    assert_eq!(eur(-50_000).at_parity_in(Currency::XOF), Some(xof(-327_978)));
}

#[test]
fn other_currencies_have_no_parity() {
    let dollars = Money::of("USD".parse().expect("a currency"), 100);
    assert_eq!(dollars.at_parity_in(Currency::XOF), None);
    assert_eq!(eur(100).at_parity_in(Currency::EUR), None);
}

#[test]
fn amounts_read_as_their_currency_writes_them() {
    assert_eq!(eur(320_000_000).to_string(), "3200000.00 EUR");
    assert_eq!(eur(-5).to_string(), "-0.05 EUR");
    assert_eq!(xof(9_839_355_000).to_string(), "9839355000 XOF");
    assert_eq!(Money::of("TND".parse().expect("a currency"), 1_234).to_string(), "1.234 TND");
}

#[test]
fn what_is_no_currency_is_refused() {
    for text in ["", "eur", "EU", "EURO", "E1R", "€UR"] {
        assert_eq!(text.parse::<Currency>(), Err(InvalidCurrency), "{text}");
    }
}

#[test]
fn an_amount_has_a_limit_so_that_sums_stay_exact() {
    let limit = Money::MAX_MINOR_UNITS;
    assert!(Money::new(Currency::EUR, limit).is_some() && Money::new(Currency::EUR, -limit).is_some());
    for beyond in [limit + 1, -limit - 1, i64::MAX, i64::MIN] {
        assert_eq!(Money::new(Currency::EUR, beyond), None);
    }
}

#[test]
fn a_sum_that_met_another_currency_says_so_and_stays_as_it_was() {
    let mut total = Total::zero(Currency::EUR);
    total.add(eur(100));
    total.add(xof(655));
    assert_eq!(total.money(), eur(100));
    let flaw = MoneyError::CurrencyMismatch { expected: Currency::EUR, given: Currency::XOF };
    assert_eq!(total.check(), Err(flaw));
}

#[test]
fn a_sum_of_amounts_takes_nothing_less_than_one_minor_unit() {
    let mut total = Total::zero(Currency::EUR);
    total.add(eur(0));
    assert_eq!(total.check(), Err(MoneyError::NotPositive));
}

proptest! {
    #[test]
    fn the_derived_amount_is_within_half_a_franc(cents in -Money::MAX_MINOR_UNITS..=Money::MAX_MINOR_UNITS) {
        let francs = eur(cents).at_parity_in(Currency::XOF).expect("a parity").minor_units();
        let gap = i128::from(francs) * 100_000 - i128::from(cents) * 655_957;
        prop_assert!((-49_999..=50_000).contains(&gap), "{gap} / 100,000 of a franc");
    }
}
