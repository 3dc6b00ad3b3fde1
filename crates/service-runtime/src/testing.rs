//! What this crate's tests share: an issuer of tokens, and a server on a free port of this machine.

use std::{
    env, fs,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet},
};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
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

/// PKCS #8 of a key of P-256 (RFC 5915, without the public half) up to the 32 bytes of the key itself.
const PKCS8_P256: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];

/// What an issuer's entry says where it may say everything.
pub const ANYTHING: &str = "algorithms = [\"EdDSA\"]\norganisations = \"all\"\nroles = \"all\"";

/// A folder of its own, gone when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("toguna-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    /// Writes a file, and gives its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file can be written");
        path.display().to_string()
    }

    /// Writes the file that names issuers, each with its keys and the rest of its entry, and gives its path.
    pub fn issuers(&self, issuers: &[(&str, &[&Issuer], &str)]) -> PathBuf {
        let entries = issuers.iter().enumerate().map(|(number, (name, keys, rest))| {
            let keys = JwkSet { keys: keys.iter().map(|issuer| issuer.jwk.clone()).collect() };
            self.file(&format!("{number}.json"), &serde_json::to_string(&keys).expect("a key set is JSON"));
            format!("[[issuer]]\niss = \"{name}\"\njwks = \"{number}.json\"\n{rest}\n")
        });
        let entries: String = entries.collect();
        self.file("issuers.toml", &entries).into()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Signs tokens with the key of a number.
pub struct Issuer {
    pub key: EncodingKey,
    pub jwk: Jwk,
    pub algorithm: Algorithm,
}

impl Issuer {
    pub fn new(number: u8) -> Self {
        let key = EncodingKey::from_ed_der(&[PKCS8_ED25519.as_slice(), &[number; 32]].concat());
        Self::with(number, key, Algorithm::EdDSA)
    }

    /// One that signs with ES256.
    pub fn of_p256(number: u8) -> Self {
        let key = EncodingKey::from_ec_der(&[PKCS8_P256.as_slice(), &[number; 32]].concat());
        Self::with(number, key, Algorithm::ES256)
    }

    /// One with a key of RSA of its own.
    pub fn of_rsa(number: u8, algorithm: Algorithm) -> Self {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key of RSA");
        let key = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).expect("it is read again");
        Self::with(number, key, algorithm)
    }

    fn with(number: u8, key: EncodingKey, algorithm: Algorithm) -> Self {
        let mut jwk = Jwk::from_encoding_key(&key, algorithm).expect("a private key");
        jwk.common.key_id = Some(format!("key-{number}"));
        Self { key, jwk, algorithm }
    }

    /// Verifies what it signs as [`ISSUER`], whatever that says.
    pub fn verifier(&self) -> Verifier {
        let folder = Folder::new("issuer");
        let issuers = folder.issuers(&[(ISSUER, &[self], ANYTHING)]);
        Verifier::open(&issuers, AUDIENCE, PSEUDONYM_KEY).expect("the keys are good")
    }

    pub fn header(&self) -> Header {
        Header { kid: self.jwk.common.key_id.clone(), ..Header::new(self.algorithm) }
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
