//! Promises, from their declaration to their end.

use contracts::toguna::commitments::v1::{self as pb, commitment_service_server::CommitmentService};
use event_store::{Aggregate as _, Date};
use service_runtime::{Known, PARTNERS};
use tonic::{Request, Response, Status};

use super::{
    Commitments, lookup,
    parse::{self, CODE, TEXT},
};
use crate::{
    codec::value,
    domain::{AgreementStanding, Commitment, CommitmentCommand, Cycle, Framework, PlanItemReference, Terms},
    projections::{COMMITMENTS, overdue_on, standings},
    resource::{self, Standings},
};

#[tonic::async_trait]
impl CommitmentService for Commitments {
    async fn declare_commitment(
        &self,
        request: Request<pb::DeclareCommitmentRequest>,
    ) -> Result<Response<pb::DeclareCommitmentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Commitment::CATEGORY);
        let terms = Terms {
            owner: fields.organisation("owner", &message.owner),
            answers: parse::reference(&mut fields, "answers", message.answers.as_ref()),
            text: fields.localized("text", message.text.as_ref(), TEXT),
            due_on: fields.optional_date("due_on", message.due_on.as_ref()),
            evidence_required: fields.optional_localized("evidence_required", message.evidence_required.as_ref(), TEXT),
            agreements: parse::names(&mut fields, "agreements", &message.agreements, AgreementStanding::AGREEMENTS),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Commitment>(&name, &CommitmentCommand::Declare(terms.clone()))?;
            lookup::place(unit, &terms.answers)?;
            terms.agreements.iter().try_for_each(|agreement| lookup::citable(unit, agreement))
        })
        .await
    }

    async fn confirm_commitment(
        &self,
        request: Request<pb::ConfirmCommitmentRequest>,
    ) -> Result<Response<pb::ConfirmCommitmentResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                (name, CommitmentCommand::Confirm)
            })
            .await
    }

    async fn register_commitment(
        &self,
        request: Request<pb::RegisterCommitmentRequest>,
    ) -> Result<Response<pb::RegisterCommitmentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Commitment::CATEGORY);
        let reference = fields.optional_text("reference", &message.reference, CODE);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let secretariat = lookup::secretariat_of_commitment(unit, &name)?;
            let reference = reference.clone();
            unit.handle::<Commitment>(&name, &CommitmentCommand::Register { reference, secretariat })
        })
        .await
    }

    async fn link_agreement(
        &self,
        request: Request<pb::LinkAgreementRequest>,
    ) -> Result<Response<pb::LinkAgreementResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Commitment::CATEGORY);
        let agreement = fields.name("agreement", &message.agreement, AgreementStanding::AGREEMENTS);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let secretariat = lookup::secretariat_of_commitment(unit, &name)?;
            let command = CommitmentCommand::LinkAgreement { agreement: agreement.clone(), secretariat };
            unit.handle::<Commitment>(&name, &command)?;
            lookup::citable(unit, &agreement)
        })
        .await
    }

    async fn note_progress(
        &self,
        request: Request<pb::NoteProgressRequest>,
    ) -> Result<Response<pb::NoteProgressResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                (name, CommitmentCommand::NoteProgress { text: fields.localized("text", message.text.as_ref(), TEXT) })
            })
            .await
    }

    async fn submit_progress(
        &self,
        request: Request<pb::SubmitProgressRequest>,
    ) -> Result<Response<pb::SubmitProgressResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Commitment::CATEGORY);
        let cycle = fields.name("cycle", &message.cycle, Cycle::CATEGORY);
        let text = fields.localized("text", message.text.as_ref(), TEXT);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Commitment>(&name)?;
            let command = CommitmentCommand::SubmitProgress { cycle: lookup::cycle(unit, &cycle)?, text: text.clone() };
            unit.handle::<Commitment>(&name, &command)
        })
        .await
    }

    async fn attach_evidence(
        &self,
        request: Request<pb::AttachEvidenceRequest>,
    ) -> Result<Response<pb::AttachEvidenceResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                let cycle = fields.name("cycle", &message.cycle, Cycle::CATEGORY);
                (name, CommitmentCommand::AttachEvidence { cycle })
            })
            .await
    }

    async fn return_progress(
        &self,
        request: Request<pb::ReturnProgressRequest>,
    ) -> Result<Response<pb::ReturnProgressResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                let cycle = fields.name("cycle", &message.cycle, Cycle::CATEGORY);
                (name, CommitmentCommand::ReturnProgress { cycle })
            })
            .await
    }

    async fn verify_progress(
        &self,
        request: Request<pb::VerifyProgressRequest>,
    ) -> Result<Response<pb::VerifyProgressResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                let cycle = fields.name("cycle", &message.cycle, Cycle::CATEGORY);
                (name, CommitmentCommand::VerifyProgress { cycle })
            })
            .await
    }

    async fn extend_due_date(
        &self,
        request: Request<pb::ExtendDueDateRequest>,
    ) -> Result<Response<pb::ExtendDueDateResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                (name, CommitmentCommand::ExtendDueDate { due_on: fields.date("due_on", message.due_on.as_ref()) })
            })
            .await
    }

    async fn migrate_commitment(
        &self,
        request: Request<pb::MigrateCommitmentRequest>,
    ) -> Result<Response<pb::MigrateCommitmentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Commitment::CATEGORY);
        let plan = fields.text("plan", &message.plan, CODE);
        let item = fields.optional_text("item", &message.item, CODE);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let secretariat = lookup::secretariat_of_commitment(unit, &name)?;
            let framework = lookup::framework_of(unit, &name)?;
            lookup::place(unit, &PlanItemReference { framework, plan: plan.clone(), item: item.clone() })?;
            let command = CommitmentCommand::Migrate { plan: plan.clone(), item: item.clone(), secretariat };
            unit.handle::<Commitment>(&name, &command)
        })
        .await
    }

    async fn note_incident(
        &self,
        request: Request<pb::NoteIncidentRequest>,
    ) -> Result<Response<pb::NoteIncidentResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                (name, CommitmentCommand::NoteIncident { text: fields.localized("text", message.text.as_ref(), TEXT) })
            })
            .await
    }

    async fn fulfil_commitment(
        &self,
        request: Request<pb::FulfilCommitmentRequest>,
    ) -> Result<Response<pb::FulfilCommitmentResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                (name, CommitmentCommand::Fulfil)
            })
            .await
    }

    async fn partly_fulfil_commitment(
        &self,
        request: Request<pb::PartlyFulfilCommitmentRequest>,
    ) -> Result<Response<pb::PartlyFulfilCommitmentResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                let outstanding = fields.localized("outstanding", message.outstanding.as_ref(), TEXT);
                (name, CommitmentCommand::PartlyFulfil { outstanding })
            })
            .await
    }

    async fn withdraw_commitment(
        &self,
        request: Request<pb::WithdrawCommitmentRequest>,
    ) -> Result<Response<pb::WithdrawCommitmentResponse>, Status> {
        self.calls
            .decide::<Commitment, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Commitment::CATEGORY);
                (name, CommitmentCommand::Withdraw)
            })
            .await
    }

    async fn lapse_commitment(
        &self,
        request: Request<pb::LapseCommitmentRequest>,
    ) -> Result<Response<pb::LapseCommitmentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Commitment::CATEGORY);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let secretariat = lookup::secretariat_of_commitment(unit, &name)?;
            unit.handle::<Commitment>(&name, &CommitmentCommand::Lapse { secretariat })
        })
        .await
    }

    async fn get_commitment(
        &self,
        request: Request<pb::GetCommitmentRequest>,
    ) -> Result<Response<pb::GetCommitmentResponse>, Status> {
        let asked = self.calls.get::<Commitment, _>(&self.log, request).await?;
        let shown = self.shown(&asked.known).await?;
        asked.answer_with(shown)
    }

    async fn batch_get_commitments(
        &self,
        request: Request<pb::BatchGetCommitmentsRequest>,
    ) -> Result<Response<pb::BatchGetCommitmentsResponse>, Status> {
        let asked = self.calls.get::<Commitment, _>(&self.log, request).await?;
        let shown = self.shown(&asked.known).await?;
        asked.answer_with(shown)
    }

    async fn list_commitments(
        &self,
        request: Request<pb::ListCommitmentsRequest>,
    ) -> Result<Response<pb::ListCommitmentsResponse>, Status> {
        let mut listing = self.calls.list(request, &COMMITMENTS).await?;
        let (mut fields, message) = (listing.fields(), listing.message.clone());
        listing.narrow("owner", fields.optional_name("owner", &message.owner, PARTNERS));
        listing.narrow("framework", fields.optional_name("framework", &message.framework, Framework::CATEGORY));
        listing.narrow("plan", fields.optional_text("plan", &message.plan, CODE));
        listing.narrow("item", fields.optional_text("item", &message.item, CODE));
        let status = fields.optional_enumeration("status", message.status, |status: pb::CommitmentStatus| {
            (status != pb::CommitmentStatus::Unspecified).then_some(status)
        });
        listing.narrow("status", status.map(i32::from));
        let contestation = fields.optional_enumeration("contestation", message.contestation, value::contestation);
        listing.narrow("contestation", contestation.map(|it| i32::from(value::contestation_to_proto(it))));
        if let Some(day) = fields.optional_exact_date("overdue_on", message.overdue_on.as_ref()) {
            listing.only(overdue_on(day));
        }
        fields.finish()?;
        let mut page = listing.page(&self.lists).await?;
        self.cite(&mut page.resources).await?;
        page.answer()
    }
}

impl Commitments {
    /// Promises with what is, or at the revision was, known of their agreements.
    async fn shown(&self, known: &[Known<Commitment>]) -> Result<Vec<Option<pb::Commitment>>, Status> {
        let mut shown = Vec::with_capacity(known.len());
        for known in known {
            let state = known.state();
            let mut commitment = resource::commitment(&known.name, &state);
            if let Some(commitment) = &mut commitment {
                resource::cite(commitment, &self.standings(known, &state).await?);
            }
            shown.push(commitment);
        }
        Ok(shown)
    }

    /// What is known of the agreements that a promise cites, on the evening of the day that is asked for.
    async fn standings(&self, known: &Known<Commitment>, state: &Commitment) -> Result<Standings, Status> {
        let mut standings = Standings::new();
        for agreement in state.terms().iter().flat_map(|declared| &declared.event.agreements) {
            let stream = AgreementStanding::stream_of(agreement);
            let history = known.then::<AgreementStanding>(&self.log, &stream).await?;
            let cited = resource::cited(agreement, history.state(), known.day.unwrap_or(Date::MAX));
            standings.insert(agreement.to_string(), cited);
        }
        Ok(standings)
    }

    /// Adds to promises from the read model what is known of their agreements.
    async fn cite(&self, promises: &mut [pb::Commitment]) -> Result<(), Status> {
        let agreements = promises.iter().flat_map(|promise| &promise.agreements);
        let agreements: Vec<_> = agreements.map(|cited| cited.agreement.clone()).collect();
        let standings = standings(&self.lists, &agreements).await?;
        for promise in promises {
            resource::cite(promise, &standings);
        }
        Ok(())
    }
}
