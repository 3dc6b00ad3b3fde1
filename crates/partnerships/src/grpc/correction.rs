//! Corrections of records of any aggregate, and what follows from them.

use contracts::{
    commands::Command,
    toguna::partnerships::v1::{
        ConfirmCorrectionRequest, ConfirmCorrectionResponse, ProposeCorrectionRequest, ProposeCorrectionResponse,
        correction_service_server::CorrectionService,
    },
};
use event_store::{Aggregate as _, Correction, Interrupt, Refusal, Stored, StreamName, Unit, any_payload};
use service_runtime::Call;
use tonic::{Request, Response, Status};

use super::Partnerships;
use crate::domain::{Agreement, AgreementCommand, Dialogue, Partner};

/// An aggregate whose records can be corrected.
trait Correctable: Stored<Error: Refusal> {
    /// Records what follows from the records as they now stand.
    fn draw_consequences(unit: &mut Unit, name: &StreamName) -> Result<(), Interrupt>;
}

impl Correctable for Partner {
    fn draw_consequences(_: &mut Unit, _: &StreamName) -> Result<(), Interrupt> {
        Ok(())
    }
}

impl Correctable for Dialogue {
    fn draw_consequences(_: &mut Unit, _: &StreamName) -> Result<(), Interrupt> {
        Ok(())
    }
}

impl Correctable for Agreement {
    fn draw_consequences(unit: &mut Unit, name: &StreamName) -> Result<(), Interrupt> {
        unit.handle::<Self>(name, &AgreementCommand::DrawConsequences)
    }
}

impl Partnerships {
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
                "must be an event of this resource, complete, as in `toguna.partnerships.events.v1`",
                "doit être un événement complet de cette ressource, comme dans `toguna.partnerships.events.v1`",
            );
            fields.violation("right", problem);
        }
        fields.finish()?;
        let mistaken_version = message.mistaken_version;
        call.execute(&self.log, move |unit| {
            let Some(right) = right.clone() else { return Ok(()) };
            unit.propose_correction::<A>(&name, Correction { mistaken_version, right, effective_on })
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
            A::draw_consequences(unit, &name)
        })
        .await
    }
}

#[tonic::async_trait]
impl CorrectionService for Partnerships {
    async fn propose_correction(
        &self,
        request: Request<ProposeCorrectionRequest>,
    ) -> Result<Response<ProposeCorrectionResponse>, Status> {
        let call = self.calls.command(request).await?;
        match category_of(&call.message.name) {
            Partner::CATEGORY => self.propose::<Partner>(call).await,
            Dialogue::CATEGORY => self.propose::<Dialogue>(call).await,
            Agreement::CATEGORY => self.propose::<Agreement>(call).await,
            _ => Err(unknown_resource(&call)),
        }
    }

    async fn confirm_correction(
        &self,
        request: Request<ConfirmCorrectionRequest>,
    ) -> Result<Response<ConfirmCorrectionResponse>, Status> {
        let call = self.calls.command(request).await?;
        match category_of(&call.message.name) {
            Partner::CATEGORY => self.confirm::<Partner>(call).await,
            Dialogue::CATEGORY => self.confirm::<Dialogue>(call).await,
            Agreement::CATEGORY => self.confirm::<Agreement>(call).await,
            _ => Err(unknown_resource(&call)),
        }
    }
}

fn category_of(name: &str) -> &str {
    name.split_once('/').map_or("", |(category, _)| category)
}

/// The name is of no resource of this service.
pub(super) fn unknown_resource<Q: Command>(call: &Call<Q>) -> Status {
    let mut fields = call.fields();
    let problem = (
        "must be `partners/…`, `dialogues/…` or `agreements/…`",
        "doit être `partners/…`, `dialogues/…` ou `agreements/…`",
    );
    fields.violation("name", problem);
    fields.finish().expect_err("a violation was noted")
}
