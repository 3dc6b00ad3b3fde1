//! Frameworks and their plans.

use contracts::toguna::commitments::v1::{self as pb, framework_service_server::FrameworkService};
use event_store::Aggregate as _;
use service_runtime::Known;
use tonic::{Request, Response, Status};

use super::{
    Commitments, lookup,
    parse::{self, CODE, MANY, TITLE},
};
use crate::{
    codec::{framework, value},
    domain::{Framework, FrameworkCommand, ReferenceCountry},
    projections::FRAMEWORKS,
    resource,
};

#[tonic::async_trait]
impl FrameworkService for Commitments {
    async fn register_framework(
        &self,
        request: Request<pb::RegisterFrameworkRequest>,
    ) -> Result<Response<pb::RegisterFrameworkResponse>, Status> {
        self.calls
            .decide::<Framework, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Framework::CATEGORY);
                (
                    name,
                    FrameworkCommand::Register {
                        title: fields.localized("title", message.title.as_ref(), TITLE),
                        kind: fields.enumeration("kind", message.kind, framework::kind),
                    },
                )
            })
            .await
    }

    async fn add_action_plan(
        &self,
        request: Request<pb::AddActionPlanRequest>,
    ) -> Result<Response<pb::AddActionPlanResponse>, Status> {
        self.calls
            .decide::<Framework, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Framework::CATEGORY);
                (
                    name,
                    FrameworkCommand::AddPlan {
                        plan: fields.text("plan", &message.plan, CODE),
                        title: fields.localized("title", message.title.as_ref(), TITLE),
                        validity: fields.period("validity", message.validity.as_ref()),
                    },
                )
            })
            .await
    }

    async fn prolong_action_plan(
        &self,
        request: Request<pb::ProlongActionPlanRequest>,
    ) -> Result<Response<pb::ProlongActionPlanResponse>, Status> {
        self.calls
            .decide::<Framework, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Framework::CATEGORY);
                (
                    name,
                    FrameworkCommand::ProlongPlan {
                        plan: fields.text("plan", &message.plan, CODE),
                        valid_until: fields.exact_date("valid_until", message.valid_until.as_ref()),
                    },
                )
            })
            .await
    }

    async fn add_plan_items(
        &self,
        request: Request<pb::AddPlanItemsRequest>,
    ) -> Result<Response<pb::AddPlanItemsResponse>, Status> {
        self.calls
            .decide::<Framework, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Framework::CATEGORY);
                fields.at_most("items", message.items.len(), MANY);
                let items = message.items.iter().enumerate();
                let items =
                    items.map(|(index, item)| parse::new_item(fields, &format!("items[{index}]"), item)).collect();
                (name, FrameworkCommand::AddItems { plan: fields.text("plan", &message.plan, CODE), items })
            })
            .await
    }

    async fn link_plan_item(
        &self,
        request: Request<pb::LinkPlanItemRequest>,
    ) -> Result<Response<pb::LinkPlanItemResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Framework::CATEGORY);
        let counterpart = parse::reference(&mut fields, "counterpart", message.counterpart.as_ref());
        let command = FrameworkCommand::LinkItem {
            plan: fields.text("plan", &message.plan, CODE),
            item: fields.optional_text("item", &message.item, CODE),
            counterpart: counterpart.clone(),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Framework>(&name, &command)?;
            lookup::place(unit, &counterpart)
        })
        .await
    }

    async fn record_plan_count(
        &self,
        request: Request<pb::RecordPlanCountRequest>,
    ) -> Result<Response<pb::RecordPlanCountResponse>, Status> {
        self.calls
            .decide::<Framework, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Framework::CATEGORY);
                (
                    name,
                    FrameworkCommand::RecordCount {
                        plan: fields.text("plan", &message.plan, CODE),
                        kind: fields.enumeration("kind", message.kind, value::item_kind),
                        count: message.count,
                    },
                )
            })
            .await
    }

    async fn record_plan_cost(
        &self,
        request: Request<pb::RecordPlanCostRequest>,
    ) -> Result<Response<pb::RecordPlanCostResponse>, Status> {
        self.calls
            .decide::<Framework, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Framework::CATEGORY);
                (
                    name,
                    FrameworkCommand::RecordCost {
                        plan: fields.text("plan", &message.plan, CODE),
                        cost: parse::money(fields, "cost", message.cost.as_ref()),
                    },
                )
            })
            .await
    }

    async fn designate_reference_country(
        &self,
        request: Request<pb::DesignateReferenceCountryRequest>,
    ) -> Result<Response<pb::DesignateReferenceCountryResponse>, Status> {
        self.calls
            .decide::<Framework, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Framework::CATEGORY);
                (
                    name,
                    FrameworkCommand::DesignateReferenceCountry {
                        plan: fields.text("plan", &message.plan, CODE),
                        designation: ReferenceCountry {
                            item: fields.text("item", &message.item, CODE),
                            partner: fields.organisation("partner", &message.partner),
                            term: parse::optional_period(fields, "term", message.term.as_ref()),
                        },
                    },
                )
            })
            .await
    }

    async fn get_framework(
        &self,
        request: Request<pb::GetFrameworkRequest>,
    ) -> Result<Response<pb::GetFrameworkResponse>, Status> {
        self.calls.get::<Framework, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_frameworks(
        &self,
        request: Request<pb::BatchGetFrameworksRequest>,
    ) -> Result<Response<pb::BatchGetFrameworksResponse>, Status> {
        self.calls.get::<Framework, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_frameworks(
        &self,
        request: Request<pb::ListFrameworksRequest>,
    ) -> Result<Response<pb::ListFrameworksResponse>, Status> {
        let mut listing = self.calls.list(request, &FRAMEWORKS).await?;
        let (mut fields, message) = (listing.fields(), listing.message.clone());
        let kind = fields.optional_enumeration("kind", message.kind, framework::kind).map(framework::kind_to_proto);
        listing.narrow("kind", kind.map(i32::from));
        fields.finish()?;
        listing.answer(&self.lists).await
    }
}

fn shown(known: &Known<Framework>) -> Option<pb::Framework> {
    resource::framework(&known.name, &known.state())
}
