use std::time::Duration;

use tonic_types::ErrorDetails;

use super::*;

fn of_a_service(code: Code, reason: &str, retry: Option<Duration>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "toguna", std::collections::HashMap::new());
    details.set_retry_info(retry);
    Status::with_error_details(code, "why", details)
}

#[test]
fn what_the_line_says_tells_nothing_of_the_effect() {
    for code in [Code::Unavailable, Code::Cancelled, Code::Unknown, Code::Internal, Code::DeadlineExceeded] {
        let fate = Fate::of(&Status::new(code, "broken pipe"));
        assert_eq!(fate, Fate::Unknown { after: Duration::ZERO, fault: false }, "{code:?}");
    }
}

#[test]
fn what_a_service_asks_to_be_waited_is_waited() {
    let busy = of_a_service(Code::ResourceExhausted, "OVERLOADED", Some(Duration::from_secs(3)));
    assert_eq!(Fate::of(&busy), Fate::Unknown { after: Duration::from_secs(3), fault: false });
    let new = of_a_service(Code::ResourceExhausted, "A_REASON_OF_LATER", Some(Duration::from_secs(3)));
    assert_eq!(Fate::of(&new), Fate::Unknown { after: Duration::from_secs(3), fault: false });
    let too_large = of_a_service(Code::ResourceExhausted, "MESSAGE_TOO_LARGE", None);
    assert_eq!(Fate::of(&too_large), Fate::Refused);
}

#[test]
fn a_fault_of_a_service_is_no_refusal_and_an_invalid_token_stops_everything() {
    let fault = of_a_service(Code::Internal, "INTERNAL", None);
    assert_eq!(Fate::of(&fault), Fate::Unknown { after: Duration::ZERO, fault: true });
    assert_eq!(Fate::of(&of_a_service(Code::Unauthenticated, "TOKEN_INVALID", None)), Fate::Stop);
    assert_eq!(Fate::of(&of_a_service(Code::PermissionDenied, "ROLE_REQUIRED", None)), Fate::Refused);
    assert_eq!(Fate::of(&of_a_service(Code::Aborted, "STALE_VERSION", None)), Fate::Refused);
}

#[test]
fn only_what_rests_on_the_state_of_things_may_be_otherwise_later() {
    let refused =
        |code: Code| Refused { code: code.into(), reason: String::new(), text: String::new(), violations: vec![] };
    assert!(refused(Code::FailedPrecondition).rests_on_state() && refused(Code::NotFound).rests_on_state());
    assert!(!refused(Code::InvalidArgument).rests_on_state() && !refused(Code::PermissionDenied).rests_on_state());
}
