//! Reporting cycles.

use contracts::toguna::commitments::v1::{self as pb, cycle_service_server::CycleService};
use event_store::Aggregate as _;
use service_runtime::Known;
use tonic::{Request, Response, Status};

use super::{
    Commitments, lookup,
    parse::{self, TITLE},
};
use crate::{
    domain::{Cycle, CycleCommand, Framework, Opening},
    projections::CYCLES,
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
        self.calls.get::<Cycle, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_cycles(
        &self,
        request: Request<pb::BatchGetCyclesRequest>,
    ) -> Result<Response<pb::BatchGetCyclesResponse>, Status> {
        self.calls.get::<Cycle, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_cycles(
        &self,
        request: Request<pb::ListCyclesRequest>,
    ) -> Result<Response<pb::ListCyclesResponse>, Status> {
        let mut listing = self.calls.list(request, &CYCLES).await?;
        let (mut fields, message) = (listing.fields(), listing.message.clone());
        listing.narrow("framework", fields.optional_name("framework", &message.framework, Framework::CATEGORY));
        let status = fields.optional_enumeration("status", message.status, |status| match status {
            pb::CycleStatus::Unspecified => None,
            known @ (pb::CycleStatus::Open | pb::CycleStatus::Closed) => Some(known),
        });
        listing.narrow("status", status.map(i32::from));
        fields.finish()?;
        listing.answer(&self.lists).await
    }
}

fn shown(known: &Known<Cycle>) -> Option<pb::Cycle> {
    resource::cycle(&known.name, &known.state())
}
