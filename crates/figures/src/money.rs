//! Sums by currency, and the parity of euro and CFA franc.

use std::collections::BTreeMap;

use contracts::toguna::{oversight::v1 as pb, r#type::v1 as types};

const EUR: &str = "EUR";
const XOF: &str = "XOF";
/// 1 EUR is exactly 655.957 XOF; one cent is 655,957 hundred-thousandths of a franc.
const XOF_PER_CENT: (i128, i128) = (655_957, 100_000);

/// A sum does not fit into 64 bits of minor units.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{minor_units} minor units of {currency_code} are too many")]
pub struct TooLarge {
    /// ISO 4217 code.
    pub currency_code: String,
    /// The sum.
    pub minor_units: i128,
}

/// How derived amounts are made.
pub fn parity() -> pb::Parity {
    pb::Parity {
        base_currency_code: EUR.into(),
        quote_currency_code: XOF.into(),
        rate: Some(types::Decimal { value: "655.957".into() }),
        rounding: pb::Rounding::HalfUp.into(),
    }
}

/// An amount in the other currency of the parity, rounded half up to whole minor units; `None`: there is none.
pub fn derived(money: &types::Money) -> Result<Option<types::Money>, TooLarge> {
    other_currency(&money.currency_code, money.minor_units.into()).map(|(code, units)| fit(code, units)).transpose()
}

fn other_currency(code: &str, minor_units: i128) -> Option<(&'static str, i128)> {
    let (francs, cents) = XOF_PER_CENT;
    match code {
        EUR => Some((XOF, half_up(minor_units * francs, cents))),
        XOF => Some((EUR, half_up(minor_units * cents, francs))),
        _ => None,
    }
}

/// To the nearest whole number; an exact half to the greater one.
fn half_up(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

fn fit(code: &str, minor_units: i128) -> Result<types::Money, TooLarge> {
    let currency_code = String::from(code);
    match i64::try_from(minor_units) {
        Ok(minor_units) => Ok(types::Money { currency_code, minor_units }),
        Err(_) => Err(TooLarge { currency_code, minor_units }),
    }
}

/// How many decimals a currency's minor unit has (ISO 4217): 2 for EUR, 0 for XOF.
pub fn minor_digits(currency_code: &str) -> u32 {
    match currency_code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// An amount in whole units of its currency, with a point and no grouping: `43500000.00`, `28534129500`.
pub fn decimal_text(money: &types::Money) -> String {
    let digits = minor_digits(&money.currency_code);
    let scale = 10_u64.pow(digits);
    let (sign, units) = (if money.minor_units < 0 { "-" } else { "" }, money.minor_units.unsigned_abs());
    match digits {
        0 => format!("{sign}{units}"),
        _ => format!("{sign}{}.{:0width$}", units / scale, units % scale, width = digits as usize),
    }
}

/// Sums, one a currency; they never mix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sums(BTreeMap<String, i128>);

impl Sums {
    pub(crate) fn add(&mut self, money: &types::Money) {
        self.add_units(&money.currency_code, money.minor_units.into());
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        for (code, units) in &other.0 {
            self.add_units(code, *units);
        }
    }

    pub(crate) fn subtract_all(&mut self, other: &Self) {
        for (code, units) in &other.0 {
            self.add_units(code, -units);
        }
    }

    fn add_units(&mut self, code: &str, units: i128) {
        match self.0.get_mut(code) {
            Some(sum) => *sum += units,
            None => drop(self.0.insert(code.to_owned(), units)),
        }
    }

    /// In order of the currency's code.
    pub(crate) fn amounts(&self) -> Result<Vec<types::Money>, TooLarge> {
        self.0.iter().map(|(code, units)| fit(code, *units)).collect()
    }

    /// Each sum in the other currency of the parity, in order of that one's code.
    pub(crate) fn derived(&self) -> Result<Vec<types::Money>, TooLarge> {
        let others: BTreeMap<_, _> = self.0.iter().filter_map(|(code, units)| other_currency(code, *units)).collect();
        others.into_iter().map(|(code, units)| fit(code, units)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(currency_code: &str, minor_units: i64) -> types::Money {
        types::Money { currency_code: currency_code.into(), minor_units }
    }

    fn in_other(code: &str, minor_units: i64) -> i64 {
        derived(&money(code, minor_units)).expect("it fits").expect("it has a parity").minor_units
    }

    #[test]
    fn euros_are_francs_at_the_exact_parity() {
        for (euros, francs) in [
            (43_500_000, 28_534_129_500),
            (62_500_000, 40_997_312_500),
            (91_500_000, 60_020_065_500),
            (145_100_000, 95_179_360_700),
            (217_426_233, 142_622_259_520),
            (20_935_041, 13_732_486_689),
            (4_672_897, 3_065_219_497),
        ] {
            assert_eq!(in_other(EUR, euros * 100), francs, "{euros}");
        }
    }

    #[test]
    fn francs_are_euros_to_the_cent_and_do_not_come_back() {
        assert_eq!(in_other(XOF, 120_000_000_000), 18_293_882_068);
        assert_eq!(in_other(EUR, 18_293_882_068), 119_999_999_997);
    }

    #[test]
    fn an_exact_half_goes_up_whatever_the_sign() {
        // 500 EUR are 327,978.5 XOF.
        assert_eq!(in_other(EUR, 50_000), 327_979);
        assert_eq!(in_other(EUR, -50_000), -327_978);
    }

    #[test]
    fn a_sum_is_derived_once_and_not_part_by_part() {
        let mut sums = Sums::default();
        for _ in 0..3 {
            sums.add(&money(EUR, 50_000));
        }
        // 1,500 EUR are 983,935.5 XOF; three rounded parts would make 983,937.
        assert_eq!(sums.derived(), Ok(vec![money(XOF, 983_936)]));
    }

    #[test]
    fn currencies_are_never_added_to_each_other() {
        let mut sums = Sums::default();
        sums.add(&money(EUR, 100));
        sums.add(&money(XOF, 100));
        sums.add(&money("USD", -1));
        assert_eq!(sums.amounts(), Ok(vec![money(EUR, 100), money("USD", -1), money(XOF, 100)]));
        assert_eq!(sums.derived(), Ok(vec![money(EUR, 15), money(XOF, 656)]));
    }

    #[test]
    fn a_sum_past_64_bits_is_refused_and_not_wrapped() {
        let mut sums = Sums::default();
        sums.add(&money("USD", i64::MAX));
        sums.add(&money("USD", i64::MAX));
        let minor_units = 2 * i128::from(i64::MAX);
        assert_eq!(sums.amounts(), Err(TooLarge { currency_code: "USD".into(), minor_units }));
    }

    #[test]
    fn amounts_are_written_with_the_decimals_of_their_currency() {
        for (money, text) in [
            (money(EUR, 4_350_000_000), "43500000.00"),
            (money(EUR, -5), "-0.05"),
            (money(XOF, 28_534_129_500), "28534129500"),
            (money("TND", 1_500), "1.500"),
            (money(EUR, i64::MIN), "-92233720368547758.08"),
        ] {
            assert_eq!(decimal_text(&money), text);
        }
    }
}
