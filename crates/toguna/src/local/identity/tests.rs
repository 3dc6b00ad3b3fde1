use jsonwebtoken::{DecodingKey, Validation};

use super::*;
use crate::local::people::{Change, Directory, Wish};

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

/// Writes the operator's file.
fn operator(identity: &Identity, text: &str) {
    fs::write(identity.folder.join("organisations.toml"), text).expect("it can be written");
}

/// Changes something about a ministry's people.
fn change(identity: &Identity, by: Option<&str>, f: impl FnOnce(&mut Directory, Wish) -> Result<Change, Refused>) {
    let bounds = identity.organisations().expect("it is right");
    let wish = Wish { organisation: "partners/ml-mmeia", by, at: Timestamp::now(), bounds: &bounds };
    let changed = identity.people().change(|directory| f(directory, wish));
    changed.expect("it is written").expect("it is allowed");
}

fn invite(identity: &Identity, person: &str, role: &str, by: Option<&str>) {
    change(identity, by, |directory, wish| directory.invite(wish, person, "A Name", &[role.to_owned()]));
}

/// What is signed for a person of the ministry, or why nothing is.
fn asked(identity: &Identity, person: &str, role: &str) -> Result<Claims, Refused> {
    let day = SignedDuration::from_hours(24);
    let token = identity.token_of(&[role], "partners/ml-mmeia", person, day).expect("it is read");
    token.map(|token| read(identity, &token))
}

#[test]
fn a_named_person_gets_short_tokens_and_a_revoked_one_none() {
    let identity = identity("people");
    operator(&identity, "[organisations]\n\"partners/ml-mmeia\" = []");
    invite(&identity, "head", "administrator", None);
    invite(&identity, "officer", "signatory", Some("head"));
    assert_eq!(asked(&identity, "anybody", "signatory"), Err(Refused::Unknown));
    assert_eq!(asked(&identity, "officer", "administrator"), Err(Refused::NotTheirRole));
    let claims = asked(&identity, "officer", "signatory").expect("it has the role");
    assert_eq!(claims.exp - claims.iat, 15 * 60);
    assert!(!claims.sub.contains("officer"), "{}", claims.sub);
    let pseudonym = identity.persons.pseudonyms.of(&claims.sub);
    assert_eq!(identity.person(&pseudonym).as_deref(), Some("A Name"));
    change(&identity, Some("head"), |directory, wish| directory.revoke(wish, "officer"));
    assert_eq!(asked(&identity, "officer", "signatory"), Err(Refused::Revoked));
    change(&identity, Some("head"), |directory, wish| directory.erase(wish, "officer"));
    assert_eq!(identity.person(&pseudonym), None);
    fs::remove_dir_all(&identity.folder).expect("the folder is ours");
}

#[test]
fn whoever_is_not_named_gets_a_token_in_a_demonstration_alone() {
    let identity = identity("strangers");
    let not_served = Refused::NotServed { organisation: "partners/ml-mmeia".to_owned(), meant: None };
    assert_eq!(asked(&identity, "anybody", "auditor"), Err(not_served), "there is no file");
    operator(&identity, "[organisations]\n\"partners/ml-mmeia\" = []");
    assert_eq!(asked(&identity, "anybody", "observer"), Err(Refused::NobodyNamed));
    operator(&identity, "anybody = true");
    assert_eq!(asked(&identity, "anybody", "auditor").map(|it| it.sub), Ok("anybody@ml-mmeia".to_owned()));
    let meant = Some("auditor".to_owned());
    assert_eq!(asked(&identity, "anybody", "auditer"), Err(Refused::NoSuchRole { role: "auditer".to_owned(), meant }));
    invite(&identity, "head", "administrator", None);
    assert_eq!(asked(&identity, "anybody", "auditor"), Err(Refused::RoleOfOperator { role: "auditor".to_owned() }));
    assert_eq!(asked(&identity, "anybody", "contributor"), Err(Refused::Unknown), "it has named its people now");
    fs::remove_dir_all(&identity.folder).expect("the folder is ours");
}

#[test]
fn what_the_operator_takes_away_is_signed_no_more() {
    let identity = identity("withdrawn");
    operator(&identity, "[organisations]\n\"partners/ml-mmeia\" = [\"secretariat\"]");
    invite(&identity, "head", "administrator", None);
    invite(&identity, "desk", "secretariat", Some("head"));
    assert!(asked(&identity, "desk", "secretariat").is_ok());
    operator(&identity, "[organisations]\n\"partners/ml-mmeia\" = []");
    let refused = Refused::RoleOfOperator { role: "secretariat".to_owned() };
    assert_eq!(asked(&identity, "desk", "secretariat"), Err(refused));
    fs::remove_dir_all(&identity.folder).expect("the folder is ours");
}

#[test]
fn a_persons_subject_stands_in_the_directory_alone() {
    let identity = identity("alone");
    operator(&identity, "anybody = true");
    invite(&identity, "head", "administrator", None);
    let subject = asked(&identity, "head", "administrator").expect("it has the role").sub;
    let elsewhere = identity.token_of(&["observer"], "partners/fra", "anybody", SignedDuration::from_hours(1));
    assert!(elsewhere.expect("it is read").is_ok());
    let persons = identity.folder.join("persons");
    assert!(!fs::read_to_string(&persons).expect("one is there").contains(&subject));
    // As files of before have it.
    let line = format!("{} {subject}\n", identity.persons.pseudonyms.of(&subject));
    let text = fs::read_to_string(&persons).expect("one is there") + &line;
    fs::write(&persons, text).expect("it can be written");
    let again = Identity::open(&identity.folder).expect("the keys are there");
    let text = fs::read_to_string(&persons).expect("one is there");
    assert!(!text.contains(&subject) && text.ends_with("anybody@fra\n"), "{text}");
    let anybody = again.persons.pseudonyms.of("anybody@fra");
    assert_eq!(again.person(&anybody).as_deref(), Some("anybody@fra"), "others stay");
    fs::remove_dir_all(&identity.folder).expect("the folder is ours");
}
