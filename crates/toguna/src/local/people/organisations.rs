//! What the operator of a deployment lets organisations do in the directory of people: a file of its own, which no
//! organisation's administrator changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use jiff::{ToSpan as _, civil::Date};
use serde::Deserialize;

use super::{
    super::kept,
    Refused,
    roles::{self, OWN_AFFAIRS},
};
use crate::{language::Language, submission::catalogue::nearest};

/// What a new deployment begins with: nobody is served until the operator says so.
const NOBODY: &str = r#"# Whose people `toguna people` names here. This file is the operator's.

# For how many days at most a role may be delegated.
longest_delegation_days = 92

# Each organisation, and the roles that the operator lets its administrators give beyond its own affairs: auditor,
# secretariat, verifier, depositary, those of a trust fund, of who gives to it or follows it, and of those who pay and
# check for it.
[organisations]
# "partners/ml-mmeia" = []
# "partners/ml-cooperation" = ["secretariat"]
"#;

/// What a demonstration begins with: the organisations of the scenario, in the roles that they have in it.
const DEMONSTRATION: &str = r#"# A demonstration: whoever asks for a token gets it, for any organisation that has named nobody. Where people work in
# earnest this line goes, and the organisations that are served stand below.
anybody = true

longest_delegation_days = 92

# The roles beyond its own affairs that each organisation's administrators may give.
[organisations]
"partners/auditor" = ["auditor"]
"partners/bg" = ["donor"]
"partners/ch" = ["donor"]
"partners/es" = ["donor"]
"partners/european-commission" = [
    "secretariat", "fund_manager", "committee_member", "committee_chair", "contracting_authority",
    "authorising_officer", "accounting_officer", "payment_verifier",
]
"partners/european-union" = ["donor"]
"partners/fr" = ["donor"]
"partners/icmpd" = ["secretariat", "verifier"]
"partners/iom" = ["payment_verifier"]
"partners/ml-mmeia" = ["secretariat", "national_counterpart", "observer"]
"partners/no" = ["donor"]
"#;

/// What the file says. Where there is none, no organisation is served.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisations {
    /// Whether an organisation that has named nobody gets any token: a demonstration.
    #[serde(default)]
    pub anybody: bool,
    /// For how many days, from today on, a role may be delegated.
    #[serde(default = "quarter")]
    pub longest_delegation_days: u16,
    /// By resource name: the roles beyond their own affairs that each one's administrators may give.
    #[serde(default)]
    pub organisations: BTreeMap<String, BTreeSet<String>>,
}

impl Default for Organisations {
    fn default() -> Self {
        Self { anybody: false, longest_delegation_days: quarter(), organisations: BTreeMap::new() }
    }
}

fn quarter() -> u16 {
    92
}

impl Organisations {
    /// Writes the file as a demonstration, or any other deployment, begins with it, unless it is there.
    pub(in crate::local) fn begin(file: &Path, is_demonstration: bool) -> Result<()> {
        kept(file, || if is_demonstration { DEMONSTRATION } else { NOBODY }.to_owned()).map(drop)
    }

    /// What the file says now.
    pub(in crate::local) fn read(file: &Path) -> Result<Self> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).with_context(|| file.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let said: Self = toml::from_str(text)?;
        for (name, given) in &said.organisations {
            let id = name.strip_prefix("partners/").unwrap_or_default();
            let is_id = !id.is_empty()
                && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            ensure!(is_id, "{name:?}: write organisations such as \"partners/ml-mmeia\"");
            let check = |role: &String| roles::check(role).map_err(|refused| anyhow!(refused.say(Language::En)));
            given.iter().try_for_each(check).with_context(|| name.clone())?;
        }
        Ok(said)
    }

    /// Whether an organisation's administrators may give these roles, and its people have them.
    pub fn allow<'a>(
        &self,
        organisation: &str,
        roles: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Result<(), Refused> {
        roles.clone().into_iter().try_for_each(roles::check)?;
        let given = self.organisations.get(organisation);
        if given.is_none() && !self.anybody {
            let meant = nearest(organisation, self.organisations.keys().map(String::as_str)).map(str::to_owned);
            return Err(Refused::NotServed { organisation: organisation.to_owned(), meant });
        }
        let is_allowed = |role: &str| OWN_AFFAIRS.contains(&role) || given.is_some_and(|given| given.contains(role));
        match roles.into_iter().find(|role| !is_allowed(role)) {
            Some(role) => Err(Refused::RoleOfOperator { role: role.to_owned() }),
            None => Ok(()),
        }
    }

    /// Whether a role may be delegated from one day to another.
    pub(super) fn delegation(&self, from: Date, until: Date) -> Result<(), Refused> {
        let days = self.longest_delegation_days;
        let last = from.checked_add(i64::from(days).days()).unwrap_or(Date::MAX);
        if until > last { Err(Refused::TooLong { days }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn a_demonstration_lets_everybody_be_anybody_and_another_deployment_serves_nobody_yet() {
        let (demonstration, empty) = (Organisations::parse(DEMONSTRATION), Organisations::parse(NOBODY));
        let (demonstration, empty) = (demonstration.expect("it is right"), empty.expect("it is right"));
        assert!(demonstration.anybody && !empty.anybody);
        assert_eq!(empty, Organisations::default());
    }

    #[test]
    fn in_a_demonstration_organisations_may_give_the_roles_that_they_have_in_the_scenario() {
        let said = Organisations::parse(DEMONSTRATION).expect("it is right");
        for act in Scenario::load().expect("it is right").steps.iter().flat_map(|step| &step.acts) {
            let (roles, organisation, _) = act.caller().expect("it says who");
            assert_eq!(said.allow(&organisation, roles.iter().copied()), Ok(()), "{}", act.key);
        }
    }

    #[test]
    fn an_organisation_gives_the_roles_of_its_own_affairs_and_those_that_the_operator_named() {
        let text = "[organisations]\n\"partners/ml-mmeia\" = [\"secretariat\"]\n\"partners/fra\" = []\n";
        let said = Organisations::parse(text).expect("it is right");
        assert_eq!(said.allow("partners/fra", OWN_AFFAIRS), Ok(()));
        assert_eq!(said.allow("partners/ml-mmeia", ["secretariat", "signatory"]), Ok(()));
        for role in roles::all().filter(|role| !OWN_AFFAIRS.contains(role)) {
            let refused = Err(Refused::RoleOfOperator { role: role.to_owned() });
            assert_eq!(said.allow("partners/fra", [role]), refused);
            assert_eq!(said.allow("partners/ml-mmeia", [role]), if role == "secretariat" { Ok(()) } else { refused });
        }
        let meant = Some("partners/ml-mmeia".to_owned());
        let refused = Refused::NotServed { organisation: "partners/ml-mmea".to_owned(), meant };
        assert_eq!(said.allow("partners/ml-mmea", ["observer"]), Err(refused));
        assert!(matches!(said.allow("partners/fra", ["signatry"]), Err(Refused::NoSuchRole { .. })));
    }

    #[test]
    fn a_file_that_says_something_else_is_refused_with_the_place() {
        for (text, said) in [
            ("everybody = true", "everybody"),
            ("[organisations]\n\"ml-mmeia\" = []", "\"ml-mmeia\": write organisations such as"),
            ("[organisations]\n\"partners/ml\" = [\"auditer\"]", "did you mean “auditor”?"),
            ("longest_delegation_days = -1", "longest_delegation_days"),
        ] {
            let error = Organisations::parse(text).expect_err("refused");
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
    }
}
