use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::*;
use crate::testing::{ANYTHING, AUDIENCE, Folder, ISSUER, Issuer, PSEUDONYM_KEY, claims, now};

mod hostile;

#[test]
fn a_good_token_names_its_holder_by_a_pseudonym() {
    let issuer = Issuer::new(1);
    let actor = issuer.verifier().verify(&issuer.sign(&claims()), None).expect("it holds");
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
fn what_holds_within_the_skew_of_clocks_holds() {
    let issuer = Issuer::new(1);
    for (name, value) in
        [("exp", json!(now() - 20)), ("nbf", json!(now() + 20)), ("nbf", json!(0)), ("iat", json!(now() + 20))]
    {
        assert!(issuer.verifier().verify(&issuer.sign(&with(name, Some(value))), None).is_ok(), "{name}");
    }
}

#[test]
fn one_audience_of_several_is_enough() {
    let issuer = Issuer::new(1);
    let token = issuer.sign(&with("aud", Some(json!(["another", AUDIENCE]))));
    assert!(issuer.verifier().verify(&token, None).is_ok());
}

#[test]
fn a_key_of_the_same_name_but_another_key_is_refused() {
    let issuer = Issuer::new(1);
    let mut stranger = Issuer::new(2);
    stranger.jwk.common.key_id = issuer.jwk.common.key_id.clone();
    assert_eq!(issuer.verifier().verify(&stranger.sign(&claims()), None), Err(TokenProblem::Signature));
}

#[test]
fn a_remembered_token_is_forgotten_when_it_expires() {
    let issuer = Issuer::new(1);
    let verifier = issuer.verifier();
    let token = issuer.sign(&claims());
    assert!(verifier.verify(&token, None).is_ok());
    let hash: [u8; 32] = Sha256::digest(&token).into();
    verifier.issuers.current().remembered(|tokens| {
        let known = tokens.get_mut(&hash).expect("it is remembered");
        known.expires = now() - SKEW - 1;
    });
    assert_eq!(verifier.verify(&token, None), Err(TokenProblem::Expired));
}

#[test]
fn only_so_many_tokens_are_remembered() {
    let issuer = Issuer::new(1);
    let verifier = issuer.verifier();
    let actor = verifier.verify(&issuer.sign(&claims()), None).expect("it holds");
    verifier.issuers.current().remembered(|tokens| {
        for number in 0..10_000u32 {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&number.to_le_bytes());
            tokens.put(hash, Remembered { actor: actor.clone(), expires: now(), certificate: None });
        }
        assert_eq!(tokens.len(), 4096);
    });
}

#[test]
fn a_call_without_a_bearer_token_is_unauthenticated_with_a_reason() {
    use tonic_types::StatusExt as _;
    let issuer = Issuer::new(1);
    let good = issuer.sign(&claims());
    let bearer = format!("Bearer {good}");
    for headers in [
        vec![],
        vec![""],
        vec!["Basic YTpi"],
        vec![&good],
        vec!["Bearer"],
        vec!["Bearer "],
        vec![&format!("{bearer}, {bearer}")],
        vec![&format!("{bearer} {good}")],
        vec![&bearer, &bearer],
        vec![&bearer, "Basic YTpi"],
    ] {
        let mut metadata = HeaderMap::new();
        for header in &headers {
            metadata.append("authorization", header.parse().expect("ASCII"));
        }
        let status = issuer.verifier().caller(&metadata, None).expect_err("refused");
        assert_eq!(status.code(), tonic::Code::Unauthenticated, "{headers:?}");
        let info = status.get_details_error_info().expect("always there");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("TOKEN_INVALID", "toguna"), "{headers:?}");
    }
    let mut metadata = HeaderMap::new();
    metadata.insert("authorization", format!("bearer {good}").parse().expect("ASCII"));
    assert!(issuer.verifier().caller(&metadata, None).is_ok(), "the scheme has no case");
}

/// An issuer that may speak for one organisation, in two roles, for a quarter of an hour.
const LITTLE: &str = "algorithms = [\"EdDSA\"]\norganisations = [\"partners/mli\"]\n\
    roles = [\"focal_point\", \"contributor\"]\nlongest_minutes = 15";

#[test]
fn each_issuer_says_what_it_may_say_and_nothing_else() {
    let folder = Folder::new("several");
    let (ours, theirs) = (Issuer::new(1), Issuer::of_p256(2));
    let es256 = ANYTHING.replace("EdDSA", "ES256");
    let issuers = folder.issuers(&[(ISSUER, &[&ours], LITTLE), ("https://id.other.example", &[&theirs], &es256)]);
    let verifier = Verifier::open(&issuers, AUDIENCE, PSEUDONYM_KEY).expect("both are good");
    let of_theirs = |name: &str, value: Value| {
        let mut claims = with("iss", Some(json!("https://id.other.example")));
        claims[name] = value;
        claims
    };
    assert!(verifier.verify(&ours.sign(&claims()), None).is_ok());
    for (name, value, problem) in [
        ("org", json!("partners/eu"), TokenProblem::Organisation),
        ("org", json!("partners/mli-2"), TokenProblem::Organisation),
        ("roles", json!(["focal_point", "auditor"]), TokenProblem::Role),
        ("roles", json!(["focal_points"]), TokenProblem::Role),
        ("exp", json!(now() + 905), TokenProblem::TooLong),
    ] {
        assert_eq!(
            verifier.verify(&ours.sign(&with(name, Some(value.clone()))), None),
            Err(problem),
            "{name}: {value}"
        );
        let actor = verifier.verify(&theirs.sign(&of_theirs(name, value.clone())), None).expect("the other one may");
        assert_eq!(actor.issuer, "https://id.other.example");
    }
    assert_eq!(verifier.verify(&ours.sign(&of_theirs("sub", json!("a"))), None), Err(TokenProblem::UnknownKey));
    assert_eq!(verifier.verify(&theirs.sign(&claims()), None), Err(TokenProblem::UnknownKey));
}

#[test]
fn an_issuer_that_binds_its_tokens_gives_none_that_is_of_use_to_everybody() {
    let folder = Folder::new("bound");
    let (machines, people) = (Issuer::new(1), Issuer::new(2));
    let bound = format!("{ANYTHING}\nbound = true");
    let issuers = folder.issuers(&[(ISSUER, &[&machines], &bound), ("https://id.other.example", &[&people], ANYTHING)]);
    let verifier = Verifier::open(&issuers, AUDIENCE, PSEUDONYM_KEY).expect("both are good");
    let to_ours = with("cnf", Some(json!({"x5t#S256": "A".repeat(43)})));
    let (free, to_ours) = (machines.sign(&claims()), machines.sign(&to_ours));
    assert_eq!(verifier.verify(&free, None), Err(TokenProblem::Unbound));
    assert_eq!(verifier.verify(&free, Some([0; 32])), Err(TokenProblem::Unbound), "whatever was shown");
    assert_eq!(verifier.verify(&to_ours, None), Err(TokenProblem::Certificate));
    assert!(verifier.verify(&to_ours, Some([0; 32])).is_ok());
    let elsewhere = people.sign(&with("iss", Some(json!("https://id.other.example"))));
    assert!(verifier.verify(&elsewhere, None).is_ok(), "the other one binds as it likes");
}

#[test]
fn issuers_that_sign_with_rsa_are_taken_in_the_one_way_that_their_key_is_for() {
    for (algorithm, other) in [(Algorithm::RS256, Algorithm::PS256), (Algorithm::PS256, Algorithm::RS256)] {
        let (folder, issuer) = (Folder::new("rsa"), Issuer::of_rsa(1, algorithm));
        let both = ANYTHING.replace("\"EdDSA\"", "\"RS256\", \"PS256\"");
        let issuers = folder.issuers(&[(ISSUER, &[&issuer], &both)]);
        let verifier = Verifier::open(&issuers, AUDIENCE, PSEUDONYM_KEY).expect("the key is good");
        let good = issuer.sign(&claims());
        assert_eq!(verifier.verify(&good, None).map(|actor| actor.organisation), Ok("partners/mli".to_owned()));
        let mut header = issuer.header();
        header.alg = other;
        let token = jsonwebtoken::encode(&header, &claims(), &issuer.key).expect("the key signs so too");
        assert_eq!(verifier.verify(&token, None), Err(TokenProblem::Algorithm), "{other:?}");
        let key = serde_json::to_value(&issuer.jwk).expect("JSON");
        header.alg = Algorithm::HS256;
        for public in [key.to_string(), key["n"].as_str().expect("a text").to_owned()] {
            let secret = jsonwebtoken::EncodingKey::from_secret(public.as_bytes());
            let token = jsonwebtoken::encode(&header, &claims(), &secret).expect("HMAC signs");
            assert_eq!(verifier.verify(&token, None), Err(TokenProblem::Algorithm), "what is public is no secret");
        }
        let stranger = Issuer::of_rsa(1, algorithm).sign(&claims());
        assert_eq!(verifier.verify(&stranger, None), Err(TokenProblem::Signature));
        let (message, signature) = good.rsplit_once('.').expect("it has parts");
        for forged in [String::new(), "A".repeat(342), signature[..340].to_owned()] {
            assert_eq!(verifier.verify(&format!("{message}.{forged}"), None), Err(TokenProblem::Signature), "{forged}");
        }
    }
}

#[test]
fn persons_of_different_issuers_are_different_persons() {
    let folder = Folder::new("persons");
    let (one, other) = (Issuer::new(1), Issuer::new(2));
    let issuers = folder.issuers(&[(ISSUER, &[&one], ANYTHING), ("https://id.other.example", &[&other], ANYTHING)]);
    let verifier = Verifier::open(&issuers, AUDIENCE, PSEUDONYM_KEY).expect("both are good");
    let first = verifier.verify(&one.sign(&claims()), None).expect("it holds");
    let elsewhere = with("iss", Some(json!("https://id.other.example")));
    let second = verifier.verify(&other.sign(&elsewhere), None).expect("it holds");
    assert_ne!(first.subject, second.subject);
}

#[test]
fn a_key_that_vanishes_no_longer_verifies_not_even_what_it_verified() {
    let folder = Folder::new("rotation");
    let (old, new) = (Issuer::new(1), Issuer::new(2));
    let write = |keys: &[&Issuer]| folder.issuers(&[(ISSUER, keys, ANYTHING)]);
    let verifier = Verifier::open(&write(&[&old]), AUDIENCE, PSEUDONYM_KEY).expect("the key is good");
    let [before, after] = [&old, &new].map(|issuer| issuer.sign(&claims()));
    let taken = || {
        verifier.issuers().look_again();
        (verifier.verify(&before, None).map(|_| ()), verifier.verify(&after, None).map(|_| ()))
    };
    assert_eq!(taken(), (Ok(()), Err(TokenProblem::UnknownKey)));
    write(&[&old, &new]);
    assert_eq!(taken(), (Ok(()), Ok(())));
    folder.file("0.json", "{\"keys\": [");
    assert_eq!(taken(), (Ok(()), Ok(())), "half a file changes nothing");
    folder.file("0.json", "{\"keys\": []}");
    assert_eq!(taken(), (Ok(()), Ok(())), "nor one without keys");
    write(&[&new]);
    assert_eq!(taken(), (Err(TokenProblem::UnknownKey), Ok(())));
    folder.issuers(&[("https://id.other.example", &[&new], ANYTHING)]);
    assert_eq!(taken(), (Err(TokenProblem::Issuer), Err(TokenProblem::Issuer)));
}
