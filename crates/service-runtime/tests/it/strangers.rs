//! Who gets in where others hold all the connections that there are.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use contracts::toguna::disbursements::v1::correction_service_client::CorrectionServiceClient;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::{
    connections::within,
    notes::{Service, by, note},
};

/// What a client of HTTP/2 says first: its preface and settings.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A connection from an address of this machine, on which HTTP/2 was begun and nothing asked for.
async fn stranger(service: SocketAddr, from: Ipv4Addr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("all of 127/8 is this machine");
    let mut line = socket.connect(service).await.ok()?;
    line.write_all(HELLO).await.ok()?;
    Some(line)
}

/// Keeps so many connections open from each address, and opens each again as soon as it is closed.
fn occupy(service: SocketAddr, from: &[Ipv4Addr], each: usize) -> JoinSet<()> {
    let mut occupied = JoinSet::new();
    for &from in from.iter().cycle().take(from.len() * each) {
        occupied.spawn(async move {
            loop {
                if let Some(mut line) = stranger(service, from).await {
                    let _ = line.read_to_end(&mut Vec::new()).await;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }
    occupied
}

fn addresses(many: u8) -> Vec<Ipv4Addr> {
    (0..many).map(|number| Ipv4Addr::new(127, 0, 1, number)).collect()
}

/// A good caller on a connection of its own.
async fn call(service: SocketAddr, from: Ipv4Addr) -> Result<CorrectionServiceClient<Channel>, Status> {
    let endpoint = Endpoint::from_shared(format!("http://{service}")).expect("an address");
    let channel = endpoint.local_address(Some(from.into())).connect_lazy();
    let mut notes = CorrectionServiceClient::new(channel);
    notes.propose_correction(by("aminata", note(1))).await?;
    Ok(notes)
}

/// How many of so many good callers, each from the same address on a connection of its own, were answered.
async fn answered(service: &Service, many: usize) -> usize {
    let mut answered = 0;
    for _ in 0..many {
        answered += usize::from(call(service.address, Ipv4Addr::LOCALHOST).await.is_ok());
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_addresses_without_a_token_keep_nobody_out() {
    let mut service = within(&[("TOGUNA_MAX_CONNECTIONS", 64), ("TOGUNA_MAX_CONNECTIONS_PER_PEER", 32)]).await;
    service.note(1).await;
    for many in [2, 5] {
        let attack = occupy(service.address, &addresses(many), 40);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(answered(&service, 50).await, 50, "against {many} addresses");
        // Whose call was verified before keeps its connection.
        service.note(1).await;
        drop(attack);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_addresses_as_there_are_connections_keep_nobody_out_for_long() {
    let service = within(&[("TOGUNA_MAX_CONNECTIONS", 16)]).await;
    let _attack = occupy(service.address, &addresses(40), 1);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    while answered(&service, 1).await == 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "no place");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_from_the_same_address_keep_nobody_out_for_long() {
    let service = within(&[("TOGUNA_MAX_CONNECTIONS_PER_PEER", 8)]).await;
    let _attack = occupy(service.address, &[Ipv4Addr::LOCALHOST], 20);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    while answered(&service, 1).await == 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "no place");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_many_connections_without_a_call_makes_place_for_whoever_has_none() {
    let mut service = within(&[("TOGUNA_MAX_CONNECTIONS", 8)]).await;
    service.note(1).await;
    let mut held = Vec::new();
    for _ in 0..7 {
        held.push(call(service.address, Ipv4Addr::new(127, 0, 1, 1)).await.expect("a place"));
    }
    assert_eq!(answered(&service, 5).await, 5);
    service.note(1).await;
    // Who had to make place connects again without noticing it.
    for mut notes in held {
        notes.propose_correction(by("aminata", note(2))).await.expect("another connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_nobody_was_verified_is_closed_sooner_than_others() {
    let mut service = within(&[("TOGUNA_UNVERIFIED_IDLE_SECONDS", 1)]).await;
    let connect = async || {
        let stream = TcpStream::connect(service.address).await.expect("it listens");
        let (client, connection) = h2::client::handshake(stream).await.expect("it speaks HTTP/2");
        (client, tokio::spawn(connection))
    };
    let ((_stranger, unknown), (mut client, mut known)) = (connect().await, connect().await);
    let token = harness::token("focal_point,reader", "partners/mli", "aminata");
    let asked = http::Request::post("http://localhost/toguna.log.v1.LogService/GetLog")
        .header("content-type", "application/grpc")
        .header("authorization", format!("Bearer {token}"))
        .header("grpc-timeout", "10S")
        .body(());
    let (answer, mut body) = client.send_request(asked.expect("a request"), false).expect("it is sent");
    body.send_data(vec![0; 5].into(), true).expect("it is sent");
    assert_eq!(answer.await.expect("an answer").status(), 200);
    let ended = tokio::time::timeout(Duration::from_secs(10), unknown).await.expect("soon").expect("no panic");
    assert!(ended.is_ok(), "in order: {ended:?}");
    let kept = tokio::time::timeout(Duration::from_secs(2), &mut known).await;
    assert!(kept.is_err(), "who is known stays: {kept:?}");
    service.note(1).await;
}
