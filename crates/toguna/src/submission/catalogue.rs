//! Every command of every service, by its name.

use prost_reflect::MethodDescriptor;

use super::headings::plain;
use crate::{language::Language, services};

/// The RPCs that ask for events to be written.
pub fn commands() -> impl Iterator<Item = MethodDescriptor> {
    let all = services::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>());
    all.filter(|method| ["request_id", "act"].iter().all(|field| method.input().get_field_by_name(field).is_some()))
}

/// The command called `RegisterPartner`, `partnerships.RegisterPartner` or by its full name; what to write instead
/// where there is none, or several.
pub fn find(name: &str, language: Language) -> Result<MethodDescriptor, String> {
    let (scope, wanted) = name.trim().rsplit_once(['/', '.']).unwrap_or(("", name.trim()));
    let wanted = squeezed(wanted);
    let within = |method: &MethodDescriptor| {
        let service = method.parent_service();
        scope.is_empty()
            || [services::owner(service.package_name()), service.name(), service.full_name()].contains(&scope)
    };
    let mut found: Vec<_> = commands().filter(|it| squeezed(it.name()) == wanted && within(it)).collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(one), false) => {
            found.push(one);
            let names = found.iter().map(title).collect::<Vec<_>>().join(", ");
            Err(language.say(
                format!("{name} is a command of several services: write {names}"),
                format!("{name} est une commande de plusieurs services : écrivez {names}"),
            ))
        }
        (None, _) => {
            let names: Vec<String> = commands().map(|it| it.name().to_owned()).collect();
            Err(unknown(language, name, nearest(&wanted, names.iter().map(String::as_str))))
        }
    }
}

fn unknown(language: Language, name: &str, near: Option<&str>) -> String {
    let english = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    let french = near.map_or_else(String::new, |near| format!(" ; vouliez-vous dire {near} ?"));
    language.say(format!("there is no command {name}{english}"), format!("il n’y a pas de commande {name}{french}"))
}

/// The shortest name that means this command alone.
pub fn title(method: &MethodDescriptor) -> String {
    let alone = commands().filter(|it| it.name() == method.name()).count() == 1;
    let name = method.name();
    if alone { name.to_owned() } else { format!("{}.{name}", services::owner(method.parent_service().package_name())) }
}

/// The full name, as `services::method` takes it.
pub fn full_name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// What somebody probably meant: the candidate that differs in few letters.
pub fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = squeezed(wanted);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &squeezed(candidate));
    let near = candidates.map(|candidate| (distance(candidate), candidate)).min()?;
    (near.0 <= 1 + wanted.len() / 4).then_some(near.1)
}

/// Letters and digits alone: `register partner` is `RegisterPartner`.
fn squeezed(text: &str) -> String {
    plain(text).replace('_', "")
}
