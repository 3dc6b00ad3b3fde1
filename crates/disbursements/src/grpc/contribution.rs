//! Contributions.

use contracts::toguna::disbursements::v1::{
    self as pb, BatchGetContributionsRequest, BatchGetContributionsResponse, CertifyContributionRequest,
    CertifyContributionResponse, GetContributionRequest, GetContributionResponse, ListContributionsRequest,
    ListContributionsResponse, PledgeContributionRequest, PledgeContributionResponse, ReceiveContributionRequest,
    ReceiveContributionResponse, contribution_service_server::ContributionService,
};
use event_store::{Aggregate as _, Interrupt};
use service_runtime::Known;
use tonic::{Request, Response, Status};

use super::{Disbursements, MAX_CODE, amount, given};
use crate::{
    domain::{
        contribution::{Contribution, ContributionCommand, Pledge},
        fund::{Constitution, Fund},
    },
    projections::CONTRIBUTIONS,
    resource,
    ties::{self, Telling},
};

#[tonic::async_trait]
impl ContributionService for Disbursements {
    async fn pledge_contribution(
        &self,
        request: Request<PledgeContributionRequest>,
    ) -> Result<Response<PledgeContributionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contribution::CATEGORY);
        let fund = fields.name("fund", &message.fund, Fund::CATEGORY);
        let pledge = Pledge {
            fund: fund.to_string(),
            donor: fields.organisation("donor", &message.donor),
            amount: amount(&mut fields, "amount", message.amount.as_ref()),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Contribution>(&name)?;
            let Constitution { currency, trustee, .. } = ties::open_fund(unit, &fund)?;
            let command = ContributionCommand::Pledge { pledge: pledge.clone(), currency, trustee };
            unit.handle::<Contribution>(&name, &command)
        })
        .await
    }

    async fn certify_contribution(
        &self,
        request: Request<CertifyContributionRequest>,
    ) -> Result<Response<CertifyContributionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contribution::CATEGORY);
        let command = ContributionCommand::Certify {
            amount: amount(&mut fields, "amount", message.amount.as_ref()),
            reference: fields.optional_text("reference", &message.reference, MAX_CODE).unwrap_or_default(),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| unit.handle::<Contribution>(&name, &command)).await
    }

    async fn receive_contribution(
        &self,
        request: Request<ReceiveContributionRequest>,
    ) -> Result<Response<ReceiveContributionResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contribution::CATEGORY);
        let amount = amount(&mut fields, "amount", message.amount.as_ref());
        let reference = fields.optional_text("reference", &message.reference, MAX_CODE).unwrap_or_default();
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let contribution = unit.load::<Contribution>(&name)?;
            let pledge = contribution.state().pledge().map_err(|error| Interrupt::refused_by(&name, error))?;
            let trustee = ties::open_fund(unit, &ties::stored_name(&pledge.fund))?.trustee;
            let command = ContributionCommand::Receive { trustee, amount, reference: reference.clone() };
            unit.handle::<Contribution>(&name, &command)?;
            let contribution = unit.load::<Contribution>(&name)?;
            ties::tell_of_contribution(unit, &name, contribution.state(), Telling::Record)
        })
        .await
    }

    async fn get_contribution(
        &self,
        request: Request<GetContributionRequest>,
    ) -> Result<Response<GetContributionResponse>, Status> {
        self.calls.get::<Contribution, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_contributions(
        &self,
        request: Request<BatchGetContributionsRequest>,
    ) -> Result<Response<BatchGetContributionsResponse>, Status> {
        self.calls.get::<Contribution, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_contributions(
        &self,
        request: Request<ListContributionsRequest>,
    ) -> Result<Response<ListContributionsResponse>, Status> {
        let mut listing = self.calls.list(request, &CONTRIBUTIONS).await?;
        let message = listing.message.clone();
        listing.narrow("fund", given(&message.fund));
        listing.narrow("donor", given(&message.donor));
        listing.answer(&self.lists).await
    }
}

fn shown(known: &Known<Contribution>) -> Option<pb::Contribution> {
    resource::contribution(known.name.as_str(), &known.state())
}
