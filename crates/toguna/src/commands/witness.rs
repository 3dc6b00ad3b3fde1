//! `toguna witness`: a witness of logs, or the signer of logs of one's own.

mod status;

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    cli::{AddKey, AddLog, Init, Serve, Witness as Asked},
    language::Language,
    output::{self, Page},
    witness::{
        Witness, server,
        store::{Kind, Store},
        trouble::Trouble,
        write_durably,
    },
};

pub(super) async fn run(asked: &Asked, language: Language, as_json: bool) -> Result<()> {
    match asked {
        Asked::Init(options) => init(options, language, as_json),
        Asked::AddKey(options) => add_key(options, language, as_json),
        Asked::AddLog(options) => add_log(options, language, as_json),
        Asked::Serve(options) => serve(options, language).await,
        Asked::Status(options) => status::run(options, language, as_json),
    }
}

fn told(language: Language) -> impl Fn(Trouble) -> anyhow::Error {
    move |trouble| anyhow!(trouble.say(language))
}

fn init(options: &Init, language: Language, as_json: bool) -> Result<()> {
    let kind = options.name.clone().map_or(Kind::Signer, |name| Kind::Witness { name });
    let store = Store::init(&options.of.store, kind, options.listen).map_err(told(language))?;
    let key = store.verifier_key().map_err(told(language))?.map(|key| key.to_string());
    if as_json {
        return output::json(&json!({ "store": store.folder(), "verifier_key": key }));
    }
    let mut page = Page::default();
    let folder = store.folder().display();
    match key {
        Some(key) => {
            page.add(language.say(format!("A new witness in {folder}"), format!("Un nouveau témoin dans {folder}")));
            page.add(language.say(
                "Its verifier key, for the policies of the logs that it watches:",
                "Sa clé de vérification, pour les politiques des journaux qu’il observe\u{202f}:",
            ));
            page.add(key);
        }
        None => page.add(language.say(
            format!("A new signer in {folder}; its keys are made with the logs that are added"),
            format!("Un nouveau signataire dans {folder}\u{202f}; ses clés viennent avec les journaux que l’on ajoute"),
        )),
    }
    output::text(&page.text())
}

fn add_key(options: &AddKey, language: Language, as_json: bool) -> Result<()> {
    let store = Store::open(&options.of.store).map_err(told(language))?;
    let key = store.log_key(&options.key).map_err(told(language))?.to_string();
    if as_json { output::json(&json!({ "verifier_key": key })) } else { output::text(&key) }
}

fn add_log(options: &AddLog, language: Language, as_json: bool) -> Result<()> {
    let store = Store::open(&options.of.store).map_err(told(language))?;
    let log = store.trust(&options.origin, &options.trusted, options.key.as_deref()).map_err(told(language))?;
    let keys: Vec<String> = log.keys.iter().map(|key| key.verifier().to_string()).collect();
    let trusted: Vec<String> = log.trusted.iter().map(ToString::to_string).collect();
    if as_json {
        return output::json(&json!({ "origin": log.origin, "trusted": trusted, "verifier_keys": keys }));
    }
    let mut page = Page::default();
    page.add(language.say(
        format!("It signs for {} what is signed by", log.origin),
        format!("Il signe pour {} ce que signe", log.origin),
    ));
    page.add(indented(&trusted));
    page.add(match store.settings().kind {
        Kind::Witness { .. } => language.say("with its key", "avec sa clé"),
        Kind::Signer => language.say(
            "with the key of the log, which its witnesses are told:",
            "avec la clé du journal, qu’apprennent ses témoins\u{202f}:",
        ),
    });
    page.add(indented(&keys));
    output::text(&page.text())
}

fn indented(lines: &[String]) -> String {
    format!("  {}", lines.join("\n  "))
}

async fn serve(options: &Serve, language: Language) -> Result<()> {
    let store = Store::open(&options.of.store).map_err(told(language))?;
    let address = options.listen.unwrap_or(store.settings().listen);
    let name = store.name();
    let stop = super::up::stop_signal()?;
    let mut witness = Witness::open(store).map_err(told(language))?;
    let listener = TcpListener::bind(address).await.with_context(|| address.to_string())?;
    let address = listener.local_addr()?;
    witness.answers_at(address).map_err(told(language))?;
    if let Some(file) = &options.ready_file {
        let written = write_durably(file, format!("{address}\n").as_bytes());
        written.with_context(|| format!("cannot write {}", file.display()))?;
    }
    eprintln!(
        "{}",
        language.say(format!("{name} answers at http://{address}"), format!("{name} répond à http://{address}"))
    );
    server::serve(Arc::new(witness), listener, stop).await;
    Ok(())
}
