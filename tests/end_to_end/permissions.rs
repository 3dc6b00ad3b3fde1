//! Every RPC of every running service, called by nobody, by somebody without a role, and with a message that is wrong:
//! whether the caller may is answered first.

use std::{collections::BTreeMap, fs};

use futures::{StreamExt as _, stream};
use prost_reflect::{DynamicMessage, Value, prost::Message as _};
use toguna::services;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    metadata::{Ascii, MetadataValue},
};
use tonic_prost::ProstCodec;

use crate::{
    hostile::{
        roles,
        wire::{Sent, framed},
    },
    stack::Stack,
};

const LOGS: [&str; 3] = ["partnerships", "commitments", "disbursements"];
const SERVICES: [&str; 4] = ["partnerships", "commitments", "disbursements", "oversight"];

/// Every RPC, with each service that serves it.
pub fn rpcs() -> Vec<(&'static str, String)> {
    let mut rpcs = Vec::new();
    for service in services::pool().services() {
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
    for (service, path) in rpcs() {
        let status = refusal(stack, service, &path, Some(&token)).await;
        let info = status.as_ref().and_then(tonic_types::StatusExt::get_details_error_info);
        let (status, info) = status.zip(info).unwrap_or_else(|| panic!("{path} of {service} is open to anybody"));
        // Services are run by one organisation; no role of another one is enough.
        let operates = path.starts_with("toguna.operations.v1");
        let reason = if operates { "CALL_NOT_PERMITTED" } else { "ROLE_REQUIRED" };
        assert_eq!((status.code(), info.reason.as_str()), (Code::PermissionDenied, reason), "{path}");
        assert_eq!(info.metadata["permission"], path);
        assert!(operates || !info.metadata["role"].is_empty(), "{path}");
    }
}

#[tokio::test]
async fn whether_something_is_there_is_not_told_to_who_may_not_ask() {
    let stack = Stack::shared().await;
    let rpc = "toguna.disbursements.v1.ContractService/SuspendContract";
    for contract in ["contracts/t05-eutf-sah-ml-07-02", "contracts/nowhere", "no name at all"] {
        let request = serde_json::json!({ "name": contract });
        let denied = stack.call(rpc, "observer@ml-mmeia", "somebody", request).await.expect_err("denied");
        assert_eq!((denied.code, denied.reason.as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"), "{contract}");
        assert!(denied.message.contains("contracting authority"), "{denied}");
        assert!(!denied.message.contains(contract), "{denied}");
    }
}

const OURS: &str = "partners/mli";
const THEIRS: &str = "partners/fra";
/// For which organisation the page shows what those may who run the services.
const OPERATOR: &str = "partners/operator";

/// What the page of permissions says of one RPC of one service.
pub struct Row {
    service: String,
    pub rpc: String,
    /// The signs of what is permitted, by role; of roles that are not there, those of any.
    signs: BTreeMap<String, String>,
}

impl Row {
    pub fn may(&self, role: &str, sign: char) -> bool {
        !role.is_empty() && self.signs.get(role).unwrap_or(&self.signs["any role"]).contains(sign)
    }
}

/// The tables of the page.
pub fn page() -> Vec<Row> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/permissions.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let (mut package, mut service, mut heads, mut rows) = (String::new(), String::new(), Vec::new(), Vec::new());
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("### `") {
            let (of, rest) = title.split_once('`').expect("a package");
            of.clone_into(&mut package);
            let log = rest.strip_prefix(", the log of ");
            log.unwrap_or_else(|| of.split('.').nth(1).unwrap_or_default()).clone_into(&mut service);
        } else if let Some(columns) = line.strip_prefix("| RPC |") {
            heads = columns.split('|').map(|head| head.trim().trim_matches('`').to_owned()).collect();
        } else if let Some((rpc, cells)) = line.strip_prefix("| `").and_then(|row| row.split_once("` |"))
            && !package.is_empty()
        {
            let cells = cells.split('|').map(|cell| cell.trim().to_owned());
            let signs = heads.iter().cloned().zip(cells).filter(|(head, _)| !head.is_empty()).collect();
            let service = if service == "operations" { "oversight".to_owned() } else { service.clone() };
            rows.push(Row { service, rpc: format!("{package}.{rpc}"), signs });
        }
    }
    assert!(rows.len() > 150, "the tables were looked for in the wrong place: {}", rows.len());
    rows
}

/// A message with nothing in it but whose act it is said to be, and on what ground.
fn asked(rpc: &str, organisation: &str, basis: i32) -> Vec<u8> {
    let method = services::method(rpc).expect("an RPC");
    let mut message = DynamicMessage::new(method.input());
    if let Some(field) = method.input().get_field_by_name("act") {
        let mut act = DynamicMessage::new(field.kind().as_message().expect("an act").clone());
        act.set_field_by_name("on_behalf_of", Value::String(organisation.to_owned()));
        act.set_field_by_name("basis", Value::EnumNumber(basis));
        message.set_field(&field, Value::Message(act));
    }
    message.encode_to_vec()
}

/// Every RPC of the page is called in every second role, the next RPC in the others, each time on another of the four
/// grounds: as an own act, as that of another, and from a source of either.
#[tokio::test(flavor = "multi_thread")]
async fn running_services_permit_what_the_page_of_permissions_says_and_nothing_else() {
    let stack = Stack::shared().await;
    let services = stack.services();
    let mut roles = roles();
    roles.push(String::new());
    let grounds = [('●', OURS, 1), ('◐', OURS, 2), ('○', THEIRS, 2), ('⊘', THEIRS, 1)];
    let mut calls = Vec::new();
    for (row, number) in page().into_iter().zip(0..) {
        let records = services::method(&row.rpc).expect("an RPC").input().get_field_by_name("act").is_some();
        let operates = row.rpc.starts_with("toguna.operations.");
        for (role, other) in roles.iter().zip(0..).filter(|(_, other)| (number + other) % 2 == 0) {
            let (sign, organisation, basis) =
                if records { grounds[usize::midpoint(number, other) % grounds.len()] } else { grounds[0] };
            // What is of one's own organisation alone is asked for like all of it, or by the organisation's name.
            let named = services::method(&row.rpc).expect("an RPC").input().get_field_by_name("organisation").is_some();
            let may = row.may(role, sign) || (!named && row.may(role, '◇'));
            // What would change something is left alone.
            if !(operates && may) {
                let ours = if operates { OPERATOR } else { OURS };
                let token = stack.token(&[role.as_str()][..usize::from(!role.is_empty())], ours, "somebody");
                calls.push((
                    row.service.clone(),
                    row.rpc.clone(),
                    role.clone(),
                    sign,
                    may,
                    token,
                    asked(&row.rpc, organisation, basis),
                ));
            }
        }
    }
    assert!(calls.len() > 1_500, "{}", calls.len());
    let wrong = stream::iter(calls).map(|(service, rpc, role, sign, may, token, message)| {
        let sent = Sent::grpc(&format!("/{rpc}"), framed(0, &message)).with("authorization", format!("Bearer {token}"));
        let channel = services.channel(&service).expect("it runs");
        async move {
            let code = sent.answer(channel).await.map(|answer| answer.code);
            // Nothing else is said of a message with so little in it, unless what it says of its fields.
            let denied = matches!(code, Ok(Code::PermissionDenied | Code::FailedPrecondition));
            (denied == may).then(|| format!("{rpc} of {service} by {role:?} on {sign}: {code:?}"))
        }
    });
    let wrong: Vec<String> = wrong.buffer_unordered(16).filter_map(async |wrong| wrong).collect().await;
    assert!(wrong.is_empty(), "{} answers are not what the page says:\n{}", wrong.len(), wrong.join("\n"));
}
