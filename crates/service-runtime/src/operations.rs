//! What those who run a service see of it and do to it. Only for the role `administrator`; what changes something is
//! logged with who did it.

mod wire;

use std::pin::Pin;

use contracts::toguna::operations::v1::{
    self as pb, compare_read_models_response::Message, operations_service_server::OperationsService,
};
use event_store::{Comparing, Following, GenerationError, Log, relay::RelayStatus};
use futures::Stream;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::{Calls, status};

/// Who runs services.
const ADMINISTRATOR: &str = "administrator";
/// Messages of a comparison that wait for a slow caller.
const WAITING: usize = 64;

/// Serves the operations of one service.
#[derive(Clone)]
pub(crate) struct Operations {
    calls: Calls,
    log: Option<(Log, watch::Receiver<RelayStatus>)>,
    following: Option<Following>,
}

type Answer<T> = Result<Response<T>, Status>;

impl Operations {
    pub fn new(calls: Calls, log: Option<(Log, watch::Receiver<RelayStatus>)>, following: Option<Following>) -> Self {
        Self { calls, log, following }
    }

    /// Who calls, by pseudonym and organisation.
    async fn administrator<T>(&self, request: &Request<T>) -> Result<String, Status> {
        let caller = self.calls.query(request, &[]).await?;
        caller.require_role(&[ADMINISTRATOR])?;
        Ok(format!("{} of {}", caller.actor.subject, caller.actor.organisation))
    }

    fn following(&self) -> Result<&Following, Status> {
        self.following.as_ref().ok_or_else(|| wire::refused(GenerationError::Fixed))
    }
}

#[tonic::async_trait]
impl OperationsService for Operations {
    async fn get_log_status(&self, request: Request<pb::GetLogStatusRequest>) -> Answer<pb::GetLogStatusResponse> {
        self.administrator(&request).await?;
        let (log, relay) = self.log.as_ref().ok_or_else(wire::no_log)?;
        let head = log.head();
        let recorded_at = log.recorded_at(head).await.map_err(|error| status::store(&error))?;
        let epochs = log.epochs().await.map_err(|error| status::store(&error))?;
        let relay = wire::relay(&relay.borrow());
        let status = pb::LogStatus {
            log: log.name().to_owned(),
            epoch: log.epoch().as_bytes().to_vec(),
            head,
            recorded_at: recorded_at.map(wire::time),
            epochs: epochs.iter().map(wire::epoch).collect(),
            relay: Some(relay),
        };
        Ok(Response::new(pb::GetLogStatusResponse { status: Some(status) }))
    }

    async fn list_projections(
        &self,
        request: Request<pb::ListProjectionsRequest>,
    ) -> Answer<pb::ListProjectionsResponse> {
        self.administrator(&request).await?;
        let Some(following) = &self.following else { return Ok(Response::new(pb::ListProjectionsResponse::default())) };
        let written = match following.generations().await {
            Ok(written) => Some(written),
            // The service follows logs without tables of its own.
            Err(GenerationError::Fixed) => None,
            Err(error) => return Err(wire::refused(error)),
        };
        let board = following.status().borrow().clone();
        Ok(Response::new(wire::projections(&board, written.as_ref())))
    }

    async fn rebuild_read_models(
        &self,
        request: Request<pb::RebuildReadModelsRequest>,
    ) -> Answer<pb::RebuildReadModelsResponse> {
        let by = self.administrator(&request).await?;
        let version = request.into_inner().version;
        tracing::info!(version, by, "operation: rebuild the read models");
        self.following()?.rebuild(version, &by).await.map_err(wire::refused)?;
        Ok(Response::new(pb::RebuildReadModelsResponse {}))
    }

    type CompareReadModelsStream = Pin<Box<dyn Stream<Item = Result<pb::CompareReadModelsResponse, Status>> + Send>>;

    async fn compare_read_models(
        &self,
        request: Request<pb::CompareReadModelsRequest>,
    ) -> Answer<Self::CompareReadModelsStream> {
        let by = self.administrator(&request).await?;
        let version = request.into_inner().version;
        tracing::info!(version, by, "operation: compare the read models");
        let following = self.following()?.clone();
        let (answers, messages) = mpsc::channel(WAITING);
        tokio::spawn(compare(following, version, answers));
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn switch_read_models(
        &self,
        request: Request<pb::SwitchReadModelsRequest>,
    ) -> Answer<pb::SwitchReadModelsResponse> {
        let by = self.administrator(&request).await?;
        let pb::SwitchReadModelsRequest { version, unchecked } = request.into_inner();
        tracing::info!(version, unchecked, by, "operation: switch the read models");
        self.following()?.switch(version, unchecked, &by).await.map_err(wire::refused)?;
        Ok(Response::new(pb::SwitchReadModelsResponse {}))
    }

    async fn switch_back_read_models(
        &self,
        request: Request<pb::SwitchBackReadModelsRequest>,
    ) -> Answer<pb::SwitchBackReadModelsResponse> {
        let by = self.administrator(&request).await?;
        let version = request.into_inner().version;
        tracing::info!(version, by, "operation: switch the read models back");
        self.following()?.back(version, &by).await.map_err(wire::refused)?;
        Ok(Response::new(pb::SwitchBackReadModelsResponse {}))
    }

    async fn drop_read_models(
        &self,
        request: Request<pb::DropReadModelsRequest>,
    ) -> Answer<pb::DropReadModelsResponse> {
        let by = self.administrator(&request).await?;
        let version = request.into_inner().version;
        tracing::info!(version, by, "operation: drop read models");
        self.following()?.drop_generation(version).await.map_err(wire::refused)?;
        Ok(Response::new(pb::DropReadModelsResponse {}))
    }
}

type Answers = mpsc::Sender<Result<pb::CompareReadModelsResponse, Status>>;

/// Passes on what a comparison says, and ends with what it found. It ends early when the caller has gone.
async fn compare(following: Following, version: u32, answers: Answers) {
    let (said, mut heard) = mpsc::channel::<Comparing>(WAITING);
    let passing_on = async {
        while let Some(what) = heard.recv().await {
            if answers.send(Ok(message(wire::comparing(what)))).await.is_err() {
                break;
            }
        }
        // Whoever compares notices that nobody listens.
        drop(heard);
    };
    let (found, ()) = tokio::join!(following.compare(version, said), passing_on);
    let last = found.map(|comparison| message(Message::Comparison(wire::comparison(&comparison))));
    let _ = answers.send(last.map_err(wire::refused)).await;
}

fn message(message: Message) -> pb::CompareReadModelsResponse {
    pb::CompareReadModelsResponse { message: Some(message) }
}
