//! What an attacker, or a careless issuer, may send in the place of a token.

use jsonwebtoken::{crypto::sign, jwk::AlgorithmParameters};

use super::*;

/// Two issuers that the verifier trusts, each with a key called `key-1`, and a stranger.
struct Cast {
    ours: Issuer,
    theirs: Issuer,
    stranger: Issuer,
    verifier: Verifier,
}

const THEIRS: &str = "https://id.other.example";

impl Cast {
    fn new() -> Self {
        let folder = Folder::new("hostile");
        let (ours, mut theirs, mut stranger) = (Issuer::new(1), Issuer::of_p256(2), Issuer::new(3));
        theirs.jwk.common.key_id = ours.jwk.common.key_id.clone();
        stranger.jwk.common.key_id = ours.jwk.common.key_id.clone();
        let both = ANYTHING.replace("\"EdDSA\"", "\"EdDSA\", \"ES256\"");
        let issuers = folder.issuers(&[(ISSUER, &[&ours], &both), (THEIRS, &[&theirs], LITTLE_OF_P256)]);
        let verifier = Verifier::open(&issuers, AUDIENCE, PSEUDONYM_KEY).expect("both are good");
        Self { ours, theirs, stranger, verifier }
    }
}

const LITTLE_OF_P256: &str = "algorithms = [\"ES256\"]\norganisations = [\"partners/eu\"]\nroles = [\"observer\"]";

/// A row of the table: what it is, the token, what is found wrong with it.
type Row = (String, String, TokenProblem);

fn row(what: impl Into<String>, token: impl Into<String>, problem: TokenProblem) -> Row {
    (what.into(), token.into(), problem)
}

/// A token of these two parts, whatever they are, with a signature that holds.
fn signed(issuer: &Issuer, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let message = format!("{}.{}", base64url(header.as_ref()), base64url(payload.as_ref()));
    let signature = sign(message.as_bytes(), &issuer.key, issuer.algorithm).expect("the key signs");
    format!("{message}.{signature}")
}

/// The same with one member of the header changed.
fn with_header(issuer: &Issuer, name: &str, value: Value) -> String {
    let mut header = json!({"alg": "EdDSA", "typ": "JWT", "kid": "key-1"});
    header[name] = value;
    signed(issuer, header.to_string(), claims().to_string())
}

fn algorithms(cast: &Cast) -> Vec<Row> {
    let ours = &cast.ours;
    let mut rows = Vec::new();
    for unknown in [json!("none"), json!("None"), json!("nOnE"), json!(""), json!(null), json!(7), json!(["EdDSA"])] {
        let token = with_header(ours, "alg", unknown.clone());
        let (message, _) = token.rsplit_once('.').expect("it has parts");
        rows.push(row(format!("alg {unknown} without a signature"), format!("{message}."), TokenProblem::Malformed));
        rows.push(row(format!("alg {unknown}"), token, TokenProblem::Malformed));
    }
    for other in ["HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384"] {
        rows.push(row(
            format!("{other}, which it is not"),
            with_header(ours, "alg", json!(other)),
            TokenProblem::Algorithm,
        ));
    }
    let AlgorithmParameters::OctetKeyPair(pair) = &ours.jwk.algorithm else { panic!("an Ed25519 key") };
    let raw = jsonwebtoken::DecodingKey::from_jwk(&ours.jwk).expect("a key");
    let jwk = serde_json::to_vec(&ours.jwk).expect("JSON");
    for secret in [pair.x.as_bytes(), raw.try_get_as_bytes().expect("bytes"), &jwk, b"", b"secret"] {
        let header = jsonwebtoken::Header { kid: Some("key-1".into()), ..jsonwebtoken::Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims(), &jsonwebtoken::EncodingKey::from_secret(secret));
        rows.push(row("HS256 with what is public as its secret", token.expect("HMAC signs"), TokenProblem::Algorithm));
    }
    let mut as_ours = cast.theirs.header();
    as_ours.kid = Some("key-1".into());
    let token = jsonwebtoken::encode(&as_ours, &claims(), &cast.theirs.key).expect("the key signs");
    rows.push(row("ES256 of another issuer's key", token, TokenProblem::Algorithm));
    rows.push(row("another issuer's name", ours.sign(&with("iss", Some(json!(THEIRS)))), TokenProblem::Algorithm));
    rows.push(row("a stranger's key of the same name", cast.stranger.sign(&claims()), TokenProblem::Signature));
    rows
}

fn headers(cast: &Cast) -> Vec<Row> {
    let ours = &cast.ours;
    let jwk = serde_json::to_value(&cast.stranger.jwk).expect("JSON");
    let mut rows = Vec::new();
    for (name, value, problem) in [
        ("typ", json!("JOSE"), TokenProblem::Header),
        ("typ", json!("logout+jwt"), TokenProblem::Header),
        ("typ", json!("dpop+jwt"), TokenProblem::Header),
        ("typ", json!(""), TokenProblem::Header),
        ("typ", json!(7), TokenProblem::Malformed),
        ("cty", json!("JWT"), TokenProblem::Header),
        ("crit", json!(["b64"]), TokenProblem::Header),
        ("crit", json!([]), TokenProblem::Header),
        ("crit", json!("exp"), TokenProblem::Malformed),
        ("jku", json!("https://stranger.example/jwks.json"), TokenProblem::Header),
        ("x5u", json!("https://stranger.example/cert.pem"), TokenProblem::Header),
        ("x5c", json!(["MIIB"]), TokenProblem::Header),
        ("jwk", jwk, TokenProblem::Header),
        ("enc", json!("A256GCM"), TokenProblem::Header),
        ("zip", json!("DEF"), TokenProblem::Header),
        ("kid", json!(null), TokenProblem::UnknownKey),
        ("kid", json!(""), TokenProblem::UnknownKey),
        ("kid", json!(1), TokenProblem::Malformed),
        ("kid", json!("KEY-1"), TokenProblem::UnknownKey),
        ("kid", json!("key-1\u{0}"), TokenProblem::UnknownKey),
        ("kid", json!("../../../../dev/null"), TokenProblem::UnknownKey),
        ("kid", json!("key-1' OR '1'='1"), TokenProblem::UnknownKey),
        ("kid", json!("k".repeat(4000)), TokenProblem::UnknownKey),
    ] {
        rows.push(row(format!("{name} {value}"), with_header(ours, name, value), problem));
    }
    let payload = claims().to_string();
    for header in [
        r#"{"alg":"none","alg":"EdDSA","typ":"JWT","kid":"key-1"}"#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"key-9","kid":"key-1"}"#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"key-1"}{}"#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"key-1"} none"#,
        r#"["EdDSA"]"#,
        r#""EdDSA""#,
        "null",
        "{}",
        "",
        "\u{feff}{\"alg\":\"EdDSA\",\"kid\":\"key-1\"}",
    ] {
        rows.push(row(format!("header {header}"), signed(ours, header, &payload), TokenProblem::Malformed));
    }
    rows
}

fn missing_and_doubled_claims(cast: &Cast) -> Vec<Row> {
    let ours = &cast.ours;
    let text = claims().to_string();
    let names = ["iss", "sub", "aud", "exp", "nbf", "iat", "org", "roles"];
    let rows = names.into_iter().flat_map(|name| {
        let again = format!("{{\"{name}\":{},{}", claims()[name], &text[1..]);
        let header = serde_json::to_string(&ours.header()).expect("JSON");
        [
            row(format!("without {name}"), ours.sign(&with(name, None)), TokenProblem::Claims),
            row(format!("{name}: null"), ours.sign(&with(name, Some(Value::Null))), TokenProblem::Claims),
            row(format!("{name}: an object"), ours.sign(&with(name, Some(json!({"is": 1})))), TokenProblem::Claims),
            row(format!("{name}: true"), ours.sign(&with(name, Some(json!(true)))), TokenProblem::Claims),
            row(format!("{name} twice"), signed(ours, header, again), TokenProblem::Claims),
        ]
    });
    rows.collect()
}

fn claims_of_every_kind(cast: &Cast) -> Vec<Row> {
    let many: Vec<_> = (0..33u8).map(|n| "r".repeat(usize::from(n) + 1)).collect();
    let rows = [
        ("iss", json!("https://stranger.example"), TokenProblem::Issuer),
        ("iss", json!("https://id.example/"), TokenProblem::Issuer),
        ("iss", json!(""), TokenProblem::Issuer),
        ("iss", json!([ISSUER]), TokenProblem::Claims),
        ("iss", json!([ISSUER, "https://stranger.example"]), TokenProblem::Claims),
        ("aud", json!("another"), TokenProblem::Audience),
        ("aud", json!("toguna "), TokenProblem::Audience),
        ("aud", json!("TOGUNA"), TokenProblem::Audience),
        ("aud", json!([]), TokenProblem::Audience),
        ("aud", json!(["another", "a third"]), TokenProblem::Audience),
        ("aud", json!([["toguna"]]), TokenProblem::Claims),
        ("aud", json!(7), TokenProblem::Claims),
        ("exp", json!(now() - 32), TokenProblem::Expired),
        ("exp", json!(0), TokenProblem::Expired),
        ("exp", json!(-1), TokenProblem::Claims),
        ("exp", json!(1.5e9), TokenProblem::Claims),
        ("exp", json!("9999999999"), TokenProblem::Claims),
        ("exp", json!(1e300), TokenProblem::Claims),
        ("exp", json!(u64::MAX), TokenProblem::TooLong),
        ("exp", json!(now() + 60 * 60 + 2), TokenProblem::TooLong),
        ("nbf", json!(now() + 40), TokenProblem::NotYetValid),
        ("nbf", json!(u64::MAX), TokenProblem::NotYetValid),
        ("nbf", json!("now"), TokenProblem::Claims),
        ("nbf", json!(-1), TokenProblem::Claims),
        ("iat", json!(now() + 40), TokenProblem::NotYetValid),
        ("iat", json!(u64::MAX), TokenProblem::NotYetValid),
        ("iat", json!(0), TokenProblem::TooLong),
        ("iat", json!(-1), TokenProblem::Claims),
        ("sub", json!(""), TokenProblem::Claims),
        ("sub", json!("a".repeat(256)), TokenProblem::Claims),
        ("sub", json!(["aminata"]), TokenProblem::Claims),
        ("org", json!(""), TokenProblem::Claims),
        ("org", json!("mli"), TokenProblem::Claims),
        ("org", json!("partners/"), TokenProblem::Claims),
        ("org", json!("partners/mli/persons/1"), TokenProblem::Claims),
        ("org", json!("agreements/mli"), TokenProblem::Claims),
        ("org", json!("partners/MLI"), TokenProblem::Claims),
        ("org", json!("partners/../partners/eu"), TokenProblem::Claims),
        ("org", json!(["partners/mli", "partners/eu"]), TokenProblem::Claims),
        ("roles", json!("auditor"), TokenProblem::Claims),
        ("roles", json!(["Auditor"]), TokenProblem::Claims),
        ("roles", json!(["auditor\n"]), TokenProblem::Claims),
        ("roles", json!(["*"]), TokenProblem::Claims),
        ("roles", json!([""]), TokenProblem::Claims),
        ("roles", json!([["auditor"]]), TokenProblem::Claims),
        ("roles", json!({"auditor": true}), TokenProblem::Claims),
        ("roles", json!(many), TokenProblem::Claims),
        ("cnf", json!({"x5t#S256": "A".repeat(43)}), TokenProblem::Certificate),
        ("cnf", json!({"x5t#S256": "A".repeat(44)}), TokenProblem::Claims),
        ("cnf", json!({"x5t#S256": "AAAA"}), TokenProblem::Claims),
        ("cnf", json!({"jkt": "A".repeat(43)}), TokenProblem::Claims),
        ("cnf", json!("A".repeat(43)), TokenProblem::Claims),
    ];
    let token = |name, value: &Value| cast.ours.sign(&with(name, Some(value.clone())));
    rows.into_iter().map(|(name, value, is)| row(format!("{name}: {value}"), token(name, &value), is)).collect()
}

fn what_another_issuer_may_not_say(cast: &Cast) -> Vec<Row> {
    let token = |org: &str, roles: Value| {
        let mut claims = with("iss", Some(json!(THEIRS)));
        claims["org"] = json!(org);
        claims["roles"] = roles;
        cast.theirs.sign(&claims)
    };
    assert!(cast.verifier.verify(&token("partners/eu", json!(["observer"])), None).is_ok());
    vec![
        row("another's organisation", token("partners/mli", json!(["observer"])), TokenProblem::Organisation),
        row("a role too many", token("partners/eu", json!(["observer", "auditor"])), TokenProblem::Role),
        row("a role that nobody knows", token("partners/eu", json!(["emperor"])), TokenProblem::Role),
    ]
}

fn payloads(cast: &Cast) -> Vec<Row> {
    let ours = &cast.ours;
    let (text, good) = (claims().to_string(), ours.sign(&claims()));
    let with_number = |number: &str| {
        let claims = claims();
        claims.to_string().replacen(&format!("\"exp\":{}", claims["exp"]), &format!("\"exp\":{number}"), 1)
    };
    let payloads: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no object", b"[]".into()),
        (
            "a list of the claims",
            json!([ISSUER, "aminata", [AUDIENCE], now() + 60, now(), now(), "partners/mli", []]).to_string().into(),
        ),
        ("a text", b"\"claims\"".into()),
        ("a number", b"7".into()),
        ("null", b"null".into()),
        ("an empty object", b"{}".into()),
        ("another token", good.clone().into()),
        ("another token as a text", json!(good).to_string().into()),
        ("garbage after it", format!("{text}x").into()),
        ("another object after it", format!("{text}{text}").into()),
        ("a byte order mark", format!("\u{feff}{text}").into()),
        ("bytes that are no text", [text.as_bytes(), &[0xff, 0xfe]].concat()),
        ("a zero byte", format!("{text}\0").into()),
        ("depth without an end", "[".repeat(3000).into()),
        ("a number beyond all", with_number("18446744073709551616").into()),
        ("a number of many digits", with_number(&"9".repeat(400)).into()),
        ("no number", with_number("NaN").into()),
        ("infinity", with_number("Infinity").into()),
        ("an octal number", with_number("01700000000").into()),
        ("single quotes", text.replace('"', "'").into()),
    ];
    let header = serde_json::to_string(&ours.header()).expect("JSON");
    payloads
        .into_iter()
        .map(|(what, payload)| row(what, signed(ours, &header, payload), TokenProblem::Claims))
        .collect()
}

fn encodings(cast: &Cast) -> Vec<Row> {
    let good = cast.ours.sign(&claims());
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let other = cast.ours.sign(&with("sub", Some(json!("moussa"))));
    let others_signature = other.rsplit('.').next().expect("it has one");
    let forged = base64url(with("org", Some(json!("partners/eu"))).to_string().as_bytes());
    let last = signature.chars().last().expect("it is not empty");
    // The last letter of 86 carries two bits; the four others must be zero.
    let loose = |step: u8| format!("{}{}", &good[..good.len() - 1], char::from(last as u8 + step));
    vec![
        row("nothing", "", TokenProblem::Malformed),
        row("garbage", "garbage", TokenProblem::Malformed),
        row("dots", "..", TokenProblem::Malformed),
        row("two parts", format!("{header}.{payload}"), TokenProblem::Malformed),
        row("four parts", format!("{good}.{signature}"), TokenProblem::Malformed),
        row("five parts, as if encrypted", format!("{good}.{payload}.{signature}"), TokenProblem::Malformed),
        row("no header", format!(".{payload}.{signature}"), TokenProblem::Malformed),
        row("no signature", format!("{header}.{payload}."), TokenProblem::Signature),
        row("another payload", format!("{header}.{forged}.{signature}"), TokenProblem::Signature),
        row("another token's signature", format!("{header}.{payload}.{others_signature}"), TokenProblem::Signature),
        row("a signature of zeros", format!("{header}.{payload}.{}", "A".repeat(86)), TokenProblem::Signature),
        row("truncated", &good[..good.len() - 2], TokenProblem::Signature),
        row("truncated within a byte", &good[..good.len() - 1], TokenProblem::Malformed),
        row("another spelling of the same signature", loose(1), TokenProblem::Malformed),
        row("padded", format!("{good}=="), TokenProblem::Malformed),
        row("a header that is padded", format!("{header}=.{payload}.{signature}"), TokenProblem::Malformed),
        row("a line break after it", format!("{good}\n"), TokenProblem::Malformed),
        row("a space within", format!("{header}. {payload}.{signature}"), TokenProblem::Malformed),
        row("something after it", format!("{good} x"), TokenProblem::Malformed),
        row("a zero byte after it", format!("{good}\0"), TokenProblem::Malformed),
        row("the other alphabet", format!("{header}.{payload}.+/{}", &signature[2..]), TokenProblem::Malformed),
        row("percent signs", format!("{header}%2E{payload}.{signature}"), TokenProblem::Malformed),
        row("letters of elsewhere", format!("{header}.{payload}.é"), TokenProblem::Malformed),
        row("a scheme of its own", format!("Bearer {good}"), TokenProblem::Malformed),
        row("JSON instead", json!({"payload": payload, "signatures": []}).to_string(), TokenProblem::Malformed),
        row(
            "more than 8 KiB",
            cast.ours.sign(&with("roles", Some(json!(["a".repeat(9000)])))),
            TokenProblem::Malformed,
        ),
        row("a mebibyte", "a".repeat(1 << 20), TokenProblem::Malformed),
    ]
}

#[test]
fn every_hostile_token_is_refused_for_what_it_is() {
    let cast = Cast::new();
    let good = cast.ours.sign(&claims());
    assert!(cast.verifier.verify(&good, None).is_ok());
    let parts = [
        algorithms,
        headers,
        missing_and_doubled_claims,
        claims_of_every_kind,
        what_another_issuer_may_not_say,
        payloads,
        encodings,
    ];
    let rows: Vec<Row> = parts.iter().flat_map(|part| part(&cast)).collect();
    assert!(rows.len() > 180, "{}", rows.len());
    for (what, token, problem) in rows {
        for time in ["", ", again"] {
            assert_eq!(cast.verifier.verify(&token, None), Err(problem), "{what}{time}");
        }
        let Ok(header) = format!("Bearer {token}").parse() else { continue };
        let mut metadata = HeaderMap::new();
        metadata.insert("authorization", header);
        // What stands after a token in the metadata is not the token's.
        if token.trim() != good {
            let status = cast.verifier.caller(&metadata, None).expect_err("refused");
            assert_eq!(status.code(), tonic::Code::Unauthenticated, "{what}");
        }
    }
    assert!(cast.verifier.verify(&good, None).is_ok());
}

#[test]
fn what_differs_harmlessly_from_our_own_tokens_is_taken() {
    let cast = Cast::new();
    for (name, value) in [("typ", json!("at+jwt")), ("typ", json!("jwt")), ("x5t", json!("AAAA")), ("b64", json!(true))]
    {
        assert!(cast.verifier.verify(&with_header(&cast.ours, name, value.clone()), None).is_ok(), "{name} {value}");
    }
    let header = r#"{"kid":"key-1","alg":"EdDSA"}"#;
    assert!(cast.verifier.verify(&signed(&cast.ours, header, claims().to_string()), None).is_ok(), "without typ");
    let deep = format!("{{\"more\":{}1{},{}", "[".repeat(1000), "]".repeat(1000), &claims().to_string()[1..]);
    assert!(
        cast.verifier.verify(&signed(&cast.ours, header, deep), None).is_ok(),
        "a claim that is not ours, however deep"
    );
    assert!(cast.verifier.verify(&cast.ours.sign(&with("roles", Some(json!([])))), None).is_ok());
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
