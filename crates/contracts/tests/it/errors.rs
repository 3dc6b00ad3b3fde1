//! `docs/errors.md` and `docs/errors.fr.md`: every reason, in both languages.

use std::{collections::BTreeSet, fmt::Write as _};

use contracts::{
    reasons::{REASONS, Reason},
    toguna::errors::v1::{Code, RefusalKind},
};
use prost_reflect::DescriptorPool;

use crate::{comments::Comments, none, pages, pool};

/// What every service may say comes first.
const EVERY_SERVICE: &str = "toguna.errors.v1";

/// One of the two pages.
struct Page {
    head: &'static str,
    every_service: &'static str,
    columns: &'static str,
    again: (&'static str, &'static str),
    /// What each kind of refusal that is kept is called, as the head of the page explains it.
    kept_as: fn(RefusalKind) -> &'static str,
    text: fn(&Reason) -> &'static str,
}

const ENGLISH: Page = Page {
    head: include_str!("errors/head.en.md"),
    every_service: "Every service",
    columns: "| reason | code | send the same again | text | values | kept as |",
    again: ("yes", "no"),
    kept_as: |kind| match kind {
        RefusalKind::Unspecified => "",
        RefusalKind::Permission => "permission",
        RefusalKind::Person => "person",
        RefusalKind::Money => "money",
    },
    text: |reason| reason.en,
};
const FRENCH: Page = Page {
    head: include_str!("errors/head.fr.md"),
    every_service: "Tous les services",
    columns: "| motif | code | renvoyer tel quel | texte | valeurs | consigné comme |",
    again: ("oui", "non"),
    kept_as: |kind| match kind {
        RefusalKind::Unspecified => "",
        RefusalKind::Permission => "permission",
        RefusalKind::Person => "personne",
        RefusalKind::Money => "argent",
    },
    text: |reason| reason.fr,
};

impl Page {
    fn written(&self, pool: &DescriptorPool) -> String {
        let mut page = self.head.to_owned();
        let mut packages: Vec<&str> = REASONS.iter().map(|reason| reason.package).collect();
        packages.sort_unstable_by_key(|package| (*package != EVERY_SERVICE, *package));
        packages.dedup();
        for package in packages {
            let title = if package == EVERY_SERVICE { self.every_service.to_owned() } else { format!("`{package}`") };
            let _ = write!(page, "\n## {title}\n\n{}\n|---|---|---|---|---|---|\n", self.columns);
            for reason in REASONS.iter().filter(|reason| reason.package == package) {
                let again = if reason.retryable { self.again.0 } else { self.again.1 };
                let values: Vec<String> = values(reason.en).iter().map(|value| format!("`{value}`")).collect();
                let _ = writeln!(
                    page,
                    "| `{}` | `{}` | {again} | {} | {} | {} |",
                    reason.name,
                    code(pool, reason),
                    (self.text)(reason),
                    values.join(" "),
                    (self.kept_as)(reason.kept_as.unwrap_or_default()),
                );
            }
        }
        page
    }
}

/// The names of the values that a text speaks of, as `ErrorInfo` has them. The violations of a request have a detail
/// of their own.
fn values(text: &str) -> BTreeSet<&str> {
    let named = text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
    named.filter(|name| *name != "violations").collect()
}

/// Name of the gRPC code.
fn code(pool: &DescriptorPool, reason: &Reason) -> String {
    let codes = pool.get_enum_by_name("toguna.errors.v1.Code").expect("it is there");
    let code = codes.get_value(reason.code).expect("it is one of them");
    code.name().trim_start_matches("CODE_").to_owned()
}

#[test]
fn the_pages_of_errors_are_what_the_reasons_say() {
    let pool = pool();
    pages::hold("docs/errors.md", &ENGLISH.written(&pool));
    pages::hold("docs/errors.fr.md", &FRENCH.written(&pool));
}

#[test]
fn the_pages_say_what_to_do_about_every_code() {
    let pool = pool();
    for page in [&ENGLISH, &FRENCH] {
        let silent = REASONS.iter().map(|reason| code(&pool, reason));
        let silent: BTreeSet<String> = silent.filter(|code| !page.head.contains(&format!("\n| `{code}` |"))).collect();
        none("nothing is said of a code", &silent.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn what_is_denied_and_what_would_exceed_money_is_kept_for_auditors() {
    let mut found = Vec::new();
    for reason in REASONS {
        let denied = reason.code == Code::PermissionDenied as i32;
        if denied != (reason.kept_as == Some(RefusalKind::Permission)) && !PERMISSIONS.contains(&reason.name) {
            found.push(format!("{} is a permission that is missing, or is kept as one and is none", reason.name));
        }
        if reason.name.starts_with("EXCEEDS_") && reason.kept_as != Some(RefusalKind::Money) {
            found.push(format!("{} is of money, and not kept as that", reason.name));
        }
        let passing = reason.retryable || reason.code == Code::InvalidArgument as i32;
        if passing && reason.kept_as.is_some() {
            found.push(format!("{} says nothing of what the caller may do, and is kept", reason.name));
        }
    }
    none("the journal of refusals would not be what it is said to be", &found);
}

/// What only somebody else may do, and is refused as something that has not happened yet.
const PERMISSIONS: &[&str] = &["OWN_ACT_REQUIRED", "NOT_A_COMMITTEE_MEMBER", "STATED_BY_DEPOSITARY_OR_SOURCE"];

#[test]
fn a_reason_is_told_by_its_name_alone() {
    let pool = pool();
    let comments = Comments::of(&pool);
    let mut found = Vec::new();
    for reason in REASONS {
        let shape = reason.name.starts_with(|first: char| first.is_ascii_uppercase())
            && reason.name.len() <= 63
            && reason.name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if !shape {
            found.push(format!("{} is no reason as google.rpc.ErrorInfo takes it", reason.name));
        }
        // The domain is the same for all services, so the same name means the same in each.
        let same = REASONS.iter().filter(|other| other.name == reason.name);
        if same.clone().any(|other| (other.code, other.retryable) != (reason.code, reason.retryable)) {
            found.push(format!("{} has two meanings", reason.name));
        }
        let enumeration = pool.get_enum_by_name(&format!("{}.ErrorReason", reason.package)).expect("its enum");
        let value = enumeration.get_value_by_name(&format!("ERROR_REASON_{}", reason.name)).expect("its value");
        if comments.said(&value.parent_file(), value.path()).is_empty() {
            found.push(format!("{} is not explained", value.full_name()));
        }
    }
    none("a reason cannot be relied on", &found);
}

#[test]
fn the_texts_name_the_same_values_and_are_sentences() {
    let mut found = Vec::new();
    for reason in REASONS {
        let name = format!("{}.{}", reason.package, reason.name);
        if values(reason.en) != values(reason.fr) {
            found.push(format!("{name} names {:?}, and {:?} in French", values(reason.en), values(reason.fr)));
        }
        for text in [reason.en, reason.fr] {
            let open = ["{violations}"].iter().any(|ending| text.ends_with(ending));
            if !open && !text.ends_with('.') {
                found.push(format!("{name} is no sentence: {text}"));
            }
        }
    }
    none("a text is not right", &found);
}
