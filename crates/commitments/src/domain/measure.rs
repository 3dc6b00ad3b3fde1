//! What figures are about.

use event_sourcing::{Period, StreamName};

/// What takes values: an initiative or a commitment of ours, or a contract of disbursements, known here by its name
/// only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject(StreamName);

/// Values of it are derived from those of its contracts, or it takes none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} takes no values")]
pub struct SubjectNotReportable {
    /// What was named.
    pub subject: StreamName,
}

/// Under which definition, of what, for which days.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MeasurePoint {
    /// Version of the indicator's definition.
    pub definition: u32,
    /// What is measured.
    pub subject: Subject,
    /// The days that it covers.
    pub period: Period,
}

/// What stands behind a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceStatus {
    /// Published or certified by the body in charge.
    Official,
    /// Reported by the press.
    Press,
    /// Estimated.
    Estimate,
}

impl Subject {
    /// An initiative, a commitment or a contract. Those of a decision are rolled up from its contracts, so that
    /// nothing counts twice.
    pub fn new(subject: StreamName) -> Result<Self, SubjectNotReportable> {
        match subject.category() {
            "initiatives" | "commitments" | "contracts" => Ok(Self(subject)),
            _ => Err(SubjectNotReportable { subject }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &StreamName {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_takes_no_values_of_its_own() {
        let decision: StreamName = "decisions/t05-eutf-sah-ml-07".parse().expect("a name");
        assert_eq!(Subject::new(decision.clone()), Err(SubjectNotReportable { subject: decision }));
    }

    #[test]
    fn a_contract_takes_values() {
        assert!(Subject::new("contracts/t05-eutf-sah-ml-07-02".parse().expect("a name")).is_ok());
    }
}
