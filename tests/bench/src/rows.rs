//! What is measured beside what. One family for each row of the table that is owed; a family gives one row or more.

mod commands;
mod freshness;
mod growth;
mod limits;
mod peers;
mod projections;
mod relay;
mod replay;

use anyhow::{Result, bail};

use crate::run::{Measured, Run};

/// A row of the table, as the figures are owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// One command with one event, beside an echo.
    P1,
    /// The same, beside pgbench.
    P2,
    /// The same, beside other event stores on PostgreSQL.
    P3,
    /// The same, beside `UmaDB`.
    P4,
    /// Latency of the same.
    P5,
    /// Everybody on one stream.
    P6,
    /// Replay of the log to one caller.
    P7,
    /// The copy in JetStream.
    P9,
    /// A projection.
    P10,
    /// Reading one's own writes.
    P11,
    /// Commands on a long log.
    P13,
    /// Start of the service on a long log.
    P14,
}

/// In the order in which they are measured and shown.
const ALL: [Family; 12] = [
    Family::P1,
    Family::P2,
    Family::P3,
    Family::P4,
    Family::P5,
    Family::P6,
    Family::P7,
    Family::P9,
    Family::P10,
    Family::P11,
    Family::P13,
    Family::P14,
];

impl Family {
    /// What it measures, in a few words.
    pub fn what(self) -> &'static str {
        match self {
            Self::P1 => "one command with one event, beside an echo",
            Self::P2 => "one command with one event, beside pgbench",
            Self::P3 => "one command with one event, beside other event stores on PostgreSQL",
            Self::P4 => "one command with one event, and with ten, beside UmaDB",
            Self::P5 => "latency of a command, beside an echo and one fdatasync",
            Self::P6 => "everybody on one stream, beside each on a new one",
            Self::P7 => "replay of the log to one caller, beside COPY",
            Self::P9 => "the copy in JetStream, beside the same messages from memory",
            Self::P10 => "a projection of one row an event, beside COPY of its rows",
            Self::P11 => "reading one's own writes, beside reading whatever is there",
            Self::P13 => "commands on a long log, beside a short one",
            Self::P14 => "start of the service on a long log, beside a short one",
        }
    }

    /// Measures it.
    pub async fn measure(self, run: &Run) -> Result<Vec<Row>> {
        match self {
            Self::P1 => commands::p1(run).await,
            Self::P2 => limits::p2(run).await,
            Self::P3 => peers::p3(run).await,
            Self::P4 => peers::p4(run).await,
            Self::P5 => commands::p5(run).await,
            Self::P6 => commands::p6(run).await,
            Self::P7 => replay::p7(run).await,
            Self::P9 => relay::p9(run).await,
            Self::P10 => projections::p10(run).await,
            Self::P11 => freshness::p11(run).await,
            Self::P13 => growth::p13(run).await,
            Self::P14 => growth::p14(run).await,
        }
    }
}

/// The families of these names; all where there is none.
pub fn wanted(names: &[String]) -> Result<Vec<Family>> {
    let names: Vec<String> =
        names.iter().map(|name| name.trim().to_uppercase()).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|family| format!("{family:?}") == **name)) {
        let known: Vec<String> = ALL.iter().map(|family| format!("{family:?}")).collect();
        bail!("there is no row {unknown}; there are {}", known.join(", "));
    }
    Ok(ALL.into_iter().filter(|family| names.is_empty() || names.contains(&format!("{family:?}"))).collect())
}

/// How ours and the other are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Compared {
    /// More is better: ours over the other.
    Rate {
        /// What is counted.
        unit: &'static str,
        /// The ratio that is owed.
        reach: f64,
        /// The ratio that is aimed at.
        aim: f64,
    },
    /// Less is better, and ours may be several times the other.
    Latency {
        /// What is measured.
        unit: &'static str,
        /// How many times the other is owed.
        reach: f64,
        /// How many times the other is aimed at.
        aim: f64,
    },
}

impl Compared {
    /// The unit of the values.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Rate { unit, .. } | Self::Latency { unit, .. } => unit,
        }
    }

    /// More is better. Of a latency: `reach` over what was measured, so that 1 is owed.
    pub fn ratio(self, ours: f64, beside: f64) -> f64 {
        match self {
            Self::Rate { .. } => ours / beside.max(f64::EPSILON),
            Self::Latency { reach, .. } => reach * beside / ours.max(f64::EPSILON),
        }
    }

    /// The ratio that is owed.
    pub fn reach(self) -> f64 {
        match self {
            Self::Rate { reach, .. } => reach,
            Self::Latency { .. } => 1.0,
        }
    }

    /// The ratio that is aimed at.
    pub fn aim(self) -> f64 {
        match self {
            Self::Rate { aim, .. } => aim,
            Self::Latency { reach, aim, .. } => reach / aim,
        }
    }
}

/// One line of the table.
pub struct Row {
    /// Family and variant: `P1 complete`, with the payload where it is not 256 bytes.
    pub id: String,
    /// What was done.
    pub what: String,
    /// Beside what.
    pub beside_what: String,
    /// Bytes of an event's payload.
    pub payload: usize,
    /// How they are compared.
    pub compared: Compared,
    /// Ours and the other, round by round.
    pub rounds: Vec<(Measured, Measured)>,
    /// What else a reader should know.
    pub notes: Vec<String>,
}

/// The id of a row: the payload is named where it is not the usual one.
fn id(name: &str, payload: usize) -> String {
    if payload == 256 { name.to_owned() } else { format!("{name} {payload}B") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_better_the_more_it_is_whatever_is_measured() {
        let rate = Compared::Rate { unit: "commands/s", reach: 0.5, aim: 0.7 };
        assert!((rate.ratio(60.0, 100.0) - 0.6).abs() < 1e-9);
        let latency = Compared::Latency { unit: "ms", reach: 2.5, aim: 1.5 };
        assert!(latency.ratio(2.0, 1.0) >= latency.reach() && latency.ratio(3.0, 1.0) < latency.reach());
        assert!(latency.ratio(1.4, 1.0) >= latency.aim() && latency.ratio(1.6, 1.0) < latency.aim());
    }

    #[test]
    fn rows_are_asked_for_by_name() {
        assert_eq!(wanted(&[]).expect("all").len(), ALL.len());
        assert_eq!(wanted(&["p2".into(), "P1".into()]).expect("both are there"), [Family::P1, Family::P2]);
        assert!(wanted(&["P99".into()]).is_err());
    }
}
