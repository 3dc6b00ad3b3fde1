//! Writing whatever events into whatever streams: aggregates without a rule.

use std::{convert::Infallible, fmt};

use contracts::reasons::Reason;
use event_store::{
    Act, Aggregate, CommandMeta, Correction, DecodeError, Draft, ExecuteError, Executed, Interrupt, Log, Payload,
    Recorded, Refusal, Stored, StreamName, Unit,
};
use uuid::Uuid;

/// Nothing is refused.
#[derive(Debug)]
pub struct Never(Infallible);

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl std::error::Error for Never {}

impl Refusal for Never {
    fn reason(&self) -> &'static Reason {
        match self.0 {}
    }

    fn values(&self) -> Vec<(&'static str, event_store::Value)> {
        match self.0 {}
    }
}

/// Stores what it is given, and passes the function on to the aggregate of a stream's category.
macro_rules! ruleless {
    ($($name:ident $category:literal)*) => {
        $(
            #[derive(Default, Clone)]
            struct $name;

            impl Aggregate for $name {
                const CATEGORY: &'static str = $category;
                type Command = Payload;
                type Event = Payload;
                type Error = Never;

                fn decide(&self, event: &Payload, act: &Act) -> Result<Vec<Draft<Payload>>, Never> {
                    Ok(vec![act.draft(event.clone())])
                }

                fn evolve(self, _: &Recorded<Payload>) -> Self {
                    self
                }
            }

            impl Stored for $name {
                fn encode(event: &Payload) -> Payload {
                    event.clone()
                }

                fn decode(payload: &Payload) -> Result<Payload, DecodeError> {
                    Ok(payload.clone())
                }
            }
        )*

        fn stage(unit: &mut Unit, stream: &StreamName, step: &Step) -> Result<(), Interrupt> {
            match stream.category() {
                $($category => match step {
                    Step::Record(event) => unit.handle::<$name>(stream, event),
                    Step::Propose(correction) => unit.propose_correction::<$name>(stream, correction.clone()),
                    Step::Confirm(version) => unit.confirm_correction::<$name>(stream, *version),
                },)*
                category => panic!("no test writes {category}"),
            }
        }
    };
}

ruleless! {
    Agreement "agreements"
    Commitment "commitments"
    Contract "contracts"
    Decision "decisions"
    Framework "frameworks"
    Fund "funds"
    Indicator "indicators"
    Payment "payments"
}

enum Step {
    Record(Payload),
    Propose(Correction<Payload>),
    Confirm(u64),
}

/// Records an event.
pub async fn record(log: &Log, stream: &str, act: Act, event: Payload) -> Executed {
    run(log, stream, act, Step::Record(event)).await.expect("it is recorded")
}

/// One person proposes what is right in the place of a record, and another confirms it.
pub async fn correct(log: &Log, stream: &str, act: Act, correction: Correction<Payload>) -> Executed {
    let act = Act { reason: "the minutes say so".into(), ..act };
    let proposed = run(log, stream, act.clone().by("one"), Step::Propose(correction)).await.expect("it is proposed");
    run(log, stream, act.by("another"), Step::Confirm(proposed.version)).await.expect("it is confirmed")
}

async fn run(log: &Log, stream: &str, act: Act, step: Step) -> Result<Executed, ExecuteError> {
    let stream: StreamName = stream.parse().expect("a name");
    let meta = CommandMeta {
        request_id: Uuid::now_v7(),
        content_hash: [0; 32],
        expected_version: None,
        validate_only: false,
        correlation_id: None,
        causation_id: None,
        traceparent: String::new(),
    };
    log.execute(meta, act, |unit| stage(unit, &stream, &step)).await
}
