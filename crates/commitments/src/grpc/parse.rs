//! From the messages of requests to the values of the domain, with everything that is wrong with them.

use contracts::toguna::{commitments::events::v1 as pb, r#type::v1 as types};
use event_store::{Aggregate as _, Period, StreamName};
use service_runtime::Fields;

use crate::{
    codec::{indicator, value},
    domain::{
        Commitment, Definition, Description, Figure, Framework, LegalBasis, MeasurePoint, Money, NewItem,
        PlanItemReference, Quantity, SourceStatus, Subject, Words,
    },
};

/// Characters of a code, a number or an article, as published.
pub const CODE: usize = 40;
/// Characters of a title.
pub const TITLE: usize = 300;
/// Characters of a text.
pub const TEXT: usize = 2_000;
/// Elements of a repeated field.
pub const MANY: usize = 100;

/// An amount of 0 or more.
pub fn money(fields: &mut Fields, field: &str, sent: Option<&types::Money>) -> Money {
    let (currency, minor_units) = fields.money(field, sent);
    if minor_units < 0 {
        fields.violation(format!("{field}.minor_units"), ("must not be negative", "ne doit pas être négatif"));
    }
    Money { currency, minor_units }
}

/// A span of days, or none.
pub fn optional_period(fields: &mut Fields, field: &str, sent: Option<&types::Period>) -> Period {
    sent.map_or_else(Period::default, |sent| fields.period(field, Some(sent)))
}

/// A place in a plan.
pub fn reference(fields: &mut Fields, field: &str, sent: Option<&pb::PlanItemReference>) -> PlanItemReference {
    let sent = sent.cloned().unwrap_or_default();
    PlanItemReference {
        framework: fields.name(&format!("{field}.framework"), &sent.framework, Framework::CATEGORY),
        plan: fields.text(&format!("{field}.plan"), &sent.plan, CODE),
        item: fields.optional_text(&format!("{field}.item"), &sent.item, CODE),
    }
}

/// An item to be added to a plan.
pub fn new_item(fields: &mut Fields, field: &str, sent: &contracts::toguna::commitments::v1::NewPlanItem) -> NewItem {
    NewItem {
        code: fields.text(&format!("{field}.item"), &sent.item, CODE),
        kind: fields.enumeration(&format!("{field}.kind"), sent.kind, value::item_kind),
        parent: fields.optional_text(&format!("{field}.parent"), &sent.parent, CODE),
        title: fields.optional_localized(&format!("{field}.title"), sent.title.as_ref(), TITLE),
    }
}

/// Names of resources of one category.
pub fn names(fields: &mut Fields, field: &str, sent: &[String], category: &str) -> Vec<StreamName> {
    fields.at_most(field, sent.len(), MANY);
    let names = sent.iter().enumerate();
    names.map(|(index, name)| fields.name(&format!("{field}[{index}]"), name, category)).collect()
}

/// What an initiative is.
pub fn description(fields: &mut Fields, field: &str, sent: Option<&pb::InitiativeDescription>) -> Description {
    let sent = sent.cloned().unwrap_or_default();
    let path = |part: &str| format!("{field}.{part}");
    for (part, length) in [
        ("legal_basis", sent.legal_basis.len()),
        ("places", sent.places.len()),
        ("target_groups", sent.target_groups.len()),
        ("serves", sent.serves.len()),
    ] {
        fields.at_most(&path(part), length, MANY);
    }
    let title = fields.localized(&path("title"), sent.title.as_ref(), TITLE);
    let summary = fields.optional_localized(&path("summary"), sent.summary.as_ref(), TEXT);
    let legal_basis = sent.legal_basis.iter().enumerate();
    let legal_basis = legal_basis.map(|(index, basis)| legal(fields, &path(&format!("legal_basis[{index}]")), basis));
    let legal_basis = legal_basis.collect();
    let places = sent.places.iter().enumerate();
    let places = places.map(|(index, text)| place(fields, &path(&format!("places[{index}]")), text)).collect();
    let target_groups = sent.target_groups.iter().enumerate();
    let target_groups = target_groups
        .map(|(index, group)| fields.localized(&path(&format!("target_groups[{index}]")), Some(group), TITLE))
        .collect();
    let serves = sent.serves.iter().enumerate();
    let serves =
        serves.map(|(index, item)| reference(fields, &path(&format!("serves[{index}]")), Some(item))).collect();
    let commitments = names(fields, &path("commitments"), &sent.commitments, Commitment::CATEGORY);
    Description { title, summary, legal_basis, places, target_groups, serves, commitments }
}

fn legal(fields: &mut Fields, field: &str, sent: &pb::LegalBasis) -> LegalBasis {
    LegalBasis {
        title: fields.optional_localized(&format!("{field}.title"), sent.title.as_ref(), TITLE),
        reference: fields.text(&format!("{field}.reference"), &sent.reference, TITLE),
        article: fields.optional_text(&format!("{field}.article"), &sent.article, CODE),
    }
}

/// An ISO 3166-2 subdivision or an ISO 3166-1 country, by its form.
pub fn place(fields: &mut Fields, field: &str, sent: &str) -> String {
    let (country, part) = sent.split_once('-').unwrap_or((sent, "1"));
    let country_ok = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    let part_ok =
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !country_ok || !part_ok {
        fields.violation(
            field,
            (
                "must be a code of ISO 3166-2 such as `ML-4`, or of ISO 3166-1 such as `ML`",
                "doit être un code ISO 3166-2 comme `ML-4`, ou ISO 3166-1 comme `ML`",
            ),
        );
    }
    sent.to_owned()
}

/// What an indicator counts.
pub fn definition(fields: &mut Fields, field: &str, sent: Option<&pb::IndicatorDefinition>) -> Definition {
    let sent = sent.cloned().unwrap_or_default();
    let path = |part: &str| format!("{field}.{part}");
    Definition {
        title: fields.localized(&path("title"), sent.title.as_ref(), TITLE),
        unit: fields.localized(&path("unit"), sent.unit.as_ref(), TITLE),
        population: fields.localized(&path("population"), sent.population.as_ref(), TEXT),
        aggregation: fields.enumeration(&path("aggregation"), sent.aggregation, indicator::aggregation),
        framework: fields.optional_name(&path("framework"), &sent.framework, Framework::CATEGORY),
        code: fields.optional_text(&path("code"), &sent.code, CODE),
        smallest_count: sent.smallest_count,
    }
}

/// What a figure is about.
pub fn point(fields: &mut Fields, field: &str, sent: Option<&pb::MeasurePoint>) -> MeasurePoint {
    let sent = sent.cloned().unwrap_or_default();
    if sent.definition == 0 {
        fields.violation(
            format!("{field}.definition"),
            ("is required: the first is 1", "est obligatoire : la première est 1"),
        );
    }
    MeasurePoint {
        definition: sent.definition,
        subject: subject(fields, &format!("{field}.subject"), &sent.subject),
        period: fields.period(&format!("{field}.period"), sent.period.as_ref()),
    }
}

/// A contract, an initiative or a commitment.
pub fn subject(fields: &mut Fields, field: &str, sent: &str) -> Subject {
    let subject = sent.parse::<StreamName>().ok().and_then(|name| Subject::new(name).ok());
    subject.unwrap_or_else(|| {
        fields.violation(
            field,
            (
                "must be a contract, an initiative or a commitment; what is said of a decision is rolled up from its contracts",
                "doit être un contrat, une initiative ou un engagement ; ce qui est dit d’une décision s’agrège à partir de ses contrats",
            ),
        );
        let some = StreamName::new("contracts", "x").expect("a name");
        Subject::new(some).expect("contracts take values")
    })
}

/// What stands behind a figure.
pub fn source_status(fields: &mut Fields, field: &str, sent: i32) -> SourceStatus {
    fields.enumeration(field, sent, value::source_status)
}

/// A figure: a number of 0 or more, or words and no number.
pub fn quantity(fields: &mut Fields, field: &str, sent: Option<&pb::Quantity>) -> Quantity {
    let sent = sent.cloned().unwrap_or_default();
    let read = fields.enumeration(&format!("{field}.qualifier"), sent.qualifier, |qualifier| {
        let of_number: fn(Figure) -> Quantity = match qualifier {
            pb::Qualifier::Unspecified => return None,
            pb::Qualifier::InWords => return Some(None),
            pb::Qualifier::Exact => Quantity::Exact,
            pb::Qualifier::About => Quantity::About,
            pb::Qualifier::AtLeast => Quantity::AtLeast,
        };
        Some(Some(of_number))
    });
    match read {
        Some(of_number) => of_number(number(fields, field, &sent)),
        None => words(fields, field, &sent),
    }
}

fn number(fields: &mut Fields, field: &str, sent: &pb::Quantity) -> Figure {
    if sent.words.is_some() {
        fields.violation(format!("{field}.words"), ("stand with `in_words` only", "ne vont qu’avec `in_words`"));
    }
    let number = fields.decimal(&format!("{field}.value"), sent.value.as_ref());
    Figure::new(number).unwrap_or_else(|_| {
        fields.violation(format!("{field}.value.value"), ("must be 0 or more", "doit être positif ou nul"));
        Figure::default()
    })
}

fn words(fields: &mut Fields, field: &str, sent: &pb::Quantity) -> Quantity {
    if sent.value.is_some() {
        fields.violation(format!("{field}.value"), ("stands without `in_words` only", "ne va pas avec `in_words`"));
    }
    let words = fields.localized(&format!("{field}.words"), sent.words.as_ref(), TITLE);
    Words::new(words).map_or_else(
        |_| {
            fields.violation(
                format!("{field}.words"),
                (
                    "must be the source’s words for a number, such as `dozens`; where there is none, report none",
                    "doivent être les mots de la source pour un nombre, comme `des dizaines` ; s’il n’y en a pas, ne déclarez rien",
                ),
            );
            Quantity::Exact(Figure::default())
        },
        Quantity::InWords,
    )
}
