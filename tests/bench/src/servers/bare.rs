//! The log under a gRPC server: a command loads its aggregate, decides, appends and is answered after the commit, and
//! that is all. Nobody is asked who he is or what he may; nothing is validated, traced, followed or copied.

use std::{convert::Infallible, env};

use anyhow::{Context as _, Result};
use contracts::reasons::{Reason, ReasonName as _};
use contracts::toguna::errors::v1::ErrorReason;
use event_store::{
    Act, Actor, Aggregate, Basis, Certainty, CommandMeta, DecodeError, Draft, Executed, Log, Payload, Recorded,
    Refusal, Stored, StreamName, Value,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};
use uuid::Uuid;

use crate::wire::{
    Append, Appended, Noted,
    bare_server::{Bare, BareServer},
};

/// How many notes a stream has: the least that a state can be.
#[derive(Debug, Default, Clone)]
pub struct Notes(u64);

/// Nothing is refused.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Never(#[from] Infallible);

impl Aggregate for Notes {
    /// A kind of resource that may be corrected: the guarded server takes the same.
    const CATEGORY: &'static str = "dialogues";
    type Command = Vec<Vec<u8>>;
    type Event = Vec<u8>;
    type Error = Never;

    fn decide(&self, notes: &Vec<Vec<u8>>, act: &Act) -> Result<Vec<Draft<Vec<u8>>>, Never> {
        Ok(notes.iter().map(|note| act.draft(note.clone())).collect())
    }

    fn evolve(self, _: &Recorded<Vec<u8>>) -> Self {
        Self(self.0 + 1)
    }
}

impl Refusal for Never {
    fn reason(&self) -> &'static Reason {
        ErrorReason::Internal.reason()
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

impl Stored for Notes {
    fn encode(event: &Vec<u8>) -> Payload {
        Payload::of(&Noted { content: event.clone() })
    }

    fn decode(payload: &Payload) -> Result<Vec<u8>, DecodeError> {
        let noted = payload.to::<Noted>().ok_or_else(|| DecodeError::UnknownType(payload.type_name.clone()))?;
        Ok(noted?.content)
    }
}

struct Notebook {
    log: Log,
}

#[tonic::async_trait]
impl Bare for Notebook {
    async fn append(&self, request: Request<Append>) -> Result<Response<Appended>, Status> {
        let Append { request_id, stream, events } = request.into_inner();
        let request_id = Uuid::from_slice(&request_id).map_err(|_| Status::invalid_argument("request_id"))?;
        let executed = append(&self.log, request_id, &stream, events).await;
        let executed = executed.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(Response::new(Appended { consistency_token: executed.token.to_string() }))
    }
}

/// Appends notes to a stream, `dialogues/…`.
pub async fn append(log: &Log, request_id: Uuid, stream: &str, notes: Vec<Vec<u8>>) -> Result<Executed> {
    let stream: StreamName = stream.parse()?;
    let meta = CommandMeta {
        request_id,
        content_hash: [0; 32],
        expected_version: None,
        validate_only: false,
        correlation_id: None,
        causation_id: None,
        traceparent: String::new(),
    };
    Ok(log.execute(meta, act(), move |unit| unit.handle::<Notes>(&stream, &notes)).await?)
}

fn act() -> Act {
    let organisation = "partners/ml".to_owned();
    Act {
        actor: Actor {
            issuer: "bench".to_owned(),
            subject: "caller".to_owned(),
            organisation: organisation.clone(),
            roles: Vec::new(),
        },
        on_behalf_of: organisation,
        basis: Basis::Act,
        effective_on: None,
        sources: Vec::new(),
        certainty: Certainty::Illustrative,
        reason: String::new(),
        today: jiff::civil::date(2026, 1, 1),
    }
}

pub async fn serve() -> Result<()> {
    let database_url = env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
    let stopping = CancellationToken::new();
    let log = Log::open("notes", &database_url, stopping.clone()).await?;
    let _stops = stopping.drop_guard();
    super::serve(Routes::new(BareServer::new(Notebook { log }))).await
}
