//! Contracts.

use contracts::commands::Command;
use contracts::toguna::disbursements::{
    events::v1 as events,
    v1::{
        self as pb, BatchGetContractsRequest, BatchGetContractsResponse, ClearContractRequest, ClearContractResponse,
        ClearPrefinancingRequest, ClearPrefinancingResponse, CloseContractRequest, CloseContractResponse,
        DeclareCostsIneligibleRequest, DeclareCostsIneligibleResponse, DecommitContractRequest,
        DecommitContractResponse, GetContractRequest, GetContractResponse, ListContractsRequest, ListContractsResponse,
        OrderRecoveryRequest, OrderRecoveryResponse, ReceiveRecoveryRequest, ReceiveRecoveryResponse,
        ResumeContractRequest, ResumeContractResponse, RiderContractRequest, RiderContractResponse,
        SignContractRequest, SignContractResponse, SuspendContractRequest, SuspendContractResponse,
        contract_service_server::ContractService,
    },
};
use event_store::{Aggregate as _, Interrupt, StreamName, Unit};
use prost::Name;
use service_runtime::{Call, Fields, Known};
use tonic::{Request, Response, Status};

use super::{Disbursements, MAX_CODE, MAX_ELEMENTS, MAX_TEXT, amount, codes, given, names, reference, signed_amount};
use crate::{
    codec::cause_from_proto,
    domain::{
        authority::act_day,
        contract::{Cofinancing, Contract, ContractCommand, Rider, Terms},
        decision::Decision,
        fund::Fund,
        payment::Payment,
    },
    projections::CONTRACTS,
    resource,
    ties::{self, Telling},
};

impl Disbursements {
    /// Runs a command on a contract that concerns nobody else, or whose decision and fund are told of it.
    async fn ask_contract<Q: Command + Name>(
        &self,
        call: Call<Q>,
        name: StreamName,
        command: ContractCommand,
    ) -> Result<Response<Q::Response>, Status> {
        call.execute(&self.log, move |unit| {
            unit.handle::<Contract>(&name, &command)?;
            tell_of_contract(unit, &name)
        })
        .await
    }
}

fn tell_of_contract(unit: &mut Unit, name: &StreamName) -> Result<(), Interrupt> {
    let contract = unit.load::<Contract>(name)?;
    ties::tell_of_contract(unit, name, contract.state(), Telling::Record)
}

#[tonic::async_trait]
impl ContractService for Disbursements {
    async fn sign_contract(
        &self,
        request: Request<SignContractRequest>,
    ) -> Result<Response<SignContractResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contract::CATEGORY);
        let decision = fields.name("decision", &message.decision, Decision::CATEGORY);
        let terms = terms(&mut fields, message);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Contract>(&name)?;
            let (grounds, fund) = ties::grounds(unit, &decision)?;
            let day = act_day(unit.act());
            let citations = ties::citations_of_contract(unit, &decision, &terms.agreements, &terms.commitments, day)?;
            let trustee = grounds.fund.trustee.clone();
            let terms = Box::new(Terms { fund: fund.to_string(), trustee, ..terms.clone() });
            let command = ContractCommand::Sign { terms, grounds: Box::new(grounds), citations };
            unit.handle::<Contract>(&name, &command)?;
            tell_of_contract(unit, &name)
        })
        .await
    }

    async fn rider_contract(
        &self,
        request: Request<RiderContractRequest>,
    ) -> Result<Response<RiderContractResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contract::CATEGORY);
        let rider = rider(&mut fields, message);
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            let contract = unit.load::<Contract>(&name)?;
            let terms = contract.state().terms().map_err(|error| Interrupt::refused_by(&name, error))?;
            let (grounds, _) = ties::grounds(unit, &ties::stored_name(&terms.decision))?;
            let command = ContractCommand::Ride { rider: rider.clone(), grounds: Box::new(grounds) };
            unit.handle::<Contract>(&name, &command)?;
            tell_of_contract(unit, &name)
        })
        .await
    }

    async fn decommit_contract(
        &self,
        request: Request<DecommitContractRequest>,
    ) -> Result<Response<DecommitContractResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contract::CATEGORY);
        let command = ContractCommand::Decommit { amount: amount(&mut fields, "amount", message.amount.as_ref()) };
        fields.finish()?;
        self.ask_contract(call, name, command).await
    }

    async fn suspend_contract(
        &self,
        request: Request<SuspendContractRequest>,
    ) -> Result<Response<SuspendContractResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Contract::CATEGORY);
        fields.finish()?;
        self.ask_contract(call, name, ContractCommand::Suspend).await
    }

    async fn resume_contract(
        &self,
        request: Request<ResumeContractRequest>,
    ) -> Result<Response<ResumeContractResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Contract::CATEGORY);
        fields.finish()?;
        self.ask_contract(call, name, ContractCommand::Resume).await
    }

    async fn clear_contract(
        &self,
        request: Request<ClearContractRequest>,
    ) -> Result<Response<ClearContractResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contract::CATEGORY);
        let fund = fields.name("fund", &message.fund, Fund::CATEGORY);
        let agreements = names(&mut fields, "agreements", &message.agreements, "agreements");
        if agreements.is_empty() {
            fields.violation("agreements", ("must name at least one agreement", "doit nommer au moins un accord"));
        }
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Contract>(&name)?;
            let trustee = ties::open_fund(unit, &fund)?.trustee;
            let (fund, agreements) = (fund.to_string(), agreements.clone());
            unit.handle::<Contract>(&name, &ContractCommand::Clear { fund, trustee, agreements })
        })
        .await
    }

    async fn clear_prefinancing(
        &self,
        request: Request<ClearPrefinancingRequest>,
    ) -> Result<Response<ClearPrefinancingResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contract::CATEGORY);
        let command =
            ContractCommand::ClearPrefinancing { amount: amount(&mut fields, "amount", message.amount.as_ref()) };
        fields.finish()?;
        self.ask_contract(call, name, command).await
    }

    async fn declare_costs_ineligible(
        &self,
        request: Request<DeclareCostsIneligibleRequest>,
    ) -> Result<Response<DeclareCostsIneligibleResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contract::CATEGORY);
        let command = ContractCommand::DeclareCostsIneligible {
            amount: amount(&mut fields, "amount", message.amount.as_ref()),
            payment: (!message.payment.is_empty())
                .then(|| fields.name("payment", &message.payment, Payment::CATEGORY).to_string()),
        };
        fields.finish()?;
        self.ask_contract(call, name, command).await
    }

    async fn order_recovery(
        &self,
        request: Request<OrderRecoveryRequest>,
    ) -> Result<Response<OrderRecoveryResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contract::CATEGORY);
        let command = ContractCommand::OrderRecovery {
            order: fields.text("order", &message.order, MAX_CODE),
            cause: fields.enumeration("cause", message.cause, |cause| cause_from_proto(cause).ok()),
            amount: amount(&mut fields, "amount", message.amount.as_ref()),
        };
        fields.finish()?;
        self.ask_contract(call, name, command).await
    }

    async fn receive_recovery(
        &self,
        request: Request<ReceiveRecoveryRequest>,
    ) -> Result<Response<ReceiveRecoveryResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Contract::CATEGORY);
        let command = ContractCommand::ReceiveRecovery {
            order: fields.text("order", &message.order, MAX_CODE),
            amount: amount(&mut fields, "amount", message.amount.as_ref()),
        };
        fields.finish()?;
        self.ask_contract(call, name, command).await
    }

    async fn close_contract(
        &self,
        request: Request<CloseContractRequest>,
    ) -> Result<Response<CloseContractResponse>, Status> {
        let call = self.calls.command(request).await?;
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, Contract::CATEGORY);
        fields.finish()?;
        self.ask_contract(call, name, ContractCommand::Close).await
    }

    async fn get_contract(
        &self,
        request: Request<GetContractRequest>,
    ) -> Result<Response<GetContractResponse>, Status> {
        self.calls.get::<Contract, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_contracts(
        &self,
        request: Request<BatchGetContractsRequest>,
    ) -> Result<Response<BatchGetContractsResponse>, Status> {
        self.calls.get::<Contract, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_contracts(
        &self,
        request: Request<ListContractsRequest>,
    ) -> Result<Response<ListContractsResponse>, Status> {
        let mut listing = self.calls.list(request, &CONTRACTS).await?;
        let message = listing.message.clone();
        listing.narrow("decision", given(&message.decision));
        listing.narrow("implementer", given(&message.implementer));
        listing.answer(&self.lists).await
    }
}

fn shown(known: &Known<Contract>) -> Option<pb::Contract> {
    resource::contract(known.name.as_str(), &known.state())
}

fn terms(fields: &mut Fields, message: &SignContractRequest) -> Terms {
    Terms {
        fund: String::new(),
        trustee: String::new(),
        decision: message.decision.clone(),
        reference: reference(fields, "reference", &message.reference),
        title: fields.localized("title", message.title.as_ref(), MAX_TEXT),
        implementer: fields.organisation("implementer", &message.implementer),
        fund_share: amount(fields, "fund_share", message.fund_share.as_ref()),
        cofinancing: cofinancing(fields, "cofinancing", &message.cofinancing),
        period: message.period.as_ref().map(|period| fields.period("period", Some(period))).unwrap_or_default(),
        agreements: names(fields, "agreements", &message.agreements, "agreements"),
        commitments: names(fields, "commitments", &message.commitments, "commitments"),
        programme_lines: codes(fields, "programme_lines", &message.programme_lines),
    }
}

fn rider(fields: &mut Fields, message: &RiderContractRequest) -> Rider {
    let change = message.fund_share_change.as_ref();
    let rider = Rider {
        fund_share_change: change.map(|change| signed_amount(fields, "fund_share_change", Some(change))),
        cofinancing: message.cofinancing.as_ref().map(|plan| cofinancing(fields, "cofinancing.shares", &plan.shares)),
        period: message.period.as_ref().map(|period| fields.period("period", Some(period))),
    };
    if change.is_some_and(|change| change.minor_units == 0) {
        let problem = ("must not be nothing; leave it unset", "ne doit pas être nul ; laissez-le vide");
        fields.violation("fund_share_change.minor_units", problem);
    }
    if rider == Rider::default() {
        fields.violation("", ("must change something", "doit changer quelque chose"));
    }
    rider
}

fn cofinancing(fields: &mut Fields, field: &str, sent: &[events::Cofinancing]) -> Vec<Cofinancing> {
    fields.at_most(field, sent.len(), MAX_ELEMENTS);
    let share = |(index, share): (usize, &events::Cofinancing)| Cofinancing {
        financier: (!share.financier.is_empty())
            .then(|| fields.organisation(&format!("{field}[{index}].financier"), &share.financier)),
        amount: amount(fields, &format!("{field}[{index}].amount"), share.amount.as_ref()),
    };
    sent.iter().take(MAX_ELEMENTS).enumerate().map(share).collect()
}
