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
