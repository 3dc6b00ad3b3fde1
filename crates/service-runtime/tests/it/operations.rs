//! Whoever runs a service sees it and may change what it is made of; nobody else may.

use contracts::toguna::operations::v1::{
    GetLogStatusRequest, ListProjectionsRequest, ListProjectionsResponse, RebuildReadModelsRequest, RelayState,
    operations_service_client::OperationsServiceClient,
};
use tonic::{Code, transport::Channel};

use crate::notes::{Service, by, reason, with_token};

async fn operations(service: &Service) -> OperationsServiceClient<Channel> {
    OperationsServiceClient::connect(format!("http://{}", service.address)).await.expect("it listens")
}

fn by_administrator<T>(message: T) -> tonic::Request<T> {
    with_token(&harness::token("administrator", "partners/operator", "operator"), message)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_its_copy_are_shown_to_the_administrator_alone() {
    let mut service = Service::start().await;
    service.note(1).await;
    let mut operations = operations(&service).await;
    let status = operations.get_log_status(by("aminata", GetLogStatusRequest {})).await.expect_err("not for everybody");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    let published = async {
        loop {
            let answer = operations.get_log_status(by_administrator(GetLogStatusRequest {})).await.expect("an answer");
            let status = answer.into_inner().status.expect("a status");
            let relay = status.relay.clone().expect("it is copied");
            if relay.state() == RelayState::Following && relay.published == 1 {
                return status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let status = tokio::time::timeout(std::time::Duration::from_secs(30), published).await.expect("it is published");
    assert_eq!((status.log.as_str(), status.head, status.epochs.len()), (service.name, 1, 1));
    assert_eq!(status.epochs[0].epoch, status.epoch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_read_models_says_so() {
    let service = Service::start().await;
    let mut operations = operations(&service).await;
    let list = operations.list_projections(by_administrator(ListProjectionsRequest {})).await.expect("an answer");
    assert_eq!(list.into_inner(), ListProjectionsResponse::default());
    let rebuild = by_administrator(RebuildReadModelsRequest { version: 2 });
    let status = operations.rebuild_read_models(rebuild).await.expect_err("there are none");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "NO_GENERATIONS"));
}
