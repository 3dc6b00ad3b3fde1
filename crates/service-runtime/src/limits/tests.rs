use std::collections::HashSet;

use super::*;

#[test]
fn each_limit_has_a_variable_and_a_default_of_its_own_place() {
    let mut limits = Limits::default();
    for (number, (_, place)) in (1000..).zip(VARIABLES) {
        assert!(*place(&mut limits) > 0);
        *place(&mut limits) = number;
    }
    for (number, (name, place)) in (1000..).zip(VARIABLES) {
        assert_eq!(*place(&mut limits), number, "{name} shares its place");
    }
    assert_eq!(VARIABLES.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), VARIABLES.len());
    let shown = format!("{limits:?}");
    assert_eq!(shown.matches(": ").count(), VARIABLES.len(), "each limit can be set: {shown}");
}

#[test]
fn what_is_no_limit_is_told_and_what_is_not_set_stays() {
    let mut problems = Vec::new();
    let variable = |name: &str| match name {
        "TOGUNA_IDLE_SECONDS" => Some("7".into()),
        "TOGUNA_COMMANDS_BURST" => Some("0".into()),
        "TOGUNA_MAX_CONNECTIONS" => Some("many".into()),
        "TOGUNA_QUERIES_BURST" => Some(String::new()),
        _ => None,
    };
    let limits = Limits::read(&variable, &mut problems);
    assert_eq!(limits, Limits { idle_seconds: 7, ..Limits::default() });
    let told = |name| problems.iter().any(|problem| problem.starts_with(name));
    assert!(told("TOGUNA_COMMANDS_BURST: set ") && told("TOGUNA_MAX_CONNECTIONS: set "), "{problems:?}");
    assert_eq!(problems.len(), 2);
}

/// The pages that say what each limit is for.
#[test]
fn the_pages_for_operators_name_each_limit_and_its_default_in_both_languages() {
    for page in [include_str!("../../../../docs/operations.md"), include_str!("../../../../docs/operations.fr.md")] {
        let mut limits = Limits::default();
        for (name, place) in VARIABLES {
            let row = page.lines().find(|line| line.contains(&format!("`{name}`")));
            let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
            let number = place(&mut limits).to_string();
            let cells: Vec<String> = row.split('|').map(|cell| cell.replace(['\u{202f}', ','], "")).collect();
            assert!(cells.iter().any(|cell| cell.trim() == number), "{name} is {number}, not as in: {row}");
        }
    }
}
