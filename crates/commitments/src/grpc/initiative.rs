//! Projects and policies.

use contracts::toguna::commitments::v1::{self as pb, initiative_service_server::InitiativeService};
use event_store::{Aggregate as _, StreamName};
use service_runtime::{Fields, PARTNERS, Page, find, status};
use tonic::{Request, Response, Status};

use super::{
    Commitments, lookup,
    parse::{self, TEXT, TITLE},
};
use crate::{
    codec::initiative,
    domain::{BudgetLine, Framework, Initiative, InitiativeCommand},
    projections::InitiativeFilter,
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
        self.calls.log_query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let found = find::<Initiative>(&self.log, &message.name, message.as_of.as_ref()).await?;
        let initiative =
            resource::initiative(&found.name, &found.state).ok_or_else(|| status::not_found(&found.name))?;
        Ok(Response::new(pb::GetInitiativeResponse {
            initiative: Some(initiative),
            etag: found.etag,
            consistency_token: found.consistency_token,
        }))
    }

    async fn list_initiatives(
        &self,
        request: Request<pb::ListInitiativesRequest>,
    ) -> Result<Response<pb::ListInitiativesResponse>, Status> {
        self.calls.query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let mut fields = Fields::new();
        let filter = filter(&mut fields, &message);
        let by: [&str; _] = [
            &message.r#type.to_string(),
            &message.responsible,
            &message.status.to_string(),
            &message.verification.to_string(),
            &message.framework,
            &message.place,
        ];
        let page = Page::read(&mut fields, message.page_size, &message.page_token, &by);
        fields.finish()?;
        let consistency_token = self.calls.seen(self.log.name());
        let (initiatives, next_page_token) = self.read_models.initiatives(&page, &filter).await?;
        Ok(Response::new(pb::ListInitiativesResponse { initiatives, next_page_token, consistency_token }))
    }
}

fn filter(fields: &mut Fields, message: &pb::ListInitiativesRequest) -> InitiativeFilter {
    let some = |name: StreamName| name.to_string();
    InitiativeFilter {
        kind: fields.optional_enumeration("type", message.r#type, initiative::kind).map(initiative::type_to_proto),
        responsible: fields.optional_name("responsible", &message.responsible, PARTNERS).map(some),
        status: fields
            .optional_enumeration("status", message.status, initiative::status)
            .map(initiative::status_to_proto),
        verification: fields.optional_enumeration("verification", message.verification, |sent| match sent {
            pb::Verification::Unspecified => None,
            known @ (pb::Verification::Pending | pb::Verification::Verified | pb::Verification::Returned) => {
                Some(known)
            }
        }),
        framework: fields.optional_name("framework", &message.framework, Framework::CATEGORY).map(some),
        place: (!message.place.is_empty()).then(|| parse::place(fields, "place", &message.place)),
    }
}
