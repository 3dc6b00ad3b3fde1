//! One command twice: with everything that surrounds a call of ours, and as the bare server takes it. Both have the same
//! message, the same log and the same decision, and neither has read models or a copy of its log: what lies between them
//! is identity, policy, validation, tracing, and the limits, budgets and statuses of a call.

use std::env;

use anyhow::{Context as _, Result};
use contracts::toguna::{
    log::v1 as pb,
    partnerships::v1::{
        ConfirmCorrectionRequest, ConfirmCorrectionResponse, ProposeCorrectionRequest, ProposeCorrectionResponse,
        correction_service_server::{CorrectionService, CorrectionServiceServer},
    },
};
use event_store::{Aggregate as _, Log};
use service_runtime::{Calls, Parts, limited};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};
use uuid::Uuid;

use super::bare::{Notes, append};

struct Notebook {
    log: Log,
    calls: Option<Calls>,
}

#[tonic::async_trait]
impl CorrectionService for Notebook {
    async fn propose_correction(
        &self,
        request: Request<ProposeCorrectionRequest>,
    ) -> Result<Response<ProposeCorrectionResponse>, Status> {
        let Some(calls) = &self.calls else { return self.unguarded(request.into_inner()).await };
        let call = calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Notes::CATEGORY);
        fields.finish()?;
        let notes = vec![call.message.right.clone().unwrap_or_default().value];
        call.execute(&self.log, move |unit| unit.handle::<Notes>(&name, &notes)).await
    }

    async fn confirm_correction(
        &self,
        _: Request<ConfirmCorrectionRequest>,
    ) -> Result<Response<ConfirmCorrectionResponse>, Status> {
        Err(Status::unimplemented("nothing is confirmed here"))
    }
}

impl Notebook {
    async fn unguarded(
        &self,
        request: ProposeCorrectionRequest,
    ) -> Result<Response<ProposeCorrectionResponse>, Status> {
        let request_id: Uuid = request.request_id.parse().map_err(|_| Status::invalid_argument("request_id"))?;
        let notes = vec![request.right.unwrap_or_default().value];
        let executed = append(&self.log, request_id, &request.name, notes).await;
        let executed = executed.map_err(|error| Status::unavailable(error.to_string()))?;
        let events = executed.events.into_iter().map(|event| pb::EventReference {
            position: event.position,
            stream: event.stream.to_string(),
            version: event.version,
            r#type: event.type_name,
            ..pb::EventReference::default()
        });
        let receipt = pb::Receipt {
            events: events.collect(),
            etag: service_runtime::etag(executed.version),
            consistency_token: executed.token.to_string(),
            replayed: executed.replayed,
        };
        Ok(Response::new(receipt.into()))
    }
}

async fn log(stopping: CancellationToken) -> Result<Log> {
    let database_url = env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
    Ok(Log::open(partnerships::SERVICE, &database_url, stopping).await?)
}

/// The guarded server: what a service's `build` does, without a copy of the log and read models.
pub async fn build(mut parts: Parts) -> Result<Parts> {
    let log = log(parts.shutdown.clone()).await?;
    let calls = Some(parts.calls.clone());
    parts.serve(limited!(CorrectionServiceServer::new(Notebook { log, calls })));
    Ok(parts)
}

/// The same command without all of that.
pub async fn serve_unguarded() -> Result<()> {
    let stopping = CancellationToken::new();
    let log = log(stopping.clone()).await?;
    let _stops = stopping.drop_guard();
    super::serve(Routes::new(CorrectionServiceServer::new(Notebook { log, calls: None }))).await
}
