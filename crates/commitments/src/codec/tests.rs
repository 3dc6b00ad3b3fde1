use contracts::toguna::commitments::events::v1 as pb;
use event_store::{
    DecodeError, LocalizedText, PartialDate, Payload, Period, Stored, StreamName, Text, TextOrigin, testing::Fixtures,
};

use crate::domain::*;

fn name(text: &str) -> StreamName {
    text.parse().expect("a name")
}

fn date(text: &str) -> PartialDate {
    text.parse().expect("a date")
}

fn text(fr: &str, en: &str) -> LocalizedText {
    LocalizedText {
        fr: Some(Text { text: fr.into(), origin: TextOrigin::Translation }),
        en: Some(Text { text: en.into(), origin: TextOrigin::Official }),
    }
}

fn years(first: &str, last: &str) -> Period {
    Period::between(format!("{first}-01-01").parse().expect("a day"), format!("{last}-12-31").parse().expect("a day"))
}

fn item(plan: &str, item: &str) -> PlanItemReference {
    PlanItemReference { framework: name("frameworks/jvap"), plan: plan.into(), item: Some(item.into()) }
}

fn xof(minor_units: i64) -> Money {
    Money { currency: "XOF".into(), minor_units }
}

fn framework_events() -> [FrameworkEvent; 8] {
    let plan = || String::from("cadiz-2023");
    [
        FrameworkEvent::Registered(Registration {
            title: text("Processus de Rabat", "Rabat Process"),
            kind: FrameworkKind::Dialogue,
            secretariat: "partners/icmpd".into(),
        }),
        FrameworkEvent::PlanAdopted {
            plan: plan(),
            title: text("Plan de Cadix", "Cádiz Plan"),
            validity: years("2023", "2027"),
        },
        FrameworkEvent::PlanProlonged { plan: plan(), valid_until: "2028-12-31".parse().expect("a day") },
        FrameworkEvent::ItemAdded {
            plan: plan(),
            item: NewItem {
                code: "9".into(),
                kind: PlanItemKind::Objective,
                parent: Some("D5".into()),
                title: text("Identification", "Identification"),
            },
        },
        FrameworkEvent::ItemLinked { plan: plan(), item: Some("9".into()), counterpart: item("valletta", "15") },
        FrameworkEvent::CountRecorded { plan: plan(), kind: PlanItemKind::Action, count: 29 },
        FrameworkEvent::CostRecorded { plan: plan(), cost: xof(120_000_000_000) },
        FrameworkEvent::ReferenceCountryDesignated {
            plan: plan(),
            designation: ReferenceCountry {
                item: "9".into(),
                partner: "partners/ml".into(),
                term: years("2023", "2024"),
            },
        },
    ]
}

fn cycle_events() -> [CycleEvent; 2] {
    let opening = Opening {
        framework: name("frameworks/jvap"),
        title: text("Cycle de 2018", "2018 cycle"),
        covers: years("2017", "2018"),
        due_on: Some(date("2018-10")),
    };
    [CycleEvent::Opened(opening), CycleEvent::Closed]
}

fn commitment_events() -> [CommitmentEvent; 16] {
    let cycle = || name("cycles/jvap-2018");
    [
        CommitmentEvent::Declared(Terms {
            owner: "partners/ml".into(),
            answers: item("valletta", "15"),
            text: text("Documents de voyage", "Travel documents"),
            due_on: Some(date("2018-12-31")),
            evidence_required: text("Statistiques consulaires", "Consular statistics"),
            agreements: vec![name("agreements/ml-eu-2016-communique")],
        }),
        CommitmentEvent::Confirmed,
        CommitmentEvent::Registered { reference: Some("ML-15".into()) },
        CommitmentEvent::AgreementLinked { agreement: name("agreements/ml-eu-2016-communique") },
        CommitmentEvent::ProgressNoted { text: text("Mission consulaire", "Consular mission") },
        CommitmentEvent::ProgressSubmitted { cycle: cycle(), text: text("Fait", "Done") },
        CommitmentEvent::EvidenceAttached { cycle: cycle() },
        CommitmentEvent::ProgressReturned { cycle: cycle() },
        CommitmentEvent::ProgressVerified { cycle: cycle() },
        CommitmentEvent::DueDateExtended { due_on: date("2020") },
        CommitmentEvent::Migrated { from: item("valletta", "15"), to: item("valletta-2", "9") },
        CommitmentEvent::IncidentNoted { text: text("Refus de laissez-passer", "Laissez-passer refused") },
        CommitmentEvent::Fulfilled,
        CommitmentEvent::PartlyFulfilled { outstanding: text("Deux consulats", "Two consulates") },
        CommitmentEvent::Withdrawn,
        CommitmentEvent::Lapsed,
    ]
}

fn description() -> Description {
    Description {
        title: text("Loi contre la traite", "Law on trafficking"),
        summary: text("Réprime la traite", "Punishes trafficking"),
        legal_basis: vec![LegalBasis {
            title: text("Loi relative à la lutte contre la traite", "Law on the fight against trafficking"),
            reference: "Loi n° 2012-023".into(),
            article: Some("7".into()),
        }],
        places: vec!["ML".into(), "ML-4".into()],
        target_groups: vec![text("Victimes de la traite", "Victims of trafficking")],
        serves: vec![item("valletta", "11")],
        commitments: vec![name("commitments/ml-jvap-11")],
    }
}

fn initiative_events() -> [InitiativeEvent; 8] {
    [
        InitiativeEvent::Registered {
            kind: InitiativeType::Policy,
            responsible: "partners/ml".into(),
            description: description(),
        },
        InitiativeEvent::Confirmed,
        InitiativeEvent::Revised { description: description() },
        InitiativeEvent::BudgetLineRecorded(BudgetLine {
            line: "Budget spécial d’investissement (BSI)".into(),
            amount: xof(250_000_000),
            period: years("2016", "2016"),
            funder: Some("partners/ml".into()),
        }),
        InitiativeEvent::StatusRecorded { status: InitiativeStatus::Ongoing },
        InitiativeEvent::MilestoneRecorded { text: text("Plan d’action lancé", "Action plan launched") },
        InitiativeEvent::Verified,
        InitiativeEvent::Returned,
    ]
}

fn figure(number: &str) -> Figure {
    Figure::new(number.parse().expect("a number")).expect("a figure")
}

fn point() -> MeasurePoint {
    MeasurePoint {
        definition: 2,
        subject: Subject::new(name("contracts/t05-eutf-sah-ml-07-02")).expect("a subject"),
        period: years("2015", "2025"),
    }
}

fn indicator_events() -> [IndicatorEvent; 5] {
    let words = Words::new(text("des dizaines", "dozens")).expect("words");
    let about = |number| Value {
        point: point(),
        quantity: Quantity::About(figure(number)),
        source_status: SourceStatus::Official,
    };
    [
        IndicatorEvent::Defined {
            version: 2,
            definition: Definition {
                title: text("Retours volontaires", "Voluntary returns supported"),
                unit: text("personnes", "persons"),
                population: text("Retours volontaires seulement", "Voluntary returns only"),
                aggregation: Aggregation::Sum,
                framework: Some(name("frameworks/eutf-results")),
                code: Some("3.4".into()),
                smallest_count: 5,
            },
        },
        IndicatorEvent::TargetSet(Target { point: point(), target: Quantity::AtLeast(figure("4000")) }),
        IndicatorEvent::ValueReported(about("3208.50")),
        IndicatorEvent::RestatementProposed {
            value_version: 3,
            value: Quantity::InWords(words),
            source_status: SourceStatus::Estimate,
        },
        IndicatorEvent::ValueRestated { proposal_version: 4, value_version: 3, value: about("3280") },
    ]
}

fn agreement_standing_events() -> [AgreementStandingEvent; 1] {
    let agreement = name("agreements/ml-eu-2016-communique");
    [AgreementStandingEvent { agreement, agreement_version: 4, says: Says::Contestation(Contestation::Contested) }]
}

#[test]
fn every_event_is_read_as_it_was_stored_and_stored_as_it_was_read() {
    Fixtures::in_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/events"))
        .hold::<Framework>(framework_events())
        .hold::<Cycle>(cycle_events())
        .hold::<Commitment>(commitment_events())
        .hold::<Initiative>(initiative_events())
        .hold::<Indicator>(indicator_events())
        .hold::<AgreementStanding>(agreement_standing_events())
        .cover("toguna.commitments.events.v1");
}

#[test]
fn an_event_of_another_stream_is_of_an_unknown_type() {
    let other = Payload::of(&pb::ReportingCycleClosed {});
    for refused in [
        Framework::decode(&other).map(drop),
        Commitment::decode(&other).map(drop),
        Initiative::decode(&other).map(drop),
        Indicator::decode(&other).map(drop),
        AgreementStanding::decode(&other).map(drop),
        Cycle::decode(&Payload::of(&pb::CommitmentLapsed {})).map(drop),
    ] {
        assert!(matches!(refused, Err(DecodeError::UnknownType(_))), "{refused:?}");
    }
}

#[test]
fn what_an_event_must_say_is_not_made_up_where_it_is_missing() {
    for refused in [
        Framework::decode(&Payload::of(&pb::FrameworkRegistered::default())).map(drop),
        Framework::decode(&Payload::of(&pb::PlanItemLinked::default())).map(drop),
        Cycle::decode(&Payload::of(&pb::ReportingCycleOpened::default())).map(drop),
        Commitment::decode(&Payload::of(&pb::CommitmentDeclared::default())).map(drop),
        Commitment::decode(&Payload::of(&pb::ProgressSubmitted::default())).map(drop),
        Initiative::decode(&Payload::of(&pb::InitiativeStatusRecorded::default())).map(drop),
        Indicator::decode(&Payload::of(&pb::IndicatorValueReported::default())).map(drop),
        AgreementStanding::decode(&Payload::of(&pb::AgreementStandingRecorded::default())).map(drop),
    ] {
        assert!(matches!(refused, Err(DecodeError::Missing(_) | DecodeError::Invalid(_))), "{refused:?}");
    }
}

#[test]
fn a_stored_figure_is_one() {
    let stored = |value: &str| {
        let quantity = pb::Quantity {
            qualifier: pb::Qualifier::Exact.into(),
            value: Some(contracts::toguna::r#type::v1::Decimal { value: value.into() }),
            words: None,
        };
        let point = Some(crate::codec::value::point_to_proto(&point()));
        let source_status = pb::SourceStatus::Official.into();
        Payload::of(&pb::IndicatorValueReported { point, value: Some(quantity), source_status })
    };
    assert!(Indicator::decode(&stored("22.72")).is_ok());
    for text in ["N/A", "-1", ""] {
        assert!(Indicator::decode(&stored(text)).is_err(), "{text}");
    }
}
