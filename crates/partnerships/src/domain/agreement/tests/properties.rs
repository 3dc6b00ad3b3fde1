//! What holds after any commands, accepted or refused.

use event_sourcing::{Entry, History, Recorded, Timestamp};
use proptest::prelude::*;

use super::*;

const PARTIES: [&str; 4] = [MALI, FRANCE, UNION, SPAIN];

fn commands() -> impl Strategy<Value = Vec<(AgreementCommand, Act)>> {
    let party = prop::sample::select(PARTIES.to_vec());
    let day = prop::sample::select(vec!["1994-09-26", "2014", "2015-01-01", "2015-02", "2016-02-12", "2019-12-31", ""]);
    let command =
        (party, day, any::<bool>(), 0..18_u64, 1..30_u64).prop_map(|(party, day, own_act, which, version)| {
            let basis = if own_act { own(party).with_role("depositary") } else { published(party) };
            let act = if day.is_empty() { basis.on_unknown_date() } else { basis.on(day) };
            (command(which, party.into(), version), act)
        });
    prop::collection::vec(command, 0..40)
}

fn command(which: u64, party: String, version: u64) -> AgreementCommand {
    use AgreementCommand as Command;
    let amendment_id = || String::from("a1");
    match which {
        0 => Command::Sign { party, kind: SignatureKind::Definitive },
        1 => Command::Sign { party, kind: SignatureKind::SubjectToRatification },
        2 => ratify(&party),
        3 => {
            let (kind, delivery) = (ConsentKind::Accession, ConsentDelivery::Deposited);
            Command::ExpressConsent { party, kind, delivery }
        }
        4 => Command::RecordEntryIntoForce,
        5 => Command::ApplyProvisionally,
        6 => Command::EndProvisionalApplication,
        7 => Command::ProposeAmendment { amendment_id: amendment_id(), title: LocalizedText::official_fr("Avenant") },
        8 => Command::AcceptAmendment { amendment_id: amendment_id(), party },
        9 => Command::RecordAmendmentEffect { amendment_id: amendment_id(), parties: vec![party] },
        10 => Command::Suspend { party },
        11 => Command::Resume { party },
        12 => Command::Denounce { party, takes_effect_on: None },
        13 => Command::AgreeTermination { party },
        14 => Command::RecordExpiry,
        15 => Command::DeclareView { party, view: BindingNature::Binding },
        16 => Command::DeclareView { party, view: BindingNature::NonBinding },
        _ => Command::ConfirmRecord { version },
    }
}

fn rules() -> impl Strategy<Value = EntryIntoForce> {
    prop::sample::select(vec![
        EntryIntoForce::NotProvided,
        EntryIntoForce::OnSignature { parties: vec![UNION.into()], others: 1 },
        EntryIntoForce::AfterConsents { consents: 2, delay: Delay::Days(30) },
        EntryIntoForce::AfterLastConsent { delay: Delay::FirstOfMonth(2) },
        EntryIntoForce::OnDate("2015-11-12".parse().expect("a date")),
    ])
}

/// The history of those commands that are accepted; after each, nothing more follows by itself.
fn accepted(past: &Given<Agreement>, commands: &[(AgreementCommand, Act)]) -> History<Agreement> {
    let mut history = past.history().clone();
    for (command, act) in commands {
        let Ok(drafts) = history.state().decide(command, act) else { continue };
        for draft in drafts {
            history.push(Recorded {
                version: history.version() + 1,
                event: Entry::Fact(draft.event),
                effective_on: draft.effective_on,
                recorded_at: recorded_on(act.today),
                corrected_at: None,
                act: act.clone().into(),
            });
        }
        assert_eq!(history.state().decide(&AgreementCommand::DrawConsequences, act), Ok(Vec::new()), "{command:?}");
    }
    history
}

/// Some time of a day: what has no date counts from there.
fn recorded_on(day: Date) -> Timestamp {
    format!("{day}T12:00:00Z").parse().expect("a time")
}

proptest! {
    #[test]
    fn what_is_accepted_breaks_no_invariant_and_leaves_nothing_to_follow(rule in rules(), commands in commands()) {
        let history = accepted(&open_treaty(rule), &commands);
        prop_assert_eq!(history.state().check(), Ok(()));
        // On the last of all days everything recorded counts.
        prop_assert_eq!(&history.state_as_of(Date::MAX), history.state());
    }

    #[test]
    fn an_entry_into_force_stays_where_it_is(rule in rules(), commands in commands()) {
        let history = accepted(&open_treaty(rule), &commands);
        let entries = history.facts().filter(|fact| matches!(fact.event, AgreementEvent::EnteredIntoForce { .. }));
        let by_rule = entries.filter(|fact| fact.event == force_by_rule()).count();
        prop_assert!(by_rule <= 1);
    }

    #[test]
    fn without_an_act_or_a_confirmation_nothing_is_decided_but_that_views_differ(
        rule in rules(),
        commands in commands(),
    ) {
        let published: Vec<_> = commands
            .into_iter()
            .filter(|(command, act)| {
                act.basis == event_sourcing::Basis::RecordedFromSource
                    && !matches!(command, AgreementCommand::ConfirmRecord { .. })
            })
            .collect();
        let history = accepted(&open_treaty(rule), &published);
        for fact in history.facts().filter(|fact| fact.event.is_decided()) {
            let of_views =
                matches!(fact.event, AgreementEvent::NatureContested { .. } | AgreementEvent::NatureSettled { .. });
            prop_assert!(of_views, "{:?}", fact.event);
        }
    }
}
