use jsonwebtoken::{DecodingKey, Validation};

use super::*;
use crate::local::people::Directory;

fn identity(name: &str) -> Identity {
    let folder = std::env::temp_dir().join(format!("toguna-{name}-{}", random_hex(4)));
    Identity::open(&folder).expect("the keys can be made")
}

fn read(identity: &Identity, token: &str) -> Claims {
    let set = fs::read(identity.jwks()).expect("the public key was written");
    let set: JwkSet = serde_json::from_slice(&set).expect("it is a JSON Web Key Set");
    let header = jsonwebtoken::decode_header(token).expect("it has a header");
    let key = set.find(&header.kid.expect("it names its key")).expect("the key is in the set");
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    jsonwebtoken::decode(token, &DecodingKey::from_jwk(key).expect("it is a key"), &validation)
        .expect("it holds")
        .claims
}

#[test]
fn a_token_says_who_speaks_for_whom_until_when() {
    let identity = identity("token");
    let hour = SignedDuration::from_hours(1);
    let token = identity.token(&["focal_point"], "partners/ml-mmeia", "officer-1", hour).expect("the key can sign");
    let claims = read(&identity, &token);
    assert_eq!((claims.sub.as_str(), claims.org.as_str()), ("officer-1", "partners/ml-mmeia"));
    assert_eq!(claims.roles, ["focal_point"]);
    assert_eq!((claims.exp - claims.iat, claims.nbf), (3600, claims.iat));
    fs::remove_dir_all(&identity.folder).expect("the folder is ours");
}

#[test]
fn keys_are_made_once_and_read_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let first = identity("keys");
    let again = Identity::open(&first.folder).expect("the keys are there");
    assert_eq!(first.key_id, again.key_id);
    for file in [first.folder.join("issuer.der"), first.pseudonym_key()] {
        let mode = fs::metadata(&file).expect("the file is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    assert_eq!(fs::read_to_string(first.pseudonym_key()).expect("the file is there").len(), 64);
    fs::remove_dir_all(&first.folder).expect("the folder is ours");
}

#[test]
fn a_named_person_gets_short_tokens_and_a_revoked_one_none() {
    use jiff::civil::date;
    let identity = identity("people");
    let (organisation, today, day) = ("partners/ml-mmeia", date(2026, 11, 23), SignedDuration::from_hours(24));
    let token = |person: &str, role: &str| identity.token_of(&[role], organisation, person, day).expect("it is read");
    assert_eq!(read(&identity, &token("anybody", "auditor").expect("nobody was named")).sub, "anybody@ml-mmeia");
    let invite = |person: &str, role: &str, by: Option<&str>| {
        let roles = [role.to_owned()];
        let invited = |directory: &mut Directory| directory.invite(organisation, person, "A Name", &roles, by, today);
        identity.people().change(invited).expect("it is written").expect("it is allowed");
    };
    invite("head", "administrator", None);
    invite("officer", "signatory", Some("head"));
    assert_eq!(token("anybody", "auditor"), Err(Refused::Unknown));
    assert_eq!(token("officer", "administrator"), Err(Refused::NotTheirRole));
    let claims = read(&identity, &token("officer", "signatory").expect("it has the role"));
    assert_eq!(claims.exp - claims.iat, 3600);
    assert!(!claims.sub.contains("officer"), "{}", claims.sub);
    let pseudonym = identity.persons.pseudonym(ISSUER, &claims.sub);
    assert_eq!(identity.person(&pseudonym).as_deref(), Some("A Name"));
    let erased = |directory: &mut Directory| directory.erase(organisation, "officer", Some("head"), today);
    identity.people().change(erased).expect("it is written").expect("it is allowed");
    assert_eq!(identity.person(&pseudonym), None);
    invite("officer", "signatory", Some("head"));
    let revoked = |directory: &mut Directory| directory.revoke(organisation, "officer", Some("head"), today);
    identity.people().change(revoked).expect("it is written").expect("it is allowed");
    assert_eq!(token("officer", "signatory"), Err(Refused::Revoked));
    fs::remove_dir_all(&identity.folder).expect("the folder is ours");
}
