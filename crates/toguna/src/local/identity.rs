//! The identities of a local stack: the key that signs its tokens, the same key as services read it, and the key of
//! the persons' pseudonyms.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet},
};
use rand::RngCore as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    hex, kept,
    people::{Organisations, People, Refused, roles},
    persons::{Persons, Pseudonyms},
    random_hex, write_private,
};

/// Who signs the tokens of a local stack.
pub const ISSUER: &str = "toguna-local";

/// For whom they are meant.
pub const AUDIENCE: &str = "toguna";

/// The local issuer, as services are told of it.
const ISSUERS: &str = r#"# Who signs the tokens of this stack's callers, and what each may say in them. Others can be added here; the services
# look at this file again every few seconds.
[[issuer]]
iss = "toguna-local"
jwks = "jwks.json"
algorithms = ["EdDSA"]
organisations = "all"
roles = "all"
longest_minutes = 1440
"#;

/// How long a token of a person whom an organisation named may hold.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

const PSEUDONYM_KEY: &str = "pseudonym.key";

/// PKCS #8 of an Ed25519 key (RFC 8410) up to the 32 bytes of the key itself.
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// The person, by a name that is the issuer's own affair.
    pub sub: String,
    /// Audience.
    pub aud: String,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Not valid before.
    pub nbf: i64,
    /// Expires.
    pub exp: i64,
    /// The organisation that the person speaks for: a partner's resource name.
    pub org: String,
    /// The roles that the person has there.
    pub roles: Vec<String>,
}

/// The keys of a stack, in files below a folder.
#[derive(Debug)]
pub struct Identity {
    key: EncodingKey,
    key_id: String,
    folder: PathBuf,
    persons: Persons,
}

impl Identity {
    /// The identity kept in `folder`, made where it is not there yet.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = fs::canonicalize(folder)?;
        let file = folder.join("issuer.der");
        if !file.exists() {
            let mut private = PKCS8_ED25519.to_vec();
            private.resize(PKCS8_ED25519.len() + 32, 0);
            rand::rng().fill_bytes(&mut private[PKCS8_ED25519.len()..]);
            write_private(&file, &private)?;
        }
        let private = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let key = EncodingKey::from_ed_der(&private);
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA)
            .with_context(|| format!("{} holds no Ed25519 key", file.display()))?;
        let key_id = hex(&Sha256::digest(serde_json::to_vec(&public.algorithm)?))[..16].to_owned();
        public.common.key_id = Some(key_id.clone());
        let pseudonym_key = kept(&folder.join(PSEUDONYM_KEY), || random_hex(32))?;
        let persons = Persons::open(folder.join("persons"), Pseudonyms::under(&pseudonym_key)?)?;
        let identity = Self { key, key_id, folder, persons };
        replace(&identity.jwks(), &serde_json::to_vec_pretty(&JwkSet { keys: vec![public] })?)?;
        kept(&identity.issuers(), || ISSUERS.to_owned())?;
        Ok(identity)
    }

    /// File that names the issuers of the stack's tokens: ourselves, and whom else somebody wrote into it.
    pub fn issuers(&self) -> PathBuf {
        self.folder.join("issuers.toml")
    }

    /// File of the public key, as a JSON Web Key Set.
    pub fn jwks(&self) -> PathBuf {
        self.folder.join("jwks.json")
    }

    /// File of the key that turns persons into pseudonyms: 32 bytes in hexadecimal.
    pub fn pseudonym_key(&self) -> PathBuf {
        self.folder.join(PSEUDONYM_KEY)
    }

    /// The people whom their organisations named.
    pub fn people(&self) -> People {
        People::at(&self.folder, &self.persons.pseudonyms)
    }

    /// What the operator lets organisations do.
    pub fn organisations(&self) -> Result<Organisations> {
        Organisations::read(&self.folder.join("organisations.toml"))
    }

    /// Begins the operator's file, unless it is there.
    pub fn begin(&self, is_demonstration: bool) -> Result<()> {
        Organisations::begin(&self.folder.join("organisations.toml"), is_demonstration)
    }

    /// The person behind a pseudonym of the logs, where a token was made here for that person, and the person was not
    /// erased since.
    pub fn person(&self, pseudonym: &str) -> Option<String> {
        self.people().name(pseudonym).or_else(|| self.persons.name(pseudonym))
    }

    /// A token for whom a user names. Where the organisation has named its people it is for these alone, for roles that
    /// they have and the operator lets the organisation have, and for a quarter of an hour at most; where it has named
    /// nobody, in a demonstration alone.
    pub fn token_of(
        &self,
        roles: &[&str],
        organisation: &str,
        person: &str,
        valid: SignedDuration,
    ) -> Result<Result<String, Refused>> {
        let (now, bounds) = (Timestamp::now(), self.organisations()?);
        let permit = match self.people().read()?.permit(organisation, person, roles, now) {
            Some(permit) => bounds.allow(organisation, roles.iter().copied()).and(permit),
            None if bounds.anybody => {
                if let Err(refused) = roles.iter().try_for_each(|role| roles::check(role)) {
                    return Ok(Err(refused));
                }
                // Persons of different organisations are different persons, whatever they are called.
                let id = organisation.strip_prefix("partners/").unwrap_or(organisation);
                return self.token(roles, organisation, &format!("{person}@{id}"), valid).map(Ok);
            }
            None => bounds.allow(organisation, []).and(Err(Refused::NobodyNamed)),
        };
        let token = permit.map(|permit| {
            let left = permit.ends.map_or(LONGEST, |ends| ends.duration_since(now));
            self.sign(roles, organisation, &permit.subject, valid.min(LONGEST).min(left))
        });
        token.map_or_else(|refused| Ok(Err(refused)), |signed| signed.map(Ok))
    }

    /// A token for a person of an organisation (`partners/…`) with roles, valid from now.
    pub fn token(&self, roles: &[&str], organisation: &str, person: &str, valid: SignedDuration) -> Result<String> {
        self.persons.enter(person)?;
        self.sign(roles, organisation, person, valid)
    }

    fn sign(&self, roles: &[&str], organisation: &str, subject: &str, valid: SignedDuration) -> Result<String> {
        let now = Timestamp::now();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: subject.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: (now + valid).as_second(),
            org: organisation.to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
        };
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.key).context("the token cannot be signed")
    }
}

/// Writes a file that others read at any time, where it says something else so far: whole or not at all.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|known| known == content) {
        return Ok(());
    }
    let unfinished = path.with_extension(format!("{}.unfinished", std::process::id()));
    fs::write(&unfinished, content)?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests;
