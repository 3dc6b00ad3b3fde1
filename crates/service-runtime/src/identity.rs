//! Who calls: a JSON Web Token of one of the issuers that the deployment trusts, verified once and remembered by its
//! hash until it expires or the issuers' keys change.
//!
//! Names of persons go no further than here: what leaves is a pseudonym, the same in every service of a deployment.

use std::{
    fmt::Write as _,
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use contracts::toguna::errors::v1::ErrorReason;
use event_store::Actor;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use tonic::Status;

use crate::{language::Wording, reloaded::Reloaded, status};

mod claims;
mod issuers;

pub use claims::{Claims, Confirmation};
pub(crate) use issuers::Issuers;
use issuers::Remembered;

/// How far the clocks of issuer and service may differ, in seconds.
const SKEW: u64 = 30;
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenProblem {
    /// There is none.
    None,
    /// There are several.
    Several,
    /// It is no signed token at all.
    Malformed,
    /// Its header is not that of a plain signed token.
    Header,
    /// It is signed in another way than its key is for.
    Algorithm,
    /// It names no key, or one that its issuer does not have.
    UnknownKey,
    /// The signature does not hold.
    Signature,
    /// A claim is missing or not as it must be.
    Claims,
    /// It comes from an issuer that is not known here.
    Issuer,
    /// It is meant for another system.
    Audience,
    /// It no longer holds.
    Expired,
    /// It does not hold yet.
    NotYetValid,
    /// It holds for longer than its issuer's tokens may.
    TooLong,
    /// It speaks for an organisation for which its issuer may not speak.
    Organisation,
    /// It carries a role that its issuer may not give.
    Role,
    /// It is bound to a certificate that the caller has not shown.
    Certificate,
    /// It is bound to no certificate, as its issuer's tokens must be.
    Unbound,
}

/// Verifies tokens of the issuers that a file names.
pub struct Verifier {
    issuers: Arc<Reloaded<Issuers>>,
    pseudonym_key: [u8; 32],
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("issuers", &self.issuers.current().names()).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Verifies what the issuers of a file signed for `audience`; persons become pseudonyms under the key of the
    /// deployment. Every problem of the file, and of those that it names, at once.
    pub fn open(issuers: &Path, audience: &str, pseudonym_key: [u8; 32]) -> Result<Self, Vec<String>> {
        let (path, audience) = (issuers.to_owned(), audience.to_owned());
        let issuers = Reloaded::open("issuers", move |files| Issuers::read(files, &path, &audience))?;
        Ok(Self { issuers: Arc::new(issuers), pseudonym_key })
    }

    /// The issuers, to be looked at again while the service runs.
    pub(crate) fn issuers(&self) -> &Arc<Reloaded<Issuers>> {
        &self.issuers
    }

    /// A key for another purpose, the same in every process of the deployment.
    pub(crate) fn key_for(&self, purpose: &str) -> [u8; 32] {
        let mac = Hmac::<Sha256>::new_from_slice(&self.pseudonym_key).expect("HMAC takes keys of any length");
        // No pseudonym is made of a text that begins with a zero byte: issuers have names.
        mac.chain_update([0]).chain_update(purpose).finalize().into_bytes().into()
    }

    /// Who sent a call, by its `authorization` header and the SHA-256 of the certificate that was shown on its
    /// connection; otherwise `UNAUTHENTICATED`.
    pub fn caller(&self, headers: &HeaderMap, shown: Option<[u8; 32]>) -> Result<Actor, Status> {
        bearer(headers)
            .and_then(|token| self.verify(token, shown))
            .map_err(|problem| status::refused(ErrorReason::TokenInvalid).with("problem", problem.wording()).into())
    }

    /// Who holds a token, and has shown this certificate.
    pub fn verify(&self, token: &str, shown: Option<[u8; 32]>) -> Result<Actor, TokenProblem> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenProblem::Malformed);
        }
        let issuers = self.issuers.current();
        let hash: [u8; 32] = Sha256::digest(token).into();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let known = if let Some(known) = issuers.remembered(|tokens| tokens.get(&hash).cloned()) {
            known
        } else {
            let known = self.known(issuers.claims(token, now)?)?;
            issuers.remembered(|tokens| tokens.put(hash, known.clone()));
            known
        };
        if known.expires + SKEW < now {
            return Err(TokenProblem::Expired);
        }
        if known.certificate.is_some() && known.certificate != shown {
            return Err(TokenProblem::Certificate);
        }
        Ok(known.actor)
    }

    fn known(&self, claims: Claims) -> Result<Remembered, TokenProblem> {
        let certificate = claims.cnf.as_ref().map(Confirmation::hash).transpose()?;
        let expires = claims.exp;
        Ok(Remembered { actor: self.actor(claims), expires, certificate })
    }

    fn actor(&self, claims: Claims) -> Actor {
        let mut roles = claims.roles;
        roles.sort();
        roles.dedup();
        let subject = pseudonym(&self.pseudonym_key, &claims.iss, &claims.sub);
        Actor { issuer: claims.iss, subject, organisation: claims.org, roles }
    }
}

impl TokenProblem {
    /// In words that end a sentence.
    pub fn wording(self) -> Wording {
        match self {
            Self::None => ("there is none", "il n’y en a pas"),
            Self::Several => ("there is more than one", "il y en a plus d’un"),
            Self::Malformed => ("it is no signed JSON Web Token", "ce n’est pas un JSON Web Token signé"),
            Self::Header => (
                "its header is not that of a plain signed token",
                "son en-tête n’est pas celui d’un simple jeton signé",
            ),
            Self::Algorithm => ("it is not signed as its key is for", "il n’est pas signé comme le veut sa clé"),
            Self::UnknownKey => ("its key is not known here", "sa clé n’est pas connue ici"),
            Self::Signature => ("its signature does not hold", "sa signature ne tient pas"),
            Self::Claims => ("a claim is missing or malformed", "une mention manque ou est mal formée"),
            Self::Issuer => ("its issuer is not known here", "son émetteur n’est pas connu ici"),
            Self::Audience => ("it is meant for another system", "il est destiné à un autre système"),
            Self::Expired => ("it has expired", "il a expiré"),
            Self::NotYetValid => ("it is not valid yet", "il n’est pas encore valable"),
            Self::TooLong => (
                "it is valid for longer than its issuer’s tokens may be",
                "il est valable plus longtemps que ne le peuvent les jetons de son émetteur",
            ),
            Self::Organisation => (
                "its issuer may not speak for that organisation",
                "son émetteur ne peut pas parler pour cette organisation",
            ),
            Self::Role => {
                ("its issuer may not give one of its roles", "son émetteur ne peut pas donner un de ses rôles")
            }
            Self::Certificate => (
                "it is bound to a certificate that was not shown",
                "il est lié à un certificat qui n’a pas été présenté",
            ),
            Self::Unbound => (
                "it is bound to no certificate, though its issuer’s tokens must be",
                "il n’est lié à aucun certificat, alors que les jetons de son émetteur doivent l’être",
            ),
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

fn bearer(headers: &HeaderMap) -> Result<&str, TokenProblem> {
    let mut headers = headers.get_all("authorization").iter();
    let header = headers.next().ok_or(TokenProblem::None)?;
    if headers.next().is_some() {
        return Err(TokenProblem::Several);
    }
    let text = header.to_str().map_err(|_| TokenProblem::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(TokenProblem::Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenProblem::Malformed) }
}

fn is_role(role: &str) -> bool {
    (1..=63).contains(&role.len()) && role.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests;
