//! Dialogues.

use contracts::toguna::partnerships::v1::{
    BatchGetDialoguesRequest, BatchGetDialoguesResponse, ClaimMembershipRequest, ClaimMembershipResponse,
    GetDialogueRequest, GetDialogueResponse, ListDialoguesRequest, ListDialoguesResponse, RecordMembershipRequest,
    RecordMembershipResponse, RegisterDialogueRequest, RegisterDialogueResponse,
    dialogue_service_server::DialogueService,
};
use event_store::Aggregate as _;
use tonic::{Request, Response, Status};

use super::{MAX_TEXT, Partnerships, as_of, citations, optional_organisation, shown};
use crate::{
    codec::OnWire as _,
    domain::{
        Dialogue, DialogueCommand,
        dialogue::{Foundation, MembershipStatus},
    },
    projections::DIALOGUES,
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
        self.calls.get::<Dialogue, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_dialogues(
        &self,
        request: Request<BatchGetDialoguesRequest>,
    ) -> Result<Response<BatchGetDialoguesResponse>, Status> {
        self.calls.get::<Dialogue, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_dialogues(
        &self,
        request: Request<ListDialoguesRequest>,
    ) -> Result<Response<ListDialoguesResponse>, Status> {
        let mut listing = self.calls.list(request, &DIALOGUES).await?;
        let (mut fields, message) = (listing.fields(), listing.message.clone());
        as_of(&mut listing, &mut fields, message.as_of.as_ref());
        listing.narrow("partners", optional_organisation(&mut fields, "partner", &message.partner));
        fields.finish()?;
        listing.answer(&self.lists).await
    }
}
