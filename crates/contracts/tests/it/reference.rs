//! `docs/reference/`: a page for each package, written from the descriptors and their comments.

mod rules;

use std::{collections::BTreeSet, fmt::Write as _};

use prost_reflect::{
    DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
};

use crate::{comments::Comments, pages, pool};

const FOLDER: &str = "docs/reference";
const RECEIPT: &str = "toguna.log.v1.Receipt";
/// How many fields every command begins with.
const ENVELOPE: u32 = 5;
const INDEX: &str = "# The API, message by message

Written from `proto/` by `make docs`. Begin with a service; `toguna.log.v1` is what all of them store and answer with,
`….events.v1` is what has happened, for ever. Why calls are refused: [errors](../errors.md).

| package | what it is |
|---|---|
";
const COMMANDS: &str = "
## Commands

A method that changes something takes these fields first, and answers with a [receipt](toguna.log.v1.md#receipt); the
pages list only what it takes beside them.

";
const EMPTY: &str = "nothing";

/// What the pages are written from.
struct Reference {
    pool: DescriptorPool,
    comments: Comments,
}

impl Reference {
    fn packages(&self) -> BTreeSet<String> {
        let packages = self.pool.files().map(|file| file.package_name().to_owned()).collect::<BTreeSet<_>>();
        packages.into_iter().filter(|package| package.starts_with("toguna.")).collect()
    }

    fn index(&self) -> String {
        let mut page = INDEX.to_owned();
        for package in self.packages() {
            let said = self.comments.of_package(&self.pool, &package);
            let sentence = said.split_once(". ").map_or(said.as_str(), |(sentence, _)| sentence).trim_end_matches('.');
            let _ = writeln!(page, "| [`{package}`]({package}.md) | {}. |", cell(sentence));
        }
        page.push_str(COMMANDS);
        let any = self.pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let command = any.map(|method| method.input()).find(is_command).expect("there are commands");
        page + &self.fields(&command, 1..=ENVELOPE, "")
    }

    fn page(&self, package: &str) -> String {
        let mut page = format!("# `{package}`\n\n[All packages](README.md)\n\n");
        let _ = writeln!(page, "{}", self.comments.of_package(&self.pool, package));
        let mut shown = BTreeSet::new();
        for service in self.pool.services().filter(|service| service.package_name() == package) {
            page += &self.service(&service);
            for method in service.methods() {
                shown.extend([method.input(), method.output()].map(|message| message.full_name().to_owned()));
            }
        }
        let messages = self.pool.all_messages().filter(|message| message.package_name() == package);
        let mut messages: Vec<_> = messages.filter(|message| !shown.contains(message.full_name())).collect();
        messages.sort_by(|one, other| one.full_name().cmp(other.full_name()));
        if !messages.is_empty() {
            page.push_str("\n## Messages\n");
        }
        for message in messages {
            let said = self.comments.said(&message.parent_file(), message.path());
            let rules = rules::of_message(&self.pool, &message);
            let said = [said, &rules].join(" ");
            let _ = write!(page, "\n### `{}`\n\n{}\n\n", message.name(), said.trim());
            page += &self.fields(&message, 1..=u32::MAX, package);
        }
        let mut enums: Vec<_> = self.pool.all_enums().filter(|kind| kind.package_name() == package).collect();
        enums.sort_by(|one, other| one.full_name().cmp(other.full_name()));
        if !enums.is_empty() {
            page.push_str("\n## Enumerations\n");
        }
        for kind in enums {
            page += &self.enumeration(&kind);
        }
        page += &self.rules(package);
        page
    }

    /// The rules that a package defines for fields of requests.
    fn rules(&self, package: &str) -> String {
        let rules = self.pool.all_extensions().filter(|rule| rule.parent_file().package_name() == package);
        let rules = rules.filter(|rule| rule.containing_message().package_name() == "buf.validate");
        let rules: Vec<String> = rules
            .map(|rule| {
                let said = self.comments.said(&rule.parent_file(), rule.path());
                format!("| `{}` | {} |\n", rule.name(), cell(said))
            })
            .collect();
        if rules.is_empty() {
            String::new()
        } else {
            format!("\n## Rules\n\n| rule | |\n|---|---|\n{}", rules.concat())
        }
    }

    fn service(&self, service: &ServiceDescriptor) -> String {
        let said = self.comments.said(&service.parent_file(), service.path());
        let mut text = format!("\n## `{}`\n\n{said}\n", service.name());
        for method in service.methods() {
            let said = self.comments.said(&method.parent_file(), method.path());
            let _ = write!(text, "\n### `{}`\n\n{said}\n\n", method.name());
            text += &self.method(&method);
        }
        text
    }

    fn method(&self, method: &MethodDescriptor) -> String {
        let (request, response) = (method.input(), method.output());
        let package = request.package_name();
        let mut text = String::new();
        if is_command(&request) {
            let own = self.fields(&request, ENVELOPE + 1..=u32::MAX, package);
            let _ = write!(text, "A [command](README.md#commands). Takes `{}`:\n\n{own}", request.name());
        } else {
            let fields = self.fields(&request, 1..=u32::MAX, package);
            let _ = write!(text, "Takes `{}`:\n\n{fields}", request.name());
        }
        let receipt = response.get_field(1).is_some_and(|field| type_name(&field) == RECEIPT);
        if !(is_command(&request) && receipt) {
            let stream = if method.is_server_streaming() { "a stream of " } else { "" };
            let fields = self.fields(&response, 1..=u32::MAX, package);
            let _ = write!(text, "\nAnswers with {stream}`{}`:\n\n{fields}", response.name());
        }
        text
    }

    fn fields(&self, message: &MessageDescriptor, numbers: std::ops::RangeInclusive<u32>, package: &str) -> String {
        let fields: Vec<_> = message.fields().filter(|field| numbers.contains(&field.number())).collect();
        if fields.is_empty() {
            return format!("{EMPTY}\n");
        }
        let mut table = String::from("| field | type | |\n|---|---|---|\n");
        for field in fields {
            let said = self.comments.said(&field.parent_file(), field.path());
            let repeated = if field.is_list() { "repeated " } else { "" };
            let choice = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
            let choice = choice.map(|oneof| format!("One of `{}`.", oneof.name())).unwrap_or_default();
            let kind = linked(&field, package);
            let rules = rules::of_field(&self.pool, &field);
            let said = [choice.as_str(), said, &rules].join(" ");
            let _ = writeln!(
                table,
                "| `{}` = {} | {repeated}{kind} | {} |",
                field.name(),
                field.number(),
                cell(said.trim())
            );
        }
        table
    }

    fn enumeration(&self, kind: &EnumDescriptor) -> String {
        let said = self.comments.said(&kind.parent_file(), kind.path());
        let mut text = format!("\n### `{}`\n\n{said}\n\n", kind.name());
        if kind.name() == "ErrorReason" {
            text.push_str("With codes and texts: [errors](../errors.md).\n\n");
        }
        text.push_str("| value | |\n|---|---|\n");
        for value in kind.values() {
            let said = self.comments.said(&value.parent_file(), value.path());
            let _ = writeln!(text, "| `{}` = {} | {} |", value.name(), value.number(), cell(said));
        }
        text
    }
}

fn is_command(request: &MessageDescriptor) -> bool {
    request.get_field_by_name("request_id").is_some()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn type_name(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(kind) => kind.full_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

/// A type, with the place where it is described.
fn linked(field: &FieldDescriptor, page: &str) -> String {
    let (package, name) = match field.kind() {
        Kind::Message(message) => (message.package_name().to_owned(), message.name().to_owned()),
        Kind::Enum(kind) => (kind.package_name().to_owned(), kind.name().to_owned()),
        _ => return format!("`{}`", type_name(field)),
    };
    if !package.starts_with("toguna.") {
        return format!("`{package}.{name}`");
    }
    let file = if package == page { String::new() } else { format!("{package}.md") };
    format!("[`{name}`]({file}#{})", name.to_lowercase())
}

#[test]
fn the_reference_is_what_the_protos_say() {
    let pool = pool();
    let comments = Comments::of(&pool);
    let reference = Reference { pool, comments };
    let mut names = vec!["README.md".to_owned()];
    pages::hold(&format!("{FOLDER}/README.md"), &reference.index());
    for package in reference.packages() {
        let name = format!("{package}.md");
        pages::hold(&format!("{FOLDER}/{name}"), &reference.page(&package));
        names.push(name);
    }
    pages::hold_folder(FOLDER, &names);
}

#[test]
fn every_link_of_the_reference_leads_somewhere() {
    let pool = pool();
    let comments = Comments::of(&pool);
    let reference = Reference { pool, comments };
    let packages = reference.packages();
    let headings = |package: &str| reference.page(package).to_lowercase();
    let mut found = Vec::new();
    for package in &packages {
        let page = reference.page(package);
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let Some((file, anchor)) = link.split_once('#').filter(|(file, _)| *file != "README.md") else { continue };
            let there = if file.is_empty() { package.as_str() } else { file.trim_end_matches(".md") };
            if !packages.contains(there) || !headings(there).contains(&format!("### `{anchor}`")) {
                found.push(format!("{package}: {link}"));
            }
        }
    }
    crate::none("a link leads nowhere", &found);
}
