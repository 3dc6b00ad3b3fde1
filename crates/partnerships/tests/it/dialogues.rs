//! Dialogues and memberships (rule A8).

use contracts::toguna::partnerships::{events::v1 as events, v1 as pb};

use partnerships::projections::Dialogues;

use crate::stage::{FRANCE, MALI, Stage, accepted, as_role, date, french, keeper, new_id, on, refusal};

const KHARTOUM: &str = "dialogues/khartoum-process";

async fn khartoum() -> Stage {
    let mut stage = Stage::set().await;
    let request = pb::RegisterDialogueRequest {
        request_id: new_id(),
        act: Some(on("2014-11-28")),
        name: KHARTOUM.into(),
        names: Some(french("Processus de Khartoum")),
        ..Default::default()
    };
    accepted(stage.dialogues.register_dialogue(keeper(request)).await);
    stage
}

fn membership(partner: &str, status: events::MembershipStatus, day: &str) -> pb::RecordMembershipRequest {
    pb::RecordMembershipRequest {
        request_id: new_id(),
        act: Some(on(day)),
        name: KHARTOUM.into(),
        partner: partner.into(),
        status: status.into(),
        ..Default::default()
    }
}

async fn dialogue(stage: &mut Stage, as_of: &str) -> pb::Dialogue {
    let request = pb::GetDialogueRequest { name: KHARTOUM.into(), as_of: date(as_of), ..Default::default() };
    let answer = accepted(stage.dialogues.get_dialogue(as_role("observer", FRANCE, request)).await);
    answer.dialogue.expect("a dialogue")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_dialogue_says_and_what_the_partner_claims_stand_side_by_side() {
    let mut stage = khartoum().await;
    for (status, day) in
        [(events::MembershipStatus::JvapPartner, "2015-11-12"), (events::MembershipStatus::NonMember, "2014-11-28")]
    {
        accepted(stage.dialogues.record_membership(keeper(membership(MALI, status, day))).await);
    }
    let claim = pb::ClaimMembershipRequest {
        request_id: new_id(),
        act: Some(on("2014-12")),
        name: KHARTOUM.into(),
        status: events::MembershipStatus::Member.into(),
        ..Default::default()
    };
    accepted(stage.dialogues.claim_membership(as_role("focal_point", MALI, claim)).await);

    let now = dialogue(&mut stage, "").await;
    assert_eq!(now.founded_on, date("2014-11-28"));
    let [mali] = now.memberships.as_slice() else { panic!("one partner") };
    assert_eq!(mali.status(), events::MembershipStatus::JvapPartner);
    assert_eq!(mali.claimed_status(), events::MembershipStatus::Member);
    assert_eq!(mali.recorded.len(), 2);
    let then = dialogue(&mut stage, "2014-11-30").await;
    assert_eq!(then.memberships[0].status(), events::MembershipStatus::NonMember);
    assert_eq!(then.memberships[0].claimed_status(), events::MembershipStatus::Unspecified);
}

#[tokio::test(flavor = "multi_thread")]
async fn dialogues_are_listed_by_partner() {
    let mut stage = khartoum().await;
    let request = membership(FRANCE, events::MembershipStatus::Member, "2014-11-28");
    let receipt = accepted(stage.dialogues.record_membership(keeper(request)).await).receipt;
    let token = receipt.expect("a receipt").consistency_token;
    for (partner, as_of, listed) in [(FRANCE, "", 1), (FRANCE, "2014-11-27", 0), (MALI, "", 0), ("", "2014-11-27", 1)] {
        let list = pb::ListDialoguesRequest {
            partner: partner.into(),
            as_of: date(as_of),
            at_least_as_fresh: vec![token.clone()],
            ..Default::default()
        };
        let answer = accepted(stage.dialogues.list_dialogues(as_role("observer", MALI, list)).await);
        assert_eq!(answer.dialogues.len(), listed, "{partner} as of {as_of}");
    }
    stage.folds_alike(|log| vec![Box::new(Dialogues { log: log.clone() })]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_in_the_register_and_are_recorded_by_the_secretariat() {
    let mut stage = khartoum().await;
    let request = membership("partners/nowhere", events::MembershipStatus::Member, "2014");
    let (reason, values) = refusal(stage.dialogues.record_membership(keeper(request)).await);
    assert_eq!((reason.as_str(), values["resource"].as_str()), ("NOT_FOUND", "partners/nowhere"));
    let request = membership(MALI, events::MembershipStatus::Member, "2014");
    let (reason, _) = refusal(stage.dialogues.record_membership(as_role("focal_point", MALI, request)).await);
    assert_eq!(reason, "ROLE_REQUIRED");
}
