//! Payments.

use contracts::{
    commands::Command,
    toguna::disbursements::v1::{
        self as pb, AuthorisePaymentRequest, AuthorisePaymentResponse, BatchGetPaymentsRequest,
        BatchGetPaymentsResponse, DisbursePaymentRequest, DisbursePaymentResponse, GetPaymentRequest,
        GetPaymentResponse, InitiatePaymentRequest, InitiatePaymentResponse, ListPaymentsRequest, ListPaymentsResponse,
        RejectPaymentRequest, RejectPaymentResponse, RequestPaymentRequest, RequestPaymentResponse,
        ReturnPaymentRequest, ReturnPaymentResponse, VerifyPaymentRequest, VerifyPaymentResponse,
        payment_service_server::PaymentService,
    },
};
use event_store::{Aggregate as _, Date, Interrupt, StreamName, Unit};
use prost::Name;
use service_runtime::{Call, Fields, Known};
use tonic::{Request, Response, Status};

use super::{Disbursements, MAX_CODE, amount, given, signed_amount};
use crate::{
    codec::kind_from_proto,
    domain::{
        contract::{Contract, PaymentKind},
        money::Money,
        payment::{Payment, PaymentCommand, Request as Asked},
    },
    projections::PAYMENTS,
    resource,
    ties::{self, Telling},
};

/// What a request for payment says itself; the rest is the contract's.
#[derive(Debug, Clone)]
struct Asking {
    kind: PaymentKind,
    amount: Money,
    first_day_of_costs: Date,
    last_day_of_costs: Date,
    costs_incurred: Option<Money>,
}

impl Disbursements {
    /// Takes the next step of a payment whose costs nothing holds.
    async fn step<Q: Command + Name>(
        &self,
        call: Call<Q>,
        name: StreamName,
        command: PaymentCommand,
    ) -> Result<Response<Q::Response>, Status> {
        call.execute(&self.log, move |unit| {
            unit.handle::<Payment>(&name, &command)?;
            let payment = unit.load::<Payment>(&name)?;
            if let Ok(request) = payment.state().request() {
                ties::check_payable(unit, &ties::stored_name(&request.contract), request.last_day_of_costs)?;
            }
            ties::tell_of_payment(unit, &name, payment.state(), Telling::Record)
        })
        .await
    }

    /// Turns a request down, whatever holds its costs.
    async fn turn_down<Q: Command + Name>(
        &self,
        call: Call<Q>,
        name: &str,
        command: PaymentCommand,
    ) -> Result<Response<Q::Response>, Status> {
        let mut fields = call.fields();
        let name = fields.name("name", name, Payment::CATEGORY);
        fields.finish()?;
        call.execute(&self.log, move |unit| unit.handle::<Payment>(&name, &command)).await
    }
}

/// A request under a contract.
fn request_under(unit: &mut Unit, contract: &StreamName, asking: &Asking) -> Result<PaymentCommand, Interrupt> {
    let history = unit.load::<Contract>(contract)?;
    let terms = history.state().terms().map_err(|error| Interrupt::refused_by(contract, error))?;
    let fund = ties::open_fund(unit, &ties::stored_name(&terms.fund))?;
    let request = Asked {
        fund: terms.fund.clone(),
        trustee: terms.trustee.clone(),
        contract: contract.to_string(),
        implementer: terms.implementer.clone(),
        kind: asking.kind,
        amount: asking.amount,
        first_day_of_costs: asking.first_day_of_costs,
        last_day_of_costs: asking.last_day_of_costs,
        costs_incurred: asking.costs_incurred,
    };
    Ok(PaymentCommand::Request { request: Box::new(request), currency: fund.currency, deadlines: fund.deadlines })
}

#[tonic::async_trait]
impl PaymentService for Disbursements {
    async fn request_payment(
        &self,
        request: Request<RequestPaymentRequest>,
    ) -> Result<Response<RequestPaymentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Payment::CATEGORY);
        let contract = fields.name("contract", &message.contract, Contract::CATEGORY);
        let asking = asking(&mut fields, message);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Payment>(&name)?;
            let command = request_under(unit, &contract, &asking)?;
            unit.handle::<Payment>(&name, &command)?;
            ties::check_payable(unit, &contract, asking.last_day_of_costs)?;
            let room = unit.load::<Contract>(&contract)?.state().check_room(asking.amount);
            room.map_err(|error| Interrupt::refused_by(&contract, error))
        })
        .await
    }

    async fn initiate_payment(
        &self,
        request: Request<InitiatePaymentRequest>,
    ) -> Result<Response<InitiatePaymentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Payment::CATEGORY);
        fields.finish()?;
        self.step(call, name, PaymentCommand::Initiate).await
    }

    async fn verify_payment(
        &self,
        request: Request<VerifyPaymentRequest>,
    ) -> Result<Response<VerifyPaymentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Payment::CATEGORY);
        let accepted = amount(&mut fields, "accepted", message.accepted.as_ref());
        fields.finish()?;
        self.step(call, name, PaymentCommand::Verify { accepted }).await
    }

    async fn authorise_payment(
        &self,
        request: Request<AuthorisePaymentRequest>,
    ) -> Result<Response<AuthorisePaymentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Payment::CATEGORY);
        fields.finish()?;
        self.step(call, name, PaymentCommand::Authorise).await
    }

    async fn disburse_payment(
        &self,
        request: Request<DisbursePaymentRequest>,
    ) -> Result<Response<DisbursePaymentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Payment::CATEGORY);
        let reference = fields.optional_text("reference", &message.reference, MAX_CODE).unwrap_or_default();
        fields.finish()?;
        self.step(call, name, PaymentCommand::Disburse { reference }).await
    }

    async fn return_payment(
        &self,
        request: Request<ReturnPaymentRequest>,
    ) -> Result<Response<ReturnPaymentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let name = call.message.name.clone();
        self.turn_down(call, &name, PaymentCommand::Return).await
    }

    async fn reject_payment(
        &self,
        request: Request<RejectPaymentRequest>,
    ) -> Result<Response<RejectPaymentResponse>, Status> {
        let call = self.calls.command(request).await?;
        let name = call.message.name.clone();
        self.turn_down(call, &name, PaymentCommand::Reject).await
    }

    async fn get_payment(&self, request: Request<GetPaymentRequest>) -> Result<Response<GetPaymentResponse>, Status> {
        self.calls.get_own(&self.log, request, implementer).await?.answer(shown)
    }

    async fn batch_get_payments(
        &self,
        request: Request<BatchGetPaymentsRequest>,
    ) -> Result<Response<BatchGetPaymentsResponse>, Status> {
        self.calls.get_own(&self.log, request, implementer).await?.answer(shown)
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        let mut listing = self.calls.list_own(request, &PAYMENTS, "implementer").await?;
        let message = listing.message.clone();
        listing.narrow("contract", given(&message.contract));
        listing.answer(&self.lists).await
    }
}

/// Whose payment it is: what others may not see, that organisation may.
fn implementer(payment: &Payment) -> Option<&str> {
    payment.request().ok().map(|request| request.implementer.as_str())
}

fn shown(known: &Known<Payment>) -> Option<pb::Payment> {
    resource::payment(known.name.as_str(), &known.state())
}

fn asking(fields: &mut Fields, message: &RequestPaymentRequest) -> Asking {
    let period = fields.period("cost_period", message.cost_period.as_ref());
    let mut bound = |field: &str, day: Option<Date>| {
        day.unwrap_or_else(|| {
            fields.violation(field, ("is required", "est obligatoire"));
            Date::ZERO
        })
    };
    let (first_day_of_costs, last_day_of_costs) =
        (bound("cost_period.start", period.start), bound("cost_period.end", period.end));
    let costs = message.costs_incurred.as_ref();
    Asking {
        kind: fields.enumeration("kind", message.kind, |kind| kind_from_proto(kind).ok()),
        amount: amount(fields, "amount", message.amount.as_ref()),
        first_day_of_costs,
        last_day_of_costs,
        costs_incurred: costs.map(|costs| signed_amount(fields, "costs_incurred", Some(costs))),
    }
}
