use contracts::toguna::{
    partnerships::{
        events::v1::AgreementForm,
        v1::{Agreement, AgreementParty, PartyStanding},
    },
    r#type::v1::{LocalizedText, Text, TextOrigin},
};

use super::*;

fn agreement() -> Agreement {
    let text = |text: &str| Some(Text { text: text.into(), origin: TextOrigin::Official.into() });
    let party = |party: &str| AgreementParty {
        party: party.into(),
        standing: PartyStanding::Signed.into(),
        ..Default::default()
    };
    Agreement {
        name: "agreements/a".into(),
        title: Some(LocalizedText { fr: text("Accord"), en: text("Agreement") }),
        form: AgreementForm::Treaty.into(),
        parties: vec![party("partners/ml"), party("partners/fr")],
        ..Default::default()
    }
}

/// What a mask of these paths leaves.
fn part(paths: &[&str]) -> Agreement {
    let mask = FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
    let mut fields = Fields::new();
    let mask = Mask::read::<Agreement>(&mut fields, Some(&mask));
    fields.finish().expect("the paths are good");
    mask.of(agreement()).expect("it can be cut")
}

fn wrong(path: &str) -> Wording {
    let mut fields = Fields::new();
    Mask::read::<Agreement>(&mut fields, Some(&FieldMask { paths: vec![path.to_owned()] }));
    let [violation] = fields.into_violations().try_into().expect("one violation");
    assert_eq!(violation.field, "read_mask");
    violation.problem
}

#[test]
fn an_answer_holds_the_fields_that_were_asked_for() {
    let whole = agreement();
    assert_eq!(part(&["name"]), Agreement { name: whole.name.clone(), ..Default::default() });
    let title = LocalizedText { fr: whole.title.clone().and_then(|title| title.fr), en: None };
    assert_eq!(part(&["title.fr.text"]).title.and_then(|title| title.fr).map(|fr| fr.origin), Some(0));
    assert_eq!(part(&["title.fr"]), Agreement { title: Some(title), ..Default::default() });
}

#[test]
fn a_path_leads_through_lists_to_all_their_elements() {
    let parties = part(&["parties.party"]).parties;
    assert_eq!(parties.iter().map(|party| party.party.as_str()).collect::<Vec<_>>(), ["partners/ml", "partners/fr"]);
    assert!(parties.iter().all(|party| party.standing == 0));
}

#[test]
fn a_field_is_wanted_whole_when_some_path_says_so() {
    for paths in [["title", "title.fr"], ["title.fr", "title"]] {
        assert_eq!(part(&paths).title, agreement().title);
    }
    for paths in [&[][..], &["*"], &["name", "*"]] {
        assert_eq!(part(paths), agreement());
    }
}

#[test]
fn what_is_no_field_is_refused_with_what_was_meant() {
    assert_eq!(wrong("titel").en, "`titel` is no field; did you mean `title`?");
    assert_eq!(
        wrong("parties.parti").fr,
        "`parties.parti` n’est pas un champ\u{202f}; vouliez-vous dire `parties.party`\u{202f}?"
    );
    assert_eq!(wrong("name.x").en, "`name.x` is no field");
    for path in ["", ".", "title.", "title..fr", "Title", "parties[0]"] {
        assert!(wrong(path).en.contains("is no field"), "{path}");
    }
}
