use serde_json::json;

use super::*;
use crate::{
    identity::Verifier,
    testing::{ANYTHING, AUDIENCE, Folder, ISSUER, Issuer, PSEUDONYM_KEY},
};

/// What is wrong with a file, without its path.
fn problems(folder: &Folder, text: &str) -> Vec<String> {
    let path = folder.file("issuers.toml", text);
    let problems = Verifier::open(Path::new(&path), AUDIENCE, PSEUDONYM_KEY).map(|_| ()).expect_err("refused");
    let place = folder.0.display().to_string();
    problems.iter().map(|problem| problem.replace(&format!("{place}/"), "")).collect()
}

#[test]
fn every_problem_of_the_file_is_told_at_once() {
    let folder = Folder::new("issuers");
    folder.file("text.json", "text");
    let found = problems(
        &folder,
        r#"
version = 2
[[issuer]]
iss = "https://a.example"
jwks = "text.json"
algorithms = ["EdDSA", "none"]
organisations = ["ml", "partners/eu"]
roles = []
longest_minutes = 100000
bound = "yes"
[[issuer]]
jwks = "nowhere.json"
algorithms = ["ES256"]
organisations = "everybody"
roles = ["Auditor", "observer"]
secret = "x"
"#,
    );
    let expected = [
        "issuer 1 (https://a.example): algorithms: set ",
        "issuer 1 (https://a.example): organisations: [\"ml\"]: set ",
        "issuer 1 (https://a.example): roles: set ",
        "issuer 1 (https://a.example): longest_minutes: set ",
        "issuer 1 (https://a.example): bound: set ",
        "issuer 1 (https://a.example): jwks: text.json is not a JSON Web Key Set",
        "issuer 2: iss: set ",
        "issuer 2: organisations: set ",
        "issuer 2: roles: [\"Auditor\"]: set ",
        "issuer 2: secret: is not known here",
        "issuer 2: jwks: nowhere.json cannot be read: ",
        "version: is not known here",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(&format!("issuers.toml: {expected}")), "{found} instead of {expected}");
    }
}

#[test]
fn a_file_that_names_nobody_or_is_no_toml_is_refused() {
    let folder = Folder::new("nobody");
    for (text, said) in [
        ("", "name each issuer in a table [[issuer]]"),
        ("issuer = []", "name each issuer in a table [[issuer]]"),
        ("issuer = 7", "name each issuer in a table [[issuer]]"),
        ("issuer = [7]", "issuer 1: must be a table"),
        ("[[issuer]]\niss = \"a\"\niss = \"b\"", "line 3"),
        ("\n[[issuer", "line 2"),
    ] {
        let found = problems(&folder, text);
        assert!(found.len() == 1 && found[0].contains(said), "{text:?}: {found:?}");
    }
}

#[test]
fn an_issuer_is_named_once() {
    let folder = Folder::new("twice");
    let issuer = Issuer::new(1);
    let path = folder.issuers(&[(ISSUER, &[&issuer], ANYTHING), (ISSUER, &[&issuer], ANYTHING)]);
    let found = problems(&folder, &std::fs::read_to_string(path).expect("it was written"));
    assert!(found.len() == 1 && found[0].ends_with("is named twice"), "{found:?}");
}

#[test]
fn only_public_keys_for_its_algorithms_verify() {
    let folder = Folder::new("keys");
    let good = serde_json::to_value(&Issuer::new(1).jwk).expect("JSON");
    let of_p256 = serde_json::to_value(&Issuer::of_p256(2).jwk).expect("JSON");
    let changed = |name: &str, value: serde_json::Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    let rsa = json!({"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"});
    let secret = json!({"kty": "oct", "kid": "s", "k": "AAAA"});
    let unknown = json!({"kty": "OKP", "crv": "X448", "kid": "u", "x": "AAAA"});
    let entry = format!("[[issuer]]\niss = \"{ISSUER}\"\njwks = \"keys.json\"\n{ANYTHING}\n");
    let none = "holds no key for [EdDSA]";
    for (keys, problem) in [
        (json!({}), "is not a JSON Web Key Set"),
        (json!({"keys": []}), none),
        (json!({"keys": [rsa]}), none),
        (json!({"keys": [secret]}), none),
        (json!({"keys": [unknown]}), none),
        (json!({"keys": [of_p256]}), none),
        (json!({"keys": [changed("use", json!("enc"))]}), none),
        (json!({"keys": [changed("alg", json!("HS256"))]}), none),
        (json!({"keys": [changed("kid", serde_json::Value::Null)]}), "without a `kid` of its own"),
        (json!({"keys": [changed("kid", json!(""))]}), "without a `kid` of its own"),
        (json!({"keys": [good, good]}), "without a `kid` of its own"),
        (json!({"keys": [changed("x", json!("AAAA"))]}), "a key that is none for EdDSA"),
        (json!({"keys": [changed("x", json!("!"))]}), "a key that is none for EdDSA"),
    ] {
        folder.file("keys.json", &keys.to_string());
        let found = problems(&folder, &entry);
        assert!(found.len() == 1 && found[0].contains(problem), "{keys}: {found:?}");
    }
    folder.file("keys.json", &json!({"keys": [rsa, secret, unknown, of_p256, good]}).to_string());
    let path = folder.file("issuers.toml", &entry);
    let verifier = Verifier::open(Path::new(&path), AUDIENCE, PSEUDONYM_KEY).expect("one of them is good");
    assert_eq!(verifier.issuers().current().names(), BTreeSet::from([format!("{ISSUER} key-1")]));
}

#[test]
fn a_key_of_rsa_verifies_in_the_one_way_that_it_or_its_issuer_says_and_is_long_enough() {
    let folder = Folder::new("rsa");
    let jwk = serde_json::to_value(&Issuer::of_rsa(1, Algorithm::RS256).jwk).expect("JSON");
    let key = |alg: Option<&str>| {
        let mut key = jwk.clone();
        key["alg"] = json!(alg);
        key
    };
    let short = json!({"kty": "RSA", "kid": "s", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 255])});
    let padded = json!({"kty": "RSA", "kid": "p", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([[0; 8], [1; 8]].concat())});
    let long = json!({"kty": "RSA", "kid": "l", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 1025])});
    let opened = |algorithms: &str, key: &serde_json::Value| {
        folder.file("keys.json", &json!({"keys": [key]}).to_string());
        let rest = ANYTHING.replace("\"EdDSA\"", algorithms);
        let path = folder.file("issuers.toml", &format!("[[issuer]]\niss = \"a\"\njwks = \"keys.json\"\n{rest}\n"));
        Verifier::open(Path::new(&path), AUDIENCE, PSEUDONYM_KEY).map(|_| ()).map_err(|problems| problems.join("; "))
    };
    let (rs256, both) = ("\"RS256\"", "\"RS256\", \"PS256\"");
    for (algorithms, key) in [(rs256, key(None)), (rs256, key(Some("RS256"))), (both, key(Some("PS256")))] {
        assert_eq!(opened(algorithms, &key), Ok(()), "{algorithms} {key}");
    }
    for (algorithms, key, problem) in [
        (both, key(None), "holds no key for [RS256, PS256]"),
        (rs256, key(Some("PS256")), "holds no key for [RS256]"),
        (rs256, key(Some("RS512")), "holds no key for [RS256]"),
        (rs256, key(Some("RSA-OAEP")), "holds no key for [RS256]"),
        (rs256, short, "a key that is none for RS256"),
        (rs256, padded, "a key that is none for RS256"),
        (rs256, long, "a key that is none for RS256"),
    ] {
        assert!(opened(algorithms, &key).is_err_and(|found| found.contains(problem)), "{algorithms} {key}");
    }
}
