//! Amounts of money: integers of minor units with their currency, never a float; sums never mix currencies.

use std::{fmt, str::FromStr};

/// ISO 4217 code of a currency. The default, `XXX`, is that of no currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// Not three upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three upper-case letters, as in ISO 4217")]
pub struct InvalidCurrency;

/// Why an amount is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// It is in another currency.
    #[error("amounts are in {expected}, not in {given}")]
    CurrencyMismatch {
        /// The currency of the sum that it would join.
        expected: Currency,
        /// Its own.
        given: Currency,
    },
    /// It is nothing, or less.
    #[error("an amount must be more than nothing")]
    NotPositive,
}

/// An amount, of whatever sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Money {
    currency: Currency,
    minor_units: i64,
}

/// A sum of amounts of one currency. An amount that may not join it is left out and remembered: the sum then says that
/// it is not whole, instead of being wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    sum: Money,
    flaw: Option<MoneyError>,
}

/// EUR 1 = XOF 655.957, exactly, since 1 January 1999: so many XOF are 100,000 cents.
const XOF_PER_100_000_CENTS: i128 = 655_957;

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
    /// The CFA franc of the West African Economic and Monetary Union.
    pub const XOF: Self = Self(*b"XOF");

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters")
    }

    /// How many decimals its main unit has, by ISO 4217.
    pub fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self(*b"XXX")
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(InvalidCurrency),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Money {
    /// No single amount has more: ten trillion EUR. Thousands of them still add up within 64 bits.
    pub const MAX_MINOR_UNITS: i64 = 1_000_000_000_000_000;

    /// An amount that somebody states; `None`: it is beyond [`Money::MAX_MINOR_UNITS`].
    pub fn new(currency: Currency, minor_units: i64) -> Option<Self> {
        let is_kept = minor_units.unsigned_abs() <= Self::MAX_MINOR_UNITS.unsigned_abs();
        is_kept.then_some(Self { currency, minor_units })
    }

    /// An amount that was summed up.
    pub const fn of(currency: Currency, minor_units: i64) -> Self {
        Self { currency, minor_units }
    }

    /// Its currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The three letters of its currency.
    pub fn currency_code(&self) -> &str {
        self.currency.as_str()
    }

    /// Cents of EUR, whole francs of XOF.
    pub fn minor_units(self) -> i64 {
        self.minor_units
    }

    /// The amount itself, if it is of that currency.
    pub fn in_currency(self, expected: Currency) -> Result<Self, MoneyError> {
        if self.currency == expected {
            Ok(self)
        } else {
            Err(MoneyError::CurrencyMismatch { expected, given: self.currency })
        }
    }

    /// The amount itself, if it is of that currency and more than nothing.
    pub fn positive_in(self, expected: Currency) -> Result<Self, MoneyError> {
        let amount = self.in_currency(expected)?;
        if amount.minor_units > 0 { Ok(amount) } else { Err(MoneyError::NotPositive) }
    }

    /// The same value in the other currency of the parity, rounded half up to its minor unit; `None` where there is no
    /// parity. Derived for display only: it is never stored and never converted back.
    pub fn at_parity_in(self, currency: Currency) -> Option<Self> {
        let units = i128::from(self.minor_units);
        let (numerator, denominator) = match (self.currency, currency) {
            (Currency::EUR, Currency::XOF) => (units * XOF_PER_100_000_CENTS, 100_000),
            (Currency::XOF, Currency::EUR) => (units * 100_000, XOF_PER_100_000_CENTS),
            _ => return None,
        };
        let rounded = (2 * numerator + denominator).div_euclid(2 * denominator);
        i64::try_from(rounded).ok().map(|minor_units| Self { currency, minor_units })
    }

    /// The digits in the main unit, without the currency: `3200000.00`.
    pub fn digits(self) -> String {
        let decimals = self.currency.decimals();
        let (sign, units) = (if self.minor_units < 0 { "-" } else { "" }, self.minor_units.unsigned_abs());
        let scale = 10_u64.pow(decimals);
        match decimals {
            0 => format!("{sign}{units}"),
            _ => format!("{sign}{}.{:0width$}", units / scale, units % scale, width = decimals as usize),
        }
    }
}

/// `3200000.00 EUR`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.digits(), self.currency)
    }
}

impl Total {
    /// Nothing yet.
    pub fn zero(currency: Currency) -> Self {
        Self { sum: Money::of(currency, 0), flaw: None }
    }

    /// Adds an amount, which must be more than nothing.
    pub fn add(&mut self, amount: Money) {
        match amount.positive_in(self.sum.currency) {
            Ok(amount) => self.sum.minor_units = self.sum.minor_units.saturating_add(amount.minor_units),
            Err(flaw) => self.flaw = Some(flaw),
        }
    }

    /// Adds an amount of whatever sign.
    pub fn change(&mut self, amount: Money) {
        match amount.in_currency(self.sum.currency) {
            Ok(amount) => self.sum.minor_units = self.sum.minor_units.saturating_add(amount.minor_units),
            Err(flaw) => self.flaw = Some(flaw),
        }
    }

    /// The sum.
    pub fn money(&self) -> Money {
        self.sum
    }

    /// The sum in minor units.
    pub fn minor_units(&self) -> i64 {
        self.sum.minor_units
    }

    /// Whether every amount joined it.
    pub fn check(&self) -> Result<(), MoneyError> {
        self.flaw.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests;
