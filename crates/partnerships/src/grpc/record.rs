//! Records from sources, confirmed by the organisation that they speak of.

use contracts::toguna::partnerships::v1::{
    ConfirmRecordRequest, ConfirmRecordResponse, record_service_server::RecordService,
};
use event_store::Aggregate as _;
use tonic::{Request, Response, Status};

use super::{Partnerships, correction::unknown_resource};
use crate::domain::{Agreement, AgreementCommand, Dialogue, DialogueCommand, Partner, PartnerCommand};

#[tonic::async_trait]
impl RecordService for Partnerships {
    async fn confirm_record(
        &self,
        request: Request<ConfirmRecordRequest>,
    ) -> Result<Response<ConfirmRecordResponse>, Status> {
        let category = request.get_ref().name.split('/').next().unwrap_or_default().to_owned();
        let version = request.get_ref().confirmed_version;
        match category.as_str() {
            Partner::CATEGORY => {
                self.decide::<Partner, _>(request, |fields, message, _| {
                    let name = fields.name("name", &message.name, Partner::CATEGORY);
                    (name, PartnerCommand::ConfirmRecord { version })
                })
                .await
            }
            Dialogue::CATEGORY => {
                self.decide::<Dialogue, _>(request, |fields, message, _| {
                    let name = fields.name("name", &message.name, Dialogue::CATEGORY);
                    (name, DialogueCommand::ConfirmRecord { version })
                })
                .await
            }
            Agreement::CATEGORY => {
                self.decide::<Agreement, _>(request, |fields, message, _| {
                    let name = fields.name("name", &message.name, Agreement::CATEGORY);
                    (name, AgreementCommand::ConfirmRecord { version })
                })
                .await
            }
            _ => Err(unknown_resource(&self.calls.command(request).await?)),
        }
    }
}
