//! Reporting cycles.

use contracts::toguna::commitments::v1::{self as pb, cycle_service_server::CycleService};
use event_store::Aggregate as _;
use service_runtime::{Fields, Page, find, status};
use tonic::{Request, Response, Status};

use super::{
    Commitments, lookup,
    parse::{self, TITLE},
};
use crate::{
    domain::{Cycle, CycleCommand, Framework, Opening},
    resource,
};

#[tonic::async_trait]
impl CycleService for Commitments {
    async fn open_cycle(
        &self,
        request: Request<pb::OpenCycleRequest>,
    ) -> Result<Response<pb::OpenCycleResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Cycle::CATEGORY);
        let opening = Opening {
            framework: fields.name("framework", &message.framework, Framework::CATEGORY),
            title: fields.localized("title", message.title.as_ref(), TITLE),
            covers: parse::optional_period(&mut fields, "covers", message.covers.as_ref()),
            due_on: fields.optional_date("due_on", message.due_on.as_ref()),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Cycle>(&name)?;
            let secretariat = lookup::secretariat(unit, &opening.framework)?;
            unit.handle::<Cycle>(&name, &CycleCommand::Open { opening: opening.clone(), secretariat })
        })
        .await
    }

    async fn close_cycle(
        &self,
        request: Request<pb::CloseCycleRequest>,
    ) -> Result<Response<pb::CloseCycleResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Cycle::CATEGORY);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let secretariat = lookup::secretariat_of_cycle(unit, &name)?;
            unit.handle::<Cycle>(&name, &CycleCommand::Close { secretariat })
        })
        .await
    }

    async fn get_cycle(&self, request: Request<pb::GetCycleRequest>) -> Result<Response<pb::GetCycleResponse>, Status> {
        self.calls.log_query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let found = find::<Cycle>(&self.log, &message.name, message.as_of.as_ref()).await?;
        let cycle = resource::cycle(&found.name, &found.state).ok_or_else(|| status::not_found(&found.name))?;
        Ok(Response::new(pb::GetCycleResponse {
            cycle: Some(cycle),
            etag: found.etag,
            consistency_token: found.consistency_token,
        }))
    }

    async fn list_cycles(
        &self,
        request: Request<pb::ListCyclesRequest>,
    ) -> Result<Response<pb::ListCyclesResponse>, Status> {
        self.calls.query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let mut fields = Fields::new();
        let framework = fields.optional_name("framework", &message.framework, Framework::CATEGORY);
        let framework = framework.as_ref().map(event_store::StreamName::as_str);
        let status = fields.optional_enumeration("status", message.status, |status| match status {
            pb::CycleStatus::Unspecified => None,
            known @ (pb::CycleStatus::Open | pb::CycleStatus::Closed) => Some(known),
        });
        let by: [&str; _] =
            [framework.unwrap_or_default(), status.map(|status| status.as_str_name()).unwrap_or_default()];
        let page = Page::read(&mut fields, message.page_size, &message.page_token, &by);
        fields.finish()?;
        let consistency_token = self.calls.seen(self.log.name());
        let (cycles, next_page_token) = self.read_models.cycles(&page, framework, status).await?;
        Ok(Response::new(pb::ListCyclesResponse { cycles, next_page_token, consistency_token }))
    }
}
