//! What the publisher says of itself.

use opentelemetry::{KeyValue, metrics::Gauge};

use crate::{Epoch, Timestamp};

/// How far a log is signed and witnessed. Sizes are numbers of records: the record at position `n` is covered by every
/// size from `n` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessing {
    /// The history that this is said of.
    pub epoch: Epoch,
    /// Position of the last committed event, when the publisher looked last.
    pub head: u64,
    /// Up to where the log’s own signature goes.
    pub signed: u64,
    /// Up to where a quorum of witnesses has signed.
    pub witnessed: u64,
    /// The checkpoint of `witnessed` with all its signatures, a signed note; empty: there is none yet.
    pub note: String,
    /// Each witness of the policy, in its order.
    pub witnesses: Vec<WitnessStatus>,
    /// What the publisher does.
    pub state: PublicationState,
}

/// How far a witness has come along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessStatus {
    /// Its name in the policy.
    pub name: String,
    /// The largest size that it signed for this publisher.
    pub cosigned: u64,
    /// Why it has not signed what it was asked last.
    pub trouble: Option<String>,
}

/// What a publisher does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationState {
    /// It publishes what is committed, and has it signed.
    Publishing,
    /// It cannot for now, and tries again.
    Retrying {
        /// When that began.
        since: Timestamp,
        /// Why.
        error: String,
    },
    /// The log, what was published of it and what was signed contradict each other. Nothing is written and nothing is
    /// signed until somebody has looked into it; the publisher looks again from time to time.
    Stopped {
        /// When it was found.
        since: Timestamp,
        /// What contradicts what.
        error: String,
    },
}

/// The publisher’s metrics.
pub(super) struct Meters {
    log: KeyValue,
    signed: Gauge<u64>,
    witnessed: Gauge<u64>,
    cosigned: Gauge<u64>,
    working: Gauge<u64>,
    sound: Gauge<u64>,
}

impl Meters {
    pub fn new(log: &str) -> Self {
        let meter = opentelemetry::global::meter("event-store");
        let gauge = |name, says| meter.u64_gauge(name).with_description(says).build();
        Self {
            log: KeyValue::new("log", log.to_owned()),
            signed: gauge("toguna.log.signed", "Position up to which the log's own signature goes"),
            witnessed: gauge("toguna.log.witnessed", "Position up to which a quorum of witnesses has signed"),
            cosigned: gauge("toguna.log.cosigned", "Position up to which a witness has signed"),
            working: gauge("toguna.publication.working", "1: what is committed is published and signed"),
            sound: gauge("toguna.publication.sound", "0: log, publication and signatures contradict each other"),
        }
    }

    pub fn report(&self, status: &Witnessing) {
        let log = std::slice::from_ref(&self.log);
        self.signed.record(status.signed, log);
        self.witnessed.record(status.witnessed, log);
        self.working.record((status.state == PublicationState::Publishing).into(), log);
        self.sound.record((!matches!(status.state, PublicationState::Stopped { .. })).into(), log);
        for witness in &status.witnesses {
            let name = KeyValue::new("witness", witness.name.clone());
            self.cosigned.record(witness.cosigned, &[self.log.clone(), name]);
        }
    }
}
