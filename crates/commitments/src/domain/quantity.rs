//! Figures as exactly as their sources give them.

use event_sourcing::{LocalizedText, Text};
use rust_decimal::Decimal;

/// What was given is no figure: negative, or words that say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no figure")]
pub struct NotAFigure;

/// A number of 0 or more. Fractions are real: full-time equivalents, hectares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure(Decimal);

/// Words of a source that stand for a number: `des dizaines`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(LocalizedText);

/// A figure and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quantity {
    /// The number itself.
    Exact(Figure),
    /// About the number.
    About(Figure),
    /// The number or more.
    AtLeast(Figure),
    /// Words and no number.
    InWords(Words),
}

/// What forms are filled in with where there is nothing to say.
const SAYS_NOTHING: [&str; 14] =
    ["n/a", "na", "n.a.", "n.d.", "nd", "-", "–", "yes", "no", "oui", "non", "tbd", "null", "?"];

impl Figure {
    /// A number of 0 or more.
    pub fn new(number: Decimal) -> Result<Self, NotAFigure> {
        if number.is_sign_negative() && !number.is_zero() { Err(NotAFigure) } else { Ok(Self(number)) }
    }

    /// The number.
    pub fn number(self) -> Decimal {
        self.0
    }
}

impl Words {
    /// Words that say how many.
    pub fn new(words: LocalizedText) -> Result<Self, NotAFigure> {
        let says = |text: &Text| {
            let text = text.text.trim();
            !text.is_empty()
                && !SAYS_NOTHING.contains(&text.to_lowercase().as_str())
                && text.parse::<Decimal>().is_err()
        };
        let given = || words.fr.iter().chain(&words.en);
        if given().next().is_some() && given().all(says) { Ok(Self(words)) } else { Err(NotAFigure) }
    }

    /// The words.
    pub fn text(&self) -> &LocalizedText {
        &self.0
    }
}

impl Quantity {
    /// The number, where there is one.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Exact(figure) | Self::About(figure) | Self::AtLeast(figure) => Some(figure.number()),
            Self::InWords(_) => None,
        }
    }

    /// Whether both cannot be right. Words contradict nothing: nobody can say how far they reach.
    pub fn contradicts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::InWords(_), _) | (_, Self::InWords(_)) | (Self::AtLeast(_), Self::AtLeast(_)) => false,
            (Self::AtLeast(least), Self::Exact(number) | Self::About(number))
            | (Self::Exact(number) | Self::About(number), Self::AtLeast(least)) => number < least,
            (Self::Exact(one) | Self::About(one), Self::Exact(other) | Self::About(other)) => one != other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(text: &str) -> Figure {
        Figure::new(text.parse().expect("a number")).expect("a figure")
    }

    #[test]
    fn a_negative_number_is_no_figure() {
        assert_eq!(Figure::new(Decimal::NEGATIVE_ONE), Err(NotAFigure));
        assert!(Figure::new(Decimal::ZERO).is_ok());
    }

    #[test]
    fn words_that_say_nothing_are_no_figure() {
        for text in ["N/A", "yes", "Oui", " ", "-", "n.d.", "400"] {
            assert_eq!(Words::new(LocalizedText::official_fr(text)), Err(NotAFigure), "{text}");
        }
        assert_eq!(Words::new(LocalizedText::default()), Err(NotAFigure));
        assert!(Words::new(LocalizedText::official_fr("des dizaines")).is_ok());
    }

    #[test]
    fn two_numbers_contradict_each_other_when_they_differ_even_if_one_is_only_about_right() {
        assert!(Quantity::Exact(figure("775")).contradicts(&Quantity::About(figure("400"))));
        assert!(!Quantity::Exact(figure("400.0")).contradicts(&Quantity::About(figure("400"))));
    }

    #[test]
    fn at_least_a_number_contradicts_only_less() {
        let least = Quantity::AtLeast(figure("100"));
        assert!(!least.contradicts(&Quantity::Exact(figure("312"))));
        assert!(least.contradicts(&Quantity::Exact(figure("99"))));
        assert!(Quantity::About(figure("99")).contradicts(&least));
        assert!(!least.contradicts(&Quantity::AtLeast(figure("1"))));
    }

    #[test]
    fn words_contradict_nothing() {
        let words = Quantity::InWords(Words::new(LocalizedText::official_fr("des dizaines")).expect("words"));
        assert!(!words.contradicts(&Quantity::Exact(figure("3"))));
    }
}
