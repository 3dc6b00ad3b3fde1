use tonic::Code;

use super::*;

#[test]
fn what_stands_in_the_way_of_an_answer_has_its_reason() {
    let database = || NoAnswer::Tables(TablesError::Database(sqlx::Error::PoolClosed));
    let large = TooLarge { currency_code: "XOF".into(), minor_units: i128::MAX };
    for (status, code, words) in [
        (no_answer(&NoAnswer::NotReadYet { log: "commitments".into() }), Code::Unavailable, "The log commitments"),
        (
            no_answer(&NoAnswer::NotUnderstood { log: "commitments".into(), position: 7 }),
            Code::Unavailable,
            "The record 7 of the log commitments",
        ),
        (no_answer(&database()), Code::Unavailable, "What is kept of the logs"),
        (too_large(&large), Code::FailedPrecondition, "A sum in XOF"),
    ] {
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().starts_with(words), "{}", status.message());
    }
}
