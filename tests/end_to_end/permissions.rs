//! Every RPC of every running service, called by nobody, by somebody without a role, and with a message that is wrong:
//! whether the caller may is answered first.

use tonic::{
    Code, Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    metadata::{Ascii, MetadataValue},
};
use tonic_prost::ProstCodec;

use crate::stack::Stack;

const LOGS: [&str; 3] = ["partnerships", "commitments", "disbursements"];
const SERVICES: [&str; 4] = ["partnerships", "commitments", "disbursements", "oversight"];

/// Every RPC, with each service that serves it.
pub fn rpcs() -> Vec<(&'static str, String)> {
    let mut rpcs = Vec::new();
    for service in toguna::services::pool().services() {
        let serving: Vec<&str> = match service.package_name() {
            "toguna.log.v1" => LOGS.to_vec(),
            "toguna.operations.v1" => SERVICES.to_vec(),
            package => SERVICES.into_iter().filter(|name| package == format!("toguna.{name}.v1")).collect(),
        };
        for method in service.methods() {
            let path = format!("{}/{}", service.full_name(), method.name());
            rpcs.extend(serving.iter().map(|name| (*name, path.clone())));
        }
    }
    assert!(rpcs.len() > 150, "the RPCs were looked for in the wrong place");
    rpcs
}

/// How a call with an empty message is refused; `None`: it is answered.
async fn refusal(stack: &Stack, service: &str, path: &str, token: Option<&str>) -> Option<Status> {
    let mut client = Grpc::new(stack.services().channel(service).expect("it runs"));
    client.ready().await.expect("it is there");
    let mut request = Request::new(());
    request.set_timeout(std::time::Duration::from_secs(30));
    if let Some(token) = token {
        let header: MetadataValue<Ascii> = format!("Bearer {token}").parse().expect("ASCII");
        request.metadata_mut().insert("authorization", header);
    }
    let path: PathAndQuery = format!("/{path}").parse().expect("a path");
    let codec = ProstCodec::<(), ()>::default();
    let mut messages = match client.server_streaming(request, path, codec).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Some(status),
    };
    messages.message().await.err()
}

#[tokio::test]
async fn nobody_without_a_token_is_answered_by_any_rpc() {
    let stack = Stack::shared().await;
    for (service, path) in rpcs() {
        let status = refusal(stack, service, &path, None).await.unwrap_or_else(|| panic!("{path} answers anybody"));
        assert_eq!(status.code(), Code::Unauthenticated, "{path} of {service}: {status:?}");
    }
}

#[tokio::test]
async fn whoever_has_no_role_is_told_so_before_anything_else_is_wrong() {
    let stack = Stack::shared().await;
    let token = stack.token(&[], "partners/mli", "somebody");
    let mut denied = 0;
    for (service, path) in rpcs() {
        let status = refusal(stack, service, &path, Some(&token)).await;
        let info = status.as_ref().and_then(tonic_types::StatusExt::get_details_error_info);
        let closed = path.starts_with("toguna.operations.v1")
            || (path.starts_with("toguna.log.v1") && service == "disbursements")
            || !(path.contains("/Get") || path.contains("/List") || path.contains("/ReplayLog"));
        if closed {
            let (status, info) = status.zip(info).unwrap_or_else(|| panic!("{path} of {service} is open to anybody"));
            // Services are run by one organisation; no role of another one is enough.
            let operates = path.starts_with("toguna.operations.v1");
            let reason = if operates { "CALL_NOT_PERMITTED" } else { "ROLE_REQUIRED" };
            assert_eq!((status.code(), info.reason.as_str()), (Code::PermissionDenied, reason), "{path}");
            assert_eq!(info.metadata["permission"], path);
            assert!(operates || !info.metadata["role"].is_empty(), "{path}");
            denied += 1;
        } else {
            let code = status.map_or(Code::Ok, |status| status.code());
            assert!(!matches!(code, Code::PermissionDenied | Code::Unauthenticated), "{path} of {service}: {code:?}");
        }
    }
    assert!(denied > 100, "{denied}");
}

#[tokio::test]
async fn whether_something_is_there_is_not_told_to_who_may_not_ask() {
    let stack = Stack::shared().await;
    let rpc = "toguna.disbursements.v1.ContractService/SuspendContract";
    for contract in ["contracts/t05-eutf-sah-ml-07-02", "contracts/nowhere", "no name at all"] {
        let request = serde_json::json!({ "name": contract });
        let denied = stack.call(rpc, "observer@ml-mmeia", "somebody", request).await.expect_err("denied");
        assert_eq!((denied.code, denied.reason.as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"), "{contract}");
        assert!(denied.message.contains("contracting_authority"), "{denied}");
        assert!(!denied.message.contains(contract), "{denied}");
    }
}
