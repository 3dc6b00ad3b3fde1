use prost_reflect::MessageDescriptor;
use serde_json::json;

use super::{headings::Leaf, *};
use crate::{language::Language, services};

fn request(command: &str) -> MessageDescriptor {
    catalogue::find(command, Language::En).expect("a command").input()
}

fn path(command: &str, heading: &str) -> String {
    let target = headings::resolve(&request(command), heading, None);
    target.unwrap_or_else(|near| panic!("{heading} is no field; perhaps {near:?}")).path()
}

#[test]
fn a_command_is_found_by_its_name_however_it_is_written() {
    for name in
        ["RegisterPartner", "register partner", "partnerships.RegisterPartner", "PartnerService/RegisterPartner"]
    {
        let found = catalogue::find(name, Language::En).expect("it is found");
        assert_eq!(catalogue::full_name(&found), "toguna.partnerships.v1.PartnerService/RegisterPartner");
    }
    let unknown = catalogue::find("RegisterPartners", Language::Fr).expect_err("there is none");
    assert!(unknown.contains("vouliez-vous dire RegisterPartner\u{202f}?"), "{unknown}");
    let several = catalogue::find("ProposeCorrection", Language::En).expect_err("there are three");
    assert!(several.contains("commitments.ProposeCorrection, disbursements.ProposeCorrection"), "{several}");
    assert!(catalogue::find("ListPartners", Language::En).is_err(), "a query is no command");
}

#[test]
fn every_command_can_be_named_and_every_field_of_it_addressed_in_both_languages() {
    assert!(catalogue::commands().count() > 80, "the commands were looked for in the wrong place");
    for command in catalogue::commands() {
        let title = catalogue::title(&command);
        let found = catalogue::find(&title, Language::En).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.full_name(), command.full_name());
        for field in command.input().fields().filter(|field| headings::special(field.name()).is_none()) {
            assert_eq!(path(&title, field.name()), field.name(), "{title}");
            let french = crate::words::field(Language::Fr, field.name());
            let target = headings::resolve(&command.input(), &french, None);
            assert!(target.is_ok(), "{title}: {french}");
        }
    }
}

#[test]
fn a_heading_may_be_english_or_french_and_leave_the_act_out() {
    assert_eq!(path("RegisterPartner", "names.fr.official"), "names.fr");
    assert_eq!(path("RegisterPartner", "Noms.Français.Officiel"), "names.fr");
    assert_eq!(path("RegisterPartner", "sigles.fr.traduction"), "short_names.fr");
    assert_eq!(path("RegisterPartner", "Pays"), "country_code");
    assert_eq!(path("RegisterPartner", "countryCode"), "country_code");
    assert_eq!(path("RegisterPartner", "Ressource"), "name");
    assert_eq!(path("RegisterPartner", "date d’effet"), "act.effective_on");
    assert_eq!(path("RegisterPartner", "motif"), "act.reason");
    assert_eq!(path("RegisterPartner", "sources[2].émetteur"), "act.sources.issuer");
    assert_eq!(path("PledgeContribution", "montant"), "amount");
    let target = headings::resolve(&request("RegisterPartner"), "noms.fr.traduction", None).expect("a field");
    assert_eq!((target.leaf, target.french), (Leaf::Wording("TEXT_ORIGIN_TRANSLATION"), true));
    let near = headings::resolve(&request("RegisterPartner"), "names.fr.oficial", None).expect_err("misspelt");
    assert_eq!(near, None, "a wording has no field that is near");
    let near = headings::resolve(&request("RegisterPartner"), "contry_code", None).expect_err("misspelt");
    assert_eq!(near.as_deref(), Some("country_code"));
}

#[test]
fn the_headings_of_the_table_are_those_of_fields_that_are_there() {
    let table: toml::Table = toml::from_str(include_str!("headings.toml")).expect("a table");
    let messages: Vec<_> = services::pool().all_messages().collect();
    let ours = ["command", "currency", "official", "translation", "type"];
    for (language, fields) in &table {
        for field in fields.as_table().expect("fields").keys() {
            let known =
                ours.contains(&field.as_str()) || messages.iter().any(|it| it.get_field_by_name(field).is_some());
            assert!(known, "{language}: {field}");
        }
    }
}

#[test]
fn a_table_is_read_as_spreadsheets_write_it() {
    let read = |bytes: &[u8]| table::read("x.csv", bytes, Language::En).expect("a table");
    let semicolons = read("\u{feff}commande;noms.fr.officiel\r\n\r\nRegisterPartner;\"Un; deux\"\r\n;\r\n".as_bytes());
    assert_eq!(semicolons.len(), 1, "empty rows are no rows");
    assert_eq!(semicolons[0].line, 3);
    assert_eq!(semicolons[0].cells[0].heading, "commande");
    assert_eq!(semicolons[0].cells[1].value, json!("Un; deux"));
    let commas = read(b"command,sources.title,sources.title\nA,,two\n");
    assert_eq!((commas[0].cells[1].value.clone(), commas[0].cells[1].occurrence), (json!("two"), 1));
    let lines = read(b"{\"command\":\"A\"}\n\n{\"command\":\"B\",\"etag\":null}\n");
    assert_eq!(lines.iter().map(|row| (row.line, row.cells.len())).collect::<Vec<_>>(), [(1, 1), (3, 1)]);
    assert_eq!(read(b"[{\"command\":\"A\"},{\"command\":\"B\"}]").len(), 2);
}

#[test]
fn a_file_that_is_no_table_is_refused_with_the_line() {
    let refused = |bytes: &[u8]| table::read("x.csv", bytes, Language::En).expect_err("no table");
    let latin = refused(b"command\nRegisterPartner\n\xe9\n");
    assert_eq!(latin[0].line, 3);
    assert!(latin[0].text.contains("UTF-8"));
    assert!(refused(b"a,b\n1,2,3\n")[0].text.contains("no heading over “3”"));
    assert_eq!(refused(b"{\"a\":1}\n{\"a\":\n")[0].line, 2);
    assert!(refused(b"command\n")[0].text.contains("no row"));
}

#[test]
fn the_same_problem_in_many_lines_is_said_once() {
    let problem = |line, text: &str| Problem::at("x.csv", line, "pays", text);
    let said = gathered(vec![problem(2, "a"), problem(3, "b"), problem(4, "a"), problem(5, "a")]);
    assert_eq!(said.iter().map(|it| (it.line, it.more)).collect::<Vec<_>>(), [(2, 2), (3, 0)]);
}
