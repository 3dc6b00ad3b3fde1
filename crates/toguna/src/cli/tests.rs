use clap::CommandFactory as _;

use super::*;

#[test]
fn the_command_line_contradicts_itself_nowhere() {
    Cli::command().debug_assert();
}

#[test]
fn a_day_means_its_beginning_or_its_end_in_utc() {
    assert_eq!(start_time("2026-11-23").map(|time| time.to_string()), Ok("2026-11-23T00:00:00Z".to_owned()));
    assert_eq!(end_time("2026-11-23").map(|time| time.to_string()), Ok("2026-11-23T23:59:59.999999999Z".to_owned()));
    assert_eq!(
        end_time("2026-11-23T10:00:00+02:00").map(|time| time.to_string()),
        Ok("2026-11-23T08:00:00Z".to_owned())
    );
    assert!(end_time("yesterday").is_err());
    assert!(date("2016-04").is_err());
}
