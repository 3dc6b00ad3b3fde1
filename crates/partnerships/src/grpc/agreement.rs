//! Agreements.

mod fields;

use contracts::toguna::partnerships::{
    events::v1 as events,
    v1::{
        AcceptAmendmentRequest, AcceptAmendmentResponse, AdoptTextRequest, AdoptTextResponse, AgreeTerminationRequest,
        AgreeTerminationResponse, AgreementNature, AgreementPhase, ApplyProvisionallyRequest,
        ApplyProvisionallyResponse, AuthoriseAgreementRequest, AuthoriseAgreementResponse, BatchGetAgreementsRequest,
        BatchGetAgreementsResponse, DeclareViewRequest, DeclareViewResponse, DenounceAgreementRequest,
        DenounceAgreementResponse, EndProvisionalApplicationRequest, EndProvisionalApplicationResponse,
        ExpressConsentRequest, ExpressConsentResponse, GetAgreementRequest, GetAgreementResponse, InitialTextRequest,
        InitialTextResponse, ListAgreementsRequest, ListAgreementsResponse, OpenNegotiationRequest,
        OpenNegotiationResponse, ProposeAmendmentRequest, ProposeAmendmentResponse, PublishAgreementRequest,
        PublishAgreementResponse, RecordAmendmentEffectRequest, RecordAmendmentEffectResponse,
        RecordEntryIntoForceRequest, RecordEntryIntoForceResponse, RecordExpiryRequest, RecordExpiryResponse,
        RecordObligationRequest, RecordObligationResponse, RecordSupersessionRequest, RecordSupersessionResponse,
        RecordTerminationRequest, RecordTerminationResponse, RegisterAgreementRequest, RegisterAgreementResponse,
        ResumeAgreementRequest, ResumeAgreementResponse, SignAgreementRequest, SignAgreementResponse,
        SuspendAgreementRequest, SuspendAgreementResponse, agreement_service_server::AgreementService,
    },
};
use event_store::Aggregate as _;
use tonic::{Request, Response, Status};

use self::fields::{agreement, known, party, registration, termination_cause};
use super::{
    MAX_OBLIGATION, MAX_REFERENCE, MAX_TEXT, Partnerships, as_of, citations, id, optional_organisation, organisations,
    shown,
};
use crate::{
    codec::OnWire as _,
    domain::{
        Agreement, AgreementCommand as Command,
        agreement::events::{BindingNature, ConsentDelivery, ConsentKind, Obligation, SignatureKind},
    },
    projections::AGREEMENTS,
};

#[tonic::async_trait]
impl AgreementService for Partnerships {
    async fn register_agreement(
        &self,
        request: Request<RegisterAgreementRequest>,
    ) -> Result<Response<RegisterAgreementResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = agreement(&mut fields, &call.message.name);
        let registration = registration(&mut fields, &call.message);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Agreement>(&name, &Command::Register(Box::new(registration.clone())))?;
            citations::require_partners(unit, registration.parties.iter().chain(&registration.depositary))
        })
        .await
    }

    async fn open_negotiation(
        &self,
        request: Request<OpenNegotiationRequest>,
    ) -> Result<Response<OpenNegotiationResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            (agreement(fields, &message.name), Command::OpenNegotiation)
        })
        .await
    }

    async fn initial_text(
        &self,
        request: Request<InitialTextRequest>,
    ) -> Result<Response<InitialTextResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            (agreement(fields, &message.name), Command::InitialText)
        })
        .await
    }

    async fn adopt_text(&self, request: Request<AdoptTextRequest>) -> Result<Response<AdoptTextResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            (agreement(fields, &message.name), Command::AdoptText)
        })
        .await
    }

    async fn sign_agreement(
        &self,
        request: Request<SignAgreementRequest>,
    ) -> Result<Response<SignAgreementResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            let party = party(fields, &message.party, act);
            let kind = fields.enumeration("kind", message.kind, SignatureKind::from_proto);
            (name, Command::Sign { party, kind })
        })
        .await
    }

    async fn authorise_agreement(
        &self,
        request: Request<AuthoriseAgreementRequest>,
    ) -> Result<Response<AuthoriseAgreementResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            let party = party(fields, &message.party, act);
            let legal_basis = fields.optional_text("legal_basis", &message.legal_basis, MAX_REFERENCE);
            (name, Command::Authorise { party, legal_basis })
        })
        .await
    }

    async fn express_consent(
        &self,
        request: Request<ExpressConsentRequest>,
    ) -> Result<Response<ExpressConsentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = agreement(&mut fields, &message.name);
        let party = party(&mut fields, &message.party, &call.act);
        let kind = fields.enumeration("kind", message.kind, ConsentKind::from_proto);
        let delivery = fields.enumeration("delivery", message.delivery, ConsentDelivery::from_proto);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let command = Command::ExpressConsent { party: party.clone(), kind, delivery };
            unit.handle::<Agreement>(&name, &command)?;
            citations::require_partners(unit, [&party])
        })
        .await
    }

    async fn record_entry_into_force(
        &self,
        request: Request<RecordEntryIntoForceRequest>,
    ) -> Result<Response<RecordEntryIntoForceResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            (agreement(fields, &message.name), Command::RecordEntryIntoForce)
        })
        .await
    }

    async fn apply_provisionally(
        &self,
        request: Request<ApplyProvisionallyRequest>,
    ) -> Result<Response<ApplyProvisionallyResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            (agreement(fields, &message.name), Command::ApplyProvisionally)
        })
        .await
    }

    async fn end_provisional_application(
        &self,
        request: Request<EndProvisionalApplicationRequest>,
    ) -> Result<Response<EndProvisionalApplicationResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            (agreement(fields, &message.name), Command::EndProvisionalApplication)
        })
        .await
    }

    async fn publish_agreement(
        &self,
        request: Request<PublishAgreementRequest>,
    ) -> Result<Response<PublishAgreementResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            let party = party(fields, &message.party, act);
            let reference = fields.text("reference", &message.reference, MAX_REFERENCE);
            (name, Command::Publish { party, reference })
        })
        .await
    }

    async fn record_obligation(
        &self,
        request: Request<RecordObligationRequest>,
    ) -> Result<Response<RecordObligationResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            let obligation = Obligation {
                id: id(fields, "obligation_id", &message.obligation_id),
                article: fields.text("article", &message.article, MAX_REFERENCE),
                obliged_parties: organisations(fields, "obliged_parties", &message.obliged_parties),
                text: fields.localized("text", message.text.as_ref(), MAX_OBLIGATION),
            };
            (agreement(fields, &message.name), Command::RecordObligation(obligation))
        })
        .await
    }

    async fn propose_amendment(
        &self,
        request: Request<ProposeAmendmentRequest>,
    ) -> Result<Response<ProposeAmendmentResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            let name = agreement(fields, &message.name);
            let amendment_id = id(fields, "amendment_id", &message.amendment_id);
            let title = fields.localized("title", message.title.as_ref(), MAX_TEXT);
            (name, Command::ProposeAmendment { amendment_id, title })
        })
        .await
    }

    async fn accept_amendment(
        &self,
        request: Request<AcceptAmendmentRequest>,
    ) -> Result<Response<AcceptAmendmentResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            let party = party(fields, &message.party, act);
            let amendment_id = id(fields, "amendment_id", &message.amendment_id);
            (name, Command::AcceptAmendment { amendment_id, party })
        })
        .await
    }

    async fn record_amendment_effect(
        &self,
        request: Request<RecordAmendmentEffectRequest>,
    ) -> Result<Response<RecordAmendmentEffectResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            let name = agreement(fields, &message.name);
            let amendment_id = id(fields, "amendment_id", &message.amendment_id);
            let parties = organisations(fields, "parties", &message.parties);
            (name, Command::RecordAmendmentEffect { amendment_id, parties })
        })
        .await
    }

    async fn suspend_agreement(
        &self,
        request: Request<SuspendAgreementRequest>,
    ) -> Result<Response<SuspendAgreementResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            (name, Command::Suspend { party: party(fields, &message.party, act) })
        })
        .await
    }

    async fn resume_agreement(
        &self,
        request: Request<ResumeAgreementRequest>,
    ) -> Result<Response<ResumeAgreementResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            (name, Command::Resume { party: party(fields, &message.party, act) })
        })
        .await
    }

    async fn denounce_agreement(
        &self,
        request: Request<DenounceAgreementRequest>,
    ) -> Result<Response<DenounceAgreementResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            let party = party(fields, &message.party, act);
            let takes_effect_on = fields.optional_exact_date("takes_effect_on", message.takes_effect_on.as_ref());
            (name, Command::Denounce { party, takes_effect_on })
        })
        .await
    }

    async fn agree_termination(
        &self,
        request: Request<AgreeTerminationRequest>,
    ) -> Result<Response<AgreeTerminationResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            (name, Command::AgreeTermination { party: party(fields, &message.party, act) })
        })
        .await
    }

    async fn record_termination(
        &self,
        request: Request<RecordTerminationRequest>,
    ) -> Result<Response<RecordTerminationResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            let name = agreement(fields, &message.name);
            (name, Command::RecordTermination(termination_cause(fields, message)))
        })
        .await
    }

    async fn record_expiry(
        &self,
        request: Request<RecordExpiryRequest>,
    ) -> Result<Response<RecordExpiryResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, _| {
            (agreement(fields, &message.name), Command::RecordExpiry)
        })
        .await
    }

    async fn record_supersession(
        &self,
        request: Request<RecordSupersessionRequest>,
    ) -> Result<Response<RecordSupersessionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = agreement(&mut fields, &call.message.name);
        let by = fields.name("superseded_by", &call.message.superseded_by, Agreement::CATEGORY);
        if by == name {
            fields.violation("superseded_by", ("must be another agreement", "doit être un autre accord"));
        }
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Agreement>(&name, &Command::RecordSupersession { by: by.to_string() })?;
            citations::require_agreement(unit, &by)
        })
        .await
    }

    async fn declare_view(
        &self,
        request: Request<DeclareViewRequest>,
    ) -> Result<Response<DeclareViewResponse>, Status> {
        self.decide::<Agreement, _>(request, |fields, message, act| {
            let name = agreement(fields, &message.name);
            let party = party(fields, &message.party, act);
            let view = fields.enumeration("view", message.view, BindingNature::from_proto);
            (name, Command::DeclareView { party, view })
        })
        .await
    }

    async fn get_agreement(
        &self,
        request: Request<GetAgreementRequest>,
    ) -> Result<Response<GetAgreementResponse>, Status> {
        self.calls.get::<Agreement, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_agreements(
        &self,
        request: Request<BatchGetAgreementsRequest>,
    ) -> Result<Response<BatchGetAgreementsResponse>, Status> {
        self.calls.get::<Agreement, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_agreements(
        &self,
        request: Request<ListAgreementsRequest>,
    ) -> Result<Response<ListAgreementsResponse>, Status> {
        let mut listing = self.calls.list(request, &AGREEMENTS).await?;
        let (mut fields, message) = (listing.fields(), listing.message.clone());
        as_of(&mut listing, &mut fields, message.as_of.as_ref());
        listing.narrow("parties", optional_organisation(&mut fields, "party", &message.party));
        listing.narrow("phase", known(&mut fields, "phase", message.phase, &AgreementPhase::Unspecified));
        listing.narrow("scope", known(&mut fields, "scope", message.scope, &events::AgreementScope::Unspecified));
        listing.narrow("nature", known(&mut fields, "nature", message.nature, &AgreementNature::Unspecified));
        fields.finish()?;
        listing.answer(&self.lists).await
    }
}
