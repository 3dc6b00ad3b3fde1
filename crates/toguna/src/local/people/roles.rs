//! The roles that tokens may carry, and which of them an organisation gives by itself.

use super::Refused;
use crate::submission::catalogue::nearest;

/// What policies may speak of; its list of roles is the only one.
const SCHEMA: &str = include_str!("../../../../../deploy/policies/toguna.cedarschema");

/// Roles in which a person speaks for its own organisation and no other, and sees no more than every partner does. In
/// all the others one holds a register, judges what others did, sees the single payments of a trust fund, or disposes of
/// money that is held for others: those only the operator gives.
pub const OWN_AFFAIRS: [&str; 5] = ["administrator", "contributor", "focal_point", "implementer", "signatory"];

/// All roles, in the order of the schema.
pub fn all() -> impl Iterator<Item = &'static str> + Clone {
    let list = SCHEMA.split_once("entity Role enum [").and_then(|(_, rest)| rest.split_once(']'));
    list.map_or("", |(list, _)| list).split(',').map(|role| role.trim().trim_matches('"'))
}

/// Refuses what is no role, with the one that was probably meant.
pub fn check(role: &str) -> Result<(), Refused> {
    if all().any(|known| known == role) {
        return Ok(());
    }
    Err(Refused::NoSuchRole { role: role.to_owned(), meant: nearest(role, all()).map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_are_those_of_the_policies() {
        let all: Vec<_> = all().collect();
        assert_eq!((all.len(), all.first(), all.last()), (19, Some(&"administrator"), Some(&"observer")));
        assert!(all.iter().all(|role| role.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')), "{all:?}");
        assert!(OWN_AFFAIRS.iter().all(|role| all.contains(role)));
    }

    #[test]
    fn a_misspelt_role_is_told_with_the_one_that_was_meant() {
        let told = |role: &str| check(role).map_err(|refused| refused.say(crate::language::Language::En));
        assert_eq!(told("signatory"), Ok(()));
        assert_eq!(told("signatry"), Err("“signatry” is no role; did you mean “signatory”?".to_owned()));
        assert_eq!(told("Focal point"), Err("“Focal point” is no role; did you mean “focal_point”?".to_owned()));
        assert!(told("emperor").is_err_and(|said| !said.contains("mean") && said.contains("focal_point")));
    }
}
