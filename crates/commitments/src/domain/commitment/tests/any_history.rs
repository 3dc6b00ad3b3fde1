//! Whatever is asked, by whomever: what was accepted never breaks what partners rely on.

use event_sourcing::{Aggregate as _, Basis};
use proptest::prelude::*;

use super::*;

fn commands() -> [CommitmentCommand; 14] {
    [
        CommitmentCommand::Declare(terms()),
        CommitmentCommand::Confirm,
        register(),
        CommitmentCommand::NoteProgress { text: text("Fait") },
        submit(),
        CommitmentCommand::AttachEvidence { cycle: cycle() },
        verify(),
        send_back(),
        CommitmentCommand::ExtendDueDate { due_on: date("2030") },
        CommitmentCommand::Migrate { plan: "cadiz".into(), item: None, secretariat: SECRETARIAT.into() },
        CommitmentCommand::NoteIncident { text: text("Refus") },
        CommitmentCommand::Fulfil,
        CommitmentCommand::Withdraw,
        lapse(),
    ]
}

fn acts() -> [Act; 7] {
    let all_roles = |act: Act| ["focal_point", "secretariat", "verifier"].into_iter().fold(act, Act::with_role);
    let secretary = || all_roles(act(SECRETARIAT).by("secretary")).because("why").today("2031-01-01");
    [
        owner().because("why"),
        with_evidence(owner().because("why")),
        all_roles(act(OWNER).by("colleague")).because("why"),
        secretary(),
        secretary().by("owner"),
        secretary().recorded_from_source_of(OWNER),
        owner().recorded_from_source_of(OWNER).because("why"),
    ]
}

proptest! {
    #[test]
    fn only_its_owner_speaks_for_it_and_nobody_verifies_itself(
        begun in 0..4_usize,
        asked in prop::collection::vec((0..14_usize, 0..7_usize), 0..40)
    ) {
        let (commands, acts) = (commands(), acts());
        let mut past = [given([]), declared(), registered(), reported()][begun].clone();
        for (command, act) in asked {
            let (command, act) = (&commands[command], &acts[act]);
            let before = past.state().status();
            if past.state().decide(command, act).is_ok() {
                past = past.and(command, act);
            }
            let state = past.state();
            prop_assert_eq!(state.check(), Ok(()));
            prop_assert!(before.is_open() || state.status() == before, "it was closed");
            for report in state.reports() {
                prop_assert!(report.submission.act.is_own_act_of(OWNER));
                if let Some(verdict) = &report.verdict {
                    prop_assert!(verdict.act.basis == Basis::Act && verdict.act.on_behalf_of != OWNER);
                    prop_assert!(!verdict.act.actor.is_same_person_as(&report.submission.act.actor));
                }
            }
            if matches!(state.closure().map(|closed| &closed.event), Some(Closure::Fulfilled)) {
                let kept = state.closure().expect("it is closed");
                prop_assert!(kept.act.is_own_act_of(OWNER) && state.is_confirmed());
            }
        }
    }
}
