//! Who may sign tokens, and what each may say in them: one file that names the issuers, and a JWKS for each.

use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroUsize,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use event_store::{Actor, StreamName};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use lru::LruCache;
use toml::{Table, Value};

use super::{SKEW, is_role};
use crate::{fields::PARTNERS, reloaded::Files};

const MAX_REMEMBERED: usize = 4096;
/// How long a token may hold in all, in minutes, where its issuer's entry says nothing, and at most.
const LONGEST_MINUTES: u64 = 60;
const MOST_MINUTES: u64 = 24 * 60;
/// How long the modulus of a key of RSA may be: what the library verifies with.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// The issuers, and the tokens that were verified with their keys. Others of these come with an empty memory, so that a
/// token is never remembered longer than the key that it was signed with is known.
pub(crate) struct Issuers {
    known: HashMap<String, Issuer>,
    remembered: Mutex<LruCache<[u8; 32], Remembered>>,
}

/// One who signs tokens.
pub(super) struct Issuer {
    pub keys: HashMap<String, Key>,
    pub organisations: Assertable,
    pub roles: Assertable,
    /// How long its tokens may hold in all, in seconds.
    pub longest: u64,
    /// Whether each of its tokens must be bound to a certificate.
    pub bound: bool,
}

/// A public key, which verifies in one way only.
pub(super) struct Key {
    pub verifies: DecodingKey,
    pub algorithm: Algorithm,
    pub validation: Validation,
}

/// What an issuer may say of its tokens' holders.
pub(super) enum Assertable {
    All,
    Only(BTreeSet<String>),
}

/// A token that was verified.
#[derive(Clone)]
pub(super) struct Remembered {
    pub actor: Actor,
    pub expires: u64,
    /// Without which the token is of no use.
    pub certificate: Option<[u8; 32]>,
}

impl Assertable {
    pub fn includes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

impl Issuers {
    /// Reads the file and those that it names, whose paths are seen from its folder. Every problem at once.
    pub fn read(files: &mut Files, path: &Path, audience: &str) -> Result<Self, Vec<String>> {
        let text = files.text(path).map_err(|problem| vec![problem])?;
        let mut table: Table = text.parse().map_err(|error| vec![syntax(path, &text, &error)])?;
        let place = path.display().to_string();
        let mut reading = Reading { files, path, audience, problems: Vec::new(), known: HashMap::new() };
        match table.remove("issuer") {
            Some(Value::Array(entries)) if !entries.is_empty() => {
                for (index, entry) in entries.into_iter().enumerate() {
                    reading.issuer(&format!("{place}: issuer {}", index + 1), entry);
                }
            }
            _ => reading.problems.push(format!("{place}: name each issuer in a table [[issuer]]")),
        }
        reading.nothing_else(&place, &table);
        if reading.problems.is_empty() { Ok(Self::new(reading.known)) } else { Err(reading.problems) }
    }

    fn new(known: HashMap<String, Issuer>) -> Self {
        let remembered = LruCache::new(NonZeroUsize::new(MAX_REMEMBERED).expect("some are remembered"));
        Self { known, remembered: Mutex::new(remembered) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Issuer> {
        self.known.get(name)
    }

    /// Names of the issuers and of their keys.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let names = |(name, issuer): (&String, &Issuer)| {
            let name = name.clone();
            issuer.keys.keys().map(|kid| format!("{name} {kid}")).collect::<Vec<_>>()
        };
        self.known.iter().flat_map(names).collect()
    }

    pub(super) fn remembered<T>(&self, f: impl FnOnce(&mut LruCache<[u8; 32], Remembered>) -> T) -> T {
        f(&mut self.remembered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Reading<'a> {
    files: &'a mut Files,
    path: &'a Path,
    audience: &'a str,
    problems: Vec<String>,
    known: HashMap<String, Issuer>,
}

impl Reading<'_> {
    fn issuer(&mut self, at: &str, entry: Value) {
        let Value::Table(mut entry) = entry else {
            return self.problems.push(format!("{at}: must be a table"));
        };
        let name = match entry.remove("iss") {
            Some(Value::String(name)) if !name.is_empty() => Some(name),
            _ => self.problem(at, "iss: set the `iss` of its tokens"),
        };
        let at = &name.as_ref().map_or_else(|| at.to_owned(), |name| format!("{at} ({name})"));
        let algorithms = self.algorithms(at, entry.remove("algorithms"));
        let jwks = match entry.remove("jwks") {
            Some(Value::String(file)) if !file.is_empty() => Some(PathBuf::from(file)),
            _ => self.problem(at, "jwks: set the path of its JWKS file, from the folder of this file or from the root"),
        };
        let organisations = self.assertable(at, "organisations", entry.remove("organisations"), is_partner);
        let roles = self.assertable(at, "roles", entry.remove("roles"), is_role);
        let longest = match entry.remove("longest_minutes").map_or(Some(LONGEST_MINUTES), |value| minutes(&value)) {
            Some(minutes) => Some(minutes * 60),
            None => self.problem(at, &format!("longest_minutes: set a number of minutes, at most {MOST_MINUTES}")),
        };
        let bound = match entry.remove("bound").unwrap_or(Value::Boolean(false)) {
            Value::Boolean(bound) => Some(bound),
            _ => {
                self.problem(at, "bound: set true where each of its tokens must be bound to a certificate, else false")
            }
        };
        self.nothing_else(at, &entry);
        // The keys are looked at even if something else is wrong: all problems at once.
        let keys = jwks.and_then(|file| self.keys(at, &file, &algorithms, name.as_deref().unwrap_or_default()));
        let (Some(name), Some(keys), Some(organisations), Some(roles), Some(longest), Some(bound)) =
            (name, keys, organisations, roles, longest, bound)
        else {
            return;
        };
        if self.known.insert(name, Issuer { keys, organisations, roles, longest, bound }).is_some() {
            self.problems.push(format!("{at}: is named twice"));
        }
    }

    fn problem<T>(&mut self, at: &str, problem: &str) -> Option<T> {
        self.problems.push(format!("{at}: {problem}"));
        None
    }

    fn algorithms(&mut self, at: &str, value: Option<Value>) -> Vec<Algorithm> {
        let algorithm = |name: String| match name.as_str() {
            "EdDSA" => Some(Algorithm::EdDSA),
            "ES256" => Some(Algorithm::ES256),
            "RS256" => Some(Algorithm::RS256),
            "PS256" => Some(Algorithm::PS256),
            _ => None,
        };
        let named: Option<Vec<_>> = texts(value).and_then(|names| names.into_iter().map(algorithm).collect());
        named.filter(|named| !named.is_empty()).unwrap_or_else(|| {
            self.problems.push(format!("{at}: algorithms: set some of \"EdDSA\", \"ES256\", \"RS256\", \"PS256\""));
            Vec::new()
        })
    }

    fn assertable(
        &mut self,
        at: &str,
        name: &str,
        value: Option<Value>,
        is_name: impl Fn(&str) -> bool,
    ) -> Option<Assertable> {
        if value == Some(Value::String("all".into())) {
            return Some(Assertable::All);
        }
        let example = if name == "roles" { "focal_point" } else { "partners/ml-mmeia" };
        let Some(names) = texts(value).filter(|names| !names.is_empty()) else {
            return self.problem(at, &format!("{name}: set \"all\", or those it may assert: [\"{example}\"]"));
        };
        let wrong: Vec<_> = names.iter().filter(|name| !is_name(name)).collect();
        if !wrong.is_empty() {
            return self.problem(at, &format!("{name}: {wrong:?}: set names such as \"{example}\""));
        }
        Some(Assertable::Only(names.into_iter().collect()))
    }

    fn nothing_else(&mut self, at: &str, rest: &Table) {
        self.problems.extend(rest.keys().map(|name| format!("{at}: {name}: is not known here")));
    }

    /// The keys for these algorithms, by `kid`. Others in the set are not for us.
    fn keys(&mut self, at: &str, file: &Path, algorithms: &[Algorithm], issuer: &str) -> Option<HashMap<String, Key>> {
        let path = self.path.parent().unwrap_or(Path::new("")).join(file);
        let set = match self.files.read(&path) {
            Ok(set) => set,
            Err(problem) => return self.problem(at, &format!("jwks: {problem}")),
        };
        let path = path.display();
        let Ok(set) = serde_json::from_slice::<JwkSet>(&set) else {
            return self.problem(at, &format!("jwks: {path} is not a JSON Web Key Set"));
        };
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            let Some(algorithm) = algorithm_of(jwk, algorithms) else { continue };
            let Some(key) = public_key(jwk) else {
                return self.problem(at, &format!("jwks: {path} holds a key that is none for {algorithm:?}"));
            };
            let validation = validation(algorithm, issuer, self.audience);
            let kid = jwk.common.key_id.clone().unwrap_or_default();
            if kid.is_empty() || keys.insert(kid, Key { verifies: key, algorithm, validation }).is_some() {
                return self.problem(at, &format!("jwks: {path} holds a key without a `kid` of its own"));
            }
        }
        if keys.is_empty() && !algorithms.is_empty() {
            return self.problem(at, &format!("jwks: {path} holds no key for {algorithms:?}"));
        }
        Some(keys)
    }
}

/// The one of an issuer's algorithms that a key is for, where it is one to verify signatures with. A key of RSA, which
/// would do for two, says for which, or the issuer has only one of them.
fn algorithm_of(jwk: &Jwk, algorithms: &[Algorithm]) -> Option<Algorithm> {
    let could: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
        _ => return None,
    };
    let said = |algorithm| jwk.common.key_algorithm.is_none_or(|said| said == KeyAlgorithm::from(algorithm));
    let mut is = could.iter().copied().filter(|it| algorithms.contains(it) && said(*it));
    let (first, second) = (is.next(), is.next());
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|is| *is == PublicKeyUse::Signature);
    first.filter(|_| second.is_none() && signs)
}

fn public_key(jwk: &Jwk) -> Option<DecodingKey> {
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let bytes = |length: usize| key.try_get_as_bytes().is_ok_and(|bytes| bytes.len() == length);
    let is_whole = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => modulus_bits(&key.n).is_some_and(|bits| RSA_BITS.contains(&bits)),
        AlgorithmParameters::OctetKeyPair(_) => bytes(32),
        // A point of P-256 is written uncompressed: a byte that says so, and two coordinates.
        _ => bytes(65),
    };
    is_whole.then_some(key)
}

fn modulus_bits(text: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some((bytes.len() - first) * 8 - bytes[first].leading_zeros() as usize)
}

fn validation(algorithm: Algorithm, issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = SKEW;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "sub", "aud"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation
}

fn texts(value: Option<Value>) -> Option<Vec<String>> {
    let Value::Array(values) = value? else { return None };
    let text = |value| if let Value::String(text) = value { Some(text) } else { None };
    values.into_iter().map(text).collect()
}

fn minutes(value: &Value) -> Option<u64> {
    let minutes = u64::try_from(value.as_integer()?).ok()?;
    (1..=MOST_MINUTES).contains(&minutes).then_some(minutes)
}

fn is_partner(name: &str) -> bool {
    name.parse::<StreamName>().is_ok_and(|name| name.category() == PARTNERS)
}

fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    format!("{}, line {line}: {}", path.display(), error.message())
}

#[cfg(test)]
mod tests;
