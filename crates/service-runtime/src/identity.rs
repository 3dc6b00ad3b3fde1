//! Who calls: a JSON Web Token signed with Ed25519, verified once and remembered by its hash until it expires.
//!
//! Names of persons go no further than here: what leaves is a pseudonym, the same in every service of a deployment.

use std::{
    collections::HashMap,
    fmt::Write as _,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use contracts::toguna::errors::v1::ErrorReason;
use event_store::{Actor, StreamName};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{
    Algorithm, DecodingKey, TokenData, Validation,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet},
};
use lru::LruCache;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};
use tonic::{Status, metadata::MetadataMap};

use crate::{fields::PARTNERS, language::Wording, status};

/// How far the clocks of issuer and service may differ, in seconds.
const SKEW: u64 = 30;
const MAX_TOKEN_BYTES: usize = 8 * 1024;
const MAX_REMEMBERED: usize = 4096;
const MAX_SUBJECT_BYTES: usize = 255;
const MAX_ROLES: usize = 32;

/// What a token says. All of it is required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// The person or machine, by the issuer's own name for it.
    pub sub: String,
    /// For which systems; one text where it is one.
    #[serde(deserialize_with = "one_or_several")]
    pub aud: Vec<String>,
    /// Seconds since 1970 from which on it no longer holds.
    pub exp: u64,
    /// Seconds since 1970 before which it does not hold yet.
    pub nbf: u64,
    /// Seconds since 1970 at which it was issued.
    pub iat: u64,
    /// The organisation that it speaks for: a partner's resource name.
    pub org: String,
    /// What its holder may do there.
    pub roles: Vec<String>,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenProblem {
    /// There is none.
    None,
    /// It is no signed token at all.
    Malformed,
    /// It is signed in another way than with Ed25519.
    Algorithm,
    /// It names no key, or one that is not known here.
    UnknownKey,
    /// The signature does not hold.
    Signature,
    /// A claim is missing or not as it must be.
    Claims,
    /// It comes from another issuer.
    Issuer,
    /// It is meant for another system.
    Audience,
    /// It no longer holds.
    Expired,
    /// It does not hold yet.
    NotYetValid,
}

/// Why callers cannot be verified with these keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// Not a JWKS.
    #[error("is not a JSON Web Key Set")]
    Malformed,
    /// There are none.
    #[error("holds no key")]
    Empty,
    /// A key of another kind.
    #[error("holds a key that is not a public Ed25519 key of 32 bytes with a `kid` of its own")]
    NotEd25519,
}

/// Verifies tokens of one issuer.
pub struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
    pseudonym_key: [u8; 32],
    remembered: Mutex<LruCache<[u8; 32], Remembered>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut keys: Vec<_> = self.keys.keys().collect();
        keys.sort();
        f.debug_struct("Verifier").field("keys", &keys).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Remembered {
    actor: Actor,
    expires: u64,
}

impl Verifier {
    /// Verifies with the keys of a JWKS what `issuer` issued for `audience`; persons become pseudonyms under the key
    /// of the deployment.
    pub fn new(jwks: &str, issuer: &str, audience: &str, pseudonym_key: [u8; 32]) -> Result<Self, InvalidKeys> {
        let set: JwkSet = serde_json::from_str(jwks).map_err(|_| InvalidKeys::Malformed)?;
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            let (kid, key) = ed25519(jwk).ok_or(InvalidKeys::NotEd25519)?;
            if keys.insert(kid, key).is_some() {
                return Err(InvalidKeys::NotEd25519);
            }
        }
        if keys.is_empty() {
            return Err(InvalidKeys::Empty);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = SKEW;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "sub", "aud"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        let remembered = LruCache::new(NonZeroUsize::new(MAX_REMEMBERED).expect("some are remembered"));
        Ok(Self { keys, validation, pseudonym_key, remembered: Mutex::new(remembered) })
    }

    /// Who sent a call, by its `authorization` metadata; otherwise `UNAUTHENTICATED`.
    pub fn caller(&self, metadata: &MetadataMap) -> Result<Actor, Status> {
        bearer(metadata)
            .and_then(|token| self.verify(token))
            .map_err(|problem| status::refused(ErrorReason::TokenInvalid).with("problem", problem.wording()).into())
    }

    /// Who holds a token.
    pub fn verify(&self, token: &str) -> Result<Actor, TokenProblem> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenProblem::Malformed);
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        if let Some(known) = self.remembered(|tokens| tokens.get(&hash).cloned()) {
            return if known.expires + SKEW >= now { Ok(known.actor) } else { Err(TokenProblem::Expired) };
        }
        let claims = self.decode(token)?;
        if claims.iat > now + SKEW {
            return Err(TokenProblem::NotYetValid);
        }
        let expires = claims.exp;
        let actor = self.actor(claims)?;
        self.remembered(|tokens| tokens.put(hash, Remembered { actor: actor.clone(), expires }));
        Ok(actor)
    }

    fn decode(&self, token: &str) -> Result<Claims, TokenProblem> {
        // An algorithm that is unknown, such as `none`, is no header to the library.
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenProblem::Malformed)?;
        if header.alg != Algorithm::EdDSA {
            return Err(TokenProblem::Algorithm);
        }
        if header.crit.is_some() {
            return Err(TokenProblem::Malformed);
        }
        let key = header.kid.and_then(|kid| self.keys.get(&kid)).ok_or(TokenProblem::UnknownKey)?;
        match jsonwebtoken::decode(token, key, &self.validation) {
            Ok(TokenData { claims, .. }) => Ok(claims),
            Err(error) => Err(match error.kind() {
                ErrorKind::InvalidSignature => TokenProblem::Signature,
                ErrorKind::ExpiredSignature => TokenProblem::Expired,
                ErrorKind::ImmatureSignature => TokenProblem::NotYetValid,
                ErrorKind::InvalidIssuer => TokenProblem::Issuer,
                ErrorKind::InvalidAudience => TokenProblem::Audience,
                ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => {
                    TokenProblem::Claims
                }
                _ => TokenProblem::Malformed,
            }),
        }
    }

    fn actor(&self, claims: Claims) -> Result<Actor, TokenProblem> {
        let organisation: StreamName = claims.org.parse().map_err(|_| TokenProblem::Claims)?;
        let subject_ok = (1..=MAX_SUBJECT_BYTES).contains(&claims.sub.len());
        if organisation.category() != PARTNERS || !subject_ok || !claims.roles.iter().all(|role| is_role(role)) {
            return Err(TokenProblem::Claims);
        }
        let mut roles = claims.roles;
        roles.sort();
        roles.dedup();
        if roles.len() > MAX_ROLES {
            return Err(TokenProblem::Claims);
        }
        let subject = pseudonym(&self.pseudonym_key, &claims.iss, &claims.sub);
        Ok(Actor { issuer: claims.iss, subject, organisation: claims.org, roles })
    }

    fn remembered<T>(&self, f: impl FnOnce(&mut LruCache<[u8; 32], Remembered>) -> T) -> T {
        f(&mut self.remembered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TokenProblem {
    /// In words that end a sentence.
    pub fn wording(self) -> Wording {
        match self {
            Self::None => ("there is none", "il n’y en a pas"),
            Self::Malformed => ("it is no signed JSON Web Token", "ce n’est pas un JSON Web Token signé"),
            Self::Algorithm => ("it is not signed with EdDSA", "il n’est pas signé avec EdDSA"),
            Self::UnknownKey => ("its key is not known here", "sa clé n’est pas connue ici"),
            Self::Signature => ("its signature does not hold", "sa signature ne tient pas"),
            Self::Claims => ("a claim is missing or malformed", "une mention manque ou est mal formée"),
            Self::Issuer => ("it comes from another issuer", "il vient d’un autre émetteur"),
            Self::Audience => ("it is meant for another system", "il est destiné à un autre système"),
            Self::Expired => ("it has expired", "il a expiré"),
            Self::NotYetValid => ("it is not valid yet", "il n’est pas encore valable"),
        }
        .into()
    }
}

/// The pseudonym of a person: the same wherever issuer, subject and the deployment's key are the same.
pub fn pseudonym(key: &[u8; 32], issuer: &str, subject: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(issuer.as_bytes());
    mac.update(&[0]);
    mac.update(subject.as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn bearer(metadata: &MetadataMap) -> Result<&str, TokenProblem> {
    let header = metadata.get("authorization").ok_or(TokenProblem::None)?;
    let text = header.to_str().map_err(|_| TokenProblem::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(TokenProblem::Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenProblem::Malformed) }
}

fn ed25519(jwk: &Jwk) -> Option<(String, DecodingKey)> {
    let AlgorithmParameters::OctetKeyPair(parameters) = &jwk.algorithm else { return None };
    let kid = jwk.common.key_id.clone().filter(|kid| !kid.is_empty())?;
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let public = key.try_get_as_bytes().is_ok_and(|bytes| bytes.len() == 32);
    (parameters.curve == EllipticCurve::Ed25519 && public).then_some((kid, key))
}

fn is_role(role: &str) -> bool {
    (1..=63).contains(&role.len()) && role.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'))
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrSeveral {
        One(String),
        Several(Vec<String>),
    }
    Ok(match OneOrSeveral::deserialize(deserializer)? {
        OneOrSeveral::One(one) => vec![one],
        OneOrSeveral::Several(several) => several,
    })
}

#[cfg(test)]
mod tests;
