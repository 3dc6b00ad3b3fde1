use jiff::civil::date;

use super::*;

const MINISTRY: &str = "partners/ml-mmeia";
const TODAY: Date = date(2026, 11, 23);

fn roles(roles: &[&str]) -> Vec<String> {
    roles.iter().map(|&role| role.to_owned()).collect()
}

/// An administrator, a signatory and a focal point.
fn directory() -> Directory {
    let mut directory = Directory::default();
    for (person, role, by) in
        [("head", "administrator", None), ("signer", "signatory", Some("head")), ("desk", "focal_point", Some("head"))]
    {
        directory.invite(MINISTRY, person, person, &roles(&[role]), by, TODAY).expect("the head may");
    }
    directory
}

fn permit(directory: &Directory, person: &str, role: &str, on: Date) -> Result<Permit, Refused> {
    let noon = TimeZone::UTC.to_timestamp(on.at(12, 0, 0, 0)).expect("a time");
    directory.permit(MINISTRY, person, &[role], noon).expect("the organisation is known")
}

#[test]
fn an_organisation_begins_with_an_administrator_who_names_the_others() {
    let mut directory = Directory::default();
    let mut invite = |person: &str, role: &str, by: Option<&str>| {
        directory.invite(MINISTRY, person, "a name", &roles(&[role]), by, TODAY)
    };
    assert_eq!(invite("desk", "focal_point", None), Err(Refused::BeginsWithAdministrator));
    assert_eq!(invite("head", "administrator", None), Ok(()));
    assert_eq!(invite("desk", "focal_point", None), Err(Refused::NotAdministrator));
    assert_eq!(invite("desk", "focal_point", Some("stranger")), Err(Refused::NotAdministrator));
    assert_eq!(invite("desk", "focal_point", Some("head")), Ok(()));
    assert_eq!(invite("other", "focal_point", Some("desk")), Err(Refused::NotAdministrator));
    assert_eq!(invite("head", "focal_point", Some("head")), Err(Refused::LastAdministrator));
    assert_eq!(directory.permit("partners/fra", "head", &[], Timestamp::UNIX_EPOCH), None);
}

#[test]
fn everybody_gets_the_roles_that_were_given_and_no_other() {
    let directory = directory();
    assert!(permit(&directory, "signer", "signatory", TODAY).is_ok_and(|it| it.ends.is_none()));
    assert_eq!(permit(&directory, "signer", "focal_point", TODAY), Err(Refused::NotTheirRole));
    assert_eq!(permit(&directory, "nobody", "focal_point", TODAY), Err(Refused::Unknown));
    let (signer, desk) =
        (permit(&directory, "signer", "signatory", TODAY), permit(&directory, "desk", "focal_point", TODAY));
    assert_ne!(signer.map(|it| it.subject), desk.map(|it| it.subject));
}

#[test]
fn whoever_stands_in_has_the_role_until_the_end_of_the_last_day() {
    let mut directory = directory();
    let last = date(2026, 12, 31);
    assert_eq!(directory.delegate(MINISTRY, ("signer", "signatory"), ("desk", last), Some("head"), TODAY), Ok(()));
    let midnight = Some("2027-01-01T00:00:00Z".parse().expect("a time"));
    assert_eq!(permit(&directory, "desk", "signatory", last).map(|it| it.ends), Ok(midnight));
    assert_eq!(permit(&directory, "desk", "signatory", date(2027, 1, 1)), Err(Refused::NotTheirRole));
    assert!(permit(&directory, "desk", "focal_point", date(2027, 1, 1)).is_ok(), "its own role stays");
}

#[test]
fn nobody_delegates_what_nobody_has() {
    let mut directory = directory();
    let mut delegate = |absent: (&str, &str), to: (&str, Date), by| directory.delegate(MINISTRY, absent, to, by, TODAY);
    let head = Some("head");
    assert_eq!(delegate(("signer", "signatory"), ("desk", TODAY), Some("desk")), Err(Refused::NotAdministrator));
    assert_eq!(delegate(("signer", "auditor"), ("desk", TODAY), head), Err(Refused::NotTheirRole));
    assert_eq!(delegate(("signer", "signatory"), ("nobody", TODAY), head), Err(Refused::Unknown));
    assert_eq!(delegate(("signer", "signatory"), ("signer", TODAY), head), Err(Refused::OwnRole));
    assert_eq!(delegate(("signer", "signatory"), ("desk", date(2026, 11, 22)), head), Err(Refused::Over));
    assert_eq!(delegate(("signer", "signatory"), ("desk", TODAY), head), Ok(()));
    assert_eq!(delegate(("desk", "signatory"), ("head", TODAY), head), Err(Refused::NotTheirRole), "it is not its own");
}

#[test]
fn whoever_is_revoked_gets_no_token_and_nobody_stands_in_for_them() {
    let mut directory = directory();
    let last = date(2026, 12, 31);
    directory.delegate(MINISTRY, ("signer", "signatory"), ("desk", last), Some("head"), TODAY).expect("the head may");
    let subject = permit(&directory, "signer", "signatory", TODAY).expect("not yet revoked").subject;
    assert_eq!(directory.revoke(MINISTRY, "head", Some("head"), TODAY), Err(Refused::LastAdministrator));
    assert_eq!(directory.revoke(MINISTRY, "signer", Some("head"), TODAY), Ok(()));
    assert_eq!(permit(&directory, "signer", "signatory", TODAY), Err(Refused::Revoked));
    assert_eq!(permit(&directory, "desk", "signatory", TODAY), Err(Refused::NotTheirRole));
    directory.invite(MINISTRY, "signer", "signer", &roles(&["signatory"]), Some("head"), TODAY).expect("the head may");
    assert_eq!(permit(&directory, "signer", "signatory", TODAY).map(|it| it.subject), Ok(subject), "the same person");
}

#[test]
fn of_whoever_is_erased_nothing_stays() {
    let mut directory = directory();
    directory
        .invite(MINISTRY, "second", "Another Head", &roles(&["administrator"]), Some("head"), TODAY)
        .expect("it may");
    directory.delegate(MINISTRY, ("second", "administrator"), ("desk", TODAY), Some("second"), TODAY).expect("it may");
    let subject = permit(&directory, "second", "administrator", TODAY).expect("it is there").subject;
    assert!(serde_json::to_string(&directory).expect("JSON").contains(&subject));
    assert_eq!(directory.erase(MINISTRY, "second", Some("head"), TODAY), Ok(()));
    let text = serde_json::to_string(&directory).expect("JSON");
    assert!(!text.contains(&subject) && !text.contains("Another Head") && !text.contains("second"), "{text}");
    assert_eq!(directory.erase(MINISTRY, "head", Some("head"), TODAY), Err(Refused::LastAdministrator));
}

#[test]
fn a_change_is_kept_whole_and_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = std::env::temp_dir().join(format!("toguna-people-{}", random_hex(4)));
    fs::create_dir(&folder).expect("a folder can be made");
    let people = People::at(folder.join("people.json"));
    assert_eq!(people.read().expect("nobody yet"), Directory::default());
    let invite = |directory: &mut Directory| {
        directory.invite(MINISTRY, "head", "The Head", &roles(&["administrator"]), None, TODAY)
    };
    assert_eq!(people.change(invite).expect("it can be written"), Ok(()));
    let kept = people.read().expect("it can be read");
    assert_eq!(
        people
            .change(|directory| {
                directory.organisations.clear();
                Err(Refused::Unknown)
            })
            .expect("read"),
        Err(Refused::Unknown)
    );
    assert_eq!(people.read().expect("it can be read"), kept, "nothing of a refused change");
    let subject = &kept.organisations[MINISTRY].people["head"].subject;
    assert_eq!(people.name(subject).as_deref(), Some("The Head"));
    let mode = fs::metadata(folder.join("people.json")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::remove_dir_all(&folder).expect("the folder is ours");
}
