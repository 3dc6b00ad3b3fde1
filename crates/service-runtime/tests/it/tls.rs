//! A service that speaks TLS, and clients that show a certificate.

use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use contracts::toguna::disbursements::v1::correction_service_client::CorrectionServiceClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use service_runtime::LogReaders;
use sha2::{Digest as _, Sha256};
use tokio::{io::AsyncReadExt as _, net::TcpListener};
use tokio_util::sync::CancellationToken;
use tonic::{
    Code,
    transport::{Certificate, Channel, ClientTlsConfig, Identity},
};

use crate::{
    identity::{Ministry, base64url},
    notes::{build, config, note, unique_name, with_token},
};

/// One who certifies servers and clients.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate, its key, and the SHA-256 of its DER.
struct Certified {
    certificate: String,
    key: String,
    hash: [u8; 32],
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate"))
    }

    fn certify(&self) -> Certified {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &*self.0).expect("it is signed");
        let hash = Sha256::digest(certificate.der()).into();
        Certified { certificate: certificate.pem(), key: key.serialize_pem(), hash }
    }

    fn pem(&self) -> String {
        self.0.pem()
    }
}

/// A running service of notes with TLS.
struct Secure {
    ministry: Ministry,
    folder: PathBuf,
    address: SocketAddr,
    stopping: CancellationToken,
}

impl Drop for Secure {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl Secure {
    async fn start(server: &Certified, clients: &Authority) -> Self {
        let ministry = Ministry::new();
        let folder = ministry.folder.clone();
        let mut environment: HashMap<&str, String> = ministry.environment().await;
        for (variable, file, text) in [
            ("TOGUNA_TLS_CERT", "cert.pem", &server.certificate),
            ("TOGUNA_TLS_KEY", "key.pem", &server.key),
            ("TOGUNA_TLS_CLIENT_CA", "ca.pem", &clients.pem()),
        ] {
            fs::write(folder.join(file), text).expect("it can be written");
            environment.insert(variable, folder.join(file).display().to_string());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let stopping = CancellationToken::new();
        let config = config(unique_name(), &environment);
        let built = |parts| build(parts, LogReaders::Partners);
        tokio::spawn(service_runtime::serve(config, listener, stopping.clone(), built));
        Self { ministry, folder, address, stopping }
    }

    /// A client that knows this authority, and shows this certificate.
    async fn client(
        &self,
        authority: &Authority,
        shown: Option<&Certified>,
    ) -> Result<CorrectionServiceClient<Channel>, tonic::transport::Error> {
        let mut tls =
            ClientTlsConfig::new().domain_name("localhost").ca_certificate(Certificate::from_pem(authority.pem()));
        if let Some(shown) = shown {
            tls = tls.identity(Identity::from_pem(&shown.certificate, &shown.key));
        }
        let channel = Channel::from_shared(format!("https://{}", self.address)).expect("an address").tls_config(tls)?;
        Ok(CorrectionServiceClient::new(channel.connect().await?))
    }
}

async fn noted(client: &mut CorrectionServiceClient<Channel>, token: &str) -> Result<(), Code> {
    let mut request = with_token(token, note(7));
    request.set_timeout(Duration::from_secs(30));
    client.propose_correction(request).await.map(|_| ()).map_err(|status| status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_bound_to_a_certificate_is_of_use_to_its_holder_alone() {
    let (servers, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let service = Secure::start(&servers.certify(), &clients).await;
    let (own, other, strange) = (clients.certify(), clients.certify(), strangers.certify());
    let free = service.ministry.token(|_, _| {});
    let bound = service.ministry.token(|_, claims| claims["cnf"] = json!({ "x5t#S256": base64url(&own.hash) }));
    for (shown, expected) in [
        (Some(&own), Ok(())),
        (None, Err(Code::Unauthenticated)),
        (Some(&other), Err(Code::Unauthenticated)),
        (Some(&own), Ok(())),
    ] {
        let mut client = service.client(&servers, shown).await.expect("they shake hands");
        assert_eq!(noted(&mut client, &bound).await, expected);
        assert_eq!(noted(&mut client, &free).await, Ok(()), "a token for everybody needs no certificate");
    }
    // TLS 1.3 tells a client of a certificate that is not taken only when it sends something.
    if let Ok(mut client) = service.client(&servers, Some(&strange)).await {
        assert!(noted(&mut client, &free).await.is_err(), "a certificate of strangers");
    }
    assert!(service.client(&strangers, None).await.is_err(), "the client does not know this server");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_exchanged_while_the_service_runs() {
    let (old, new, clients) = (Authority::new(), Authority::new(), Authority::new());
    let service = Secure::start(&old.certify(), &clients).await;
    let token = service.ministry.token(|_, _| {});
    let mut before = service.client(&old, None).await.expect("they shake hands");
    assert_eq!(noted(&mut before, &token).await, Ok(()));
    fs::write(service.folder.join("cert.pem"), "broken").expect("it can be written");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(service.client(&old, None).await.is_ok(), "a broken file changes nothing");
    let next = new.certify();
    fs::write(service.folder.join("key.pem"), &next.key).expect("it can be written");
    fs::write(service.folder.join("cert.pem"), &next.certificate).expect("it can be written");
    let started = Instant::now();
    while service.client(&new, None).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(15), "the change was not seen");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(service.client(&old, None).await.is_err());
    assert_eq!(noted(&mut before, &token).await, Ok(()), "a connection goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_of_clients_is_exchanged_while_the_service_runs() {
    let (servers, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let service = Secure::start(&servers.certify(), &old).await;
    let (leaving, coming) = (old.certify(), new.certify());
    let bound = |to: &Certified| {
        let hash = base64url(&to.hash);
        service.ministry.token(|_, claims| claims["cnf"] = json!({ "x5t#S256": hash }))
    };
    let (leaving_token, coming_token) = (bound(&leaving), bound(&coming));
    let served = async |shown: &Certified, token: &str| match service.client(&servers, Some(shown)).await {
        Ok(mut client) => noted(&mut client, token).await.is_ok(),
        Err(_) => false,
    };
    let mut before = service.client(&servers, Some(&leaving)).await.expect("they shake hands");
    assert_eq!(noted(&mut before, &leaving_token).await, Ok(()));
    assert!(!served(&coming, &coming_token).await, "its authority is not known yet");

    fs::write(service.folder.join("ca.pem"), "broken").expect("it can be written");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(served(&leaving, &leaving_token).await, "a broken file changes nothing");

    fs::write(service.folder.join("ca.pem"), old.pem() + &new.pem()).expect("it can be written");
    let started = Instant::now();
    while !served(&coming, &coming_token).await {
        assert!(started.elapsed() < Duration::from_secs(15), "the change was not seen");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(served(&leaving, &leaving_token).await, "both authorities hold");

    fs::write(service.folder.join("ca.pem"), new.pem()).expect("it can be written");
    let started = Instant::now();
    while served(&leaving, &leaving_token).await {
        assert!(started.elapsed() < Duration::from_secs(15), "the change was not seen");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(served(&coming, &coming_token).await);
    assert_eq!(noted(&mut before, &leaving_token).await, Ok(()), "a connection goes on with what it began with");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_shake_hands_is_cut_off() {
    let authority = Authority::new();
    let service = Secure::start(&authority.certify(), &authority).await;
    let mut silent = tokio::net::TcpStream::connect(service.address).await.expect("it listens");
    let started = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(15), silent.read(&mut [0; 64])).await.expect("it ends");
    assert!(ended.is_err() || ended.is_ok_and(|bytes| bytes == 0));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let plain = Channel::from_shared(format!("http://{}", service.address)).expect("an address").connect_lazy();
    let token = service.ministry.token(|_, _| {});
    assert!(noted(&mut CorrectionServiceClient::new(plain), &token).await.is_err(), "without TLS nothing is served");
}
