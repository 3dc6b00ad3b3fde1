//! Funds.

use contracts::toguna::disbursements::{
    events::v1 as events,
    v1::{
        self as pb, AmendFundDeadlinesRequest, AmendFundDeadlinesResponse, BatchGetFundsRequest, BatchGetFundsResponse,
        CloseFundRequest, CloseFundResponse, EndCommitteeSeatRequest, EndCommitteeSeatResponse, EstablishFundRequest,
        EstablishFundResponse, GetFundRequest, GetFundResponse, GiveCommitteeSeatRequest, GiveCommitteeSeatResponse,
        ListFundsRequest, ListFundsResponse, fund_service_server::FundService,
    },
};
use contracts::toguna::r#type::v1 as types;
use event_store::Aggregate as _;
use service_runtime::{Fields, Known};
use tonic::{Request, Response, Status};

use super::{Disbursements, MAX_CODE, MAX_TEXT, list, reference};
use crate::{
    codec::seat_from_proto,
    domain::{
        fund::{Constitution, Deadlines, Fund, FundCommand, Window},
        money::Currency,
    },
    projections::FUNDS,
    resource,
};

#[tonic::async_trait]
impl FundService for Disbursements {
    async fn establish_fund(
        &self,
        request: Request<EstablishFundRequest>,
    ) -> Result<Response<EstablishFundResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Fund::CATEGORY);
        let constitution = Constitution {
            title: fields.localized("title", message.title.as_ref(), MAX_TEXT),
            reference: reference(&mut fields, "reference", &message.reference),
            trustee: fields.organisation("trustee", &message.trustee),
            constitutive_agreement: (!message.constitutive_agreement.is_empty()).then(|| {
                fields.name("constitutive_agreement", &message.constitutive_agreement, "agreements").to_string()
            }),
            currency: message.currency_code.parse().unwrap_or_else(|_| {
                let problem = (
                    "must be three upper-case letters, as in ISO 4217",
                    "doit être trois majuscules, comme dans l’ISO 4217",
                );
                fields.violation("currency_code", problem);
                Currency::default()
            }),
            windows: windows(&mut fields, &message.windows),
            deadlines: deadlines(
                &mut fields,
                message.contracting_deadline.as_ref(),
                message.end_of_activities.as_ref(),
            ),
        };
        fields.finish()?;
        let command = FundCommand::Establish(constitution);
        call.execute(&self.log, move |unit| unit.handle::<Fund>(&name, &command)).await
    }

    async fn amend_fund_deadlines(
        &self,
        request: Request<AmendFundDeadlinesRequest>,
    ) -> Result<Response<AmendFundDeadlinesResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Fund::CATEGORY);
        let deadlines =
            deadlines(&mut fields, message.contracting_deadline.as_ref(), message.end_of_activities.as_ref());
        fields.finish()?;
        let command = FundCommand::AmendDeadlines(deadlines);
        call.execute(&self.log, move |unit| unit.handle::<Fund>(&name, &command)).await
    }

    async fn give_committee_seat(
        &self,
        request: Request<GiveCommitteeSeatRequest>,
    ) -> Result<Response<GiveCommitteeSeatResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Fund::CATEGORY);
        let command = FundCommand::GiveSeat {
            member: fields.organisation("member", &message.member),
            seat: fields.enumeration("seat", message.seat, |seat| seat_from_proto(seat).ok()),
        };
        fields.finish()?;
        call.execute(&self.log, move |unit| unit.handle::<Fund>(&name, &command)).await
    }

    async fn end_committee_seat(
        &self,
        request: Request<EndCommitteeSeatRequest>,
    ) -> Result<Response<EndCommitteeSeatResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Fund::CATEGORY);
        let command = FundCommand::EndSeat { member: fields.organisation("member", &message.member) };
        fields.finish()?;
        call.execute(&self.log, move |unit| unit.handle::<Fund>(&name, &command)).await
    }

    async fn close_fund(&self, request: Request<CloseFundRequest>) -> Result<Response<CloseFundResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Fund::CATEGORY);
        fields.finish()?;
        call.execute(&self.log, move |unit| unit.handle::<Fund>(&name, &FundCommand::Close)).await
    }

    async fn get_fund(&self, request: Request<GetFundRequest>) -> Result<Response<GetFundResponse>, Status> {
        self.calls.get::<Fund, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_funds(
        &self,
        request: Request<BatchGetFundsRequest>,
    ) -> Result<Response<BatchGetFundsResponse>, Status> {
        self.calls.get::<Fund, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_funds(&self, request: Request<ListFundsRequest>) -> Result<Response<ListFundsResponse>, Status> {
        let listing = self.calls.list(request, &FUNDS).await?;
        listing.answer(&self.lists).await
    }
}

fn shown(known: &Known<Fund>) -> Option<pb::Fund> {
    resource::fund(known.name.as_str(), &known.state())
}

fn deadlines(fields: &mut Fields, contracting: Option<&types::Date>, end: Option<&types::Date>) -> Deadlines {
    Deadlines {
        contracting: fields.exact_date("contracting_deadline", contracting),
        end_of_activities: fields.exact_date("end_of_activities", end),
    }
}

fn windows(fields: &mut Fields, sent: &[events::FundWindow]) -> Vec<Window> {
    let codes: Vec<String> = sent.iter().map(|window| window.code.clone()).collect();
    let read =
        list(fields, "windows", &codes, |fields, path, code| fields.text(&format!("{path}.code"), code, MAX_CODE));
    if read.len() < sent.len() {
        fields.violation("windows", ("must have codes of their own", "doivent avoir chacun leur code"));
    }
    let window = |(index, window): (usize, &events::FundWindow)| Window {
        code: window.code.clone(),
        title: fields.localized(&format!("windows[{index}].title"), window.title.as_ref(), MAX_TEXT),
    };
    sent.iter().enumerate().map(window).collect()
}
