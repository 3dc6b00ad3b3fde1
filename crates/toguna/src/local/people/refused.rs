//! Why the directory is not changed, or a token not signed, in both languages.

use super::roles;
use crate::language::Language;

/// Why the directory is not changed, or a token not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nobody of that name is in the directory.
    Unknown,
    /// The person is revoked.
    Revoked,
    /// Somebody of that name was erased not long ago.
    Erased,
    /// An organisation begins with an administrator.
    BeginsWithAdministrator,
    /// The organisation has administrators: one of them must say so.
    NotAdministrator,
    /// There would be no administrator any more.
    LastAdministrator,
    /// The person does not have that role, or no longer.
    NotTheirRole,
    /// A role of one's own needs no delegation.
    OwnRole,
    /// The last day is over.
    Over,
    /// The last day is too far away.
    TooLong {
        /// How many days are allowed.
        days: u16,
    },
    /// Policies know no such role.
    NoSuchRole {
        /// What was written.
        role: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// The organisation does not give that role by itself.
    RoleOfOperator {
        /// The role.
        role: String,
    },
    /// The operator has not named the organisation.
    NotServed {
        /// What was written: a resource name.
        organisation: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// The organisation is served, and has named no people yet.
    NobodyNamed,
}

impl Refused {
    /// The reason for people.
    pub fn say(&self, language: Language) -> String {
        let plain = |english: &str, french: &str| language.say(english, french).to_owned();
        match self {
            Self::Unknown => {
                plain("nobody of that name is in the directory", "personne de ce nom n’est dans l’annuaire")
            }
            Self::Revoked => plain("the person is revoked", "la personne est révoquée"),
            Self::Erased => plain(
                "somebody of that name was erased within a year: choose another name, that of another person",
                "quelqu’un de ce nom a été effacé depuis moins d’un an\u{202f}: choisissez un autre nom, celui d’une autre \
                 personne",
            ),
            Self::BeginsWithAdministrator => plain(
                "the organisation has no administrator yet: invite one first",
                "l’organisation n’a pas encore d’administrateur\u{202f}: invitez-en d’abord un",
            ),
            Self::NotAdministrator => plain(
                "say with --by which administrator of the organisation wants it",
                "dites par --by quel administrateur de l’organisation le veut",
            ),
            Self::LastAdministrator => plain(
                "the organisation would have no administrator any more: invite another first",
                "l’organisation n’aurait plus d’administrateur\u{202f}: invitez-en d’abord un autre",
            ),
            Self::NotTheirRole => plain("the person does not have that role", "la personne n’a pas ce rôle"),
            Self::OwnRole => plain("the person has that role already", "la personne a déjà ce rôle"),
            Self::Over => plain("that day is over", "ce jour est passé"),
            Self::NobodyNamed => plain(
                "the organisation has named nobody yet: `toguna people invite` names its first administrator",
                "l’organisation n’a encore nommé personne\u{202f}: toguna people invite nomme son premier administrateur",
            ),
            Self::TooLong { days } => language.say(
                format!("a role may be delegated for {days} days at most"),
                format!("un rôle se délègue pour {days} jours au plus"),
            ),
            Self::NoSuchRole { role, meant } => no_such_role(role, meant.as_deref(), language),
            Self::RoleOfOperator { role } => language.say(
                format!("{OPERATORS} does not let the organisation have the role “{role}”"),
                format!("{OPERATORS_FR} ne donne pas à l’organisation le rôle «\u{202f}{role}\u{202f}»"),
            ),
            Self::NotServed { organisation, meant } => {
                language.say(
                    format!("{OPERATORS} does not name “{organisation}”"),
                    format!("{OPERATORS_FR} ne nomme pas «\u{202f}{organisation}\u{202f}»"),
                ) + &did_you_mean(meant.as_deref(), language)
            }
        }
    }
}

const OPERATORS: &str = "the operator’s file keys/organisations.toml";
const OPERATORS_FR: &str = "le fichier keys/organisations.toml de l’exploitant";

fn no_such_role(role: &str, meant: Option<&str>, language: Language) -> String {
    let told = language.say(format!("“{role}” is no role"), format!("«\u{202f}{role}\u{202f}» n’est pas un rôle"));
    if meant.is_some() {
        return told + &did_you_mean(meant, language);
    }
    let all = roles::all().collect::<Vec<_>>().join(", ");
    told + &language.say(format!("; the roles are {all}"), format!("\u{202f}; les rôles sont {all}"))
}

fn did_you_mean(meant: Option<&str>, language: Language) -> String {
    meant.map_or_else(String::new, |meant| {
        language.say(
            format!("; did you mean “{meant}”?"),
            format!("\u{202f}; vouliez-vous dire «\u{202f}{meant}\u{202f}»\u{202f}?"),
        )
    })
}
