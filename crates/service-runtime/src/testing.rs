//! What this crate's tests share: an issuer of tokens, and a server on a free port of this machine.

use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet},
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};

use crate::{identity::Verifier, server::Endpoints};

pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "toguna";
pub const PSEUDONYM_KEY: [u8; 32] = [7; 32];

/// PKCS #8 of an Ed25519 key (RFC 8410) up to the 32 bytes of the key itself.
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Signs tokens with the key of a number.
pub struct Issuer {
    pub key: EncodingKey,
    pub jwk: Jwk,
}

impl Issuer {
    pub fn new(number: u8) -> Self {
        let key = EncodingKey::from_ed_der(&[PKCS8_ED25519.as_slice(), &[number; 32]].concat());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).expect("an Ed25519 key");
        jwk.common.key_id = Some(format!("key-{number}"));
        Self { key, jwk }
    }

    pub fn jwks(&self) -> String {
        serde_json::to_string(&JwkSet { keys: vec![self.jwk.clone()] }).expect("a key set is JSON")
    }

    pub fn verifier(&self) -> Verifier {
        Verifier::new(&self.jwks(), ISSUER, AUDIENCE, PSEUDONYM_KEY).expect("the keys are good")
    }

    pub fn header(&self) -> Header {
        Header { kid: self.jwk.common.key_id.clone(), ..Header::new(Algorithm::EdDSA) }
    }

    /// Signs whatever claims.
    pub fn sign(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&self.header(), claims, &self.key).expect("the key signs")
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// Claims that hold.
pub fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "aminata", "aud": AUDIENCE, "exp": now() + 600, "nbf": now(), "iat": now(),
        "org": "partners/mli", "roles": ["focal_point", "contributor"],
    })
}

/// A server that is stopped when this is dropped.
pub struct TestServer {
    pub address: SocketAddr,
    pub channel: Channel,
    pub stopping: CancellationToken,
    pub served: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

pub async fn serve(endpoints: Endpoints, ready: impl Future<Output = ()> + Send + 'static) -> TestServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    let stopping = CancellationToken::new();
    let served = tokio::spawn(endpoints.serve(listener, ready, stopping.clone()));
    let channel =
        Channel::from_shared(format!("http://{address}")).expect("an address").connect().await.expect("it listens");
    TestServer { address, channel, stopping, served }
}

impl TestServer {
    /// A connection of HTTP/2 and nothing more: no timers, no checks, no manners.
    pub async fn http2(&self) -> (h2::client::SendRequest<Bytes>, h2::client::Connection<TcpStream, Bytes>) {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        h2::client::handshake(stream).await.expect("it speaks HTTP/2")
    }

    /// The status of a call with this body.
    pub async fn call(&self, path: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Status {
        let (client, connection) = self.http2().await;
        tokio::spawn(connection);
        let mut client = client.ready().await.expect("streams are free");
        let (response, mut sending) = client.send_request(grpc(path, headers), false).expect("it can be sent");
        // The server may have answered before it has read all.
        let _ = sending.send_data(Bytes::copy_from_slice(body), true);
        let response = response.await.expect("an answer");
        if let Some(status) = Status::from_header_map(response.headers()) {
            return status;
        }
        let mut body = response.into_body();
        while let Some(piece) = body.data().await {
            let length = piece.expect("a piece").len();
            body.flow_control().release_capacity(length).expect("it was held");
        }
        let trailers = body.trailers().await.expect("it ends well").expect("trailers");
        Status::from_header_map(&trailers).expect("a status")
    }
}

/// The head of a gRPC call.
pub fn grpc(path: &str, headers: &[(&'static str, &str)]) -> http::Request<()> {
    let request = http::Request::post(format!("http://localhost{path}"))
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).expect("a request")
}
