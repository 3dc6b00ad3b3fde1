use contracts::toguna::disbursements::events::v1::DecisionApproved;

use super::*;

pub(super) fn record(position: u64, epoch: u8) -> Vec<u8> {
    let approved =
        DecisionApproved { amount: Some(types::Money { currency_code: "EUR".to_owned(), minor_units: 1_500_000_000 }) };
    EventRecord {
        position,
        epoch: vec![epoch; 16],
        stream: "decisions/t05-eutf-sah-ml-07".to_owned(),
        version: 2,
        event_id: vec![1; 16],
        r#type: "toguna.disbursements.events.v1.DecisionApproved".to_owned(),
        payload: approved.encode_to_vec(),
        recorded_at: Some(prost_types::Timestamp { seconds: 1_795_428_000, nanos: 5_000 }),
        effective_on: Some(types::Date { year: 2016, month: 12, day: 0 }),
        actor: Some(log::Actor { subject: "ab".to_owned(), ..Default::default() }),
        on_behalf_of: "partners/european-commission".to_owned(),
        basis: Basis::RecordedFromSource.into(),
        certainty: Certainty::Inferred.into(),
        request_id: vec![2; 16],
        ..Default::default()
    }
    .encode_to_vec()
}

#[test]
fn an_event_is_one_line_of_json_with_the_payload_as_proto3_json() {
    let event = Event::read(&record(7, 9)).expect("it is a record");
    let line = serde_json::to_string(&event).expect("it is JSON");
    assert!(!line.contains('\n'));
    let value: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
    assert_eq!(value["position"], 7);
    assert_eq!(value["type"], "toguna.disbursements.events.v1.DecisionApproved");
    assert_eq!(value["effective_on"], "2016-12");
    assert_eq!(value["recorded_at"], "2026-11-23T10:00:00.000005Z");
    assert_eq!(value["basis"], "recorded_from_source");
    assert_eq!(value["certainty"], "inferred");
    assert_eq!(value["request_id"], "02020202-0202-0202-0202-020202020202");
    assert_eq!(value["payload"]["amount"]["minorUnits"], "1500000000");
    assert!(line.starts_with("{\"position\":7,\"stream\":"));
}
