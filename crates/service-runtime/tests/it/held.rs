//! What a service holds for callers who do not take their answers, or do not end their requests.

use std::{net::Ipv4Addr, time::Duration};

use bytes::Bytes;
use h2::client::ResponseFuture;
use prost::Message as _;
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};
use tonic::{Code, Status, transport::Endpoint};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest,
};

use crate::{
    connections::within,
    notes::{Service, reason},
};

/// A question with an answer of many kilobytes, which needs no token.
fn question() -> ServerReflectionRequest {
    let symbol = MessageRequest::FileContainingSymbol("toguna.disbursements.v1.ContractService".into());
    ServerReflectionRequest { message_request: Some(symbol), ..ServerReflectionRequest::default() }
}

/// A caller that asks this a hundred times at once and takes no byte of any answer.
struct Deaf {
    answers: Vec<ResponseFuture>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Deaf {
    async fn ask(service: &Service, from: Ipv4Addr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((from, 0).into()).expect("all of 127/8 is this machine");
        let stream: TcpStream = socket.connect(service.address).await.expect("it listens");
        let deaf = h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(stream);
        let (mut client, connection) = deaf.await.expect("it speaks HTTP/2");
        let connection = tokio::spawn(connection);
        let message = question().encode_to_vec();
        let length = u32::try_from(message.len()).expect("it is short").to_be_bytes();
        let body = Bytes::from([&[0], length.as_slice(), &message].concat());
        let mut answers = Vec::new();
        for _ in 0..100 {
            let asked =
                http::Request::post("http://localhost/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
                    .header("content-type", "application/grpc")
                    .body(())
                    .expect("a request");
            client = client.ready().await.expect("a stream is free");
            let (answer, mut sending) = client.send_request(asked, false).expect("it is sent");
            sending.send_data(body.clone(), true).expect("it is sent");
            answers.push(answer);
        }
        Self { answers, connection }
    }

    /// How many answers wait for it; the others were refused.
    async fn waiting(self) -> usize {
        let mut waiting = 0;
        for answer in self.answers {
            let mut body = answer.await.expect("an answer").into_body();
            // No window is needed for a refusal.
            match tokio::time::timeout(Duration::from_millis(200), body.trailers()).await {
                Ok(trailers) => {
                    let trailers = trailers.expect("it ends well").expect("trailers");
                    let status = Status::from_header_map(&trailers).expect("a status");
                    assert_eq!(
                        (status.code(), reason(&status).as_str()),
                        (Code::ResourceExhausted, "TOO_MUCH_UNFINISHED")
                    );
                }
                Err(_elapsed) => waiting += 1,
            }
        }
        self.connection.abort();
        waiting
    }
}

/// The length of the answer as a good caller gets it.
async fn answer(service: &Service, from: Ipv4Addr) -> Result<usize, Status> {
    let endpoint = Endpoint::from_shared(format!("http://{}", service.address)).expect("an address");
    let mut reflection = ServerReflectionClient::new(endpoint.local_address(Some(from.into())).connect_lazy());
    let asked = tokio_stream::once(question());
    let answer = reflection.server_reflection_info(asked).await?.into_inner().message().await?;
    Ok(answer.expect("an answer").encoded_len())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_an_address_does_not_take_fill_no_more_than_its_share() {
    let service = within(&[("TOGUNA_MAX_UNSENT_MEBIBYTES_PER_PEER", 1)]).await;
    let evil = Ipv4Addr::new(127, 0, 1, 1);
    let length = answer(&service, evil).await.expect("an answer");
    let waiting = Deaf::ask(&service, evil).await.waiting().await;
    let most = 1024 * 1024 / length;
    assert!((1..=most).contains(&waiting) && most < 100, "{waiting} of {length} bytes wait");
    // What it did not take is given up with its connection.
    let began = std::time::Instant::now();
    while answer(&service, evil).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it is held for nobody");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_many_addresses_do_not_take_leave_room_for_those_of_others() {
    let service = within(&[("TOGUNA_MAX_UNSENT_MEBIBYTES", 4)]).await;
    let length = answer(&service, Ipv4Addr::LOCALHOST).await.expect("an answer");
    let mut deaf = Vec::new();
    for number in 0..3 {
        deaf.push(Deaf::ask(&service, Ipv4Addr::new(127, 0, 1, number)).await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 0..20 {
        assert_eq!(answer(&service, Ipv4Addr::LOCALHOST).await.expect("there is room"), length);
    }
    let mut waiting = 0;
    for deaf in deaf {
        waiting += deaf.waiting().await;
    }
    assert!(waiting > 0 && waiting * length < 4 * 1024 * 1024, "{waiting} of {length} bytes");
}
