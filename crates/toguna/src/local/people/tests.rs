use jiff::civil::date;

use super::*;

const MINISTRY: &str = "partners/ml-mmeia";
const TODAY: Date = date(2026, 11, 23);

fn roles(roles: &[&str]) -> Vec<String> {
    roles.iter().map(|&role| role.to_owned()).collect()
}

fn noon(day: Date) -> Timestamp {
    TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)).expect("a time")
}

/// The operator serves one ministry, which keeps no register.
fn bounds() -> Organisations {
    let served = [(MINISTRY.to_owned(), std::collections::BTreeSet::new())];
    Organisations { organisations: served.into(), ..Organisations::default() }
}

/// A wish of today, tried.
fn wish<T>(by: Option<&str>, f: impl FnOnce(Wish) -> Result<T, Refused>) -> Result<(), Refused> {
    let wish = Wish { organisation: MINISTRY, by, at: noon(TODAY), bounds: &bounds() };
    f(wish).map(drop)
}

fn invite(directory: &mut Directory, person: &str, role: &str, by: Option<&str>) -> Result<(), Refused> {
    wish(by, |wish| directory.invite(wish, person, &format!("The {person}"), &roles(&[role])))
}

fn delegate(directory: &mut Directory, absent: (&str, &str), to: (&str, Date), by: &str) -> Result<(), Refused> {
    wish(Some(by), |wish| directory.delegate(wish, absent, to))
}

/// An administrator, a signatory and a focal point.
fn directory() -> Directory {
    let mut directory = Directory::default();
    for (person, role, by) in
        [("head", "administrator", None), ("signer", "signatory", Some("head")), ("desk", "focal_point", Some("head"))]
    {
        invite(&mut directory, person, role, by).expect("the head may");
    }
    directory
}

fn permit(directory: &Directory, person: &str, role: &str, on: Date) -> Result<Permit, Refused> {
    directory.permit(MINISTRY, person, &[role], noon(on)).expect("the organisation is known")
}

#[test]
fn an_organisation_begins_with_an_administrator_who_names_the_others() {
    let mut directory = Directory::default();
    let mut invite = |person: &str, role: &str, by: Option<&str>| invite(&mut directory, person, role, by);
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
fn no_administrator_gives_a_role_that_is_none_or_that_only_the_operator_gives() {
    let mut directory = directory();
    let head = Some("head");
    for role in ["auditor", "secretariat", "verifier", "payment_verifier", "fund_manager", "accounting_officer"] {
        let refused = Err(Refused::RoleOfOperator { role: role.to_owned() });
        assert_eq!(invite(&mut directory, "head", role, head), refused);
        assert_eq!(invite(&mut directory, "other", role, head), refused);
    }
    let meant = Some("signatory".to_owned());
    let misspelt = Refused::NoSuchRole { role: "signatry".to_owned(), meant };
    assert_eq!(invite(&mut directory, "other", "signatry", head), Err(misspelt.clone()));
    assert_eq!(delegate(&mut directory, ("signer", "signatry"), ("desk", TODAY), "head"), Err(misspelt));
}

#[test]
fn nobody_begins_with_an_organisation_that_the_operator_does_not_serve() {
    let (mut directory, bounds) = (Directory::default(), bounds());
    let wish = Wish { organisation: "partners/ml-mmea", by: None, at: noon(TODAY), bounds: &bounds };
    let meant = Some(MINISTRY.to_owned());
    let refused = Refused::NotServed { organisation: "partners/ml-mmea".to_owned(), meant };
    assert_eq!(directory.invite(wish, "head", "The Head", &roles(&["administrator"])), Err(refused));
    assert_eq!(directory, Directory::default());
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
    assert_eq!(delegate(&mut directory, ("signer", "signatory"), ("desk", last), "head"), Ok(()));
    let midnight = Some("2027-01-01T00:00:00Z".parse().expect("a time"));
    assert_eq!(permit(&directory, "desk", "signatory", last).map(|it| it.ends), Ok(midnight));
    assert_eq!(permit(&directory, "desk", "signatory", date(2027, 1, 1)), Err(Refused::NotTheirRole));
    assert!(permit(&directory, "desk", "focal_point", date(2027, 1, 1)).is_ok(), "its own role stays");
}

#[test]
fn nobody_delegates_what_nobody_has_or_for_longer_than_the_operator_lets_them() {
    let mut directory = directory();
    let mut delegate = |absent: (&str, &str), to: (&str, Date), by| delegate(&mut directory, absent, to, by);
    let signer = ("signer", "signatory");
    assert_eq!(delegate(signer, ("desk", TODAY), "desk"), Err(Refused::NotAdministrator));
    assert_eq!(delegate(("signer", "auditor"), ("desk", TODAY), "head"), Err(Refused::NotTheirRole));
    assert_eq!(delegate(signer, ("nobody", TODAY), "head"), Err(Refused::Unknown));
    assert_eq!(delegate(signer, ("signer", TODAY), "head"), Err(Refused::OwnRole));
    assert_eq!(delegate(signer, ("desk", date(2026, 11, 22)), "head"), Err(Refused::Over));
    for too_far in [date(2027, 2, 24), date(2999, 12, 31), Date::MAX] {
        assert_eq!(delegate(signer, ("desk", too_far), "head"), Err(Refused::TooLong { days: 92 }));
    }
    assert_eq!(delegate(signer, ("desk", date(2027, 2, 23)), "head"), Ok(()), "92 days from today on");
    let again = delegate(("desk", "signatory"), ("head", TODAY), "head");
    assert_eq!(again, Err(Refused::NotTheirRole), "it is not its own");
}

#[test]
fn whoever_is_revoked_gets_no_token_and_nobody_stands_in_for_them() {
    let mut directory = directory();
    let last = date(2026, 12, 31);
    delegate(&mut directory, ("signer", "signatory"), ("desk", last), "head").expect("the head may");
    let subject = permit(&directory, "signer", "signatory", TODAY).expect("not yet revoked").subject;
    let mut revoke = |person: &str| wish(Some("head"), |wish| directory.revoke(wish, person));
    assert_eq!(revoke("head"), Err(Refused::LastAdministrator));
    assert_eq!(revoke("signer"), Ok(()));
    assert_eq!(permit(&directory, "signer", "signatory", TODAY), Err(Refused::Revoked));
    assert_eq!(permit(&directory, "desk", "signatory", TODAY), Err(Refused::NotTheirRole));
    invite(&mut directory, "signer", "signatory", Some("head")).expect("the head may");
    assert_eq!(permit(&directory, "signer", "signatory", TODAY).map(|it| it.subject), Ok(subject), "the same person");
}

#[test]
fn of_whoever_is_erased_nothing_stays() {
    let mut directory = directory();
    invite(&mut directory, "second", "administrator", Some("head")).expect("it may");
    delegate(&mut directory, ("second", "administrator"), ("desk", TODAY), "second").expect("it may");
    let subject = permit(&directory, "second", "administrator", TODAY).expect("it is there").subject;
    assert!(serde_json::to_string(&directory).expect("JSON").contains(&subject));
    let mut erase = |person: &str| wish(Some("head"), |wish| directory.erase(wish, person));
    assert_eq!(erase("second"), Ok(()));
    assert_eq!(erase("head"), Err(Refused::LastAdministrator));
    let text = serde_json::to_string(&directory).expect("JSON");
    assert!(!text.contains(&subject) && !text.contains("The second") && !text.contains("second"), "{text}");
}

#[test]
fn the_short_name_of_whoever_was_erased_is_nobody_elses_for_a_year() {
    let mut directory = directory();
    wish(Some("head"), |wish| directory.erase(wish, "desk")).expect("the head may");
    assert_eq!(invite(&mut directory, "desk", "focal_point", Some("head")), Err(Refused::Erased));
    assert_eq!(invite(&mut directory, "desk-2", "focal_point", Some("head")), Ok(()));
    let bounds = bounds();
    let later = |day: Date| Wish { organisation: MINISTRY, by: Some("head"), at: noon(day), bounds: &bounds };
    let mut again = |day: Date| directory.invite(later(day), "desk", "Another", &roles(&["focal_point"])).map(drop);
    assert_eq!(again(date(2027, 11, 23)), Err(Refused::Erased));
    assert_eq!(again(date(2027, 11, 25)), Ok(()));
}

/// A folder of the directory, gone when dropped.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("toguna-people-{}", random_hex(4)));
        std::fs::create_dir(&folder).expect("a folder can be made");
        Self(folder)
    }

    fn people(&self) -> People {
        People::at(&self.0, &crate::local::persons::Pseudonyms::under("07").expect("a key"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_change_is_kept_whole_and_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, bounds) = (Folder::new(), bounds());
    let people = folder.people();
    assert_eq!(people.read().expect("nobody yet"), Directory::default());
    let wish = Wish { organisation: MINISTRY, by: None, at: noon(TODAY), bounds: &bounds };
    let invite = |directory: &mut Directory| directory.invite(wish, "head", "The Head", &roles(&["administrator"]));
    assert_eq!(people.change(invite).expect("it can be written"), Ok(()));
    let kept = people.read().expect("it can be read");
    let refused = people.change(|directory| {
        directory.organisations.clear();
        Err(Refused::Unknown)
    });
    assert_eq!(refused.expect("read"), Err(Refused::Unknown));
    assert_eq!(people.read().expect("it can be read"), kept, "nothing of a refused change");
    assert_eq!(people.changes().expect("it can be read").len(), 1, "nor in the record");
    let pseudonym = people.pseudonyms().expect("it can be read").into_keys().next().expect("the head's");
    assert_eq!(people.name(&pseudonym).as_deref(), Some("The Head"));
    for file in ["people.json", "people.changes"] {
        let mode = std::fs::metadata(folder.0.join(file)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn the_record_says_who_changed_what_in_order_and_holds_no_name() {
    let (folder, bounds) = (Folder::new(), bounds());
    let people = folder.people();
    let wish = |by| Wish { organisation: MINISTRY, by, at: noon(TODAY), bounds: &bounds };
    let change = |f: &dyn Fn(&mut Directory) -> Result<Change, Refused>| {
        people.change(f).expect("it can be written").expect("it is allowed");
    };
    change(&|it| it.invite(wish(None), "head", "The Head", &roles(&["administrator"])));
    change(&|it| it.invite(wish(Some("head")), "signer", "The Signer", &roles(&["signatory"])));
    change(&|it| it.invite(wish(Some("head")), "desk", "The Desk", &roles(&["focal_point"])));
    let who = people.pseudonyms().expect("it can be read");
    let called = |short: &str| who.iter().find(|(_, it)| it.0 == short).map(|(it, _)| it.clone()).expect("it is there");
    let (head, signer, desk) = (called("head"), called("signer"), called("desk"));
    change(&|it| it.delegate(wish(Some("head")), ("signer", "signatory"), ("desk", TODAY)));
    let before = std::fs::read_to_string(folder.0.join("people.changes")).expect("it is there");
    change(&|it| it.revoke(wish(Some("head")), "desk"));
    change(&|it| it.erase(wish(Some("head")), "signer"));
    let record = std::fs::read_to_string(folder.0.join("people.changes")).expect("it is there");
    assert!(record.starts_with(&before), "it is only added to");
    for name in ["The ", "person-", "signer", "desk", "head"] {
        assert!(!record.contains(name), "{name}: {record}");
    }
    let changes = people.changes().expect("it can be read");
    let told: Vec<_> = changes.iter().map(|it| (it.person.as_str(), it.by.as_deref(), &it.what)).collect();
    let given = |role: &str| What::Invited { roles: roles(&[role]) };
    let by = Some(head.as_str());
    let stands_in = What::Delegated { role: "signatory".to_owned(), to: desk.clone(), until: Day(TODAY) };
    let expected = [
        (head.as_str(), None, &given("administrator")),
        (signer.as_str(), by, &given("signatory")),
        (desk.as_str(), by, &given("focal_point")),
        (signer.as_str(), by, &stands_in),
        (desk.as_str(), by, &What::Revoked),
        (signer.as_str(), by, &What::Erased),
    ];
    assert_eq!(told, expected);
    assert!(changes.iter().all(|it| it.organisation == MINISTRY && it.at == "2026-11-23T12:00:00Z"));
}

#[test]
fn every_refusal_is_told_in_both_languages() {
    use crate::language::Language;
    let meant = Some("signatory".to_owned());
    let misspelt = Refused::NoSuchRole { role: "signatry".to_owned(), meant };
    let (english, french) = (misspelt.say(Language::En), misspelt.say(Language::Fr));
    assert_eq!(english, "“signatry” is no role; did you mean “signatory”?");
    let expected = "«\u{202f}signatry\u{202f}» n’est pas un rôle\u{202f}; vouliez-vous dire \
                    «\u{202f}signatory\u{202f}»\u{202f}?";
    assert_eq!(french, expected);
    let meant = Some(MINISTRY.to_owned());
    let unknown = Refused::NotServed { organisation: "partners/ml-mmea".to_owned(), meant };
    assert!(unknown.say(Language::En).ends_with("does not name “partners/ml-mmea”; did you mean “partners/ml-mmeia”?"));
    assert!(unknown.say(Language::Fr).ends_with("vouliez-vous dire «\u{202f}partners/ml-mmeia\u{202f}»\u{202f}?"));
}
