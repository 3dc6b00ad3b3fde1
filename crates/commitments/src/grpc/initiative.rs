//! Projects and policies.

use contracts::toguna::commitments::v1::{self as pb, initiative_service_server::InitiativeService};
use event_store::Aggregate as _;
use service_runtime::{Known, PARTNERS};
use tonic::{Request, Response, Status};

use super::{
    Commitments, lookup,
    parse::{self, TEXT, TITLE},
};
use crate::{
    codec::initiative,
    domain::{BudgetLine, Framework, Initiative, InitiativeCommand},
    projections::INITIATIVES,
    resource,
};

#[tonic::async_trait]
impl InitiativeService for Commitments {
    async fn register_initiative(
        &self,
        request: Request<pb::RegisterInitiativeRequest>,
    ) -> Result<Response<pb::RegisterInitiativeResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Initiative::CATEGORY);
        let description = parse::description(&mut fields, "description", message.description.as_ref());
        let command = InitiativeCommand::Register {
            kind: fields.enumeration("type", message.r#type, initiative::kind),
            responsible: fields.organisation("responsible", &message.responsible),
            description: description.clone(),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Initiative>(&name, &command)?;
            lookup::described(unit, &description)
        })
        .await
    }

    async fn confirm_initiative(
        &self,
        request: Request<pb::ConfirmInitiativeRequest>,
    ) -> Result<Response<pb::ConfirmInitiativeResponse>, Status> {
        self.calls
            .decide::<Initiative, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Initiative::CATEGORY);
                (name, InitiativeCommand::Confirm)
            })
            .await
    }

    async fn revise_initiative(
        &self,
        request: Request<pb::ReviseInitiativeRequest>,
    ) -> Result<Response<pb::ReviseInitiativeResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Initiative::CATEGORY);
        let description = parse::description(&mut fields, "description", message.description.as_ref());
        let command = InitiativeCommand::Revise { description: description.clone() };
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Initiative>(&name, &command)?;
            lookup::described(unit, &description)
        })
        .await
    }

    async fn record_budget_line(
        &self,
        request: Request<pb::RecordBudgetLineRequest>,
    ) -> Result<Response<pb::RecordBudgetLineResponse>, Status> {
        self.calls
            .decide::<Initiative, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Initiative::CATEGORY);
                (
                    name,
                    InitiativeCommand::RecordBudgetLine(BudgetLine {
                        line: fields.text("budget_line", &message.budget_line, TITLE),
                        amount: parse::money(fields, "amount", message.amount.as_ref()),
                        period: parse::optional_period(fields, "period", message.period.as_ref()),
                        funder: fields
                            .optional_name("funder", &message.funder, PARTNERS)
                            .map(|funder| funder.to_string()),
                    }),
                )
            })
            .await
    }

    async fn record_initiative_status(
        &self,
        request: Request<pb::RecordInitiativeStatusRequest>,
    ) -> Result<Response<pb::RecordInitiativeStatusResponse>, Status> {
        self.calls
            .decide::<Initiative, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Initiative::CATEGORY);
                (
                    name,
                    InitiativeCommand::RecordStatus {
                        status: fields.enumeration("status", message.status, initiative::status),
                    },
                )
            })
            .await
    }

    async fn record_milestone(
        &self,
        request: Request<pb::RecordMilestoneRequest>,
    ) -> Result<Response<pb::RecordMilestoneResponse>, Status> {
        self.calls
            .decide::<Initiative, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Initiative::CATEGORY);
                (
                    name,
                    InitiativeCommand::RecordMilestone { text: fields.localized("text", message.text.as_ref(), TEXT) },
                )
            })
            .await
    }

    async fn verify_initiative(
        &self,
        request: Request<pb::VerifyInitiativeRequest>,
    ) -> Result<Response<pb::VerifyInitiativeResponse>, Status> {
        self.calls
            .decide::<Initiative, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Initiative::CATEGORY);
                (name, InitiativeCommand::Verify)
            })
            .await
    }

    async fn return_initiative(
        &self,
        request: Request<pb::ReturnInitiativeRequest>,
    ) -> Result<Response<pb::ReturnInitiativeResponse>, Status> {
        self.calls
            .decide::<Initiative, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Initiative::CATEGORY);
                (name, InitiativeCommand::Return)
            })
            .await
    }

    async fn get_initiative(
        &self,
        request: Request<pb::GetInitiativeRequest>,
    ) -> Result<Response<pb::GetInitiativeResponse>, Status> {
        self.calls.get::<Initiative, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_initiatives(
        &self,
        request: Request<pb::BatchGetInitiativesRequest>,
    ) -> Result<Response<pb::BatchGetInitiativesResponse>, Status> {
        self.calls.get::<Initiative, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_initiatives(
        &self,
        request: Request<pb::ListInitiativesRequest>,
    ) -> Result<Response<pb::ListInitiativesResponse>, Status> {
        let mut listing = self.calls.list(request, &INITIATIVES).await?;
        let (mut fields, message) = (listing.fields(), listing.message.clone());
        let kind = fields.optional_enumeration("type", message.r#type, initiative::kind);
        listing.narrow("type", kind.map(|kind| i32::from(initiative::type_to_proto(kind))));
        listing.narrow("responsible", fields.optional_name("responsible", &message.responsible, PARTNERS));
        let status = fields.optional_enumeration("status", message.status, initiative::status);
        listing.narrow("status", status.map(|status| i32::from(initiative::status_to_proto(status))));
        let verification = fields.optional_enumeration("verification", message.verification, |sent| match sent {
            pb::Verification::Unspecified => None,
            known @ (pb::Verification::Pending | pb::Verification::Verified | pb::Verification::Returned) => {
                Some(known)
            }
        });
        listing.narrow("verification", verification.map(i32::from));
        listing.narrow("frameworks", fields.optional_name("framework", &message.framework, Framework::CATEGORY));
        let place = (!message.place.is_empty()).then(|| parse::place(&mut fields, "place", &message.place));
        listing.narrow("places", place);
        fields.finish()?;
        listing.answer(&self.lists).await
    }
}

fn shown(known: &Known<Initiative>) -> Option<pb::Initiative> {
    resource::initiative(&known.name, &known.state())
}
