//! Corrections of the records of any resource.

use contracts::{
    commands::Command,
    toguna::commitments::v1::{
        ConfirmCorrectionRequest, ConfirmCorrectionResponse, ProposeCorrectionRequest, ProposeCorrectionResponse,
        correction_service_server::CorrectionService,
    },
};
use event_store::{Aggregate as _, Correction, Date, Interrupt, Refusal, Stored, StreamName, Unit, any_payload};
use service_runtime::Call;
use tonic::{Request, Response, Status};

use super::{Commitments, lookup};
use crate::domain::{AgreementStanding, Commitment, Cycle, Framework, Indicator, Initiative};

/// An aggregate whose records can be corrected. Standings of agreements are corrected where they come from.
trait Correctable: Stored<Error: Refusal> {
    /// Whatever it names in other streams is there, as it was when the record was made.
    fn check_references(&self, unit: &mut Unit) -> Result<(), Interrupt>;
}

impl Correctable for Framework {
    fn check_references(&self, unit: &mut Unit) -> Result<(), Interrupt> {
        let items = self.plans().iter().flat_map(|plan| &plan.items).flat_map(|item| &item.counterparts);
        let mut counterparts = self.plans().iter().flat_map(|plan| &plan.counterparts).chain(items);
        counterparts.try_for_each(|counterpart| lookup::place(unit, counterpart))
    }
}

impl Correctable for Cycle {
    fn check_references(&self, unit: &mut Unit) -> Result<(), Interrupt> {
        self.opening().map_or(Ok(()), |opening| lookup::secretariat(unit, &opening.event.framework).map(drop))
    }
}

impl Correctable for Commitment {
    fn check_references(&self, unit: &mut Unit) -> Result<(), Interrupt> {
        let Some(declared) = self.terms() else { return Ok(()) };
        lookup::place(unit, &declared.event.answers)?;
        let known = |agreement: &StreamName| {
            let history = unit.load::<AgreementStanding>(&AgreementStanding::stream_of(agreement))?;
            Ok(history.state().citable(agreement, Date::MIN)?)
        };
        declared.event.agreements.iter().try_for_each(known)
    }
}

impl Correctable for Initiative {
    fn check_references(&self, unit: &mut Unit) -> Result<(), Interrupt> {
        self.description().map_or(Ok(()), |described| lookup::described(unit, &described.event))
    }
}

impl Correctable for Indicator {
    fn check_references(&self, unit: &mut Unit) -> Result<(), Interrupt> {
        let mut frameworks = self.definitions().iter().filter_map(|definition| definition.event.1.framework.as_ref());
        frameworks.try_for_each(|framework| lookup::secretariat(unit, framework).map(drop))?;
        let targets = self.targets().iter().map(|target| &target.event.point);
        let mut points = self.values().iter().map(|value| &value.event.point).chain(targets);
        points.try_for_each(|point| lookup::subject(unit, &point.subject))
    }
}

impl Commitments {
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
                "must be an event of this resource, complete, as in `toguna.commitments.events.v1`",
                "doit être un événement complet de cette ressource, comme dans `toguna.commitments.events.v1`",
            );
            fields.violation("right", problem);
        }
        fields.finish()?;
        let mistaken_version = message.mistaken_version;
        call.execute(&self.log, move |unit| {
            let Some(right) = right.clone() else { return Ok(()) };
            let correction = Correction { mistaken_version, right, effective_on };
            let corrected = unit.load::<A>(&name)?.corrected(&correction);
            unit.propose_correction::<A>(&name, correction)?;
            corrected.check_references(unit)
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
            corrected.state().check_references(unit)
        })
        .await
    }
}

#[tonic::async_trait]
impl CorrectionService for Commitments {
    async fn propose_correction(
        &self,
        request: Request<ProposeCorrectionRequest>,
    ) -> Result<Response<ProposeCorrectionResponse>, Status> {
        let call = self.calls.command(request).await?;
        match category(&call.message.name) {
            Framework::CATEGORY => self.propose::<Framework>(call).await,
            Cycle::CATEGORY => self.propose::<Cycle>(call).await,
            Initiative::CATEGORY => self.propose::<Initiative>(call).await,
            Indicator::CATEGORY => self.propose::<Indicator>(call).await,
            Commitment::CATEGORY => self.propose::<Commitment>(call).await,
            _ => Err(no_resource(&call)),
        }
    }

    async fn confirm_correction(
        &self,
        request: Request<ConfirmCorrectionRequest>,
    ) -> Result<Response<ConfirmCorrectionResponse>, Status> {
        let call = self.calls.command(request).await?;
        match category(&call.message.name) {
            Framework::CATEGORY => self.confirm::<Framework>(call).await,
            Cycle::CATEGORY => self.confirm::<Cycle>(call).await,
            Initiative::CATEGORY => self.confirm::<Initiative>(call).await,
            Indicator::CATEGORY => self.confirm::<Indicator>(call).await,
            Commitment::CATEGORY => self.confirm::<Commitment>(call).await,
            _ => Err(no_resource(&call)),
        }
    }
}

fn category(name: &str) -> &str {
    name.split_once('/').map_or("", |(category, _)| category)
}

fn no_resource<Q: Command>(call: &Call<Q>) -> Status {
    let mut fields = call.fields();
    let problem = (
        "must be `frameworks/…`, `cycles/…`, `commitments/…`, `initiatives/…` or `indicators/…`",
        "doit être `frameworks/…`, `cycles/…`, `commitments/…`, `initiatives/…` ou `indicators/…`",
    );
    fields.violation("name", problem);
    fields.finish().expect_err("a violation was noted")
}
