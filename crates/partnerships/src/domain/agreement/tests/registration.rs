//! What an agreement is, and what is told of its text.

use super::{super::state::Nature, *};

fn register(registration: Registration) -> AgreementCommand {
    AgreementCommand::Register(Box::new(registration))
}

fn bilateral(parties: &[&str]) -> Registration {
    registration(AgreementScope::Bilateral, parties, EntryIntoForce::NotProvided)
}

fn refused(registration: Registration, refusal: AgreementError) {
    let act = act(SECRETARIAT).with_role("secretariat");
    given::<Agreement>([]).when(&register(registration), &act).then_refused(refusal);
}

#[test]
fn a_focal_point_registers_an_agreement() {
    given::<Agreement>([])
        .when(&register(bilateral(&[MALI, FRANCE])), &act(MALI).with_role("focal_point"))
        .then([AgreementEvent::Registered(Box::new(bilateral(&[MALI, FRANCE])))]);
}

#[test]
fn a_caller_without_a_role_does_not() {
    given::<Agreement>([])
        .when(&register(bilateral(&[MALI, FRANCE])), &act(MALI))
        .then_refused(ActError::RoleRequired { roles: decide::DESCRIBERS }.into());
}

#[test]
fn the_same_agreement_is_registered_once() {
    let again = register(bilateral(&[MALI, FRANCE]));
    registered(bilateral(&[MALI, FRANCE])).when(&again, &own(MALI)).then_nothing();
    registered(bilateral(&[MALI, SPAIN])).when(&again, &own(MALI)).then_refused(AgreementError::AlreadyRegistered);
}

#[test]
fn what_is_not_registered_takes_no_command() {
    given::<Agreement>([]).when(&ratify(MALI), &own(MALI)).then_refused(AgreementError::NotRegistered);
}

#[test]
fn parties_fit_the_scope() {
    let scope = AgreementScope::Bilateral;
    refused(bilateral(&[MALI]), AgreementError::PartiesDoNotFit { scope, parties: 1 });
    refused(bilateral(&[MALI, MALI]), AgreementError::PartiesDoNotFit { scope, parties: 1 });
    refused(bilateral(&[MALI, FRANCE, SPAIN]), AgreementError::PartiesDoNotFit { scope, parties: 3 });
    let scope = AgreementScope::Global;
    let alone = registration(scope, &[MALI], EntryIntoForce::NotProvided);
    refused(alone, AgreementError::PartiesDoNotFit { scope, parties: 1 });
    let twice = registration(scope, &[MALI, FRANCE, MALI], EntryIntoForce::NotProvided);
    refused(twice, AgreementError::PartiesDoNotFit { scope, parties: 2 });
}

#[test]
fn rules_name_parties_only() {
    let rule = EntryIntoForce::OnSignature { parties: vec![SPAIN.into()], others: 0 };
    refused(
        registration(AgreementScope::Bilateral, &[MALI, FRANCE], rule),
        AgreementError::NotAParty { organisation: SPAIN.into() },
    );
}

#[test]
fn rules_ask_for_no_more_parties_than_there_can_be() {
    let too_many = AgreementError::RuleCannotBeMet { wanted: 3, parties: 2 };
    let rules = [
        EntryIntoForce::AfterConsents { consents: 3, delay: Delay::None },
        EntryIntoForce::OnSignature { parties: vec![MALI.into()], others: 2 },
    ];
    for rule in rules.clone() {
        refused(registration(AgreementScope::Regional, &[MALI, FRANCE], rule), too_many.clone());
    }
    let mut amended = registration(AgreementScope::Regional, &[MALI, FRANCE], EntryIntoForce::NotProvided);
    amended.terms.amendment = AmendmentRule::AllAfterAcceptances(3);
    refused(amended, too_many);
    for rule in rules {
        let mut open = registration(AgreementScope::Regional, &[MALI, FRANCE], rule);
        open.terms.accession = AccessionRule::Open;
        given::<Agreement>([])
            .when(&register(open.clone()), &own(MALI))
            .then([AgreementEvent::Registered(Box::new(open))]);
    }
}

#[test]
fn an_agreement_binds_as_declared_until_parties_say_otherwise() {
    assert_eq!(instrument(&convention()).nature, Nature::Agreed(BindingNature::Binding));
}

#[test]
fn what_it_is_can_be_read_as_of_days_before_its_registration() {
    assert_eq!(phase(&convention(), "1994-09-26"), Phase::Registered);
}

#[test]
fn the_stages_of_the_text_are_noted_once_each() {
    let steps = [
        (AgreementCommand::OpenNegotiation, AgreementEvent::NegotiationOpened, Phase::Negotiating),
        (AgreementCommand::InitialText, AgreementEvent::TextInitialled, Phase::Initialled),
        (AgreementCommand::AdoptText, AgreementEvent::TextAdopted, Phase::Adopted),
    ];
    for (command, event, reached) in steps {
        convention().when(&command, &own(MALI).on("1993")).then_dated([dated(event, "1993")]);
        let noted = convention().and(&command, &own(MALI).on("1993"));
        assert_eq!(instrument(&noted).phase(), reached);
        noted.when(&command, &own(FRANCE).on("1993")).then_nothing();
        noted.when(&command, &own(FRANCE).on("1994")).then_refused(AgreementError::AlreadyRecorded { version: 2 });
    }
}

#[test]
fn stages_are_noted_by_those_concerned() {
    let command = AgreementCommand::AdoptText;
    convention().when(&command, &act(SECRETARIAT).with_role("secretariat")).then([AgreementEvent::TextAdopted]);
    convention().when(&command, &own(SPAIN)).then_refused(AgreementError::NotAParty { organisation: SPAIN.into() });
    convention().when(&command, &act(MALI)).then_refused(ActError::RoleRequired { roles: decide::DESCRIBERS }.into());
}

#[test]
fn obligations_are_recorded_by_article() {
    let obligation = |text: &str| events::Obligation {
        id: "art-1".into(),
        article: "1".into(),
        obliged_parties: vec![FRANCE.into()],
        text: LocalizedText::official_fr(text),
    };
    let command = AgreementCommand::RecordObligation(obligation("protection des personnes et des biens"));
    let recorded = convention().and(&command, &own(MALI));
    assert_eq!(instrument(&recorded).obligations[0].1, obligation("protection des personnes et des biens"));
    recorded.when(&command, &own(FRANCE)).then_nothing();
    recorded
        .when(&AgreementCommand::RecordObligation(obligation("autre chose")), &own(MALI))
        .then_refused(AgreementError::AlreadyRecorded { version: 2 });
    let stranger = events::Obligation { obliged_parties: vec![SPAIN.into()], ..obligation("") };
    convention()
        .when(&AgreementCommand::RecordObligation(stranger), &own(MALI))
        .then_refused(AgreementError::NotAParty { organisation: SPAIN.into() });
}

#[test]
fn a_party_publishes_the_text_where_it_will() {
    let publish = |reference: &str| AgreementCommand::Publish { party: FRANCE.into(), reference: reference.into() };
    let published_once = convention().and(&publish("décret 96-1088"), &published(FRANCE).on("1996-12-09"));
    published_once.when(&publish("décret 96-1088"), &published(FRANCE).on("1996-12-09")).then_nothing();
    published_once
        .when(&publish("décret 96-1088"), &published(FRANCE).on("1996-12-10"))
        .then_refused(AgreementError::AlreadyRecorded { version: 2 });
    let twice = published_once.and(&publish("JO du 9 décembre"), &published(FRANCE).on("1996-12-09"));
    assert_eq!(instrument(&twice).publications.len(), 2);
    convention()
        .when(&publish("décret"), &own(MALI))
        .then_refused(ActError::ActsForAnother { organisation: MALI.into(), on_behalf_of: FRANCE.into() }.into());
}
