use event_store::Relation;
use proptest::prelude::*;

use super::*;

const TABLE: Table = Table {
    name: "agreements",
    fields: &[
        Field::new("name", "name", Kind::Name("agreements")),
        Field::new("title", "title", Kind::Words),
        Field::new("reference", "reference", Kind::Text),
        Field::new("phase", "phase", Kind::Enum("toguna.partnerships.v1.AgreementPhase")),
        Field::new("parties", "parties", Kind::Names("partners")),
        Field::new("places", "places", Kind::Texts),
        Field::new("amount", "amount", Kind::Number),
        Field::new("ended_on", "ended_on", Kind::Date),
    ],
};

fn column(name: &str) -> Column {
    TABLE.fields.iter().find(|field| field.name == name).expect("a field").column()
}

fn is(name: &str, relation: Relation, value: &str) -> Condition {
    Condition::Is(column(name), relation, value.to_owned())
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

#[track_caller]
fn read(text: &str) -> Condition {
    filter::read(&TABLE, text).expect("a good filter")
}

/// What is wrong with a filter, by column.
fn wrong(text: &str) -> Vec<(usize, String)> {
    let faults = filter::read(&TABLE, text).expect_err("a bad filter");
    faults.into_iter().map(|fault| (fault.column, fault.problem.en.into_owned())).collect()
}

#[test]
fn fields_are_compared_with_values() {
    let equal = Relation::Equal;
    for (text, expected) in [
        ("", Condition::All(vec![])),
        ("  \n", Condition::All(vec![])),
        ("name = agreements/a", is("name", equal, "agreements/a")),
        ("name=\"agreements/a\"", is("name", equal, "agreements/a")),
        ("name:ML-FR", Condition::Contains(column("name"), "ml-fr".to_owned())),
        ("title : \"Circulation des\"", Condition::Contains(column("title"), "circulation des".to_owned())),
        ("title = 'L’Été'", Condition::Contains(column("title"), "\nl'ete\n".to_owned())),
        ("reference != \"a \\\" b\"", not(is("reference", equal, "a \" b"))),
        ("reference < M", is("reference", Relation::Less, "M")),
        ("phase = SIGNED", is("phase", equal, "5")),
        ("phase:AGREEMENT_PHASE_SIGNED", is("phase", equal, "5")),
        ("phase:*", is("phase", Relation::More, "0")),
        ("parties:partners/ml", Condition::Has(column("parties"), "partners/ml".to_owned())),
        ("parties:*", Condition::IsSet(column("parties"))),
        ("places:\"Kayes\"", Condition::Has(column("places"), "Kayes".to_owned())),
        ("amount >= -5", is("amount", Relation::AtLeast, "-5")),
        ("ended_on > 2024-05-31", is("ended_on", Relation::More, "2024-05-31")),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn a_date_that_is_known_in_part_is_a_span_of_days() {
    let within = |first: &str, last: &str| {
        Condition::All(vec![is("ended_on", Relation::AtLeast, first), is("ended_on", Relation::AtMost, last)])
    };
    assert_eq!(read("ended_on = 2024"), within("2024-01-01", "2024-12-31"));
    assert_eq!(read("ended_on:2024-02"), within("2024-02-01", "2024-02-29"));
    assert_eq!(read("ended_on != 2024-02-03"), not(within("2024-02-03", "2024-02-03")));
    assert_eq!(read("ended_on > 2024"), is("ended_on", Relation::More, "2024-12-31"));
    assert_eq!(read("ended_on <= 2024-02"), is("ended_on", Relation::AtMost, "2024-02-29"));
    assert_eq!(read("ended_on < 2024"), is("ended_on", Relation::Less, "2024-01-01"));
}

#[test]
fn or_binds_tighter_than_and_and_brackets_tighter_than_both() {
    let (a, b, c) = (
        || is("amount", Relation::Equal, "1"),
        || is("amount", Relation::Equal, "2"),
        || is("amount", Relation::Equal, "3"),
    );
    let either = Condition::Any(vec![b(), c()]);
    assert_eq!(read("amount=1 AND amount=2 OR amount=3"), Condition::All(vec![a(), either.clone()]));
    assert_eq!(read("amount=2 OR amount=3 AND amount=1"), Condition::All(vec![either, a()]));
    let both = Condition::All(vec![a(), b()]);
    assert_eq!(read("(amount=1 AND amount=2) OR amount=3"), Condition::Any(vec![both, c()]));
    for text in ["NOT amount=1", "-amount=1", "-(amount=1)", "NOT (amount=1)", "- (((amount = 1)))"] {
        assert_eq!(read(text), not(a()), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_column_and_what_was_meant() {
    for (text, column, problem) in [
        ("phse = SIGNED", 1, "`phse` is no field here; did you mean `phase`?"),
        ("phase = SIGND", 9, "`SIGND` is not known; did you mean `SIGNED`?"),
        ("é = 1", 1, "`é` is no field here; there are `name`, `title`"),
        ("title:é AND x = 1", 13, "`x` is no field here; there are"),
        ("phase < SIGNED", 7, "`phase` is not compared by `<`, but by `=`, `!=`, `:`"),
        ("parties = partners/ml", 9, "`parties` is not compared by `=`, but by `:`"),
        ("parties:ml", 9, "`ml` is no name; did you mean `partners/ml`?"),
        ("parties:ML", 9, "`ML` is no name such as `partners/…`"),
        ("amount = much", 10, "`much` is no whole number of 64 bits"),
        ("amount = 9223372036854775808", 10, "is no whole number"),
        ("ended_on = 31/05/2024", 12, "is no date such as 2024-05-31"),
        ("ended_on = 2024-02-30", 12, "is no date"),
        ("ended_on = 0000", 12, "is no date"),
        ("phase", 6, "after `phase` one of `=`"),
        ("phase SIGNED", 7, "after `phase` one of `=`"),
        ("phase =", 8, "a value is missing after `=`"),
        ("phase = (", 9, "a value is missing after `=`"),
        ("amount=1 amount=2", 10, "before `amount`, `AND` or `OR` is missing"),
        ("amount=1 and amount=2", 10, "`and` is written `AND`"),
        ("amount=1 AND", 13, "a field is missing here"),
        ("(amount=1", 1, "this bracket is not closed"),
        ("amount=1)", 9, "this bracket was not opened"),
        ("title:\"x", 7, "this quote is not closed"),
        ("title:“x”", 7, "straight quotes"),
        ("title:\"a\u{0}\"", 9, "control character"),
        ("title:\"\\x\"", 8, "after `\\`"),
        ("amount=1 & amount=2", 10, "before `&`"),
        ("amount !1", 8, "`!` means nothing here"),
        ("= 1", 1, "a field is missing here"),
    ] {
        let [(at, said)] = wrong(text).try_into().unwrap_or_else(|all| panic!("{text}: {all:?}"));
        assert_eq!(at, column, "{text}: {said}");
        assert!(said.contains(problem), "{text}: {said}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let columns: Vec<usize> =
        wrong("phse = SIGNED AND amount = x OR ended_on = y AND (").iter().map(|it| it.0).collect();
    assert_eq!(columns, [1, 28, 44, 51]);
    let mut fields = Fields::new();
    TABLE.filter(&mut fields, "phse = 1");
    TABLE.order(&mut fields, "phse, parties");
    let violations = fields.into_violations();
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["filter", "order_by", "order_by"]);
    assert_eq!(
        violations[0].problem.fr,
        "colonne 1\u{202f}: `phse` n’est pas un champ ici\u{202f}; vouliez-vous dire `phase`\u{202f}?"
    );
}

#[test]
fn a_filter_has_limits() {
    assert_eq!(wrong(&"x".repeat(2001))[0].0, 2001);
    let deep = |depth| format!("{}amount=1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(filter::read(&TABLE, &deep(20)).is_ok());
    assert_eq!(wrong(&deep(21))[0].0, 21);
    let many = |terms| vec!["amount=1"; terms].join(" AND ");
    assert!(filter::read(&TABLE, &many(50)).is_ok());
    assert!(wrong(&many(51))[0].1.contains("at most 50"));
}

#[test]
fn lists_are_ordered_by_fields_and_then_by_name() {
    let by = |name: &str, descending| Order { by: column(name), descending };
    let name = by("name", false);
    for (text, expected) in [
        ("", vec![name]),
        ("name desc", vec![by("name", true)]),
        ("phase", vec![by("phase", false), name]),
        (" ended_on  desc ,phase asc", vec![by("ended_on", true), by("phase", false), name]),
    ] {
        assert_eq!(order::read(&TABLE, text).expect("an order"), expected, "{text}");
    }
    for (text, column, problem) in [
        ("phse", 1, "did you mean `phase`?"),
        (
            "phase, parties",
            8,
            "no order by `parties`; it has one by `name`, `reference`, `phase`, `amount`, `ended_on`",
        ),
        ("phase, phase desc", 8, "twice"),
        ("phase down", 1, "`down` is neither `asc` nor `desc`"),
        ("phase desc asc", 1, "`asc` is neither"),
        ("phase,", 7, "a field is missing"),
        ("name,name,name,name,name,name", 1, "at most 5"),
    ] {
        let faults = order::read(&TABLE, text).expect_err(text);
        assert_eq!(faults[0].column, column, "{text}");
        assert!(faults[0].problem.en.contains(problem), "{text}: {}", faults[0].problem.en);
    }
}

#[test]
fn texts_are_found_however_they_are_typed() {
    assert_eq!(wordings::plain("L’ÉTÉ à Kayes"), "l'ete a kayes");
    assert_eq!(wordings(None), "");
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,60}", parts in proptest::collection::vec(any_piece(), 0..40)) {
        for text in [text, parts.concat()] {
            let end = text.chars().count() + 1;
            for faults in [filter::read(&TABLE, &text).err(), order::read(&TABLE, &text).err()].into_iter().flatten() {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!((1..=end).contains(&fault.column), "{text:?}: {fault:?}");
                    prop_assert!(!fault.problem.en.is_empty() && !fault.problem.fr.is_empty());
                }
            }
        }
    }
}

/// What filters are made of, in any order.
fn any_piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "name",
        "title",
        "phase",
        "parties",
        "amount",
        "ended_on",
        "=",
        "!=",
        "<=",
        ">",
        ":",
        "(",
        ")",
        " ",
        " AND ",
        " OR ",
        "NOT ",
        "-",
        "*",
        "SIGNED",
        "2024",
        "-1",
        "partners/ml",
        "\"a b\"",
        "\"",
        "'",
        "\\",
        ",",
        "é",
        "desc",
    ])
}
