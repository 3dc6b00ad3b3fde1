//! Indicators, their targets and values.

use contracts::toguna::commitments::v1::{self as pb, indicator_service_server::IndicatorService};
use event_store::Aggregate as _;
use service_runtime::Known;
use tonic::{Request, Response, Status};

use super::{Commitments, lookup, parse};
use crate::{
    domain::{Framework, Indicator, IndicatorCommand, Target, Value},
    projections::INDICATORS,
    resource,
};

#[tonic::async_trait]
impl IndicatorService for Commitments {
    async fn define_indicator(
        &self,
        request: Request<pb::DefineIndicatorRequest>,
    ) -> Result<Response<pb::DefineIndicatorResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Indicator::CATEGORY);
        let definition = parse::definition(&mut fields, "definition", message.definition.as_ref());
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.load::<Indicator>(&name)?;
            let framework = definition.framework.as_ref();
            let secretariat = framework.map(|framework| lookup::secretariat(unit, framework)).transpose()?;
            let definition = definition.clone();
            unit.handle::<Indicator>(&name, &IndicatorCommand::Define { definition, secretariat })
        })
        .await
    }

    async fn set_indicator_target(
        &self,
        request: Request<pb::SetIndicatorTargetRequest>,
    ) -> Result<Response<pb::SetIndicatorTargetResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Indicator::CATEGORY);
        let point = parse::point(&mut fields, "point", message.point.as_ref());
        let target = parse::quantity(&mut fields, "target", message.target.as_ref());
        let (subject, command) = (point.subject.clone(), IndicatorCommand::SetTarget(Target { point, target }));
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Indicator>(&name, &command)?;
            lookup::subject(unit, &subject)
        })
        .await
    }

    async fn report_indicator_value(
        &self,
        request: Request<pb::ReportIndicatorValueRequest>,
    ) -> Result<Response<pb::ReportIndicatorValueResponse>, Status> {
        let call = self.calls.command(request).await?;
        let (mut fields, message) = (call.fields(), &call.message);
        let name = fields.name("name", &message.name, Indicator::CATEGORY);
        let point = parse::point(&mut fields, "point", message.point.as_ref());
        let subject = point.subject.clone();
        let command = IndicatorCommand::ReportValue(Value {
            point,
            quantity: parse::quantity(&mut fields, "value", message.value.as_ref()),
            source_status: parse::source_status(&mut fields, "source_status", message.source_status),
        });
        fields.finish()?;
        call.execute(&self.log, move |unit| {
            unit.handle::<Indicator>(&name, &command)?;
            lookup::subject(unit, &subject)
        })
        .await
    }

    async fn propose_restatement(
        &self,
        request: Request<pb::ProposeRestatementRequest>,
    ) -> Result<Response<pb::ProposeRestatementResponse>, Status> {
        self.calls
            .decide::<Indicator, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Indicator::CATEGORY);
                (
                    name,
                    IndicatorCommand::ProposeRestatement {
                        value_version: message.value_version,
                        value: parse::quantity(fields, "value", message.value.as_ref()),
                        source_status: parse::source_status(fields, "source_status", message.source_status),
                    },
                )
            })
            .await
    }

    async fn confirm_restatement(
        &self,
        request: Request<pb::ConfirmRestatementRequest>,
    ) -> Result<Response<pb::ConfirmRestatementResponse>, Status> {
        self.calls
            .decide::<Indicator, _>(&self.log, request, |fields, message| {
                let name = fields.name("name", &message.name, Indicator::CATEGORY);
                (name, IndicatorCommand::ConfirmRestatement { proposal_version: message.proposal_version })
            })
            .await
    }

    async fn get_indicator(
        &self,
        request: Request<pb::GetIndicatorRequest>,
    ) -> Result<Response<pb::GetIndicatorResponse>, Status> {
        self.calls.get::<Indicator, _>(&self.log, request).await?.answer(shown)
    }

    async fn batch_get_indicators(
        &self,
        request: Request<pb::BatchGetIndicatorsRequest>,
    ) -> Result<Response<pb::BatchGetIndicatorsResponse>, Status> {
        self.calls.get::<Indicator, _>(&self.log, request).await?.answer(shown)
    }

    async fn list_indicators(
        &self,
        request: Request<pb::ListIndicatorsRequest>,
    ) -> Result<Response<pb::ListIndicatorsResponse>, Status> {
        let mut listing = self.calls.list(request, &INDICATORS).await?;
        let (mut fields, message) = (listing.fields(), listing.message.clone());
        listing.narrow("frameworks", fields.optional_name("framework", &message.framework, Framework::CATEGORY));
        let subject = (!message.subject.is_empty()).then(|| parse::subject(&mut fields, "subject", &message.subject));
        listing.narrow("subjects", subject.map(|subject| subject.name().clone()));
        let agreement = fields.optional_enumeration("agreement", message.agreement, |sent| match sent {
            pb::ValueAgreement::Unspecified => None,
            known @ (pb::ValueAgreement::Consistent | pb::ValueAgreement::Conflicting) => Some(known),
        });
        listing.narrow("agreement", agreement.map(i32::from));
        fields.finish()?;
        listing.answer(&self.lists).await
    }
}

fn shown(known: &Known<Indicator>) -> Option<pb::Indicator> {
    resource::indicator(&known.name, &known.state())
}
