//! Whose tokens a running service takes, and what it does when that changes.

use std::{
    collections::HashMap,
    env, fs,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet},
};
use serde_json::{Value, json};
use service_runtime::LogReaders;
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_types::StatusExt as _;

use crate::notes::{Service, environment, note, reason, unique_name, with_token};

const NAME: &str = "https://id.ministry.example";

/// A ministry that signs the tokens of its own people.
pub struct Ministry {
    pub folder: PathBuf,
    key: EncodingKey,
    public: Jwk,
}

impl Drop for Ministry {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Ministry {
    pub fn new() -> Self {
        let folder = env::temp_dir().join(format!("toguna-ministry-{}", unique_name()));
        fs::create_dir(&folder).expect("a folder can be made");
        let (key, public) = key_pair(1);
        let ministry = Self { folder, key, public };
        ministry.publish(&json!({"keys": [ministry.public]}));
        let entry = format!(
            "[[issuer]]\niss = \"{NAME}\"\njwks = \"jwks.json\"\nalgorithms = [\"EdDSA\"]\n\
             organisations = [\"partners/mli\"]\nroles = [\"focal_point\"]\nlongest_minutes = 10\n"
        );
        fs::write(ministry.folder.join("issuers.toml"), entry).expect("it can be written");
        ministry
    }

    fn publish(&self, keys: &Value) {
        self.write(&keys.to_string());
    }

    fn write(&self, text: &str) {
        let unfinished = self.folder.join("unfinished");
        fs::write(&unfinished, text).expect("it can be written");
        fs::rename(unfinished, self.folder.join("jwks.json")).expect("it can be moved");
    }

    pub async fn environment(&self) -> HashMap<&'static str, String> {
        let mut environment = environment().await;
        environment.insert("TOGUNA_ISSUERS", self.folder.join("issuers.toml").display().to_string());
        environment
    }

    pub fn token(&self, change: impl FnOnce(&mut Header, &mut Value)) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let mut header = Header { kid: self.public.common.key_id.clone(), ..Header::new(Algorithm::EdDSA) };
        let mut claims = json!({
            "iss": NAME, "sub": "aminata", "aud": harness::AUDIENCE, "exp": now + 300, "nbf": now, "iat": now,
            "org": "partners/mli", "roles": ["focal_point"],
        });
        change(&mut header, &mut claims);
        jsonwebtoken::encode(&header, &claims, &self.key).expect("the key signs")
    }
}

/// As tokens write bytes.
pub fn base64url(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
}

fn key_pair(number: u8) -> (EncodingKey, Jwk) {
    // PKCS #8 of an Ed25519 key (RFC 8410) up to the 32 bytes of the key itself.
    let prefix = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    let key = EncodingKey::from_ed_der(&[prefix.as_slice(), &[number; 32]].concat());
    let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA).expect("an Ed25519 key");
    public.common.key_id = Some(format!("{number}"));
    (key, public)
}

async fn noted(service: &mut Service, token: &str) -> Result<(), (Code, String)> {
    let answer = service.notes.propose_correction(with_token(token, note(7))).await;
    answer.map(|_| ()).map_err(|status| (status.code(), reason(&status)))
}

/// Asks again and again until the answer is this one.
async fn until(service: &mut Service, token: &str, expected: Result<(), (Code, String)>) {
    let started = Instant::now();
    while noted(service, token).await != expected {
        assert!(started.elapsed() < Duration::from_secs(15), "the change was not seen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn refused() -> Result<(), (Code, String)> {
    Err((Code::Unauthenticated, "TOKEN_INVALID".into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_tokens_are_unauthenticated_on_the_wire() {
    let ministry = Ministry::new();
    let mut service = Service::start_in(unique_name(), &ministry.environment().await, LogReaders::Partners).await;
    let good = ministry.token(|_, _| {});
    assert_eq!(noted(&mut service, &good).await, Ok(()));
    let (message, signature) = good.rsplit_once('.').expect("it has parts");
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let (stranger, _) = key_pair(9);
    let header = Header { kid: Some("1".into()), ..Header::new(Algorithm::EdDSA) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let hostile = [
        ("garbage", "garbage".to_owned()),
        ("no signature", format!("{message}.")),
        ("a byte changed", format!("{message}.{other}{}", &signature[1..])),
        ("more parts", format!("{good}.{good}")),
        ("padding", format!("{good}==")),
        ("a stranger's key", jsonwebtoken::encode(&header, &json!({"iss": NAME}), &stranger).expect("it signs")),
        ("an unknown key", ministry.token(|header, _| header.kid = Some("2".into()))),
        ("no key", ministry.token(|header, _| header.kid = None)),
        ("another kind of token", ministry.token(|header, _| header.typ = Some("logout+jwt".into()))),
        ("a key of its own", ministry.token(|header, _| header.jwk = Some(ministry.public.clone()))),
        ("a place for keys", ministry.token(|header, _| header.jku = Some("http://127.0.0.1/keys".into()))),
        ("a critical header", ministry.token(|header, _| header.crit = Some(vec!["exp".into()]))),
        ("expired", ministry.token(|_, claims| claims["exp"] = json!(now - 60))),
        ("not yet valid", ministry.token(|_, claims| claims["nbf"] = json!(now + 60))),
        ("from the future", ministry.token(|_, claims| claims["iat"] = json!(now + 60))),
        ("for an hour", ministry.token(|_, claims| claims["exp"] = json!(now + 3600))),
        ("for ever", ministry.token(|_, claims| claims["exp"] = json!(u64::MAX))),
        ("for another system", ministry.token(|_, claims| claims["aud"] = json!("elsewhere"))),
        ("of another issuer", ministry.token(|_, claims| claims["iss"] = json!(harness::ISSUER))),
        ("for another organisation", ministry.token(|_, claims| claims["org"] = json!("partners/fra"))),
        ("with another role", ministry.token(|_, claims| claims["roles"] = json!(["auditor"]))),
        ("bound to a certificate", ministry.token(|_, claims| claims["cnf"] = json!({"x5t#S256": "A".repeat(43)}))),
        ("of the issuer of other services", harness::token("focal_point", "partners/mli", "aminata")),
    ];
    for (what, token) in hostile {
        assert_eq!(noted(&mut service, &token).await, refused(), "{what}");
    }
    let twice = |request: Request<_>| {
        let mut request = request;
        request.metadata_mut().append("authorization", format!("Bearer {good}").parse().expect("ASCII"));
        request
    };
    let status = service.notes.propose_correction(twice(with_token(&good, note(7)))).await.expect_err("two tokens");
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(noted(&mut service, &good).await, Ok(()), "and nobody else suffers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_explained_in_the_callers_language() {
    let ministry = Ministry::new();
    let mut service = Service::start_in(unique_name(), &ministry.environment().await, LogReaders::Partners).await;
    let token = ministry.token(|_, claims| claims["org"] = json!("partners/fra"));
    for (language, said) in [
        ("en", "Send a valid token in the `authorization` metadata: its issuer may not speak for that organisation."),
        ("fr", "son émetteur ne peut pas parler pour cette organisation."),
    ] {
        let mut request = with_token(&token, note(7));
        request.metadata_mut().insert("accept-language", language.parse().expect("ASCII"));
        let status = service.notes.propose_correction(request).await.expect_err("refused");
        let message = status.get_details_localized_message().expect("in the caller's language").message;
        assert!(message.ends_with(said), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_exchanged_while_the_service_runs_and_a_broken_file_changes_nothing() {
    let mut ministry = Ministry::new();
    let mut service = Service::start_in(unique_name(), &ministry.environment().await, LogReaders::Partners).await;
    let old = ministry.token(|_, _| {});
    assert_eq!(noted(&mut service, &old).await, Ok(()));
    let old_public = ministry.public.clone();
    (ministry.key, ministry.public) = key_pair(2);
    let new = ministry.token(|_, _| {});
    assert_eq!(noted(&mut service, &new).await, refused(), "its key is not known yet");

    ministry.publish(&json!(JwkSet { keys: vec![old_public, ministry.public.clone()] }));
    until(&mut service, &new, Ok(())).await;
    assert_eq!(noted(&mut service, &old).await, Ok(()), "both keys hold");

    let channel = tonic::transport::Channel::from_shared(format!("http://{}", service.address)).expect("an address");
    let mut health = HealthClient::new(channel.connect().await.expect("it listens"));
    let mut is_well = async |service: &str| {
        let request = HealthCheckRequest { service: service.into() };
        health.check(request).await.expect("it is known").into_inner().status() == ServingStatus::Serving
    };
    assert!(is_well("issuers").await);
    ministry.write("{\"keys\": [");
    let started = Instant::now();
    while is_well("issuers").await {
        assert!(started.elapsed() < Duration::from_secs(15), "nobody is told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_well("").await, "the service is as well as before");
    assert_eq!((noted(&mut service, &old).await, noted(&mut service, &new).await), (Ok(()), Ok(())));

    ministry.publish(&json!({"keys": [ministry.public]}));
    until(&mut service, &old, refused()).await;
    assert_eq!(noted(&mut service, &new).await, Ok(()));
    assert!(is_well("issuers").await);
}
