//! Dialogues.

use contracts::toguna::partnerships::v1::{
    ClaimMembershipRequest, ClaimMembershipResponse, GetDialogueRequest, GetDialogueResponse, ListDialoguesRequest,
    ListDialoguesResponse, RecordMembershipRequest, RecordMembershipResponse, RegisterDialogueRequest,
    RegisterDialogueResponse, dialogue_service_server::DialogueService,
};
use event_store::Aggregate as _;
use service_runtime::{Fields, Page};
use tonic::{Request, Response, Status};

use super::{MAX_TEXT, Partnerships, citations, day_asked_for, optional_organisation};
use crate::{
    codec::OnWire as _,
    domain::{
        Dialogue, DialogueCommand,
        dialogue::{Foundation, MembershipStatus},
    },
};

#[tonic::async_trait]
impl DialogueService for Partnerships {
    async fn register_dialogue(
        &self,
        request: Request<RegisterDialogueRequest>,
    ) -> Result<Response<RegisterDialogueResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Dialogue::CATEGORY);
        let foundation = Foundation {
            names: fields.localized("names", message.names.as_ref(), MAX_TEXT),
            secretariat: optional_organisation(&mut fields, "secretariat", &message.secretariat),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Dialogue>(&name, &DialogueCommand::Register(foundation.clone()))?;
            citations::require_partners(unit, &foundation.secretariat)
        })
        .await
    }

    async fn record_membership(
        &self,
        request: Request<RecordMembershipRequest>,
    ) -> Result<Response<RecordMembershipResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Dialogue::CATEGORY);
        let partner = fields.organisation("partner", &message.partner);
        let status = fields.enumeration("status", message.status, MembershipStatus::from_proto);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let command = DialogueCommand::RecordMembership { partner: partner.clone(), status };
            unit.handle::<Dialogue>(&name, &command)?;
            citations::require_partners(unit, [&partner])
        })
        .await
    }

    async fn claim_membership(
        &self,
        request: Request<ClaimMembershipRequest>,
    ) -> Result<Response<ClaimMembershipResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Dialogue::CATEGORY);
        let status = fields.enumeration("status", call.message.status, MembershipStatus::from_proto);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Dialogue>(&name, &DialogueCommand::ClaimMembership(status))?;
            let partner = unit.act().on_behalf_of.clone();
            citations::require_partners(unit, [&partner])
        })
        .await
    }

    async fn get_dialogue(
        &self,
        request: Request<GetDialogueRequest>,
    ) -> Result<Response<GetDialogueResponse>, Status> {
        self.calls.log_query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let found = self.find::<Dialogue>(&message.name, message.as_of.as_ref()).await?;
        let (etag, consistency_token) = (found.etag, found.consistency_token);
        Ok(Response::new(GetDialogueResponse { dialogue: Some(found.resource), etag, consistency_token }))
    }

    async fn list_dialogues(
        &self,
        request: Request<ListDialoguesRequest>,
    ) -> Result<Response<ListDialoguesResponse>, Status> {
        self.calls.query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let mut fields = Fields::new();
        let day = day_asked_for(&mut fields, message.as_of.as_ref());
        let partner = optional_organisation(&mut fields, "partner", &message.partner);
        let filter = [day.to_string(), message.partner];
        let filter = filter.each_ref().map(String::as_str);
        let page = Page::read(&mut fields, message.page_size, &message.page_token, &filter);
        fields.finish()?;
        let consistency_token = self.calls.seen(self.log.name());
        let (dialogues, next_page_token) = self.read_models.dialogues(day, partner.as_deref(), &page).await?;
        Ok(Response::new(ListDialoguesResponse { dialogues, next_page_token, consistency_token }))
    }
}
