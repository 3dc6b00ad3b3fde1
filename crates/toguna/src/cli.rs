//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use contracts::toguna::r#type::v1 as types;
use jiff::{Timestamp, civil};

use crate::language::Language;

mod archive;
mod french;
mod people;
mod projections;
mod reach;
mod refusals;
mod submit;
mod witness;

pub use archive::{Archive, Verify};
pub use people::{People, PersonOf};
pub use projections::{OneGeneration, Projections, Rebuild, Switch};
pub use reach::Reach;
pub use refusals::Refusals;
pub use submit::Submit;
pub use witness::{AddKey, AddLog, Init, Serve, StoreOf, Witness};

const FIRST_STEPS: &str = "\
First steps:
  toguna up                                        a stack of one's own, with the Mali scenario; Ctrl-C stops it
  toguna report portfolio --as-of 2016-04-15       what was decided for Mali by that day
  toguna replay disbursements | less               every event of a log, in order
  toguna show decisions/t05-eutf-sah-ml-07         one resource: its state, its events, its sources

State is kept in .toguna of this folder or one above, or in TOGUNA_HOME; several stacks can run side by side.";

/// What partners of migration cooperation agreed, promised and paid; and how anybody can check it.
#[derive(Debug, Parser)]
#[command(name = "toguna", version, after_help = FIRST_STEPS, max_term_width = 110)]
pub struct Cli {
    /// Language of the output [default: as LANG says]
    #[arg(long, global = true, value_enum, value_name = "LANGUAGE")]
    pub lang: Option<Language>,
    /// Print JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What this process was asked; ends it with the help, in the language asked for, where that was asked.
    pub fn of_process() -> Self {
        let arguments: Vec<_> = std::env::args().collect();
        let after = |name: &str| arguments.iter().skip_while(|it| *it != name).nth(1).cloned();
        let joined = arguments.iter().find_map(|it| it.strip_prefix("--lang=").map(str::to_owned));
        let asked = after("--lang").or(joined);
        let french = asked.map_or_else(|| Language::of_environment() == Language::Fr, |language| language == "fr");
        let command = if french { french::translated(Self::command()) } else { Self::command() };
        let read = command.try_get_matches_from(arguments).and_then(|matches| Self::from_arg_matches(&matches));
        read.unwrap_or_else(|error| match french::told(&error).filter(|_| french) {
            Some(told) => {
                eprintln!("{told}");
                std::process::exit(error.exit_code())
            }
            None => error.exit(),
        })
    }

    /// The language asked for.
    pub fn language(&self) -> Language {
        self.lang.unwrap_or_else(Language::of_environment)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a stack of one's own: PostgreSQL, nats-server and the four services, until Ctrl-C
    #[command(after_long_help = "\
DATABASE_URL (a role that may create databases and roles) and NATS_URL (a login that may do everything, in one account) \
point it at servers that run already.

Examples:
  toguna up                            with the Mali scenario, loaded into empty logs
  toguna up --empty                    with reference lists alone
  TOGUNA_HOME=/tmp/other toguna up     another stack beside it")]
    Up(Up),
    /// Send the scenario to the running stack; what it holds already is not written again
    Demo,
    /// Print a token with which one may call the services of the running stack
    #[command(after_long_help = "\
Examples:
  toguna token focal_point@ml-mmeia
  toguna token fund_manager,secretariat@european-commission --person officer-2 --hours 8
  curl … -H \"authorization: Bearer $(toguna token observer@ml)\" …")]
    Token(Token),
    /// Say who an organisation's people are, in which roles, and who stands in for whom
    #[command(subcommand)]
    People(People),
    /// Send commands from tables, many at once; what a broken line leaves unanswered is sent again
    #[command(after_long_help = "\
A row is a command: the column `command` names it, the others are fields of its request (names.fr.official) or their \
French words (noms.fr.officiel). Rows are kept in an outbox before they are sent: the same call again sends what has no \
answer, and nothing twice.

Examples:
  toguna submit partners.csv --as secretariat@ml-mmeia --offline        what can be checked without the services
  toguna submit partners.csv --as secretariat@ml-mmeia --dry-run        what the services would do
  toguna submit partners.csv --as secretariat@ml-mmeia --report partners-report.csv
  toguna submit --resume --as secretariat@ml-mmeia
  toguna submit payments.jsonl --server https://toguna.example --ca ca.pem --token token.txt")]
    Submit(Box<Submit>),
    /// Print the events of a service's log, in order, and check that none is missing
    #[command(after_long_help = "\
One event a line. With --json: position, stream, version, type, effective_on, recorded_at, actor, on_behalf_of, basis, \
certainty, sources, reason, request_id and the payload as proto3 JSON, and what else the record holds.

Examples:
  toguna replay disbursements --json > disbursements.jsonl
  toguna replay partnerships --since 2026-11-23T10:00:00Z --follow
  toguna replay disbursements --aggregate decisions --type DecisionApproved --organisation european-commission
  toguna replay disbursements --json --resume-file disbursements.token >> disbursements.jsonl
  toguna replay disbursements --server https://toguna.example --ca ca.pem --token token.txt
  toguna replay disbursements --json | jq -s 'map(select(.type | endswith(\".DecisionApproved\"))) | length'")]
    Replay(Replay),
    /// Print a report over all three logs, as of a day and as known at a time
    #[command(subcommand)]
    Report(Report),
    /// Print one resource: its state, its events, its sources, and who corrected what
    #[command(after_long_help = "\
Examples:
  toguna show agreements/ml-eu-2016-12-11-communique
  toguna show decisions/t05-eutf-sah-ml-01 --as-of 2016-04-15")]
    Show(Show),
    /// Look at the logs of the running stack and at their copies in NATS
    #[command(subcommand)]
    Log(Log),
    /// See how what is made of the logs keeps up, and make it again
    #[command(subcommand)]
    Projections(Projections),
    /// Check logs that were taken home, and make reports of them, without the services
    #[command(subcommand)]
    Archive(Archive),
    /// Vouch for logs of others: a witness that cosigns what only grew, or the signer of a log of one's own
    #[command(subcommand)]
    Witness(Witness),
}

/// How to start a stack.
#[derive(Debug, Args)]
pub struct Up {
    /// Stop by itself after the summary
    #[arg(long)]
    pub once: bool,
    /// Load reference lists only
    #[arg(long, conflicts_with = "no_demo")]
    pub empty: bool,
    /// Load nothing at all
    #[arg(long)]
    pub no_demo: bool,
}

/// Who the token is for.
#[derive(Debug, Args)]
pub struct Token {
    /// Roles, separated by commas, and the organisation: the id of a partner
    #[arg(value_name = "ROLE@ORGANISATION")]
    pub caller: String,
    /// Which person of the organisation; different persons count as different eyes
    #[arg(long, value_name = "NAME", default_value = "officer-1")]
    pub person: String,
    /// For how many hours it holds; a quarter of one at most for people whom their organisation has named
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=24))]
    pub hours: u32,
}

/// What to replay.
#[derive(Debug, Args)]
pub struct Replay {
    /// The service: partnerships, commitments or disbursements
    pub service: String,
    /// First position [default: 1]
    #[arg(long, value_name = "POSITION", conflicts_with = "since")]
    pub from: Option<u64>,
    /// First event recorded at this time or later: 2026-11-23T10:00:00Z, or a day
    #[arg(long, value_name = "TIME", value_parser = start_time)]
    pub since: Option<Timestamp>,
    /// Only this resource: decisions/…, agreements/…
    #[arg(long, value_name = "NAME")]
    pub stream: Option<String>,
    /// Only this kind of resource: decisions, agreements, …
    #[arg(long, value_name = "KIND")]
    pub aggregate: Option<String>,
    /// Only events of this type, by its name or full name; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Only acts of this organisation, and what it recorded of others: the id of a partner
    #[arg(long, value_name = "ORGANISATION")]
    pub organisation: Option<String>,
    /// Stay, and print what is recorded later
    #[arg(long)]
    pub follow: bool,
    /// Keep in this file how far the replay has come, and go on from there where it holds something
    #[arg(long, value_name = "FILE")]
    pub resume_file: Option<PathBuf>,
    /// How the service is reached
    #[command(flatten)]
    pub reach: Reach,
}

/// Which report.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// What funds decided, contracted, paid and recovered for a country
    #[command(after_long_help = "\
Examples:
  toguna report portfolio --as-of 2016-12-11
  toguna report portfolio --as-of 2016-04-15 --json | jq .total
  toguna report portfolio --known-at 2026-11-23T10:00:00Z")]
    Portfolio {
        /// The country: ISO 3166-1 alpha-2
        #[arg(long, value_name = "CODE", default_value = "ML")]
        country: String,
        /// Only this fund: funds/…
        #[arg(long, value_name = "FUND")]
        fund: Option<String>,
        /// From where it is seen
        #[command(flatten)]
        view: View,
    },
    /// The chain of a contract: agreements, commitments, decision, contract, payments, values
    #[command(after_long_help = "Examples: toguna report chain contracts/t05-eutf-sah-ml-07-02")]
    Chain {
        /// The contract: contracts/…
        contract: String,
        /// From where it is seen
        #[command(flatten)]
        view: View,
    },
    /// What was promised under a framework and where it stands
    #[command(after_long_help = "Examples: toguna report scoreboard frameworks/rabat-process --as-of 2022-12-13")]
    Scoreboard {
        /// The framework: frameworks/…
        framework: String,
        /// From where it is seen
        #[command(flatten)]
        view: View,
    },
}

/// What to look at.
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Where each log stands, and its copy: head, epoch, what is published, when both were last compared
    #[command(after_long_help = "\
Examples:
  toguna log status
  toguna log status disbursements --json | jq .disbursements.relay")]
    Status(OneService),
    /// What was refused for want of a permission, by a rule about persons or by one about money
    #[command(after_long_help = "\
Examples:
  toguna log refusals --since 2026-11-23
  toguna log refusals disbursements --json | jq '.disbursements[] | {reason, resource}'")]
    Refusals(Refusals),
}

/// Which service.
#[derive(Debug, Args)]
pub struct OneService {
    /// The service [default: all]
    #[arg(id = "one", value_name = "SERVICE")]
    pub service: Option<String>,
}

/// The two clocks of a report, and its form.
#[derive(Debug, Args)]
pub struct View {
    /// The state of the world on the evening of this day [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<civil::Date>,
    /// As known at this time: 2026-11-23T10:00:00Z, or the end of a day [default: now]
    #[arg(long, value_name = "TIME", value_parser = end_time)]
    pub known_at: Option<Timestamp>,
    /// Print CSV for spreadsheets
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// How oversight is reached
    #[command(flatten)]
    pub reach: Reach,
}

/// What to show.
#[derive(Debug, Args)]
pub struct Show {
    /// Its name: decisions/…, agreements/…, commitments/…
    pub resource: String,
    /// Its state on the evening of this day [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub as_of: Option<civil::Date>,
    /// How the services are reached
    #[command(flatten)]
    pub reach: Reach,
}

fn date(text: &str) -> Result<civil::Date, String> {
    text.parse().map_err(|_| "write a day as 2016-04-15".to_owned())
}

fn start_time(text: &str) -> Result<Timestamp, String> {
    time(text, "00:00:00Z")
}

fn end_time(text: &str) -> Result<Timestamp, String> {
    time(text, "23:59:59.999999999Z")
}

fn time(text: &str, of_a_day: &str) -> Result<Timestamp, String> {
    let exact = text.parse().or_else(|_| format!("{text}T{of_a_day}").parse());
    exact.map_err(|_| "write a time as 2026-11-23T10:00:00Z, or a day".to_owned())
}

/// The date as the services write it.
pub fn wire_date(date: civil::Date) -> types::Date {
    types::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

#[cfg(test)]
mod tests;
