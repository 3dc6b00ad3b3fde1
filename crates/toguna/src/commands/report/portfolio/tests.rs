use contracts::toguna::{log::v1::Certainty, oversight::v1::Standpoint};

use super::*;

fn euros(minor_units: i64) -> Vec<Money> {
    vec![Money { currency_code: "EUR".to_owned(), minor_units }]
}

fn answer() -> Answer {
    let decided = Figure {
        amounts: euros(4_350_000_000),
        derived: vec![Money { currency_code: "XOF".to_owned(), minor_units: 28_534_129_500 }],
        certainty: Certainty::Inferred.into(),
        unconfirmed: true,
        records: 3,
    };
    let figures = PortfolioFigures { decided_gross: Some(decided), ..PortfolioFigures::default() };
    let line = PortfolioLine {
        decision: "decisions/t05-eutf-sah-ml-01".to_owned(),
        reference: "T05-EUTF-SAH-ML-01".to_owned(),
        figures: Some(figures.clone()),
        ..PortfolioLine::default()
    };
    Answer(Portfolio {
        standpoint: Some(Standpoint { as_of: Some(Date { year: 2016, month: 4, day: 15 }), ..Standpoint::default() }),
        country_code: "ML".to_owned(),
        own: Some(PortfolioGroup { decisions: 3, total: Some(figures), lines: vec![line] }),
        ..Portfolio::default()
    })
}

#[test]
fn programs_get_decisions_total_and_derived_as_exact_decimals() {
    let json = serde_json::to_value(answer().to_json().expect("it has no time")).expect("it is JSON");
    assert_eq!(json["decisions"], 3);
    assert_eq!(json["total"], serde_json::json!({ "EUR": "43500000.00" }));
    assert_eq!(json["derived"], serde_json::json!({ "XOF": "28534129500" }));
    assert_eq!(json["as_of"], "2016-04-15");
    assert_eq!(json["certainty"], "inferred");
    assert_eq!(json["regional"]["decisions"], 0);
}

#[test]
fn an_empty_portfolio_has_empty_totals() {
    let json = serde_json::to_value(Answer(Portfolio::default()).to_json().expect("it has no time")).expect("JSON");
    assert_eq!(json["decisions"], 0);
    assert_eq!(json["total"], serde_json::json!({}));
    assert_eq!(json["derived"], serde_json::json!({}));
}

#[test]
fn people_get_a_table_in_their_language() {
    let french = answer().to_text(Language::Fr).expect("it has no time");
    assert!(french.contains("43\u{202f}500\u{202f}000,00\u{a0}EUR ≈ ?"), "{french}");
    assert!(french.contains("28\u{202f}534\u{202f}129\u{202f}500\u{a0}XOF"), "{french}");
    assert!(french.contains("Situation au 15 avril 2016"), "{french}");
}

#[test]
fn spreadsheets_get_a_row_a_decision_and_currency() {
    let rows = answer().to_rows();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1][2], "T05-EUTF-SAH-ML-01");
    assert_eq!(rows[1][6..8], ["EUR", "43500000.00"]);
}
