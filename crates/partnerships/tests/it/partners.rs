//! Partners, their names and roles.

use contracts::toguna::partnerships::{events::v1 as events, v1 as pb};

use crate::stage::{
    FRANCE, MALI, Stage, accepted, as_role, date, french, keeper, new_id, on, refusal, register_partner,
};

async fn with_ministry() -> Stage {
    let mut stage = Stage::set().await;
    let ministry = pb::RegisterPartnerRequest {
        parent: MALI.into(),
        short_names: Some(french("MMEIA")),
        ..register_partner("partners/ml-mmeia", events::PartnerKind::Ministry, "ML")
    };
    accepted(stage.partners.register_partner(keeper(ministry)).await);
    stage
}

async fn partner(stage: &mut Stage, name: &str, as_of: &str) -> pb::Partner {
    let request = pb::GetPartnerRequest { name: name.into(), as_of: date(as_of), ..Default::default() };
    let answer = accepted(stage.partners.get_partner(as_role("observer", FRANCE, request)).await);
    answer.partner.expect("a partner")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_is_shown_with_its_names_of_the_day() {
    let mut stage = with_ministry().await;
    let rename = pb::RenamePartnerRequest {
        request_id: new_id(),
        act: Some(on("2020-05-01")),
        name: "partners/ml-mmeia".into(),
        names: Some(french("Ministère")),
        ..Default::default()
    };
    accepted(stage.partners.rename_partner(keeper(rename)).await);
    let before = partner(&mut stage, "partners/ml-mmeia", "2020-04-30").await;
    assert_eq!((before.names, before.short_names), (Some(french("partners/ml-mmeia")), Some(french("MMEIA"))));
    let after = partner(&mut stage, "partners/ml-mmeia", "").await;
    assert_eq!((after.names, after.short_names), (Some(french("Ministère")), None));
    assert_eq!((after.country_code.as_str(), after.parent.as_str()), ("ML", MALI));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_of_a_state_are_dated() {
    let mut stage = Stage::set().await;
    let role = events::MigrationRole::Origin.into();
    let start = pb::StartPartnerRoleRequest {
        request_id: new_id(),
        act: Some(on("1960")),
        name: MALI.into(),
        role,
        ..Default::default()
    };
    accepted(stage.partners.start_partner_role(keeper(start.clone())).await);
    let again = pb::StartPartnerRoleRequest { request_id: new_id(), act: Some(on("1990")), ..start };
    let (reason, values) = refusal(stage.partners.start_partner_role(keeper(again)).await);
    assert_eq!((reason.as_str(), values["since"].as_str()), ("ROLE_HELD", "1960"));
    let end = pb::EndPartnerRoleRequest {
        request_id: new_id(),
        act: Some(on("2030-01-01")),
        name: MALI.into(),
        role,
        ..Default::default()
    };
    accepted(stage.partners.end_partner_role(keeper(end)).await);
    let [role] = partner(&mut stage, MALI, "").await.roles.try_into().expect("one role");
    let span: pb::Span = role.span.expect("a span");
    assert_eq!(span.start.and_then(|fact| fact.provenance).and_then(|record| record.effective_on), date("1960"));
    assert_eq!(span.end, None, "it ends later");
    assert!(partner(&mut stage, MALI, "2030-01-01").await.roles[0].span.clone().expect("a span").end.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_is_registered_and_is_no_part_of_its_parts() {
    let mut stage = with_ministry().await;
    let orphan = pb::RegisterPartnerRequest {
        parent: "partners/nowhere".into(),
        ..register_partner("partners/ml-api", events::PartnerKind::PublicAgency, "ML")
    };
    let (reason, values) = refusal(stage.partners.register_partner(keeper(orphan)).await);
    assert_eq!((reason.as_str(), values["resource"].as_str()), ("NOT_FOUND", "partners/nowhere"));
    let cycle = pb::ChangePartnerParentRequest {
        request_id: new_id(),
        name: MALI.into(),
        parent: "partners/ml-mmeia".into(),
        ..Default::default()
    };
    let (reason, _) = refusal(stage.partners.change_partner_parent(keeper(cycle)).await);
    assert_eq!(reason, "PARENT_CYCLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_are_listed_by_kind_country_and_parent() {
    let mut stage = with_ministry().await;
    let get = pb::GetPartnerRequest { name: MALI.into(), ..Default::default() };
    let token = accepted(stage.partners.get_partner(as_role("observer", MALI, get)).await).consistency_token;
    let list = pb::ListPartnersRequest { at_least_as_fresh: vec![token], ..Default::default() };
    let mut names = async |list: pb::ListPartnersRequest| {
        let answer = accepted(stage.partners.list_partners(as_role("observer", MALI, list)).await);
        answer.partners.into_iter().map(|partner| partner.name).collect::<Vec<_>>()
    };
    let all = ["partners/eu", "partners/fr", "partners/ml", "partners/ml-mmeia"];
    assert_eq!(names(list.clone()).await, all);
    assert_eq!(names(pb::ListPartnersRequest { as_of: date("1960-01-01"), ..list.clone() }).await, all);
    let states = pb::ListPartnersRequest { kind: events::PartnerKind::State.into(), ..list.clone() };
    assert_eq!(names(states).await, ["partners/fr", "partners/ml"]);
    let malian = pb::ListPartnersRequest { country_code: "ML".into(), ..list.clone() };
    assert_eq!(names(malian).await, ["partners/ml", "partners/ml-mmeia"]);
    let parts = pb::ListPartnersRequest { parent: MALI.into(), ..list };
    assert_eq!(names(parts).await, ["partners/ml-mmeia"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_no_country_is_refused() {
    let mut stage = Stage::empty().await;
    let request = register_partner("partners/xx", events::PartnerKind::State, "XX");
    let (reason, _) = refusal(stage.partners.register_partner(keeper(request)).await);
    assert_eq!(reason, "INVALID_REQUEST");
    let stateless = register_partner("partners/xx", events::PartnerKind::State, "");
    let (reason, _) = refusal(stage.partners.register_partner(keeper(stateless)).await);
    assert_eq!(reason, "COUNTRY_REQUIRED");
}
