//! A token, read: how it must be signed, and what it must say.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use event_store::StreamName;
use jsonwebtoken::{Header, TokenData, dangerous, errors::ErrorKind};
use serde::{Deserialize, Deserializer, Serialize};

use super::{SKEW, TokenProblem, is_role, issuers::Issuers};
use crate::fields::PARTNERS;

const MAX_SUBJECT_BYTES: usize = 255;
const MAX_ROLES: usize = 32;

/// What a token says. All of it is required but `cnf`; what else it says is not looked at.
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
    /// To whom alone it is of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The certificate without which a token is of no use (RFC 8705, 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// SHA-256 of the certificate in DER, as base64url without padding.
    #[serde(rename = "x5t#S256")]
    pub certificate: String,
}

impl Confirmation {
    pub(super) fn hash(&self) -> Result<[u8; 32], TokenProblem> {
        let hash = URL_SAFE_NO_PAD.decode(&self.certificate).map_err(|_| TokenProblem::Claims)?;
        hash.try_into().map_err(|_| TokenProblem::Claims)
    }
}

impl Issuers {
    /// What a token says that one of the issuers signed, and may sign.
    pub(super) fn claims(&self, token: &str, now: u64) -> Result<Claims, TokenProblem> {
        // An algorithm that is unknown, such as `none`, is no header to the library.
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenProblem::Malformed)?;
        plain(&header)?;
        // Its word alone, until the signature of exactly that issuer was found to hold.
        let Unverified { iss } = dangerous::insecure_decode_claims(token).map_err(|error| problem(error.kind()))?;
        let issuer = self.get(&iss).ok_or(TokenProblem::Issuer)?;
        let key = header.kid.and_then(|kid| issuer.keys.get(&kid)).ok_or(TokenProblem::UnknownKey)?;
        if header.alg != key.algorithm {
            return Err(TokenProblem::Algorithm);
        }
        let TokenData { claims, .. } = jsonwebtoken::decode::<Claims>(token, &key.verifies, &key.validation)
            .map_err(|error| problem(error.kind()))?;
        if claims.iat > now + SKEW {
            return Err(TokenProblem::NotYetValid);
        }
        if claims.exp.saturating_sub(claims.iat) > issuer.longest {
            return Err(TokenProblem::TooLong);
        }
        claims.well_formed()?;
        if issuer.bound && claims.cnf.is_none() {
            return Err(TokenProblem::Unbound);
        }
        if !issuer.organisations.includes(&claims.org) {
            return Err(TokenProblem::Organisation);
        }
        if !claims.roles.iter().all(|role| issuer.roles.includes(role)) {
            return Err(TokenProblem::Role);
        }
        Ok(claims)
    }
}

#[derive(Deserialize)]
struct Unverified {
    iss: String,
}

impl Claims {
    fn well_formed(&self) -> Result<(), TokenProblem> {
        let organisation: StreamName = self.org.parse().map_err(|_| TokenProblem::Claims)?;
        let holds = organisation.category() == PARTNERS
            && (1..=MAX_SUBJECT_BYTES).contains(&self.sub.len())
            && self.roles.len() <= MAX_ROLES
            && self.roles.iter().all(|role| is_role(role));
        if holds { Ok(()) } else { Err(TokenProblem::Claims) }
    }
}

/// Whether a header says how the token is signed and nothing that we would have to follow: no key that it brings along
/// or says where to find, no encryption, no token within, nothing that is critical.
fn plain(header: &Header) -> Result<(), TokenProblem> {
    let kind = header.typ.as_deref().map(str::to_ascii_lowercase);
    let is_token = kind.as_deref().is_none_or(|kind| ["jwt", "at+jwt", "application/at+jwt"].contains(&kind));
    let asks = header.crit.is_some()
        || header.cty.is_some()
        || header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.enc.is_some()
        || header.zip.is_some();
    if is_token && !asks { Ok(()) } else { Err(TokenProblem::Header) }
}

fn problem(error: &ErrorKind) -> TokenProblem {
    match error {
        ErrorKind::InvalidSignature => TokenProblem::Signature,
        ErrorKind::ExpiredSignature => TokenProblem::Expired,
        ErrorKind::ImmatureSignature => TokenProblem::NotYetValid,
        ErrorKind::InvalidIssuer => TokenProblem::Issuer,
        ErrorKind::InvalidAudience => TokenProblem::Audience,
        ErrorKind::InvalidAlgorithm => TokenProblem::Algorithm,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => {
            TokenProblem::Claims
        }
        _ => TokenProblem::Malformed,
    }
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
