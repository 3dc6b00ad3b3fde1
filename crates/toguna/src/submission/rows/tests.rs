use serde_json::json;

use super::*;
use crate::submission::table;

fn only(file: &str) -> Result<Row, Vec<Problem>> {
    let records = table::read("x", file.as_bytes(), Language::En).expect("a table");
    row("x", &records[0], None, Language::En)
}

fn asked(file: &str) -> Value {
    let row = only(file).unwrap_or_else(|problems| panic!("{problems:?}"));
    serde_json::to_value(&row.request).expect("JSON")
}

#[test]
fn a_row_becomes_the_request_that_it_describes() {
    let english = "command,name,kind,names.fr.official,names.en.translation,country_code,date\n\
                   RegisterPartner,partners/x,ministry,Ministère,Ministry,ML,2016-04\n";
    let french = "commande;ressource;nature;noms.fr.officiel;noms.en.traduction;pays;date\n\
                  RegisterPartner;partners/x;ministère;Ministère;Ministry;ML;2016-04\n";
    let json_line = r#"{"command": "RegisterPartner", "name": "partners/x", "kind": "ministry", "countryCode": "ML",
        "names": {"fr": {"text": "Ministère", "origin": "official"}, "en": {"translation": "Ministry"}},
        "act": {"effective_on": "2016-04"}}"#;
    let expected = json!({
        "act": { "effectiveOn": { "year": 2016, "month": 4 } },
        "name": "partners/x",
        "kind": "PARTNER_KIND_MINISTRY",
        "names": {
            "fr": { "text": "Ministère", "origin": "TEXT_ORIGIN_OFFICIAL" },
            "en": { "text": "Ministry", "origin": "TEXT_ORIGIN_TRANSLATION" },
        },
        "countryCode": "ML",
    });
    assert_eq!(asked(english), expected);
    assert_eq!(asked(french), expected);
    assert_eq!(asked(json_line), expected);
}

#[test]
fn lists_come_from_repeated_columns_and_from_bars() {
    let row = "command,name,parties,parties,sources.title,sources.issuer,sources.title,sources.issuer\n\
               RegisterAgreement,agreements/x,partners/a|partners/b,partners/c,One \\| two,I1,,I2\n";
    let asked = asked(row);
    assert_eq!(asked["parties"], json!(["partners/a", "partners/b", "partners/c"]));
    let sources = json!([{ "title": "One | two", "issuer": "I1" }, { "issuer": "I2" }]);
    assert_eq!(asked["act"]["sources"], sources, "an empty cell moves nothing to another source");
    let row = "command,name,sources.title,sources.issuer,sources[3].title\nRegisterAgreement,agreements/x,A|B,I|J,C\n";
    let sources = json!([{ "title": "A", "issuer": "I" }, { "title": "B", "issuer": "J" }, { "title": "C" }]);
    assert_eq!(self::asked(row)["act"]["sources"], sources);
}

#[test]
fn a_correction_names_the_event_that_is_right() {
    let file = "command,name,mistaken_version,right.type,right.amount,reason\n\
                disbursements.ProposeCorrection,decisions/x,2,DecisionApproved,EUR 4.00,The minutes say four\n";
    let right = json!({
        "@type": "type.googleapis.com/toguna.disbursements.events.v1.DecisionApproved",
        "amount": { "currencyCode": "EUR", "minorUnits": "400" },
    });
    assert_eq!(asked(file)["right"], right);
    let line = r#"{"command": "disbursements.ProposeCorrection", "name": "decisions/x", "mistaken_version": 2,
        "right": {"type": "DecisionApproved", "amount": "EUR 4.00"}}"#;
    assert_eq!(asked(line)["right"], right);
}

#[test]
fn the_currency_may_have_a_column_of_its_own_and_an_etag_needs_no_quotation_marks() {
    let row = "commande;ressource;montant;devise;etag\nPledgeContribution;contributions/x;1 500,50;EUR;3\n";
    let asked = asked(row);
    assert_eq!(asked["amount"], json!({ "currencyCode": "EUR", "minorUnits": "150050" }));
    assert_eq!(asked["etag"], "\"3\"");
}

#[test]
fn all_that_is_wrong_with_a_row_is_said_at_once() {
    let row = "command,kind,contry_code,date,validate_only,request_id,names.fr\n\
               RegisterPartner,ministery,ML,15/04/2016,true,seven,Ministère\n";
    let problems = only(row).expect_err("much is wrong");
    let columns: Vec<&str> = problems.iter().map(|it| it.column.as_str()).collect();
    assert_eq!(columns, ["kind", "contry_code", "date", "validate_only", "request_id", "names.fr", "name"]);
    assert!(problems.iter().all(|it| it.line == 2));
    assert!(problems[1].text.contains("did you mean country_code?"), "{}", problems[1].text);
    assert!(problems[5].text.contains(".official"), "{}", problems[5].text);
    let problems = only("name\npartners/x\n").expect_err("no command");
    assert!(problems[0].text.contains("--command"));
    let problems = only("command,name,ressource\nRegisterPartner,partners/x,partners/y\n").expect_err("two names");
    assert!(problems[0].text.contains("twice"), "{}", problems[0].text);
}

#[test]
fn a_refusal_speaks_of_the_columns_as_they_are_headed() {
    let row = only("commande;ressource;pays;sources.titre\nRegisterPartner;partners/x;ML;T\n").expect("a row");
    assert_eq!(row.heading("country_code"), Some("pays"));
    assert_eq!(row.heading("act.sources[0].title"), Some("sources.titre"));
    assert_eq!(row.heading("act.sources"), Some("sources.titre"));
    assert_eq!(row.heading("kind"), None);
}
