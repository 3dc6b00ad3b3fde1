//! Decisions.

use contracts::toguna::disbursements::v1::{
    self as pb, ApproveDecisionRequest, ApproveDecisionResponse, BatchGetDecisionsRequest, BatchGetDecisionsResponse,
    ConfirmDecisionRequest, ConfirmDecisionResponse, DecommitDecisionRequest, DecommitDecisionResponse,
    GetDecisionRequest, GetDecisionResponse, ListDecisionsRequest, ListDecisionsResponse, NotePublishedAmountRequest,
    NotePublishedAmountResponse, ProposeDecisionRequest, ProposeDecisionResponse, TopUpDecisionRequest,
    TopUpDecisionResponse, decision_service_server::DecisionService,
};
use event_store::Aggregate as _;
use service_runtime::{Fields, Known, PARTNERS};
use tonic::{Request, Response, Status};

use super::{Disbursements, MAX_CODE, MAX_TEXT, amount, codes, given, list, names, reference};
use crate::{
    domain::{
        authority::act_day,
        decision::{Decision, DecisionCommand, Proposal, PublishedAmount},
        fund::Fund,
    },
    projections::DECISIONS,
    resource, ties,
};

#[tonic::async_trait]
impl DecisionService for Disbursements {
    async fn propose_decision(
        &self,
        request: Request<ProposeDecisionRequest>,
    ) -> Result<Response<ProposeDecisionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Decision::CATEGORY);
        let fund_name = fields.name("fund", &message.fund, Fund::CATEGORY);
        let proposal = proposal(&mut fields, message);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Decision>(&name)?;
            let fund = ties::open_fund(unit, &fund_name)?;
            let day = act_day(unit.act());
            let citations = ties::citations(unit, &proposal.agreements, &proposal.commitments, day)?;
            let proposal = Proposal { trustee: fund.trustee.clone(), ..proposal.clone() };
            let command = DecisionCommand::Propose { proposal: Box::new(proposal), fund: Box::new(fund), citations };
            unit.handle::<Decision>(&name, &command)
        })
        .await
    }

    async fn approve_decision(
        &self,
        request: Request<ApproveDecisionRequest>,
    ) -> Result<Response<ApproveDecisionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Decision::CATEGORY);
        let amount = amount(&mut fields, "amount", message.amount.as_ref());
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let seat = ties::seat(unit, &name)?;
            unit.handle::<Decision>(&name, &DecisionCommand::Approve { amount, seat })
        })
        .await
    }

    async fn confirm_decision(
        &self,
        request: Request<ConfirmDecisionRequest>,
    ) -> Result<Response<ConfirmDecisionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Decision::CATEGORY);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let seat = ties::seat(unit, &name)?;
            unit.handle::<Decision>(&name, &DecisionCommand::Confirm { seat })
        })
        .await
    }

    async fn top_up_decision(
        &self,
        request: Request<TopUpDecisionRequest>,
    ) -> Result<Response<TopUpDecisionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Decision::CATEGORY);
        let amount = amount(&mut fields, "amount", message.amount.as_ref());
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let seat = ties::seat(unit, &name)?;
            unit.handle::<Decision>(&name, &DecisionCommand::TopUp { amount, seat })
        })
        .await
    }

    async fn decommit_decision(
        &self,
        request: Request<DecommitDecisionRequest>,
    ) -> Result<Response<DecommitDecisionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Decision::CATEGORY);
        let amount = amount(&mut fields, "amount", message.amount.as_ref());
        fields.finish()?;
        let command = DecisionCommand::Decommit { amount };
        call.execute(&self.log, move |unit| unit.handle::<Decision>(&name, &command)).await
    }

    async fn note_published_amount(
        &self,
        request: Request<NotePublishedAmountRequest>,
    ) -> Result<Response<NotePublishedAmountResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Decision::CATEGORY);
        let published = PublishedAmount {
            subject: fields.text("subject", &message.subject, MAX_TEXT),
            amount: amount(&mut fields, "amount", message.amount.as_ref()),
            published_equivalent: amount(&mut fields, "published_equivalent", message.published_equivalent.as_ref()),
        };
        if published.amount.currency() == published.published_equivalent.currency() {
            let problem = ("must be in another currency", "doit être dans une autre monnaie");
            fields.violation("published_equivalent.currency_code", problem);
        }
        fields.finish()?;
        let command = DecisionCommand::NotePublishedAmount(published);
        call.execute(&self.log, move |unit| unit.handle::<Decision>(&name, &command)).await
    }

    async fn get_decision(
        &self,
        request: Request<GetDecisionRequest>,
    ) -> Result<Response<GetDecisionResponse>, Status> {
        self.calls.get::<Decision, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_decisions(
        &self,
        request: Request<BatchGetDecisionsRequest>,
    ) -> Result<Response<BatchGetDecisionsResponse>, Status> {
        self.calls.get::<Decision, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_decisions(
        &self,
        request: Request<ListDecisionsRequest>,
    ) -> Result<Response<ListDecisionsResponse>, Status> {
        let mut listing = self.calls.list(request, &DECISIONS).await?;
        let message = listing.message.clone();
        listing.narrow("fund", given(&message.fund));
        listing.narrow("country_codes", given(&message.country_code));
        listing.answer(&self.lists).await
    }
}

fn shown(known: &Known<Decision>) -> Option<pb::Decision> {
    resource::decision(known.name.as_str(), &known.state())
}

fn proposal(fields: &mut Fields, message: &ProposeDecisionRequest) -> Proposal {
    let country_codes = list(fields, "country_codes", &message.country_codes, country_code);
    if country_codes.is_empty() {
        fields.violation("country_codes", ("must name at least one country", "doit nommer au moins un pays"));
    }
    Proposal {
        fund: message.fund.clone(),
        trustee: String::new(),
        reference: reference(fields, "reference", &message.reference),
        title: fields.localized("title", message.title.as_ref(), MAX_TEXT),
        window: fields.text("window", &message.window, MAX_CODE),
        strategic_objectives: codes(fields, "strategic_objectives", &message.strategic_objectives),
        country_codes,
        amount: amount(fields, "amount", message.amount.as_ref()),
        implementers: names(fields, "implementers", &message.implementers, PARTNERS),
        agreements: names(fields, "agreements", &message.agreements, "agreements"),
        commitments: names(fields, "commitments", &message.commitments, "commitments"),
    }
}

fn country_code(fields: &mut Fields, field: &str, text: &str) -> String {
    if text.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let problem =
            ("must be two upper-case letters, as in ISO 3166-1", "doit être deux majuscules, comme dans l’ISO 3166-1");
        fields.violation(field, problem);
    }
    text.to_owned()
}
