use bytes::Bytes;
use h2::{SendStream, client::ResponseFuture};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus as Told, health_client::HealthClient};
use tonic_reflection::pb::{
    v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    },
    v1alpha as older,
};
use tonic_types::StatusExt as _;

use super::*;
use crate::testing::{TestServer, grpc, serve};

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

async fn health(server: &TestServer, service: &str) -> Result<Told, Code> {
    let mut client = HealthClient::new(server.channel.clone());
    client.check(about(service)).await.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
}

#[tokio::test]
async fn health_says_serving_only_once_all_is_ready() {
    let (ready, wait) = tokio::sync::oneshot::channel::<()>();
    let server = serve(Endpoints::new(), async { wait.await.unwrap_or_default() }).await;
    assert_eq!(health(&server, "").await, Ok(Told::NotServing));
    ready.send(()).expect("it waits");
    while health(&server, "").await == Ok(Told::NotServing) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(health(&server, "").await, Ok(Told::Serving));
    assert_eq!(health(&server, "toguna.nowhere.v1.NoService").await, Err(Code::NotFound));
}

#[tokio::test]
async fn whoever_watches_health_hears_that_the_server_stops_and_does_not_keep_it_from_stopping() {
    let mut server = serve(Endpoints::new(), async {}).await;
    let mut watching = HealthClient::new(server.channel.clone()).watch(about("")).await.expect("a watch").into_inner();
    let mut heard = Vec::new();
    while !heard.contains(&Told::Serving) {
        heard.push(watching.message().await.expect("an answer").expect("more to come").status());
    }
    let started = std::time::Instant::now();
    server.stopping.cancel();
    let last = watching.message().await.expect("an answer").expect("more to come").status();
    assert_eq!(last, Told::NotServing);
    assert!(watching.message().await.expect("an answer").is_none(), "the end");
    (&mut server.served).await.expect("no panic").expect("it stops well");
    assert!(started.elapsed() < LONGEST_DRAIN / 2, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_part_that_does_not_work_is_seen_in_health_and_makes_nothing_else_unhealthy() {
    let (well, watched) = tokio::sync::watch::channel(true);
    let mut endpoints = Endpoints::new();
    endpoints.health.watch("relay", tokio_stream::wrappers::WatchStream::new(watched));
    let mut server = serve(endpoints, async {}).await;
    let mut client = HealthClient::new(server.channel.clone());
    let mut watching = loop {
        // It is not known before it has said something.
        if let Ok(watching) = client.watch(about("relay")).await {
            break watching.into_inner();
        }
    };
    let mut heard = async || watching.message().await.expect("an answer").map(|answer| answer.status());
    assert_eq!(heard().await, Some(Told::Serving));
    well.send(false).expect("it is watched");
    assert_eq!(heard().await, Some(Told::NotServing));
    assert_eq!(health(&server, "").await, Ok(Told::Serving));
    server.stopping.cancel();
    assert_eq!(heard().await, None, "the end");
    (&mut server.served).await.expect("no panic").expect("it stops well");
}

#[tokio::test]
async fn reflection_lists_what_is_served_and_nothing_else() {
    let server = serve(Endpoints::new(), async {}).await;
    let ask = |message| ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    let asked = stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("toguna.log.v1.LogService".into())),
        ask(MessageRequest::FileContainingSymbol("google.rpc.ErrorInfo".into())),
    ]);
    let mut client = ServerReflectionClient::new(server.channel.clone());
    let mut answers = client.server_reflection_info(asked).await.expect("an answer").into_inner();
    let mut next = async || answers.message().await.expect("an answer").and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(list)) = next().await else { panic!("a list") };
    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    let reflection = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
    assert_eq!(names, ["grpc.health.v1.Health", reflection[0], reflection[1]]);
    for what in ["messages", "details of refusals"] {
        assert!(matches!(next().await, Some(MessageResponse::FileDescriptorResponse(_))), "{what} can be looked up");
    }
}

#[tokio::test]
async fn older_tools_ask_for_the_first_version_of_reflection() {
    let server = serve(Endpoints::new(), async {}).await;
    let about = older::server_reflection_request::MessageRequest::FileContainingSymbol("toguna.log.v1.Place".into());
    let ask = older::ServerReflectionRequest { message_request: Some(about), ..Default::default() };
    let mut client = older::server_reflection_client::ServerReflectionClient::new(server.channel.clone());
    let mut answers = client.server_reflection_info(stream::iter([ask])).await.expect("an answer").into_inner();
    let answer = answers.message().await.expect("an answer").and_then(|answer| answer.message_response);
    let Some(older::server_reflection_response::MessageResponse::FileDescriptorResponse(files)) = answer else {
        panic!("a file: {answer:?}")
    };
    assert_eq!(files.file_descriptor_proto.len(), 1);
}

/// Whoever finds no details in a status takes it for one of the line, and asks again.
#[tokio::test]
async fn health_and_reflection_refuse_as_every_call_does() {
    let server = serve(Endpoints::new(), async {}).await;
    let health = HealthClient::new(server.channel.clone()).check(about("toguna.nowhere.v1.NoService")).await;
    let reflect = async |message_request| {
        let ask = stream::iter([ServerReflectionRequest { host: String::new(), message_request }]);
        let mut client = ServerReflectionClient::new(server.channel.clone());
        let mut answers = client.server_reflection_info(ask).await.expect("an answer").into_inner();
        answers.message().await.expect_err("there is no such symbol")
    };
    let symbol = MessageRequest::FileContainingSymbol("toguna.nowhere.v1.Nothing".into());
    for (status, code, reason) in [
        (health.expect_err("there is no such service"), Code::NotFound, "NOT_FOUND"),
        (reflect(Some(symbol)).await, Code::NotFound, "NOT_FOUND"),
        (reflect(None).await, Code::InvalidArgument, "INVALID_REQUEST"),
    ] {
        let details = status.get_error_details();
        let told = details.error_info().map(|info| info.reason.as_str());
        assert_eq!((status.code(), told), (code, Some(reason)), "{status:?}");
        assert!(details.localized_message().is_some() && details.request_info().is_some(), "{details:?}");
    }
}

#[tokio::test]
async fn a_connection_may_have_a_hundred_streams() {
    let server = serve(Endpoints::new(), async {}).await;
    let (client, mut connection) = server.http2().await;
    // The limit comes with the server's first settings.
    let settled = async {
        while connection.max_concurrent_send_streams() > 1000 {
            let _ = futures::poll!(&mut connection);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), settled).await.expect("a limit");
    assert_eq!(connection.max_concurrent_send_streams(), 100);
    drop(client);
}

/// How a connection ends on which each stream is treated in this way, where it ends soon.
async fn flood(
    server: &TestServer,
    times: usize,
    treat: impl AsyncFn(ResponseFuture, SendStream<Bytes>),
) -> Option<h2::Error> {
    let (mut client, connection) = server.http2().await;
    let connection = tokio::spawn(connection);
    let flooding = async {
        for _ in 0..times {
            client = client.ready().await.ok()?;
            let head = grpc("/grpc.health.v1.Health/Check", &[("content-length", "5")]);
            let (answer, sending) = client.send_request(head, false).ok()?;
            treat(answer, sending).await;
        }
        Some(client)
    };
    let _open = flooding.await;
    let ended = tokio::time::timeout(Duration::from_secs(2), connection).await.ok()?;
    ended.expect("no panic").err()
}

/// Whoever still writes when the connection is closed may see that before the reason for it.
fn is_cut_off(ended: Option<&h2::Error>) -> bool {
    ended.is_some_and(|error| error.is_io() || error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}

#[tokio::test]
async fn a_client_that_opens_streams_only_to_reset_them_is_cut_off() {
    let server = serve(Endpoints::new(), async {}).await;
    let ended = flood(&server, 20_000, async |_, mut sending| sending.send_reset(h2::Reason::CANCEL)).await;
    assert!(is_cut_off(ended.as_ref()), "{ended:?}");
    assert_eq!(health(&server, "").await, Ok(Told::Serving), "others are served");
}

#[tokio::test]
async fn a_client_that_makes_streams_fail_again_and_again_is_cut_off() {
    let server = serve(Endpoints::new(), async {}).await;
    // More than it said: each is an error of the stream that the server must answer with a reset.
    let ended = flood(&server, 3_000, async |answer, mut sending| {
        let _ = sending.send_data(Bytes::from_static(b"0123456789"), true);
        assert!(answer.await.is_err(), "no answer to what is no request");
    })
    .await;
    assert!(is_cut_off(ended.as_ref()), "{ended:?}");
    assert_eq!(health(&server, "").await, Ok(Told::Serving), "others are served");
}

#[tokio::test]
async fn a_client_that_makes_as_many_calls_in_order_is_not_cut_off() {
    let server = serve(Endpoints::new(), async {}).await;
    let ended = flood(&server, 3_000, async |answer, mut sending| {
        sending.send_data(Bytes::from_static(&[0; 5]), true).expect("it is taken");
        answer.await.expect("an answer");
    })
    .await;
    assert!(ended.is_none(), "{ended:?}");
}
