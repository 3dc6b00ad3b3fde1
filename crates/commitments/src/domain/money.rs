//! Amounts.

/// An amount in minor units of one currency. Kept in the currency of its source; never added to another currency.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Money {
    /// ISO 4217 code.
    pub currency: String,
    /// Cents of EUR, whole francs of XOF.
    pub minor_units: i64,
}
