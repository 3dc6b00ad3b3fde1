//! Mistakes on the command line, told in French.

use std::error::Error as _;

use clap::{
    Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// What our own readers of values ask for.
const WISHES: &[(&str, &str)] = &[
    ("write a day as 2016-04-15", "écrivez un jour ainsi : 2016-04-15"),
    ("write a time as 2026-11-23T10:00:00Z, or a day", "écrivez un moment ainsi : 2026-11-23T10:00:00Z, ou un jour"),
];

/// What was wrong, and where to read on; `None`: it is no mistake, or one that clap alone can tell.
pub(in crate::cli) fn told(error: &Error) -> Option<String> {
    let said = |kind| error.get(kind).map(text);
    let argument = || said(ContextKind::InvalidArg).unwrap_or_default();
    let value = || said(ContextKind::InvalidValue).unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::MissingRequiredArgument => format!("il manque {}", argument()),
        ErrorKind::UnknownArgument => format!("« {} » n’a pas de sens ici", argument()),
        ErrorKind::InvalidSubcommand => {
            format!("il n’y a pas de commande « {} »", said(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::InvalidValue if value().is_empty() => format!("« {} » demande une valeur", argument()),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("« {} » ne convient pas à « {} »", value(), argument())
        }
        ErrorKind::ArgumentConflict => match said(ContextKind::PriorArg) {
            Some(prior) if prior != argument() => format!("« {} » ne va pas avec « {prior} »", argument()),
            _ => format!("« {} » ne peut être donné qu’une fois", argument()),
        },
        _ => return None,
    };
    let wish = error.source().map(ToString::to_string);
    let wish = wish.and_then(|wish| WISHES.iter().find(|(english, _)| *english == wish));
    let valid = said(ContextKind::ValidValue).filter(|valid| !valid.is_empty());
    let suggested = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let advice = if let Some((_, wish)) = wish {
        format!(" : {wish}")
    } else if let Some(meant) = suggested.into_iter().find_map(said) {
        format!(" ; vouliez-vous dire « {meant} » ?")
    } else if let Some(valid) = valid {
        format!(" ; ce qui se peut : {valid}")
    } else {
        String::new()
    };
    Some(format!("erreur : {what}{advice}\n\nPour en savoir plus : « --help »."))
}

fn text(value: &ContextValue) -> String {
    match value {
        ContextValue::String(one) => one.clone(),
        ContextValue::Strings(several) => several.join(", "),
        other => other.to_string(),
    }
}
