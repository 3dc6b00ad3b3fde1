//! Countries.

use std::{fmt, str::FromStr, sync::LazyLock};

/// A country by its ISO 3166-1 alpha-2 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country(&'static str);

/// ISO 3166-1 has no such code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no country has this code")]
pub struct NoSuchCountry;

/// ISO 3166-1 alpha-2 as of 2026. Codes are added; one that was ever stored is never removed.
const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY \
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK \
    FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR \
    IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK \
    ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM \
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF \
    TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

static SORTED: LazyLock<Vec<&str>> = LazyLock::new(|| CODES.split(' ').collect());

impl Country {
    /// The code: `ML`.
    pub fn code(self) -> &'static str {
        self.0
    }
}

impl FromStr for Country {
    type Err = NoSuchCountry;

    fn from_str(text: &str) -> Result<Self, NoSuchCountry> {
        let index = SORTED.binary_search(&text).map_err(|_| NoSuchCountry)?;
        Ok(Self(SORTED[index]))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_reads_back_as_written() {
        assert_eq!("ML".parse::<Country>().expect("Mali").to_string(), "ML");
    }

    #[test]
    fn codes_of_no_country_are_refused() {
        for text in ["", "ml", "MLI", "XX", "M", "ML ", "ML MR"] {
            assert_eq!(text.parse::<Country>(), Err(NoSuchCountry), "{text}");
        }
    }

    #[test]
    fn the_list_is_whole() {
        assert_eq!(SORTED.len(), 249);
        assert!(SORTED.iter().all(|code| code.len() == 2));
        assert!(SORTED.is_sorted());
    }
}
