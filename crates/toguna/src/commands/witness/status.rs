//! What a witness has signed of each log, and what it refused.

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde_json::json;

use super::told;
use crate::{
    cli::StoreOf,
    language::Language,
    output::{self, Page},
    witness::store::{Kind, Log, LogId, Refusal, Signed, Store},
};

/// A log, and all that the store has of it.
struct Entry {
    id: LogId,
    log: Log,
    known: Option<Signed>,
    refused: Vec<(std::path::PathBuf, Refusal)>,
}

pub(super) fn run(options: &StoreOf, language: Language, as_json: bool) -> Result<()> {
    let store = Store::open(&options.store).map_err(told(language))?;
    let trouble = store.remembers_all().err().map(|trouble| trouble.say(language));
    let mut entries = Vec::new();
    for log in store.logs().map_err(told(language))? {
        let id = LogId::of(&log.origin);
        // What cannot be read is told once, for the store.
        let known = store.known(&id).ok().flatten();
        let refused = store.refused(&id).map_err(told(language))?;
        entries.push(Entry { id, log, known, refused });
    }
    if as_json {
        output::json(&as_value(&store, &entries, trouble.as_deref())?)?;
    } else {
        output::text(&as_text(&store, &entries, language)?)?;
    }
    match trouble {
        Some(trouble) => bail!(trouble),
        None => Ok(()),
    }
}

fn as_value(store: &Store, entries: &[Entry], trouble: Option<&str>) -> Result<serde_json::Value> {
    let (kind, name) = match &store.settings().kind {
        Kind::Witness { name } => ("witness", Some(name)),
        Kind::Signer => ("signer", None),
    };
    let mut logs = Vec::new();
    for Entry { id, log, known, refused } in entries {
        let refused = refused.iter().map(|(file, refused)| {
            json!({ "at": refused.at, "status": refused.status, "reason": refused.reason, "file": file })
        });
        logs.push(json!({
            "origin": log.origin,
            "id": id.as_str(),
            "trusted": log.trusted.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "verifier_keys": log.keys.iter().map(|key| key.verifier().to_string()).collect::<Vec<_>>(),
            "size": known.as_ref().map(|known| known.checkpoint.size()),
            "root": known.as_ref().map(|known| known.checkpoint.root().to_string()),
            "signed_at": known.as_ref().map(signed_at).transpose()?,
            "refused": refused.collect::<Vec<_>>(),
        }));
    }
    let key = store.verifier_key().ok().flatten().map(|key| key.to_string());
    Ok(json!({
        "kind": kind,
        "name": name,
        "verifier_key": key,
        "listen": store.settings().listen.to_string(),
        "served": store.served_by(),
        "trouble": trouble,
        "logs": logs,
    }))
}

fn as_text(store: &Store, entries: &[Entry], language: Language) -> Result<String> {
    let mut page = Page::default();
    let name = store.name();
    page.add(match store.served_by() {
        Some(by) => language.say(format!("{name} answers at {by}"), format!("{name} répond à {by}")),
        None => language.say(format!("{name} does not run"), format!("{name} ne tourne pas")),
    });
    if let Some(key) = store.verifier_key().ok().flatten() {
        page.add(key.to_string());
    }
    let header =
        language.say(["Log", "Size", "Root", "Signed", "Refused"], ["Journal", "Taille", "Racine", "Signé", "Refusé"]);
    let mut table = output::table(&header, 1..2);
    for Entry { log, known, refused, .. } in entries {
        let dash = || "—".to_owned();
        table.add_row([
            log.origin.clone(),
            known.as_ref().map_or_else(dash, |known| language.count(known.checkpoint.size())),
            known.as_ref().map_or_else(dash, |known| known.checkpoint.root().to_string()),
            known.as_ref().map(signed_at).transpose()?.unwrap_or_else(dash),
            language.count(refused.len() as u64),
        ]);
    }
    page.add(table.to_string());
    for (file, refused) in entries.iter().flat_map(|entry| &entry.refused) {
        let colon = language.say(":", "\u{202f}:");
        page.add(format!("{} {}{colon} {} ({})", refused.at, refused.origin, refused.reason, file.display()));
    }
    Ok(page.text())
}

/// To the second, in UTC.
fn signed_at(known: &Signed) -> Result<String> {
    let at = Timestamp::try_from(known.at)?;
    Ok(Timestamp::from_second(at.as_second())?.to_string())
}
