//! Events of other services that become facts in this log. Each is pure: an event in, a command out.

mod record_agreement_standings;

pub use record_agreement_standings::RecordAgreementStandings;
