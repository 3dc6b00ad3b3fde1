//! A client in another language over TLS: it shows a certificate of its own, to which its token is bound, to a service
//! that serves nobody of that issuer without one.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::Servers;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use toguna::local::{
    child::{Child, Program, Signal},
    random_hex,
};

use super::{PATIENCE, ready, stack::program, steps};

const ISSUER: &str = "https://machines.ministry.example";
/// PKCS #8 of an Ed25519 key (RFC 8410) up to the 32 bytes of the key itself.
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// How long the service may take to be ready on a busy machine.
const READY_LIMIT: Duration = Duration::from_mins(2);

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A service of partnerships that speaks TLS alone, and beside it the folders of machines. All go when it is dropped.
struct Secure {
    folder: PathBuf,
    /// Signs the tokens of machines.
    key: EncodingKey,
    /// SHA-256 of the certificate in `own`.
    own: [u8; 32],
    _service: Child,
}

impl Secure {
    async fn start() -> Self {
        let folder = env::temp_dir().join(format!("toguna-secure-{}", random_hex(6)));
        let (services, clients) = (authority("services"), authority("machines"));
        certify(&services, &folder.join("service"), &clients);
        let own = certify(&clients, &folder.join("own"), &services);
        certify(&clients, &folder.join("other"), &services);
        certify(&authority("strangers"), &folder.join("strange"), &services);
        let key = EncodingKey::from_ed_der(&[PKCS8_ED25519.as_slice(), &[7; 32]].concat());
        write_issuer(&folder, &key);
        let mut service = Program::new(&program().with_file_name("partnerships"), log(&folder), Signal::Terminate)
            .env("DATABASE_URL", Servers::shared().await.database("secure").await)
            .env("NATS_URL", Servers::shared().await.nats_url())
            .env("TOGUNA_READY_FILE", folder.join("ready"))
            .env("TOGUNA_COMMANDS_PER_SECOND", "1")
            .env("TOGUNA_COMMANDS_BURST", "10")
            .remove_after(Some(&folder));
        for (name, value) in harness::environment() {
            service = service.env(name, value);
        }
        for (name, file) in [
            ("TOGUNA_ISSUERS", "issuers.toml"),
            ("TOGUNA_TLS_CERT", "service/cert.pem"),
            ("TOGUNA_TLS_KEY", "service/key.pem"),
            ("TOGUNA_TLS_CLIENT_CA", "service/ca.pem"),
        ] {
            service = service.env(name, folder.join(file));
        }
        let mut service = service.start().expect("the service starts");
        let is_ready = || folder.join("ready").exists();
        service.until(READY_LIMIT, is_ready).await.unwrap_or_else(|error| panic!("{error:#}"));
        Self { folder, key, own, _service: service }
    }

    /// What the program does with the machine's token, and with these certificates where it has any.
    async fn runs(&self, program: &harness::Program, certificates: Option<&str>) -> Output {
        let address = fs::read_to_string(self.folder.join("ready")).expect("it says where it is");
        let mut command = tokio::process::Command::from(program.command());
        command.args([address.trim(), "partners/by-night"]).env("TOGUNA_TOKEN", self.token()).kill_on_drop(true);
        if let Some(folder) = certificates {
            command.env("TOGUNA_CERTIFICATES", self.folder.join(folder));
        }
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        output.expect("it ends in time").expect("it runs")
    }

    /// A token that is bound to the certificate in `own`.
    fn token(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let claims = json!({
            "iss": ISSUER, "sub": "night-transfer", "aud": harness::AUDIENCE, "iat": now, "nbf": now, "exp": now + 600,
            "org": "partners/of-machines", "roles": ["secretariat"],
            "cnf": { "x5t#S256": URL_SAFE_NO_PAD.encode(self.own) },
        });
        let header = Header { kid: Some("machines".into()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.key).expect("the key signs")
    }
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no addresses");
    // Certificates whose names are those of their issuers are taken for self-signed ones.
    params.distinguished_name.push(DnType::CommonName, format!("authority of {name}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// Makes a folder of one who knows an authority: a new certificate by another one, its key, and what is known. Gives the
/// SHA-256 of the certificate.
fn certify(by: &Authority, folder: &Path, known: &Authority) -> [u8; 32] {
    fs::create_dir_all(folder).expect("a folder can be made");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
    let certificate = params.signed_by(&key, &**by).expect("it is signed");
    for (file, text) in [("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem()), ("ca.pem", known.pem())] {
        fs::write(folder.join(file), text).expect("it can be written");
    }
    Sha256::digest(certificate.der()).into()
}

/// Machines have an issuer of their own, whose tokens are all bound.
fn write_issuer(folder: &Path, key: &EncodingKey) {
    let mut public = Jwk::from_encoding_key(key, Algorithm::EdDSA).expect("an Ed25519 key");
    public.common.key_id = Some("machines".into());
    let keys = serde_json::to_string(&JwkSet { keys: vec![public] }).expect("it is JSON");
    fs::write(folder.join("jwks.json"), keys).expect("it can be written");
    let issuer = format!(
        "[[issuer]]\niss = \"{ISSUER}\"\njwks = \"jwks.json\"\nalgorithms = [\"EdDSA\"]\nbound = true\n\
         organisations = [\"partners/of-machines\"]\nroles = [\"secretariat\"]\n"
    );
    fs::write(folder.join("issuers.toml"), issuer).expect("it can be written");
}

fn log(folder: &Path) -> PathBuf {
    folder.join("service.log")
}

#[tokio::test]
async fn a_client_in_python_shows_its_certificate_and_nobody_else_can_use_its_token() {
    let Some(program) = ready("Python over TLS", "python", &["python3"], &[".venv/bin/python", "flow.py"]).await else {
        return;
    };
    let service = Secure::start().await;
    // The certificate of another machine is taken, but the token is not its own; the others never come so far.
    for (certificates, code) in
        [(Some("other"), "UNAUTHENTICATED"), (Some("strange"), "UNAVAILABLE"), (None, "UNAVAILABLE")]
    {
        let output = service.runs(&program, certificates).await;
        assert!(!output.status.success(), "{certificates:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(&format!("StatusCode.{code}")), "{certificates:?}: {told}");
    }
    let told = steps(&service.runs(&program, Some("own")).await);
    assert_eq!(told["command"], json!({ "position": 1, "etag": "\"1\"", "replayed": false }));
    assert_eq!(told["again"], json!({ "position": 1, "etag": "\"1\"", "replayed": true }));
    let invalid = &told["invalid"];
    assert_eq!((&invalid["code"], &invalid["locale"]), (&json!("INVALID_ARGUMENT"), &json!("fr")));
    let stale = json!({ "code": "ABORTED", "reason": "STALE_VERSION", "etag": "\"2\"", "mended": "\"3\"" });
    assert_eq!(told["stale"], stale);
    assert_eq!(told["limited"]["reason"], "RATE_LIMITED");
    assert_eq!(told["read"]["french"], "Agence pour la coopération");
    assert_eq!((&told["replay"]["last"], &told["replay"]["cuts"]), (&json!(3), &json!(0)), "its own events alone");
}
