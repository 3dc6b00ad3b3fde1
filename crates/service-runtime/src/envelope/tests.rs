use contracts::toguna::r#type::v1 as types;
use tonic_types::StatusExt as _;

use super::*;

const TODAY: Date = Date::constant(2026, 11, 23);

fn actor() -> Actor {
    Actor {
        issuer: "https://id.example".into(),
        subject: "ab".repeat(32),
        organisation: "partners/mli".into(),
        roles: vec!["focal_point".into()],
    }
}

fn source() -> pb::Source {
    pb::Source { title: "Journal officiel".into(), kind: "law".into(), ..pb::Source::default() }
}

/// The act and the violated fields.
fn read(sent: &pb::Act) -> (Act, Vec<String>) {
    let mut fields = Fields::new();
    let act = act(&mut fields, sent, actor(), TODAY).expect("it may be recorded");
    (act, fields.into_violations().into_iter().map(|violation| violation.field).collect())
}

fn violated(sent: &pb::Act) -> Vec<String> {
    read(sent).1
}

#[test]
fn an_act_of_which_nothing_is_said_is_the_callers_own() {
    let (act, violated) = read(&pb::Act::default());
    assert!(violated.is_empty());
    assert_eq!(act.on_behalf_of, "partners/mli");
    assert_eq!(act.basis, Basis::Act);
    assert_eq!(act.certainty, Certainty::Exact);
    assert_eq!(act.effective_on, None);
    assert_eq!(act.today, TODAY);
}

#[test]
fn another_organisation_s_published_act_is_recorded_from_its_source() {
    let sent = pb::Act { on_behalf_of: "partners/fra".into(), sources: vec![source()], ..pb::Act::default() };
    let (act, violated) = read(&sent);
    assert!(violated.is_empty(), "{violated:?}");
    assert_eq!(act.on_behalf_of, "partners/fra");
    assert_eq!(act.basis, Basis::RecordedFromSource);
    assert_eq!(act.actor.organisation, "partners/mli");
}

#[test]
fn nothing_is_recorded_for_another_without_a_source() {
    let sent = pb::Act { on_behalf_of: "partners/fra".into(), ..pb::Act::default() };
    assert_eq!(violated(&sent), ["act.sources"]);
    let own = pb::Act { basis: pb::Basis::RecordedFromSource.into(), ..pb::Act::default() };
    assert_eq!(violated(&own), ["act.sources"]);
}

#[test]
fn nobody_acts_for_another() {
    let sent = pb::Act {
        on_behalf_of: "partners/fra".into(),
        basis: pb::Basis::Act.into(),
        sources: vec![source()],
        ..pb::Act::default()
    };
    let status = act(&mut Fields::new(), &sent, actor(), TODAY).expect_err("refused");
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
    let info = status.get_details_error_info().expect("always there");
    assert_eq!(info.reason, "ACTS_FOR_ANOTHER");
    assert_eq!(info.metadata["on_behalf_of"], "partners/fra");
}

#[test]
fn a_date_lies_at_most_fifty_years_ahead() {
    let on = |year, month, day| pb::Act { effective_on: Some(types::Date { year, month, day }), ..pb::Act::default() };
    assert!(violated(&on(2076, 12, 31)).is_empty());
    assert!(violated(&on(1960, 0, 0)).is_empty());
    assert_eq!(violated(&on(2077, 1, 1)), ["act.effective_on"]);
    assert_eq!(violated(&on(2025, 2, 30)), ["act.effective_on"]);
    assert_eq!(violated(&on(0, 0, 0)), ["act.effective_on"]);
}

#[test]
fn everything_wrong_with_an_act_is_told_at_once() {
    let bad = pb::Source {
        title: String::new(),
        location: "x".repeat(501),
        issued_on: Some(types::Date { year: 2016, month: 13, day: 1 }),
        sha256: vec![0; 31],
        ..pb::Source::default()
    };
    let sent = pb::Act {
        on_behalf_of: "France".into(),
        basis: 9,
        certainty: 9,
        reason: "x".repeat(501),
        sources: vec![source(), bad],
        ..pb::Act::default()
    };
    let mut told = violated(&sent);
    told.sort();
    assert_eq!(
        told,
        [
            "act.basis",
            "act.certainty",
            "act.on_behalf_of",
            "act.reason",
            "act.sources[1].issued_on",
            "act.sources[1].location",
            "act.sources[1].sha256",
            "act.sources[1].title",
        ]
    );
}

#[test]
fn a_source_is_kept_as_sent() {
    let sent = pb::Source {
        title: "Décret n° 2017-576".into(),
        kind: "decree".into(),
        issuer: "République française".into(),
        issued_on: Some(types::Date { year: 2017, month: 4, day: 20 }),
        language_code: "fr".into(),
        location: "JORF n°0095".into(),
        sha256: vec![9; 32],
    };
    let (act, violated) = read(&pb::Act { sources: vec![sent.clone()], ..pb::Act::default() });
    assert!(violated.is_empty());
    assert_eq!(event_store::source_to_proto(&act.sources[0]), sent);
}

#[test]
fn at_most_twenty_sources_are_taken() {
    let of = |count| pb::Act { sources: vec![source(); count], ..pb::Act::default() };
    assert!(violated(&of(20)).is_empty());
    assert_eq!(violated(&of(21)), ["act.sources"]);
}

/// What a reading says of a text: the value, and whether it was violated.
fn of<T>(read: impl FnOnce(&mut Fields) -> T) -> (T, bool) {
    let mut fields = Fields::new();
    let value = read(&mut fields);
    (value, !fields.into_violations().is_empty())
}

#[test]
fn a_request_id_is_a_uuid() {
    let id = "0197f2a0-5d5a-7c3e-8a51-2f1d6c1e9b00";
    assert_eq!(of(|fields| request_id(fields, id).to_string()), (id.into(), false));
    for text in [
        "",
        "7",
        "00000000-0000-0000-0000-000000000000",
        "0197f2a0-5d5a-7c3e-8a51-2f1d6c1e9b0",
        "x".repeat(36).as_str(),
    ] {
        assert!(of(|fields| request_id(fields, text)).1, "{text}");
    }
}

#[test]
fn a_correlation_id_is_a_uuid_or_absent() {
    assert_eq!(of(|fields| correlation_id(fields, None)), (None, false));
    assert_eq!(of(|fields| correlation_id(fields, Some("7"))), (None, true));
    assert!(of(|fields| correlation_id(fields, Some("0197f2a0-5d5a-7c3e-8a51-2f1d6c1e9b00"))).0.is_some());
}

#[test]
fn an_etag_is_empty_or_a_quoted_version() {
    assert_eq!(of(|fields| expected_version(fields, "")), (None, false));
    assert_eq!(of(|fields| expected_version(fields, "\"0\"")), (Some(0), false));
    assert_eq!(of(|fields| expected_version(fields, "\"42\"")), (Some(42), false));
    for etag in
        ["42", "\"\"", "\"", "\"-1\"", "\"+1\"", "\"01\"", "\"1", "1\"", "W/\"1\"", "\"18446744073709551616\"", "\"١\""]
    {
        assert_eq!(of(|fields| expected_version(fields, etag)), (None, true), "{etag}");
    }
}

#[test]
fn tokens_are_read_and_bounded() {
    let token = format!("partnerships.{}.7", "0".repeat(31) + "1");
    let (read, bad) = of(|fields| tokens(fields, std::slice::from_ref(&token)));
    assert_eq!((read[0].position, bad), (7, false));
    assert!(of(|fields| tokens(fields, &["nonsense".into()])).1);
    assert!(of(|fields| tokens(fields, &vec![token; 17])).1);
}
