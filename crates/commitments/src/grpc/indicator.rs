//! Indicators, their targets and values.

use contracts::toguna::commitments::v1::{self as pb, indicator_service_server::IndicatorService};
use event_store::Aggregate as _;
use service_runtime::{Fields, Page, find, status};
use tonic::{Request, Response, Status};

use super::{Commitments, lookup, parse};
use crate::{
    domain::{Framework, Indicator, IndicatorCommand, Target, Value},
    projections::IndicatorFilter,
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
        self.calls.log_query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let found = find::<Indicator>(&self.log, &message.name, message.as_of.as_ref()).await?;
        let indicator = resource::indicator(&found.name, &found.state).ok_or_else(|| status::not_found(&found.name))?;
        Ok(Response::new(pb::GetIndicatorResponse {
            indicator: Some(indicator),
            etag: found.etag,
            consistency_token: found.consistency_token,
        }))
    }

    async fn list_indicators(
        &self,
        request: Request<pb::ListIndicatorsRequest>,
    ) -> Result<Response<pb::ListIndicatorsResponse>, Status> {
        self.calls.query(&request, &request.get_ref().at_least_as_fresh).await?;
        let message = request.into_inner();
        let mut fields = Fields::new();
        let filter = IndicatorFilter {
            framework: fields
                .optional_name("framework", &message.framework, Framework::CATEGORY)
                .map(|framework| framework.to_string()),
            subject: (!message.subject.is_empty())
                .then(|| parse::subject(&mut fields, "subject", &message.subject).name().to_string()),
            agreement: fields.optional_enumeration("agreement", message.agreement, |sent| match sent {
                pb::ValueAgreement::Unspecified => None,
                known @ (pb::ValueAgreement::Consistent | pb::ValueAgreement::Conflicting) => Some(known),
            }),
        };
        let by: [&str; _] = [&message.framework, &message.subject, &message.agreement.to_string()];
        let page = Page::read(&mut fields, message.page_size, &message.page_token, &by);
        fields.finish()?;
        let consistency_token = self.calls.seen(self.log.name());
        let (indicators, next_page_token) = self.read_models.indicators(&page, &filter).await?;
        Ok(Response::new(pb::ListIndicatorsResponse { indicators, next_page_token, consistency_token }))
    }
}
