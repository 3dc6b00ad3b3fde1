//! What an evil client does, until it is ended: alone on many connections, from one address or several, with or without
//! a token.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use contracts::toguna::{
    disbursements::v1::{ProposeCorrectionRequest, correction_service_client::CorrectionServiceClient as Client},
    log::v1::{self as pb, log_service_client::LogServiceClient, replay_log_request::Start},
};
use prost::Message as _;
use service_runtime::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};
use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_request::MessageRequest};

use super::wire::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, Line, PING, RST_STREAM, SETTINGS, frame, head, message,
};
use crate::notes::{note, with_token};

/// Where the service is, a token of an organisation that does nothing but this, and from how many addresses.
#[derive(Clone)]
pub struct Evil {
    pub service: SocketAddr,
    pub token: String,
    pub addresses: u8,
}

const PROPOSE: &str = "/toguna.disbursements.v1.CorrectionService/ProposeCorrection";
const GET_LOG: &str = "/toguna.log.v1.LogService/GetLog";
const REPLAY: &str = "/toguna.log.v1.LogService/ReplayLog";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const INITIAL_WINDOW_SIZE: u16 = 4;
const LITTLE: Duration = Duration::from_millis(1);

impl Evil {
    /// The same from so many addresses.
    pub fn from(self, addresses: u8) -> Self {
        Self { addresses, ..self }
    }

    /// A connection from the next of them.
    async fn open(&self, number: usize, settings: &[(u16, u32)]) -> Option<Line> {
        let next = u8::try_from(number % usize::from(self.addresses)).expect("they are few");
        Line::open(Ipv4Addr::new(127, 0, 66, next), self.service, settings).await
    }

    /// The head of a call with our token and a deadline.
    fn call(&self, path: &str) -> Vec<u8> {
        head(path, &[("authorization", &format!("Bearer {}", self.token)), ("grpc-timeout", "60S")])
    }

    /// Says something on each next stream, as often as the service takes it, and on new connections when it does not.
    async fn repeat(&self, settings: &[(u16, u32)], say: impl Fn(u32) -> Vec<u8>) {
        loop {
            let Some(mut line) = self.open(0, settings).await else {
                tokio::time::sleep(LITTLE).await;
                continue;
            };
            for stream in (1..).step_by(2) {
                if !line.say(&say(stream)).await || !line.hear() {
                    break;
                }
            }
        }
    }

    /// As many connections as it gets, each with as many streams as it asks for, all kept. Nothing that
    /// comes is ever read.
    async fn occupy(&self, connections: usize, streams: u32, settings: &[(u16, u32)], say: impl Fn(u32) -> Vec<u8>) {
        let mut lines = Vec::new();
        for number in 0..connections {
            let Some(mut line) = self.open(number, settings).await else { continue };
            let all: Vec<u8> = (1..).step_by(2).take(streams as usize).flat_map(&say).collect();
            line.say(&all).await;
            lines.push(line);
        }
        std::future::pending::<()>().await;
    }

    /// Ten thousand calls at a time on one connection.
    pub async fn ten_thousand_streams(self) {
        let head = self.call(PROPOSE);
        self.occupy(1, 10_000, &[], |stream| frame(HEADERS, END_HEADERS, stream, &head)).await;
    }

    /// Calls that are given up as soon as they began.
    pub async fn rapid_reset(self) {
        let head = self.call(PROPOSE);
        let cancel = 8_u32.to_be_bytes();
        self.repeat(&[], |stream| {
            [frame(HEADERS, END_HEADERS, stream, &head), frame(RST_STREAM, 0, stream, &cancel)].concat()
        })
        .await;
    }

    /// A head that never ends.
    pub async fn continuation_flood(self) {
        let (begin, more) = (head(PROPOSE, &[]), head(PROPOSE, &[("x-more", &"x".repeat(8000))]));
        self.repeat(&[], |stream| {
            let first = if stream == 1 { frame(HEADERS, 0, 1, &begin) } else { Vec::new() };
            [first, frame(CONTINUATION, 0, 1, &more)].concat()
        })
        .await;
    }

    /// Bodies in pieces of one byte and of none.
    pub async fn small_data_flood(self) {
        let head = self.call(PROPOSE);
        self.repeat(&[], |stream| {
            let first = if stream == 1 { frame(HEADERS, END_HEADERS, 1, &head) } else { Vec::new() };
            [first, frame(DATA, 0, 1, &[0]), frame(DATA, 0, 1, &[])].concat()
        })
        .await;
    }

    /// Questions whose answers are never taken: the caller's window is shut.
    pub async fn shut_windows(self) {
        let (get, replay) = (self.call(GET_LOG), self.call(REPLAY));
        let all = pb::ReplayLogRequest { start: Some(Start::FromPosition(1)), ..pb::ReplayLogRequest::default() };
        let (get, replay) = ((get, message(&[])), (replay, message(&all.encode_to_vec())));
        self.occupy(50, 100, &[(INITIAL_WINDOW_SIZE, 0)], |stream| {
            let (head, body) = if stream % 4 == 1 { &get } else { &replay };
            [frame(HEADERS, END_HEADERS, stream, head), frame(DATA, END_STREAM, stream, body)].concat()
        })
        .await;
    }

    /// Pings and settings, each of which wants an answer, from one who reads none.
    pub async fn deaf(self) {
        let flood = [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[])].concat().repeat(500);
        self.occupy(20, 200, &[], |_| flood.clone()).await;
    }

    /// Bodies that stop one byte before their end.
    pub async fn unfinished_bodies(self) {
        let head = self.call(PROPOSE);
        let mut body = message(&vec![0x0f; 64 * 1024]);
        body.pop();
        self.occupy(100, 100, &[], |stream| {
            let pieces = body.chunks(16 * 1024).flat_map(|piece| frame(DATA, 0, stream, piece));
            frame(HEADERS, END_HEADERS, stream, &head).into_iter().chain(pieces).collect()
        })
        .await;
    }

    /// Connections that say nothing at all.
    pub async fn silent_connections(self) {
        let mut lines = Vec::new();
        while lines.len() < 2000 {
            lines.push(self.open(lines.len(), &[]).await);
        }
        std::future::pending::<()>().await;
    }

    /// Twice as many connections as there may be, each opened again as soon as it is closed, without a call.
    pub async fn all_connections(self) {
        let connections = (0..1024).map(async |number| {
            loop {
                let line = self.open(number, &[]).await;
                while line.as_ref().is_some_and(Line::hear) {
                    tokio::time::sleep(LITTLE * 20).await;
                }
            }
        });
        futures::future::join_all(connections).await;
    }

    /// Questions that need no token, with answers of many kilobytes that are never taken.
    pub async fn answers_not_taken(self) {
        let message_request =
            Some(MessageRequest::FileContainingSymbol("toguna.disbursements.v1.ContractService".into()));
        let asked = ServerReflectionRequest { message_request, ..ServerReflectionRequest::default() };
        let (head, body) = (head(REFLECTION, &[]), message(&asked.encode_to_vec()));
        self.occupy(100, 100, &[(INITIAL_WINDOW_SIZE, 0)], |stream| {
            [frame(HEADERS, END_HEADERS, stream, &head), frame(DATA, END_STREAM, stream, &body)].concat()
        })
        .await;
    }

    /// Good commands, as fast as they are taken, a hundred at a time.
    pub async fn valid_commands(self) {
        let notes = Client::new(self.channel().await);
        let senders = (0..100).map(async |_| {
            loop {
                let _ = notes.clone().propose_correction(with_token(&self.token, note(1))).await;
            }
        });
        futures::future::join_all(senders).await;
    }

    /// Good queries, likewise.
    pub async fn valid_queries(self) {
        let log = LogServiceClient::new(self.channel().await);
        let askers = (0..100).map(async |_| {
            loop {
                let _ = log.clone().get_log(with_token(&self.token, pb::GetLogRequest {})).await;
            }
        });
        futures::future::join_all(askers).await;
    }

    /// Metadata beyond what is taken.
    pub async fn large_heads(self) {
        let head = head(GET_LOG, &[("grpc-timeout", "60S"), ("x-much", &"x".repeat(60_000))]);
        let (first, rest) = head.split_at(16_000);
        self.repeat(&[], |stream| {
            let mut all = frame(HEADERS, END_STREAM, stream, first);
            let mut pieces = rest.chunks(16_000).peekable();
            while let Some(piece) = pieces.next() {
                let flags = if pieces.peek().is_none() { END_HEADERS } else { 0 };
                all.extend(frame(CONTINUATION, flags, stream, piece));
            }
            all
        })
        .await;
    }

    /// A message of thousands of groups, each inside of the one before.
    pub async fn deep_nesting(self) {
        // Begins field 99 as a group.
        let body = message(&[0x9b, 0x06].repeat(8000));
        let head = self.call(PROPOSE);
        self.repeat(&[], |stream| {
            [frame(HEADERS, END_HEADERS, stream, &head), frame(DATA, END_STREAM, stream, &body)].concat()
        })
        .await;
    }

    /// As much as is taken, unpacked into as many empty things.
    pub async fn giant_lists(self) {
        let sources = vec![pb::Source::default(); 50_000];
        let act = pb::Act { sources, ..pb::Act::default() };
        let request = ProposeCorrectionRequest {
            at_least_as_fresh: vec![String::new(); 50_000],
            act: Some(act),
            ..ProposeCorrectionRequest::default()
        };
        assert!(request.encoded_len() < service_runtime::MAX_REQUEST_BYTES);
        let client = Client::new(self.channel().await);
        self.send(&client, &request, 4).await;
    }

    /// A few kilobytes that unpack into sixteen mebibytes.
    pub async fn bombs(self) {
        let name = "x".repeat(16 * 1024 * 1024);
        let request = ProposeCorrectionRequest { name, ..ProposeCorrectionRequest::default() };
        let channel = self.channel().await;
        let packed = |encoding| Client::new(channel.clone()).send_compressed(encoding);
        let (gzip, zstd) = (packed(CompressionEncoding::Gzip), packed(CompressionEncoding::Zstd));
        tokio::join!(self.send(&gzip, &request, 1), self.send(&zstd, &request, 1));
    }

    async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.service)).expect("an address");
        endpoint.local_address(Some([127, 0, 0, 66].into())).connect().await.expect("it listens")
    }

    /// Sends a request again and again, so many at a time.
    async fn send(&self, client: &Client<Channel>, request: &ProposeCorrectionRequest, at_a_time: usize) {
        let senders = (0..at_a_time).map(async |_| {
            loop {
                let request = with_token(&self.token, request.clone());
                client.clone().propose_correction(request).await.expect_err("it is refused");
            }
        });
        futures::future::join_all(senders).await;
    }
}
