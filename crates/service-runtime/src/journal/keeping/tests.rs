use super::*;

fn minute(most: u32) -> Minute {
    Minute { most, single: HashMap::new(), counted: HashMap::new() }
}

fn refused(organisation: &str, reason: &str) -> Refused {
    let id = Uuid::now_v7();
    let counted = Counted { kind: RefusalKind::Money, first_at: refused_at(id), last: id, count: 1 };
    Refused { method: "a/B".into(), ..counted.entry(organisation.into(), reason.into()) }
}

#[test]
fn beyond_so_many_of_one_organisation_refusals_for_the_same_reason_are_one_entry_that_says_how_many() {
    let mut minute = minute(2);
    let ours: Vec<Refused> = (0..5).map(|_| refused("partners/ml", "EXCEEDS_FUND_CASH")).collect();
    let single = ours.iter().filter_map(|refused| minute.single(refused.clone())).count();
    assert_eq!(single, 2);
    assert!(minute.single(refused("partners/ml", "OWN_REQUEST")).is_none(), "all reasons count together");
    assert!(minute.single(refused("partners/fr", "OWN_REQUEST")).is_some(), "others have their own share");
    let mut counted = minute.end();
    counted.sort_by_key(|entry| std::cmp::Reverse(entry.count));
    let said: Vec<_> = counted.iter().map(|entry| (entry.count, entry.reason.as_str())).collect();
    assert_eq!(said, [(3, "EXCEEDS_FUND_CASH"), (1, "OWN_REQUEST")]);
    let many = &counted[0];
    assert_eq!((many.first_at, many.id), (ours[2].first_at, ours[4].id), "from the first to the last of them");
    assert_eq!((many.actor.organisation.as_str(), many.method.as_str()), ("partners/ml", ""));
}

#[test]
fn another_minute_begins_with_nothing() {
    let mut minute = minute(1);
    assert!(minute.single(refused("partners/ml", "OWN_REQUEST")).is_some());
    assert!(minute.single(refused("partners/ml", "OWN_REQUEST")).is_none());
    assert_eq!(minute.end().len(), 1);
    assert!(minute.end().is_empty());
    assert!(minute.single(refused("partners/ml", "OWN_REQUEST")).is_some());
}
