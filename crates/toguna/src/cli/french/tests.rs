use clap::CommandFactory as _;

use super::{super::Cli, *};

fn each(command: &Command, path: &str, check: &mut impl FnMut(&str, &Command)) {
    check(path, command);
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        each(inner, &format!("{path} {}", inner.get_name()), check);
    }
}

#[test]
fn every_command_and_argument_is_explained_in_french() {
    let english = Cli::command();
    each(&english, "", &mut |path, command| {
        let known = ABOUT.iter().any(|(known, _)| known.join(" ") == path.trim());
        assert!(known, "toguna{path} is not explained");
        for argument in command.get_arguments().filter(|it| !["help", "version"].contains(&it.get_id().as_str())) {
            assert!(ARGUMENTS.iter().any(|(name, _)| argument.get_id() == name), "toguna{path}: {}", argument.get_id());
        }
    });
}

#[test]
fn the_help_is_in_french() {
    let mut command = translated(Cli::command());
    command.build();
    let help = command.render_long_help().to_string();
    assert!(help.contains("Utilisation\u{202f}:") && help.contains("Lancer son propre ensemble"), "{help}");
    let portfolio = command.find_subcommand_mut("report").and_then(|it| it.find_subcommand_mut("portfolio"));
    let help = portfolio.expect("there is one").render_long_help().to_string();
    assert!(help.contains("Ce que les fonds ont décidé") && help.contains("Situation au soir"), "{help}");
}

/// The help of a command and of all below it, short and long.
fn helps(command: &mut Command, into: &mut Vec<(String, String)>) {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    into.push((name.clone(), command.render_help().to_string()));
    into.push((name, command.render_long_help().to_string()));
    for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
        helps(inner, into);
    }
}

#[test]
fn no_help_in_french_is_half_in_english() {
    let mut all = Vec::new();
    helps(&mut translated(Cli::command()), &mut all);
    assert!(all.len() > 40, "{}", all.len());
    for (name, help) in all {
        for english in ["Print", "[default", "Possible", "possible values", "Usage:", "Examples", " the ", "Commands"] {
            assert!(!help.contains(english), "{name}: {english:?} in\n{help}");
        }
        for before in [':', ';', '?', '!', '»'] {
            assert!(!help.contains(&format!(" {before} ")), "{name}: an ordinary space before {before} in\n{help}");
        }
    }
}

#[test]
fn a_mistake_is_told_in_french() {
    let mistake = |arguments: &[&str]| {
        let command = translated(Cli::command());
        let error = command.try_get_matches_from(["toguna"].iter().chain(arguments)).expect_err("a mistake");
        told(&error).map(|told| told.lines().next().unwrap_or_default().replace('\u{202f}', " "))
    };
    for (arguments, says) in [
        (&["upp"][..], "erreur : il n’y a pas de commande « upp » ; vouliez-vous dire « up » ?"),
        (&["token"], "erreur : il manque <ROLE@ORGANISATION>"),
        (&["up", "--onec"], "erreur : « --onec » n’a pas de sens ici ; vouliez-vous dire « --once » ?"),
        (&["up", "--empty", "--no-demo"], "erreur : « --empty » ne va pas avec « --no-demo »"),
        (&["up", "--empty", "--empty"], "erreur : « --empty » ne peut être donné qu’une fois"),
        (&["--lang", "de", "up"], "erreur : « de » ne convient pas à « --lang <LANGUAGE> » ; ce qui se peut : en, fr"),
        (
            &["report", "portfolio", "--as-of", "demain"],
            "erreur : « demain » ne convient pas à « --as-of <DATE> » : écrivez un jour ainsi : 2016-04-15",
        ),
        (&["token", "a@b", "--hours", "99"], "erreur : « 99 » ne convient pas à « --hours <N> »"),
    ] {
        assert_eq!(mistake(arguments).as_deref(), Some(says));
    }
    assert_eq!(mistake(&["up", "--help"]), None, "what was asked for is no mistake");
}
