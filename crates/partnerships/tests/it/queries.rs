//! Lists by filter and order, page by page; parts of resources; several at once; as they were.

use contracts::toguna::partnerships::{
    events::v1 as events,
    v1::{self as pb, AgreementPhase as Phase},
};
use partnerships::projections::{AGREEMENTS, DIALOGUES, PARTNERS};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use prost_types::FieldMask;
use service_runtime::{
    Language,
    query::{Kind, Table, documented, mistaken},
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::stage::{
    FRANCE, KEEPER, MALI, Stage, UNION, accepted, as_role, date, french, keeper, new_id, on, refusal,
    register_agreement, register_partner, sign, signatory,
};

const CONVENTION: &str = "agreements/ml-fr-1994";
const COTONOU: &str = "agreements/cotonou";

/// With two agreements: one of Mali and France, in force since 1994, one of Mali and the Union.
async fn two_agreements() -> (Stage, String) {
    let mut stage = Stage::set().await;
    let convention = pb::RegisterAgreementRequest {
        title: Some(french("Convention sur la circulation et le séjour")),
        reference: "DECRET-96-1088".into(),
        ..register_agreement(CONVENTION, &[MALI, FRANCE])
    };
    accepted(stage.agreements.register_agreement(keeper(convention)).await);
    for party in [MALI, FRANCE] {
        let request = sign(CONVENTION, events::SignatureKind::Definitive, on("1994-09-26"));
        accepted(stage.agreements.sign_agreement(signatory(party, request)).await);
    }
    let cotonou = pb::RegisterAgreementRequest {
        title: Some(french("Accord de Cotonou")),
        scope: events::AgreementScope::Regional.into(),
        depositary: UNION.into(),
        ..register_agreement(COTONOU, &[MALI, UNION])
    };
    let receipt = accepted(stage.agreements.register_agreement(keeper(cotonou)).await).receipt.expect("a receipt");
    (stage, receipt.consistency_token)
}

fn list(token: &str) -> pb::ListAgreementsRequest {
    pb::ListAgreementsRequest { at_least_as_fresh: vec![token.to_owned()], ..Default::default() }
}

fn mask(paths: &[&str]) -> FieldMask {
    FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
}

/// The violations of a refusal: field and problem.
fn violations(status: &Status) -> Vec<(String, String)> {
    let violations = status.get_details_bad_request().expect("violations").field_violations;
    violations.into_iter().map(|violation| (violation.field, violation.description)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_by_filters() {
    let (mut stage, token) = two_agreements().await;
    for (filter, expected) in [
        ("", &[COTONOU, CONVENTION][..]),
        ("phase = IN_FORCE", &[CONVENTION]),
        ("phase != IN_FORCE", &[COTONOU]),
        ("NOT phase:*", &[]),
        ("parties:partners/fr", &[CONVENTION]),
        ("parties:partners/ml AND -parties:\"partners/eu\"", &[CONVENTION]),
        ("title:SEJOUR", &[CONVENTION]),
        ("title:\"la circulation\" OR title:cotonou", &[COTONOU, CONVENTION]),
        ("title = \"accord de COTONOU\"", &[COTONOU]),
        ("title = \"accord\"", &[]),
        ("reference:decret", &[CONVENTION]),
        ("reference = \"DECRET-96-1088\"", &[CONVENTION]),
        ("depositary:*", &[COTONOU]),
        ("depositary = partners/eu AND scope = REGIONAL", &[COTONOU]),
        ("entered_into_force_on = 1994-09", &[CONVENTION]),
        ("entered_into_force_on > 1994", &[]),
        ("entered_into_force_on >= 1994-09-26", &[CONVENTION]),
        // What has no date is neither before nor after another one.
        ("entered_into_force_on < 9999", &[CONVENTION]),
        ("NOT entered_into_force_on < 9999", &[COTONOU]),
        ("NOT (ended_on:* OR phase = IN_FORCE)", &[COTONOU]),
        ("name:cot", &[COTONOU]),
        ("name > agreements/d", &[CONVENTION]),
    ] {
        let asked = pb::ListAgreementsRequest { filter: filter.into(), ..list(&token) };
        let listed = accepted(stage.agreements.list_agreements(as_role("observer", MALI, asked)).await);
        let names: Vec<&str> = listed.agreements.iter().map(|agreement| agreement.name.as_str()).collect();
        assert_eq!(names, expected, "{filter}");
    }
    // Together with the other fields of the request, and as of a day.
    let asked =
        pb::ListAgreementsRequest { filter: "parties:partners/ml".into(), party: FRANCE.into(), ..list(&token) };
    let listed = accepted(stage.agreements.list_agreements(as_role("observer", MALI, asked)).await);
    assert_eq!(listed.agreements.len(), 1);
    let asked =
        pb::ListAgreementsRequest { filter: "phase = IN_FORCE".into(), as_of: date("1994-09-25"), ..list(&token) };
    assert_eq!(accepted(stage.agreements.list_agreements(as_role("observer", MALI, asked)).await).agreements, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_query_is_told_at_once_in_the_callers_language() {
    let mut stage = Stage::empty().await;
    let asked = pb::ListAgreementsRequest {
        filter: "phse = SIGNED AND phase = SIGND".into(),
        order_by: "title".into(),
        page_token: "made-up".into(),
        page_size: -1,
        party: "Mali".into(),
        read_mask: Some(mask(&["titel"])),
        ..Default::default()
    };
    let mut request = as_role("observer", MALI, asked);
    request.metadata_mut().insert("accept-language", "fr".parse().expect("ASCII"));
    let status = stage.agreements.list_agreements(request).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    let told = violations(&status);
    let fields: Vec<&str> = told.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["page_size", "party", "page_token", "filter", "filter", "order_by", "read_mask"]);
    assert_eq!(
        told[3].1,
        "colonne 1\u{202f}: `phse` n’est pas un champ ici\u{202f}; vouliez-vous dire `phase`\u{202f}?"
    );
    assert_eq!(told[4].1, "colonne 27\u{202f}: `SIGND` est inconnu\u{202f}; vouliez-vous dire `SIGNED`\u{202f}?");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_a_list_are_the_list_in_any_order() {
    let mut stage = Stage::set().await;
    let mut token = String::new();
    for (name, kind, country) in [
        ("partners/ml-api", events::PartnerKind::PublicAgency, "ML"),
        ("partners/ml-mmeia", events::PartnerKind::Ministry, "ML"),
        ("partners/fr-mi", events::PartnerKind::Ministry, "FR"),
        ("partners/oim", events::PartnerKind::InternationalOrganisation, ""),
    ] {
        let registered = stage.partners.register_partner(keeper(register_partner(name, kind, country))).await;
        token = accepted(registered).receipt.expect("a receipt").consistency_token;
    }
    for (order, expected) in [
        ("", ["eu", "fr", "fr-mi", "ml", "ml-api", "ml-mmeia", "oim"]),
        ("name desc", ["oim", "ml-mmeia", "ml-api", "ml", "fr-mi", "fr", "eu"]),
        ("country_code", ["eu", "oim", "fr", "fr-mi", "ml", "ml-api", "ml-mmeia"]),
        ("country_code desc", ["ml", "ml-api", "ml-mmeia", "fr", "fr-mi", "eu", "oim"]),
        ("kind, country_code desc, name desc", ["ml", "fr", "ml-mmeia", "fr-mi", "ml-api", "oim", "eu"]),
    ] {
        for page_size in [1, 2, 3, 7] {
            let (mut names, mut page_token) = (Vec::new(), String::new());
            loop {
                let asked = pb::ListPartnersRequest {
                    order_by: order.into(),
                    page_size,
                    page_token,
                    at_least_as_fresh: vec![token.clone()],
                    ..Default::default()
                };
                let page = accepted(stage.partners.list_partners(as_role("observer", MALI, asked)).await);
                names.extend(page.partners.into_iter().map(|partner| partner.name));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            let names: Vec<&str> = names.iter().map(|name| name.trim_start_matches("partners/")).collect();
            assert_eq!(names, expected, "{order:?} by {page_size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_is_of_one_list_of_one_organisation() {
    let (mut stage, token) = two_agreements().await;
    let asked = pb::ListAgreementsRequest { page_size: 1, order_by: "phase".into(), ..list(&token) };
    let first = accepted(stage.agreements.list_agreements(as_role("observer", MALI, asked.clone())).await);
    let next = pb::ListAgreementsRequest { page_token: first.next_page_token.clone(), ..asked };
    let second = accepted(stage.agreements.list_agreements(as_role("auditor", MALI, next.clone())).await);
    assert_eq!(second.agreements.len(), 1, "another person of the organisation goes on");
    assert_ne!(first.agreements, second.agreements);
    let (reason, _) = refusal(stage.agreements.list_agreements(as_role("observer", FRANCE, next.clone())).await);
    assert_eq!(reason, "INVALID_REQUEST");
    for other in [
        pb::ListAgreementsRequest { order_by: "phase desc".into(), ..next.clone() },
        pb::ListAgreementsRequest { filter: "phase:*".into(), ..next.clone() },
        pb::ListAgreementsRequest { party: MALI.into(), ..next.clone() },
        pb::ListAgreementsRequest { as_of: date("2020-01-01"), ..next.clone() },
        pb::ListAgreementsRequest { page_token: next.page_token[1..].into(), ..next },
    ] {
        let refused = stage.agreements.list_agreements(as_role("observer", MALI, other)).await;
        let told = violations(&refused.expect_err("it is refused"));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, "page_token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_holds_the_fields_that_were_asked_for() {
    let (mut stage, token) = two_agreements().await;
    let part = |agreement: &pb::Agreement| pb::Agreement {
        name: agreement.name.clone(),
        phase: agreement.phase,
        ..Default::default()
    };
    let whole = accepted(stage.agreements.list_agreements(as_role("observer", MALI, list(&token))).await).agreements;
    let asked = pb::ListAgreementsRequest { read_mask: Some(mask(&["name", "phase"])), ..list(&token) };
    let listed = accepted(stage.agreements.list_agreements(as_role("observer", MALI, asked)).await).agreements;
    assert_eq!(listed, whole.iter().map(part).collect::<Vec<_>>());
    let asked = pb::GetAgreementRequest {
        name: CONVENTION.into(),
        read_mask: Some(mask(&["name", "phase"])),
        ..Default::default()
    };
    let got = accepted(stage.agreements.get_agreement(as_role("observer", MALI, asked.clone())).await);
    assert_eq!((got.agreement, got.etag.as_str()), (Some(part(&whole[1])), "\"4\""));
    let asked = pb::GetAgreementRequest { read_mask: Some(mask(&["phases"])), ..asked };
    let refused = stage.agreements.get_agreement(as_role("observer", MALI, asked)).await.expect_err("it is refused");
    let said = "`phases` is no field; did you mean `phase`?";
    assert_eq!(violations(&refused), [("read_mask".to_owned(), said.to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_answered_in_the_order_of_their_names_or_none() {
    let (mut stage, _) = two_agreements().await;
    let get = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        as_role("observer", MALI, pb::BatchGetAgreementsRequest { names, ..Default::default() })
    };
    let got = accepted(stage.agreements.batch_get_agreements(get(&[CONVENTION, COTONOU, CONVENTION])).await);
    let (convention, cotonou) = (stage.agreement(CONVENTION, "").await, stage.agreement(COTONOU, "").await);
    assert_eq!(got.agreements, [convention.clone(), cotonou, convention]);
    assert_eq!(got.etags, ["\"4\"", "\"1\"", "\"4\""]);
    assert!(!got.consistency_token.is_empty());

    let missing = ["agreements/x", CONVENTION, "agreements/y", "agreements/cotonou/revisions/2"];
    let refused = stage.agreements.batch_get_agreements(get(&missing)).await.expect_err("three are missing");
    assert_eq!(refused.code(), Code::NotFound);
    let named = "There is no agreements/x, agreements/y, agreements/cotonou/revisions/2.";
    assert_eq!(refused.message(), named);
    let said = [
        ("names[0]", "there is no agreements/x"),
        ("names[2]", "there is no agreements/y"),
        ("names[3]", "agreements/cotonou has the revisions 1 to 1"),
    ];
    assert_eq!(violations(&refused), said.map(|(field, problem)| (field.to_owned(), problem.to_owned())));
    for names in [vec![], vec!["agreements/x"; 101], vec!["partners/ml", "x"]] {
        let refused = stage.agreements.batch_get_agreements(get(&names)).await.expect_err("it is refused");
        assert_eq!(refused.code(), Code::InvalidArgument, "{names:?}");
    }
    let many = accepted(stage.agreements.batch_get_agreements(get(&[CONVENTION; 100])).await);
    assert_eq!(many.agreements.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_is_the_resource_as_it_was_known_then() {
    let (mut stage, _) = two_agreements().await;
    let get =
        |name: &str| as_role("observer", MALI, pb::GetAgreementRequest { name: name.into(), ..Default::default() });
    let mut phases = Vec::new();
    for revision in 1..=4 {
        let name = format!("{CONVENTION}/revisions/{revision}");
        let got = accepted(stage.agreements.get_agreement(get(&name)).await);
        assert_eq!(got.etag, format!("\"{revision}\""));
        let agreement = got.agreement.expect("an agreement");
        assert_eq!(agreement.name, name);
        phases.push(agreement.phase());
    }
    assert_eq!(phases, [Phase::Registered, Phase::Signed, Phase::Signed, Phase::InForce]);
    let last = accepted(stage.agreements.get_agreement(get(&format!("{CONVENTION}/revisions/4"))).await);
    let now = stage.agreement(CONVENTION, "").await;
    assert_eq!(last.agreement, Some(pb::Agreement { name: format!("{CONVENTION}/revisions/4"), ..now }));

    for number in ["0", "5", "18446744073709551616"] {
        let name = format!("{CONVENTION}/revisions/{number}");
        let refused = stage.agreements.get_agreement(get(&name)).await.expect_err("there is none");
        assert_eq!(refused.code(), Code::NotFound, "{number}");
        let said = "agreements/ml-fr-1994 has the revisions 1 to 4";
        assert_eq!(violations(&refused), [("name".to_owned(), said.to_owned())]);
    }
    for name in ["/revisions/", "/revisions/x", "/revisions/-1", "/revisions/1/revisions/1", "/revision/1"] {
        let refused = stage.agreements.get_agreement(get(&format!("{CONVENTION}{name}"))).await;
        assert_eq!(refused.expect_err("no name").code(), Code::InvalidArgument, "{name}");
    }
    let dated = pb::GetAgreementRequest {
        name: format!("{CONVENTION}/revisions/2"),
        as_of: date("2020-01-01"),
        ..Default::default()
    };
    let refused = stage.agreements.get_agreement(as_role("observer", MALI, dated)).await.expect_err("it is refused");
    assert_eq!(violations(&refused)[0].0, "as_of");
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_and_dialogues_are_asked_for_alike() {
    let mut stage = Stage::set().await;
    let dialogue = pb::RegisterDialogueRequest {
        request_id: new_id(),
        act: Some(on("2006-07")),
        name: "dialogues/rabat-process".into(),
        names: Some(french("Processus de Rabat")),
        ..Default::default()
    };
    let receipt = accepted(stage.dialogues.register_dialogue(keeper(dialogue)).await).receipt.expect("a receipt");
    let seen = vec![receipt.consistency_token];
    for (filter, found) in [
        ("names:rabat AND founded_on = 2006", 1),
        ("founded_on < 2006-07", 0),
        ("secretariat:* OR partners:partners/ml", 0),
    ] {
        let asked = pb::ListDialoguesRequest {
            filter: filter.into(),
            order_by: "founded_on desc".into(),
            at_least_as_fresh: seen.clone(),
            ..Default::default()
        };
        let listed = accepted(stage.dialogues.list_dialogues(as_role("observer", MALI, asked)).await);
        assert_eq!(listed.dialogues.len(), found, "{filter}");
    }
    let names = vec!["dialogues/rabat-process/revisions/1".to_owned()];
    let asked = pb::BatchGetDialoguesRequest { names, read_mask: Some(mask(&["name"])), ..Default::default() };
    let got = accepted(stage.dialogues.batch_get_dialogues(as_role("observer", MALI, asked)).await);
    assert_eq!(got.dialogues[0].name, "dialogues/rabat-process/revisions/1");
    let asked = pb::BatchGetPartnersRequest { names: vec![UNION.into(), MALI.into()], ..Default::default() };
    let got = accepted(stage.partners.batch_get_partners(as_role("observer", KEEPER, asked)).await);
    assert_eq!(got.partners.iter().map(|partner| partner.name.as_str()).collect::<Vec<_>>(), [UNION, MALI]);
}

/// Filters of any form over a list's fields, with values that fit them or do not.
fn any_filter(table: &'static Table) -> impl Strategy<Value = String> {
    let field = (0..table.fields.len()).prop_map(|place| &table.fields[place]);
    let text = || "\\PC{0,12}".prop_map(|text| format!("\"{}\"", text.replace(['\\', '"'], "")));
    let comparison = field.prop_flat_map(move |field| {
        let (signs, values) = match field.kind {
            Kind::Name(_) => (&["=", "!=", ":"][..], &["partners/ml", "agreements/a", "*"][..]),
            Kind::Names(_) => (&[":"][..], &["partners/ml", "partners/fr", "*"][..]),
            Kind::Enum(_) => (&["=", "!=", ":"][..], &["SIGNED", "TREATY", "BILATERAL", "BINDING", "*"][..]),
            Kind::Date => {
                (&["=", "!=", "<", "<=", ">", ">=", ":"][..], &["1994", "2024-02", "0001-01-01", "9999-12-31"][..])
            }
            Kind::Text | Kind::Texts | Kind::Words | Kind::Number => {
                (&["=", "!=", ":"][..], &["x", "é", "1", "'%_'"][..])
            }
        };
        let value = prop_oneof![
            6 => proptest::sample::select(values).prop_map(str::to_owned),
            2 => text(),
            1 => any::<i64>().prop_map(|number| number.to_string()),
        ];
        (Just(field.name), proptest::sample::select(signs), value)
    });
    let comparison = comparison.prop_map(|(field, sign, value)| format!("{field}{sign}{value}"));
    comparison.prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_caller_writes_is_answered_or_refused_as_its_fault() {
    let (stage, token) = two_agreements().await;
    let runtime = tokio::runtime::Handle::current();
    let answered = std::sync::atomic::AtomicUsize::new(0);
    let strategy = (
        prop_oneof![4 => any_filter(&AGREEMENTS), 1 => "\\PC{0,40}"],
        prop_oneof![
            2 => proptest::sample::select(vec!["", "name desc", "phase, form desc", "ended_on desc", "depositary, reference desc"]).prop_map(str::to_owned),
            1 => "\\PC{0,20}"
        ],
    );
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let ran = tokio::task::block_in_place(|| {
        runner.run(&strategy, |(filter, order_by)| {
            let mut agreements = stage.agreements.clone();
            let asked = pb::ListAgreementsRequest { filter, order_by, page_size: 1, ..list(&token) };
            let listed = runtime.block_on(agreements.list_agreements(as_role("observer", MALI, asked.clone())));
            match listed {
                Ok(page) => {
                    answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let page_token = page.into_inner().next_page_token;
                    if !page_token.is_empty() {
                        let next = pb::ListAgreementsRequest { page_token, ..asked };
                        let next = runtime.block_on(agreements.list_agreements(as_role("observer", MALI, next)));
                        prop_assert_eq!(next.expect("the next page").into_inner().agreements.len(), 1);
                    }
                }
                Err(status) => prop_assert_eq!(status.code(), Code::InvalidArgument, "{:?}", status),
            }
            Ok(())
        })
    });
    ran.expect("nothing fails");
    assert!(answered.into_inner() > 10, "enough filters should be good");
}

const LISTS: [(&str, &Table); 3] =
    [("ListPartners", &PARTNERS), ("ListDialogues", &DIALOGUES), ("ListAgreements", &AGREEMENTS)];

#[test]
fn lists_are_declared_as_they_are() {
    let mistakes: Vec<String> = LISTS.iter().flat_map(|(_, table)| mistaken(table)).collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");
}

#[test]
fn the_pages_on_queries_say_what_lists_know() {
    harness::hold_part("queries.md", "partnerships", &documented(&LISTS, Language::English));
    harness::hold_part("queries.fr.md", "partnerships", &documented(&LISTS, Language::French));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filters_on_the_page_are_understood() {
    let mut stage = Stage::empty().await;
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/queries.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let block = page.split("```").nth(1).expect("a block of filters");
    for filter in block.trim().lines() {
        let asked = pb::ListAgreementsRequest { filter: filter.to_owned(), ..Default::default() };
        accepted(stage.agreements.list_agreements(as_role("observer", MALI, asked)).await);
    }
}
