use serde_json::{Value, json};

use super::*;
use crate::testing::{AUDIENCE, ISSUER, Issuer, PSEUDONYM_KEY, claims, now};

#[test]
fn a_good_token_names_its_holder_by_a_pseudonym() {
    let issuer = Issuer::new(1);
    let actor = issuer.verifier().verify(&issuer.sign(&claims())).expect("it holds");
    assert_eq!(actor.issuer, ISSUER);
    assert_eq!(actor.organisation, "partners/mli");
    assert_eq!(actor.roles, ["contributor", "focal_point"], "sorted");
    assert_eq!(actor.subject, pseudonym(&PSEUDONYM_KEY, ISSUER, "aminata"));
    assert!(!actor.subject.contains("aminata"));
}

#[test]
fn a_pseudonym_is_the_hmac_of_issuer_and_subject() {
    // From another implementation: Python's hmac.new(bytes([7] * 32), b"https://id.example\0aminata", "sha256").
    let expected = "2d768729bd47f7a4e9a5968defdb2999b68e910b5c468c25ccb5415c11c0f65d";
    assert_eq!(pseudonym(&[7; 32], "https://id.example", "aminata"), expected);
    assert_ne!(pseudonym(&[7; 32], "https://id.exampl", "eaminata"), expected, "the two are kept apart");
}

/// Claims with one of them changed, or taken away.
fn with(name: &str, value: Option<Value>) -> Value {
    let mut claims = claims();
    let object = claims.as_object_mut().expect("claims are an object");
    match value {
        Some(value) => object.insert(name.into(), value),
        None => object.remove(name),
    };
    claims
}

#[test]
fn hostile_claims_are_refused() {
    let issuer = Issuer::new(1);
    let verifier = issuer.verifier();
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "org", "roles"] {
        let token = issuer.sign(&with(name, None));
        assert_eq!(verifier.verify(&token), Err(TokenProblem::Claims), "without {name}");
        let token = issuer.sign(&with(name, Some(Value::Null)));
        assert_eq!(verifier.verify(&token), Err(TokenProblem::Claims), "{name}: null");
    }
    let many: Vec<_> =
        (0..40u8).map(|n| format!("role_{}", char::from(b'a' + n % 26)).repeat(usize::from(n % 3 + 1))).collect();
    for (name, value, problem) in [
        ("iss", json!("https://other.example"), TokenProblem::Issuer),
        ("iss", json!([ISSUER, "https://other.example"]), TokenProblem::Claims),
        ("aud", json!("another"), TokenProblem::Audience),
        ("aud", json!([]), TokenProblem::Audience),
        ("aud", json!(7), TokenProblem::Claims),
        ("exp", json!(now() - 31), TokenProblem::Expired),
        ("exp", json!(0), TokenProblem::Expired),
        ("exp", json!(-1), TokenProblem::Claims),
        ("exp", json!("tomorrow"), TokenProblem::Claims),
        ("exp", json!(1e300), TokenProblem::Claims),
        ("nbf", json!(now() + 40), TokenProblem::NotYetValid),
        ("nbf", json!("now"), TokenProblem::Claims),
        ("iat", json!(now() + 40), TokenProblem::NotYetValid),
        ("sub", json!(""), TokenProblem::Claims),
        ("sub", json!("a".repeat(256)), TokenProblem::Claims),
        ("sub", json!(["aminata"]), TokenProblem::Claims),
        ("org", json!("mli"), TokenProblem::Claims),
        ("org", json!("agreements/mli"), TokenProblem::Claims),
        ("org", json!("partners/MLI"), TokenProblem::Claims),
        ("roles", json!("auditor"), TokenProblem::Claims),
        ("roles", json!(["Auditor"]), TokenProblem::Claims),
        ("roles", json!(["auditor\n"]), TokenProblem::Claims),
        ("roles", json!([""]), TokenProblem::Claims),
        ("roles", json!(many), TokenProblem::Claims),
    ] {
        let token = issuer.sign(&with(name, Some(value.clone())));
        assert_eq!(verifier.verify(&token), Err(problem), "{name}: {value}");
    }
}

#[test]
fn what_holds_within_the_skew_of_clocks_holds() {
    let issuer = Issuer::new(1);
    for (name, value) in [("exp", json!(now() - 20)), ("nbf", json!(now() + 20)), ("iat", json!(now() + 20))] {
        assert!(issuer.verifier().verify(&issuer.sign(&with(name, Some(value)))).is_ok(), "{name}");
    }
}

#[test]
fn one_audience_of_several_is_enough() {
    let issuer = Issuer::new(1);
    let token = issuer.sign(&with("aud", Some(json!(["another", AUDIENCE]))));
    assert!(issuer.verifier().verify(&token).is_ok());
}

#[test]
fn hostile_tokens_are_refused() {
    let (issuer, stranger) = (Issuer::new(1), Issuer::new(2));
    let verifier = issuer.verifier();
    let good = issuer.sign(&claims());
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let encoded = |value: &Value| base64url(value.to_string().as_bytes());
    let none = encoded(&json!({"alg": "none", "typ": "JWT", "kid": "key-1"}));
    let hs256 = jsonwebtoken::Header { kid: Some("key-1".into()), ..jsonwebtoken::Header::new(Algorithm::HS256) };
    let public = issuer.jwk.clone();
    let AlgorithmParameters::OctetKeyPair(pair) = &public.algorithm else { panic!("an Ed25519 key") };
    let with_public_key = |secret: &[u8]| {
        jsonwebtoken::encode(&hs256, &claims(), &jsonwebtoken::EncodingKey::from_secret(secret)).expect("HMAC signs")
    };
    let raw = DecodingKey::from_jwk(&public).expect("a key");
    let signed_with =
        |header: jsonwebtoken::Header| jsonwebtoken::encode(&header, &claims(), &issuer.key).expect("the key signs");
    let with_header = |change: fn(&mut jsonwebtoken::Header)| {
        let mut header = issuer.header();
        change(&mut header);
        signed_with(header)
    };
    let forged = encoded(&with("org", Some(json!("partners/eu"))));
    for (what, token, problem) in [
        ("nothing", String::new(), TokenProblem::Malformed),
        ("garbage", "garbage".into(), TokenProblem::Malformed),
        ("dots", "..".into(), TokenProblem::Malformed),
        ("more parts", format!("{good}.{signature}"), TokenProblem::Malformed),
        ("alg none", format!("{none}.{payload}."), TokenProblem::Malformed),
        ("alg none, signed", format!("{none}.{payload}.{signature}"), TokenProblem::Malformed),
        ("HS256 with the public key as text", with_public_key(pair.x.as_bytes()), TokenProblem::Algorithm),
        (
            "HS256 with the public key",
            with_public_key(raw.try_get_as_bytes().expect("raw bytes")),
            TokenProblem::Algorithm,
        ),
        ("no kid", with_header(|header| header.kid = None), TokenProblem::UnknownKey),
        ("unknown kid", with_header(|header| header.kid = Some("key-9".into())), TokenProblem::UnknownKey),
        ("critical header", with_header(|header| header.crit = Some(vec!["b64".into()])), TokenProblem::Malformed),
        ("a stranger's key", stranger.sign(&claims()), TokenProblem::UnknownKey),
        ("no signature", format!("{header}.{payload}."), TokenProblem::Signature),
        ("another payload", format!("{header}.{forged}.{signature}"), TokenProblem::Signature),
        ("truncated", good[..good.len() - 2].into(), TokenProblem::Signature),
        ("truncated within a byte", good[..good.len() - 1].into(), TokenProblem::Malformed),
        ("no claims at all", issuer.sign(&json!([])), TokenProblem::Claims),
        ("huge", issuer.sign(&with("roles", Some(json!(["a".repeat(9000)])))), TokenProblem::Malformed),
        ("huge garbage", "a".repeat(1 << 20), TokenProblem::Malformed),
    ] {
        assert_eq!(verifier.verify(&token), Err(problem), "{what}");
        assert_eq!(verifier.verify(&token), Err(problem), "{what}, again");
    }
    assert!(verifier.verify(&good).is_ok());
}

#[test]
fn a_key_of_the_same_name_but_another_key_is_refused() {
    let issuer = Issuer::new(1);
    let mut stranger = Issuer::new(2);
    stranger.jwk.common.key_id = issuer.jwk.common.key_id.clone();
    assert_eq!(issuer.verifier().verify(&stranger.sign(&claims())), Err(TokenProblem::Signature));
}

#[test]
fn a_remembered_token_is_forgotten_when_it_expires() {
    let issuer = Issuer::new(1);
    let verifier = issuer.verifier();
    let token = issuer.sign(&claims());
    assert!(verifier.verify(&token).is_ok());
    let hash: [u8; 32] = Sha256::digest(&token).into();
    verifier.remembered(|tokens| {
        let known = tokens.get_mut(&hash).expect("it is remembered");
        known.expires = now() - SKEW - 1;
    });
    assert_eq!(verifier.verify(&token), Err(TokenProblem::Expired));
}

#[test]
fn only_so_many_tokens_are_remembered() {
    let issuer = Issuer::new(1);
    let verifier = issuer.verifier();
    let actor = verifier.verify(&issuer.sign(&claims())).expect("it holds");
    verifier.remembered(|tokens| {
        for number in 0..MAX_REMEMBERED + 10 {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_le_bytes());
            tokens.put(hash, Remembered { actor: actor.clone(), expires: now() });
        }
        assert_eq!(tokens.len(), MAX_REMEMBERED);
    });
}

#[test]
fn a_call_without_a_bearer_token_is_unauthenticated_with_a_reason() {
    use tonic_types::StatusExt as _;
    let issuer = Issuer::new(1);
    let good = issuer.sign(&claims());
    for header in [None, Some(String::new()), Some("Basic YTpi".into()), Some(good.clone()), Some("Bearer".into())] {
        let mut metadata = MetadataMap::new();
        if let Some(header) = &header {
            metadata.insert("authorization", header.parse().expect("ASCII"));
        }
        let status = issuer.verifier().caller(&metadata).expect_err("refused");
        assert_eq!(status.code(), tonic::Code::Unauthenticated, "{header:?}");
        let info = status.get_details_error_info().expect("always there");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("TOKEN_INVALID", "toguna"), "{header:?}");
    }
    let mut metadata = MetadataMap::new();
    metadata.insert("authorization", format!("bearer {good}").parse().expect("ASCII"));
    assert!(issuer.verifier().caller(&metadata).is_ok(), "the scheme has no case");
}

#[test]
fn only_public_ed25519_keys_with_a_name_verify() {
    let good = serde_json::to_value(&Issuer::new(1).jwk).expect("JSON");
    let changed = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        json!({"keys": [key]}).to_string()
    };
    let rsa = json!({"keys": [{"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}]}).to_string();
    let secret = json!({"keys": [{"kty": "oct", "kid": "s", "k": "AAAA"}]}).to_string();
    for (jwks, problem) in [
        ("", InvalidKeys::Malformed),
        ("{}", InvalidKeys::Malformed),
        (r#"{"keys": []}"#, InvalidKeys::Empty),
        (&rsa, InvalidKeys::NotEd25519),
        (&secret, InvalidKeys::NotEd25519),
        (&changed("kid", Value::Null), InvalidKeys::NotEd25519),
        (&changed("kid", json!("")), InvalidKeys::NotEd25519),
        (&changed("x", json!("AAAA")), InvalidKeys::NotEd25519),
        (&json!({"keys": [good, good]}).to_string(), InvalidKeys::NotEd25519),
    ] {
        let error = Verifier::new(jwks, ISSUER, AUDIENCE, PSEUDONYM_KEY).map(|_| ()).expect_err("refused");
        assert_eq!(error, problem, "{jwks}");
    }
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * index)) as usize & 63]));
        }
    }
    text
}
