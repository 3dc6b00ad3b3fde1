//! What can be asked of the directory of people.

use clap::{Args, Subcommand};
use jiff::civil;

/// What to do with an organisation's people.
#[derive(Debug, Subcommand)]
pub enum People {
    /// Name a person of an organisation and the roles; again, to change them or to bring back who was revoked
    #[command(after_long_help = "\
The first person that an organisation names is an administrator; from then on one of its administrators says so with \
--by. Roles beyond the organisation's own affairs, such as auditor or secretariat, are given where the operator's file \
keys/organisations.toml lets it have them. A token for a named person: `toguna token ROLE@ORGANISATION --person PERSON`.

Examples:
  toguna people invite head@ml-mmeia --name \"…\" --roles administrator
  toguna people invite officer-1@ml-mmeia --name \"…\" --roles focal_point,contributor --by head")]
    Invite(Invite),
    /// Give the role of an absent person to another one, until the end of a day
    #[command(after_long_help = "\
Examples:
  toguna people delegate officer-1@ml-mmeia --role signatory --to officer-2 --until 2026-12-31 --by head")]
    Delegate(Delegate),
    /// Let a person have no token any more; whoever stands in for the person does so no longer
    #[command(after_long_help = "\
Tokens that were signed hold for at most a quarter of an hour.

Examples: toguna people revoke officer-1@ml-mmeia --by head")]
    Revoke(PersonOf),
    /// Forget a person: the logs keep a pseudonym that is nobody's name any more
    #[command(after_long_help = "\
No byte of any log changes. The short name is nobody else's for a year; whoever is invited under another one is \
another person.

Examples: toguna people erase officer-1@ml-mmeia --by head")]
    Erase(PersonOf),
    /// Who is in the directory, in which roles, and who stands in for whom until when
    #[command(after_long_help = "Examples: toguna people list ml-mmeia --json")]
    List {
        /// The organisation [default: all]
        #[arg(value_name = "ORGANISATION")]
        of: Option<String>,
    },
    /// Which administrator changed what, when; persons stand in the record by what the logs call them
    #[command(after_long_help = "Examples: toguna people changes ml-mmeia --json")]
    Changes {
        /// The organisation [default: all]
        #[arg(value_name = "ORGANISATION")]
        of: Option<String>,
    },
}

/// A person and what is said of it.
#[derive(Debug, Args)]
pub struct Invite {
    /// Who, and by whom it is wanted
    #[command(flatten)]
    pub one: PersonOf,
    /// What people call the person; the logs never hold it
    #[arg(long)]
    pub name: String,
    /// The roles, separated by commas
    #[arg(long, value_delimiter = ',', required = true)]
    pub roles: Vec<String>,
}

/// A role, whose it is, who has it for a time.
#[derive(Debug, Args)]
pub struct Delegate {
    /// Who is absent, and by whom it is wanted
    #[command(flatten)]
    pub one: PersonOf,
    /// The role
    #[arg(long)]
    pub role: String,
    /// Who stands in
    #[arg(long, value_name = "PERSON")]
    pub to: String,
    /// The last day, in UTC
    #[arg(long, value_name = "DAY")]
    pub until: civil::Date,
}

/// A person, and an administrator.
#[derive(Debug, Args)]
pub struct PersonOf {
    /// The organisation's short name for the person, and the organisation: the id of a partner
    #[arg(value_name = "PERSON@ORGANISATION")]
    pub who: String,
    /// The administrator of the organisation who wants it
    #[arg(long, value_name = "PERSON")]
    pub by: Option<String>,
}
