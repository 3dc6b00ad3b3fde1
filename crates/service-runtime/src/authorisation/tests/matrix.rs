//! The page of all permissions, computed from the policies: every RPC, every role, one's own organisation and others.

use std::{collections::BTreeSet, path::PathBuf};

use cedar_policy::Effect;

use super::{
    super::{
        Authority, Ground,
        policies::{BUILT_IN, FRENCH, ROLES, in_order},
    },
    FOR_ANOTHER, OF_OTHERS, OURS, OWN, PUBLISHED, THEIRS, committed, may,
    schema::{Kind, Rpc, rpcs},
};

/// What the services keep, by their names; the last one has no log.
pub const REGISTERS: [&str; 4] = ["partnerships", "commitments", "disbursements", "oversight"];

/// Whoever speaks for a partner, in whatever role; without one nobody may do anything.
const ANY_ROLE: &str = "";

struct Page {
    french: bool,
    text: String,
}

impl Page {
    fn say(&mut self, en: &str, fr: &str) {
        self.text += if self.french { fr } else { en };
        self.text += "\n";
    }

    fn line(&mut self, line: &str) {
        self.text += line;
        self.text += "\n";
    }
}

/// What a role may do with an RPC. `register`: of which service, where the RPC records nothing.
fn cell(authority: &Authority, rpc: &Rpc, register: &str, role: &str) -> String {
    let roles = if role == ANY_ROLE { &ROLES[..] } else { &[role] };
    let may = |ground| roles.iter().all(|role| may(authority, &rpc.path(), &[role], ground));
    if matches!(rpc.kind, Kind::Queries | Kind::Refusals) && !may(Ground::Register(register)) {
        assert!(!may(Ground::Of(THEIRS)), "{role} sees what is of another organisation");
        return if may(Ground::Of(OURS)) { "◇".into() } else { String::new() };
    }
    if rpc.kind != Kind::Commands {
        return if may(Ground::Register(register)) { "●".into() } else { String::new() };
    }
    assert!(!may(FOR_ANOTHER), "{} lets {role} act for another", rpc.path());
    let signs = [(OWN, "●"), (PUBLISHED, "◐"), (OF_OTHERS, "○")];
    signs.into_iter().filter(|(ground, _)| may(*ground)).map(|(_, sign)| sign).collect()
}

fn table(page: &mut Page, authority: &Authority, package: &str, rpcs: &[Rpc], register: &str) {
    let rows: Vec<(&Rpc, Vec<String>)> = rpcs
        .iter()
        .filter(|rpc| rpc.package == package)
        .map(|rpc| {
            let columns = [ANY_ROLE].iter().chain(&ROLES);
            (rpc, columns.map(|role| cell(authority, rpc, register, role)).collect())
        })
        .collect();
    // A role that permits no more than any needs no column.
    let more = |column: usize| column == 0 || rows.iter().any(|(_, cells)| cells[column] != cells[0]);
    let shown: BTreeSet<usize> = (0..=ROLES.len()).filter(|column| more(*column)).collect();
    let heads = shown.iter().map(|column| match column {
        0 if page.french => "tout rôle".to_owned(),
        0 => "any role".to_owned(),
        column => format!("`{}`", ROLES[column - 1]),
    });
    let heads: Vec<String> = heads.collect();
    page.line(&format!("| RPC | {} |", heads.join(" | ")));
    page.line(&format!("|---|{}", "---|".repeat(shown.len())));
    for (rpc, cells) in rows {
        let cells: Vec<&str> = shown.iter().map(|column| cells[*column].as_str()).collect();
        page.line(&format!("| `{}/{}` | {} |", rpc.service, rpc.name, cells.join(" | ")));
    }
    page.line("");
}

fn head(page: &mut Page) {
    page.say("# Permissions\n", "# Permissions\n");
    page.say("[En français](permissions.fr.md)\n", "[In English](permissions.md)\n");
    page.say(
        "Made from the policies in `deploy/policies/` by a test; do not edit. What no policy permits is denied. A policy
speaks of roles, organisations and RPCs, never of persons or single resources: what depends on a resource, on who took
an earlier step, or on whose turn it is, its own rules decide afterwards.\n",
        "Page établie par un test d’après les politiques de `deploy/policies/`\u{202f}; ne pas la modifier. Ce qu’aucune politique ne
permet est refusé. Une politique parle de rôles, d’organisations et de RPC, jamais de personnes ni d’une ressource en
particulier\u{202f}: ce qui dépend d’une ressource, de l’auteur d’une étape antérieure ou de l’ordre des étapes relève ensuite de
ses propres règles.\n",
    );
    page.say(
        "A denial is `PERMISSION_DENIED` before anything is said of what exists: `ROLE_REQUIRED` with the permission that is
missing and the roles that have it, `ACTS_FOR_ANOTHER`, or `CALL_NOT_PERMITTED` where nobody has it. Where a published
source cannot stand in for the organisation itself, it is `OWN_ACT_REQUIRED`.\n",
        "Un refus est `PERMISSION_DENIED`, avant que rien ne soit dit de ce qui existe\u{202f}: `ROLE_REQUIRED` avec la permission qui
manque et les rôles qui l’ont, `ACTS_FOR_ANOTHER`, ou `CALL_NOT_PERMITTED` si personne ne l’a. Là où une source publiée ne
tient pas lieu de l’organisation elle-même, c’est `OWN_ACT_REQUIRED`.\n",
    );
    page.say(
        "Other policies take the place of these where `TOGUNA_POLICIES` names a folder of files `*.cedar`. They are held
against `deploy/policies/toguna.cedarschema` when a service starts, and a service does not start on policies that are
wrong.\n",
        "D’autres politiques prennent la place de celles-ci lorsque `TOGUNA_POLICIES` désigne un dossier de fichiers `*.cedar`.
Elles sont confrontées à `deploy/policies/toguna.cedarschema` au démarrage d’un service, qui ne démarre pas si elles sont
fautives.\n",
    );
}

fn roles(page: &mut Page) {
    page.say("## Roles\n", "## Rôles\n");
    page.say("| role | in French |\n|---|---|", "| rôle | en français |\n|---|---|");
    for (role, french) in ROLES.iter().zip(FRENCH) {
        page.line(&format!("| `{role}` | {french} |"));
    }
    page.line("");
}

fn rules(page: &mut Page) {
    page.say("## The policies, in words\n", "## Les politiques, en mots\n");
    let order = ["principles", "partnerships", "commitments", "disbursements", "reading", "operations"];
    assert_eq!(order.len(), BUILT_IN.len());
    for file in order.map(|name| format!("{name}.cedar")) {
        let (name, text) = BUILT_IN.iter().find(|(name, _)| *name == file).expect("it comes with the program");
        page.line(&format!("`deploy/policies/{name}`\n"));
        for policy in in_order(name, text).expect("it is read") {
            let said = policy.annotation(if page.french { "fr" } else { "en" }).unwrap_or_default();
            let forbids = match (policy.effect(), page.french) {
                (Effect::Permit, _) => "",
                (Effect::Forbid, false) => "**Forbidden.** ",
                (Effect::Forbid, true) => "**Interdit.** ",
            };
            page.line(&format!("- {forbids}{said}"));
        }
        page.line("");
    }
}

fn tables(page: &mut Page) {
    let authority = Authority::built_in();
    let rpcs = rpcs();
    page.say("## RPC by RPC\n", "## RPC par RPC\n");
    page.say(
        "- ● as an act of one’s own organisation, or a call that records nothing;
- ◐ from a published source, of one’s own organisation;
- ○ from a published source, of another organisation;
- ◇ a call that records nothing, for what is of one’s own organisation alone;
- nobody in any role acts for another organisation.

Who has a role without a column may do what any role permits; who has none may do nothing.\n",
        "- ● comme acte de sa propre organisation, ou appel qui ne consigne rien\u{202f};
- ◐ d’après une source publiée, de sa propre organisation\u{202f};
- ○ d’après une source publiée, d’une autre organisation\u{202f};
- ◇ appel qui ne consigne rien, pour ce qui est de sa propre organisation seulement\u{202f};
- personne, dans aucun rôle, n’agit pour une autre organisation.

Qui a un rôle sans colonne peut ce que permet tout rôle\u{202f}; qui n’en a aucun ne peut rien.\n",
    );
    for register in REGISTERS {
        page.line(&format!("### `toguna.{register}.v1`\n"));
        table(page, &authority, &format!("toguna.{register}.v1"), &rpcs, register);
    }
    for register in &REGISTERS[..3] {
        let (en, fr) = (format!("the log of {register}"), format!("le journal de {register}"));
        page.say(&format!("### `toguna.log.v1`, {en}\n"), &format!("### `toguna.log.v1`, {fr}\n"));
        table(page, &authority, "toguna.log.v1", &rpcs, register);
    }
    page.say("### `toguna.operations.v1`, of every service\n", "### `toguna.operations.v1`, de chaque service\n");
    table(page, &authority, "toguna.operations.v1", &rpcs, REGISTERS[0]);
    let shown = |rpc: &Rpc| {
        let service = rpc.package.trim_start_matches("toguna.").trim_end_matches(".v1");
        REGISTERS.contains(&service) || ["log", "operations"].contains(&service)
    };
    assert!(rpcs.iter().all(shown), "a package has no table");
}

#[test]
fn the_pages_of_permissions_show_what_the_policies_say() {
    for (file, french) in [("permissions.md", false), ("permissions.fr.md", true)] {
        let mut page = Page { french, text: String::new() };
        head(&mut page);
        roles(&mut page);
        rules(&mut page);
        tables(&mut page);
        let text = format!("{}\n", page.text.trim_end());
        committed(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file), &text);
    }
}
