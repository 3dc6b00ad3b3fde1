//! Corrections of records of any aggregate, and what follows from them in other streams.

use contracts::{
    commands::Command,
    toguna::disbursements::v1::{
        ConfirmCorrectionRequest, ConfirmCorrectionResponse, ProposeCorrectionRequest, ProposeCorrectionResponse,
        correction_service_server::CorrectionService,
    },
};
use event_store::{
    Aggregate as _, Correction, Date, Entry, History, Interrupt, Refusal, Stored, StreamName, Unit, any_payload,
};
use service_runtime::Call;
use tonic::{Request, Response, Status};

use super::{Disbursements, status::NotCorrectable};
use crate::{
    domain::{
        contract::Contract, contribution::Contribution, decision::Decision, fund::Fund, link::Linked, payment::Payment,
    },
    ties::{self, Telling},
};

/// An aggregate whose records can be corrected.
trait Correctable: Stored<Event: Linked, Error: Refusal> {
    /// What must hold beside the aggregate's own rules once a record is corrected, and what other streams must be told.
    fn follow_up(&self, unit: &mut Unit, name: &StreamName, telling: Telling) -> Result<(), Interrupt>;
}

impl Correctable for Fund {
    fn follow_up(&self, _: &mut Unit, _: &StreamName, _: Telling) -> Result<(), Interrupt> {
        Ok(())
    }
}

impl Correctable for Contribution {
    fn follow_up(&self, unit: &mut Unit, name: &StreamName, telling: Telling) -> Result<(), Interrupt> {
        ties::tell_of_contribution(unit, name, self, telling)
    }
}

impl Correctable for Decision {
    fn follow_up(&self, unit: &mut Unit, name: &StreamName, _: Telling) -> Result<(), Interrupt> {
        let proposal = self.proposal().map_err(|error| Interrupt::refused_by(name, error))?;
        check_registered(unit, &proposal.agreements, &proposal.commitments)
    }
}

impl Correctable for Contract {
    fn follow_up(&self, unit: &mut Unit, name: &StreamName, telling: Telling) -> Result<(), Interrupt> {
        // Cleared, and not signed yet: nobody else knows of it.
        let Ok(terms) = self.terms() else { return Ok(()) };
        let fund = ties::fund(unit, &ties::stored_name(&terms.fund))?;
        self.check_deadlines(fund.deadlines).map_err(|error| Interrupt::refused_by(name, error))?;
        check_registered(unit, &terms.agreements, &terms.commitments)?;
        ties::tell_of_contract(unit, name, self, telling)
    }
}

impl Correctable for Payment {
    fn follow_up(&self, unit: &mut Unit, name: &StreamName, telling: Telling) -> Result<(), Interrupt> {
        let request = self.request().map_err(|error| Interrupt::refused_by(name, error))?;
        let fund = ties::fund(unit, &ties::stored_name(&request.fund))?;
        self.check_deadlines(fund.deadlines).map_err(|error| Interrupt::refused_by(name, error))?;
        ties::tell_of_payment(unit, name, self, telling)
    }
}

/// What a corrected record cites must be in the register; what has ended since stays cited.
fn check_registered(unit: &mut Unit, agreements: &[String], commitments: &[String]) -> Result<(), Interrupt> {
    let citations = ties::citations(unit, agreements, commitments, Date::MIN)?;
    Ok(citations.check_for_decision()?)
}

impl Disbursements {
    async fn propose<A: Correctable>(
        &self,
        call: Call<ProposeCorrectionRequest>,
    ) -> Result<Response<ProposeCorrectionResponse>, Status> {
        let (mut fields, message) = (call.fields(), call.message.clone());
        let name = fields.name("name", &message.name, A::CATEGORY);
        let effective_on = fields.optional_date("effective_on", message.effective_on.as_ref());
        let right = message.right.and_then(|right| A::decode(&any_payload(right)).ok());
        if right.is_none() {
            let problem = (
                "must be an event of this resource, complete, as in `toguna.disbursements.events.v1`",
                "doit être un événement complet de cette ressource, comme dans `toguna.disbursements.events.v1`",
            );
            fields.violation("right", problem);
        }
        fields.finish()?;
        let mistaken_version = message.mistaken_version;
        call.execute(&self.log, move |unit| {
            let Some(right) = right.clone() else { return Ok(()) };
            let history = unit.load::<A>(&name)?;
            check_links(&history, mistaken_version, &right)?;
            let correction = Correction { mistaken_version, right, effective_on };
            unit.propose_correction::<A>(&name, correction.clone())?;
            history.corrected(&correction).follow_up(unit, &name, Telling::Try)
        })
        .await
    }

    async fn confirm<A: Correctable>(
        &self,
        call: Call<ConfirmCorrectionRequest>,
    ) -> Result<Response<ConfirmCorrectionResponse>, Status> {
        let mut fields = call.fields();
        let name = fields.name("name", &call.message.name, A::CATEGORY);
        fields.finish()?;
        let proposal_version = call.message.proposal_version;
        call.execute(&self.log, move |unit| {
            unit.confirm_correction::<A>(&name, proposal_version)?;
            let corrected = unit.load::<A>(&name)?;
            corrected.state().follow_up(unit, &name, Telling::Record)
        })
        .await
    }
}

/// A record that mirrors another is corrected there, and one that others rest on stays tied to them.
fn check_links<A: Correctable>(
    history: &History<A>,
    mistaken_version: u64,
    right: &A::Event,
) -> Result<(), NotCorrectable> {
    let Some(Entry::Fact(mistaken)) = history.recorded(mistaken_version).map(|recorded| &recorded.event) else {
        return Ok(());
    };
    if let Some(source) = mistaken.mirrored() {
        return Err(NotCorrectable::Mirror { version: mistaken_version, source_stream: source.to_owned() });
    }
    let same_kind = std::mem::discriminant(mistaken) == std::mem::discriminant(right);
    if same_kind && mistaken.links() != right.links() { Err(NotCorrectable::Link) } else { Ok(()) }
}

#[tonic::async_trait]
impl CorrectionService for Disbursements {
    async fn propose_correction(
        &self,
        request: Request<ProposeCorrectionRequest>,
    ) -> Result<Response<ProposeCorrectionResponse>, Status> {
        let call = self.calls.command(request).await?;
        match category_of(&call.message.name) {
            Fund::CATEGORY => self.propose::<Fund>(call).await,
            Contribution::CATEGORY => self.propose::<Contribution>(call).await,
            Decision::CATEGORY => self.propose::<Decision>(call).await,
            Contract::CATEGORY => self.propose::<Contract>(call).await,
            Payment::CATEGORY => self.propose::<Payment>(call).await,
            _ => Err(no_resource(&call)),
        }
    }

    async fn confirm_correction(
        &self,
        request: Request<ConfirmCorrectionRequest>,
    ) -> Result<Response<ConfirmCorrectionResponse>, Status> {
        let call = self.calls.command(request).await?;
        match category_of(&call.message.name) {
            Fund::CATEGORY => self.confirm::<Fund>(call).await,
            Contribution::CATEGORY => self.confirm::<Contribution>(call).await,
            Decision::CATEGORY => self.confirm::<Decision>(call).await,
            Contract::CATEGORY => self.confirm::<Contract>(call).await,
            Payment::CATEGORY => self.confirm::<Payment>(call).await,
            _ => Err(no_resource(&call)),
        }
    }
}

fn category_of(name: &str) -> &str {
    name.split_once('/').map_or("", |(category, _)| category)
}

fn no_resource<Q: Command>(call: &Call<Q>) -> Status {
    let mut fields = call.fields();
    let problem = (
        "must be `funds/…`, `contributions/…`, `decisions/…`, `contracts/…` or `payments/…`",
        "doit être `funds/…`, `contributions/…`, `decisions/…`, `contracts/…` ou `payments/…`",
    );
    fields.violation("name", problem);
    fields.finish().expect_err("a violation was noted")
}
