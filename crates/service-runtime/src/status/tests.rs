use std::{collections::BTreeSet, sync::Arc};

use event_store::StreamName;
use tonic_types::StatusExt as _;

use super::*;
use crate::context::CALL;

/// What a call in a language gets.
async fn in_language(language: Language, make: impl FnOnce() -> Status) -> Status {
    let context = CallContext { language, ..Arc::into_inner(CallContext::current()).expect("nobody else has it") };
    CALL.scope(Arc::new(context), async { make() }).await
}

fn stale() -> Status {
    let stream: StreamName = "agreements/ml-fr-1994".parse().expect("a name");
    execute(&ExecuteError::StaleVersion(vec![StaleVersion { stream, expected: 6, version: 7 }]), "")
}

#[tokio::test]
async fn a_stale_version_is_aborted_with_the_current_etag_in_the_callers_language() {
    let status = in_language(Language::French, stale).await;
    assert_eq!(status.code(), Code::Aborted);
    assert_eq!(status.message(), "agreements/ml-fr-1994 changed since you read it; its etag is now \"7\".");
    let details = status.get_error_details();
    let info = details.error_info().expect("always there");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("STALE_VERSION", "toguna"));
    assert_eq!(info.metadata["etag"], "\"7\"");
    assert_eq!(info.metadata["resource"], "agreements/ml-fr-1994");
    let said = details.localized_message().expect("always there");
    assert_eq!(said.locale, "fr");
    assert!(said.message.contains("son etag est maintenant \"7\""), "{}", said.message);
    assert!(details.retry_info().is_none(), "the same request will not do");
    let trace = &details.request_info().expect("always there").request_id;
    assert!(trace.len() == 32 && trace.bytes().any(|digit| digit != b'0'), "{trace}");
}

#[tokio::test]
async fn outside_of_a_call_english_is_spoken() {
    let said = stale().get_details_localized_message().expect("always there");
    assert_eq!((said.locale.as_str(), said.message.as_str()), ("en", stale().message()));
}

#[tokio::test]
async fn what_may_succeed_later_says_when_to_try() {
    let status = execute(&ExecuteError::Overloaded, "");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_details_retry_info().expect("retryable").retry_delay, Some(RETRY_DELAY));
}

#[tokio::test]
async fn libraries_that_send_again_are_told_when_and_not_to_where_their_caller_stops_waiting_before() {
    let told = |status: Status| status.metadata().get(PUSHBACK).map(|told| told.to_str().expect("ASCII").to_owned());
    let unavailable = || Status::from(refused(ErrorReason::LogUnavailable));
    assert_eq!(told(unavailable()).as_deref(), Some("1000"));
    let deadline = Instant::now() + RETRY_DELAY / 2;
    let soon = CallContext { deadline, ..Arc::into_inner(CallContext::current()).expect("nobody else has it") };
    assert_eq!(told(CALL.scope(Arc::new(soon), async { unavailable() }).await).as_deref(), Some("-1"));
    assert_eq!(told(execute(&ExecuteError::Overloaded, "")), None, "no library sends again with this code");
    assert_eq!(told(stale()), None, "the same request will not do");
}

/// Clients of gRPC take 8 KiB, and refuse to read an answer with more.
#[tokio::test]
async fn whatever_a_caller_sends_the_refusal_fits_into_what_clients_take() {
    for anything in ["a".repeat(70_000), "é".repeat(70_000), "\u{1f600}".repeat(70_000), "\n".repeat(70_000)] {
        let value = || anything.clone();
        let problem = || Wording::from((value(), value()));
        let violations: Vec<_> = (0..50)
            .map(|number| Violation { field: format!("act.sources[{number}].title"), problem: problem() })
            .collect();
        let few =
            (0..12).map(|number| Violation { field: format!("f{number}"), problem: anything[..200].to_owned().into() });
        for reason in [ErrorReason::ActsForAnother, ErrorReason::RateLimited, ErrorReason::InvalidRequest] {
            let make = || refused(reason).with("limit", "10").with("kind", ("commands", "commandes"));
            let explained = make()
                .with("organisation", value())
                .with("on_behalf_of", value())
                .with("permission", "toguna.disbursements.v1.ContractService/SignContract");
            let short = make().with("organisation", "partners/ml").with("on_behalf_of", "partners/fr");
            for explained in [explained.violating(violations.clone()), short.violating(few.clone().collect())] {
                let status = in_language(Language::French, || explained.into()).await;
                let headers = status.into_http::<()>().into_parts().0.headers;
                let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
                assert!(bytes <= 8 * 1024, "{bytes}");
            }
        }
    }
}

#[tokio::test]
async fn what_fails_inside_stays_inside() {
    let secret = std::io::Error::other("password=hunter2");
    let damaged = StoreError::Record { position: 7, source: event_store::DecodeError::UnknownType("hunter2".into()) };
    for status in [internal(&secret), store(&damaged)] {
        let said = format!("{status:?} {:?}", status.get_error_details());
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(status.code(), Code::Internal, "{said}");
        let details = status.get_error_details();
        let trace = &details.request_info().expect("always there").request_id;
        assert!(status.message().contains(trace.as_str()), "{said}");
    }
}

#[tokio::test]
async fn each_failure_of_a_command_has_its_code_and_reason() {
    for (error, code, reason) in [
        (ExecuteError::RequestIdReused, Code::AlreadyExists, "REQUEST_ID_REUSED"),
        (ExecuteError::EventTooLarge { bytes: 70_000 }, Code::InvalidArgument, "EVENT_TOO_LARGE"),
        (ExecuteError::Overloaded, Code::ResourceExhausted, "OVERLOADED"),
        (ExecuteError::Unavailable(StoreError::Closed), Code::Unavailable, "LOG_UNAVAILABLE"),
        (ExecuteError::Refused(Box::new(Ceiling)), Code::FailedPrecondition, "OWN_ACT_REQUIRED"),
    ] {
        let status = execute(&error, "0197f2a0-0000-7000-8000-000000000001");
        let info = status.get_details_error_info().expect("always there");
        assert_eq!((status.code(), info.reason.as_str()), (code, reason));
        for key in keys(error_reason(reason).en) {
            assert!(info.metadata.contains_key(&key), "{reason} lacks {key}");
        }
    }
}

/// A refusal of some service.
#[derive(Debug, thiserror::Error)]
#[error("only they themselves")]
struct Ceiling;

impl Refusal for Ceiling {
    fn reason(&self) -> &'static Reason {
        ErrorReason::OwnActRequired.reason()
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        vec![("organisation", Value::name("partners/{eu}"))]
    }
}

#[tokio::test]
async fn a_value_with_braces_is_no_placeholder() {
    assert!(refusal(&Ceiling).message().contains("partners/{eu}"), "{}", refusal(&Ceiling).message());
}

#[tokio::test]
async fn violations_are_told_in_the_callers_language_and_named_in_the_message() {
    let violations = || {
        let violation = |field: &str| Violation { field: field.into(), problem: ("is wrong", "est faux").into() };
        ["a", "b", "c", "d"].map(violation).to_vec()
    };
    let status = in_language(Language::French, || invalid(violations())).await;
    assert!(status.message().ends_with("a is wrong; b is wrong; c is wrong; …"), "{}", status.message());
    let told = status.get_details_bad_request().expect("it lists them").field_violations;
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|violation| violation.description == "est faux"));
}

#[tokio::test]
async fn more_violations_than_trailers_carry_are_counted() {
    let violation = |number| Violation { field: format!("field[{number}]"), problem: "is wrong ".repeat(5).into() };
    let status = invalid((0..1000).map(violation).collect());
    let told = status.get_details_bad_request().expect("it lists them").field_violations;
    let last = told.last().expect("some").description.clone();
    let more: usize = last.split(' ').nth(1).and_then(|number| number.parse().ok()).expect("and so many more");
    assert_eq!(more + told.len() - 1, 1000);
    let mut trailers = http::HeaderMap::new();
    status.add_header(&mut trailers).expect("it can be sent");
    let bytes: usize = trailers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    assert!(bytes < 8192, "{bytes}");
}

#[tokio::test]
#[should_panic(expected = "READ_MODEL_BEHIND is given without wanted")]
async fn a_text_without_one_of_its_values_is_an_error_of_ours() {
    let _status: Status =
        refused(ErrorReason::ReadModelBehind).with("log", "partnerships").with("position", "7").into();
}

/// The placeholders of a text.
fn keys(text: &str) -> BTreeSet<String> {
    text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0.to_owned())).collect()
}

fn error_reason(name: &str) -> &'static Reason {
    contracts::reasons::REASONS.iter().find(|reason| reason.name == name).expect("it is one of them")
}

#[test]
fn every_reason_speaks_of_the_same_values_in_both_languages() {
    for reason in contracts::reasons::REASONS {
        assert_eq!(keys(reason.en), keys(reason.fr), "{}.{}", reason.package, reason.name);
        assert_ne!(reason.en, reason.fr, "{}.{}", reason.package, reason.name);
    }
}
