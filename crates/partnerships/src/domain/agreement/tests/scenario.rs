//! The instruments that the register was made for.

use super::{super::state::Nature, *};

#[test]
fn the_constitutive_agreement_of_a_fund_is_in_force_before_bulgaria_ratifies() {
    const BULGARIA: &str = "partners/bg";
    let rule = EntryIntoForce::OnSignature { parties: vec![UNION.into()], others: 1 };
    let mut agreement = registration(AgreementScope::Regional, &[UNION, FRANCE, BULGARIA], rule);
    agreement.form = AgreementForm::NonTreatyAgreement;
    let past = registered(agreement)
        .and(&sign(BULGARIA, SignatureKind::SubjectToRatification), &published(BULGARIA).on("2015-11-12"))
        .and(&sign(UNION, SignatureKind::Definitive), &own(UNION).on("2015-11-12"))
        .and(&sign(FRANCE, SignatureKind::Definitive), &own(FRANCE).on("2015-11-12"))
        .and(&ratify(BULGARIA), &published(BULGARIA).on("2016-02-12"));
    let (force, _) = instrument(&past).in_force.expect("in force");
    assert_eq!(force.on, "2015-11-12".parse().ok());
    let as_of =
        |text| past.history().state_as_of(day(text)).registered().expect("an agreement").parties[BULGARIA].standing();
    assert_eq!(as_of("2016-02-11"), PartyStanding::Signed);
    assert_eq!(as_of("2016-02-12"), PartyStanding::Consented);
}

#[test]
fn a_convention_of_1994_is_replayed_from_what_was_published_of_it() {
    let law = AgreementCommand::Authorise { party: FRANCE.into(), legal_basis: Some("loi".into()) };
    let decree = AgreementCommand::Publish { party: FRANCE.into(), reference: "décret".into() };
    let past = convention()
        .and(&decree, &published(FRANCE).on("1996-12-09"))
        .and(&sign(MALI, SignatureKind::SubjectToRatification), &published(MALI).on("1994-09-26"))
        .and(&sign(FRANCE, SignatureKind::SubjectToRatification), &published(FRANCE).on("1994-09-26"))
        .and(&law, &published(FRANCE).on("1995-12-30"));
    assert_eq!(phase(&past, "1994-09-25"), Phase::Registered);
    assert_eq!(phase(&past, "1994-09-26"), Phase::Signed);
    assert_eq!(instrument(&past).publications.len(), 1);
    assert_eq!(instrument(&past).records.unconfirmed().count(), 4);
}

#[test]
fn parties_disagree_on_a_joint_communique() {
    let mut communique = registration(AgreementScope::Bilateral, &[MALI, UNION], EntryIntoForce::NotProvided);
    communique.form = AgreementForm::JointCommunique;
    communique.declared_nature = BindingNature::NonBinding;
    let view = |party: &str, view| AgreementCommand::DeclareView { party: party.into(), view };
    let past = registered(communique)
        .and(&sign(MALI, SignatureKind::Definitive), &published(MALI).on("2016-12-11"))
        .and(&sign(UNION, SignatureKind::Definitive), &published(UNION).on("2016-12-11"))
        .and(&view(UNION, BindingNature::Binding), &published(UNION).on("2016-12-11"))
        .and(&view(MALI, BindingNature::NonBinding), &published(MALI).on("2016-12"));
    assert_eq!(instrument(&past).nature, Nature::Contested);
    assert_eq!(instrument(&past).phase(), Phase::Signed);
}
