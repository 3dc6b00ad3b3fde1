//! A witness: it signs what a log says of its tree once it has seen a proof that the tree only grew since it signed
//! last. With a key of its own it makes cosignatures (C2SP tlog-witness and tlog-cosignature); with the keys of logs it is
//! their signer, and keeps a service whose database was stolen or restored from telling two histories.
//!
//! `store` is the folder that it keeps, `server` answers over HTTP; what is to be signed is judged by
//! the crate `transparency`, which knows neither.

mod durable;
pub mod server;
pub mod store;
pub mod trouble;

use std::{
    collections::HashMap,
    fs::File,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use transparency::{AddCheckpoint, Known, Note, Refused, SigningKey};

pub(crate) use durable::write as write_durably;

use self::{
    store::{Log, LogId, Refusal, Signed, Store},
    trouble::Trouble,
};

const TEXT: &str = "text/plain; charset=utf-8";

/// What is told to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// Of the body.
    pub content_type: &'static str,
    /// Lines.
    pub body: String,
}

/// A store that this process serves, alone.
#[derive(Debug)]
pub struct Witness {
    store: Store,
    /// One request at a time for each log: what is judged is what is then replaced.
    turns: Mutex<HashMap<LogId, Arc<Mutex<()>>>>,
    lock: File,
}

impl Witness {
    /// Takes a store for this process; fails where another one serves it, and where its memory is lost.
    pub fn open(store: Store) -> Result<Self, Trouble> {
        let lock = store.serve_alone()?;
        store.remembers_all()?;
        Ok(Self { store, turns: Mutex::default(), lock })
    }

    /// Says in the store where it answers.
    pub fn answers_at(&mut self, address: SocketAddr) -> Result<(), Trouble> {
        self.store.served_at(&mut self.lock, address)
    }

    /// Judges a request and, where it may, signs: the note is on the disk when this returns.
    pub fn add_checkpoint(&self, body: &[u8]) -> Answer {
        self.judged(body).unwrap_or_else(|trouble| failed(&trouble))
    }

    /// The note that it signed last, with its signature.
    pub fn newest(&self, id: &LogId) -> Answer {
        match self.store.known(id) {
            Ok(Some(known)) => Answer { status: 200, content_type: TEXT, body: known.note },
            Ok(None) => Answer::line(404, "nothing of such a log was signed"),
            Err(trouble) => failed(&trouble),
        }
    }

    fn judged(&self, body: &[u8]) -> Result<Answer, Trouble> {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return Ok(Answer::line(400, &error.to_string())),
        };
        let id = LogId::of(request.checkpoint().origin());
        let Some(log) = self.store.log(&id)? else { return Ok(Answer::line(404, "no such log is known here")) };
        let turn = self.turn(&id);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.store.known(&id)?;
        let before = known.as_ref().map(|known| Known { size: known.checkpoint.size(), root: known.checkpoint.root() });
        match request.judge(&log.trusted, before) {
            Ok(_) => self.signed(&id, &log, &request.note, known.as_ref()),
            Err(refused) => {
                let told = Answer::of(&refused);
                let fork = match &refused {
                    Refused::Inconsistent(_) => Some(refused.to_string()),
                    // It asks from elsewhere, and gives itself away all the same.
                    Refused::Conflict(before) if known.is_some() && request.contradicts(*before) => {
                        Some("another tree of the same size was signed here".to_owned())
                    }
                    Refused::Conflict(_) | Refused::OldBeyond | Refused::Unsigned(_) => None,
                };
                if let Some(reason) = fork {
                    let refusal = Refusal {
                        at: Timestamp::now().to_string(),
                        origin: log.origin,
                        status: refused.status(),
                        reason,
                        known: known.map(|known| known.note),
                        request: String::from_utf8_lossy(body).into_owned(),
                    };
                    self.keep(&refusal, request.note.text())?;
                }
                Ok(told)
            }
        }
    }

    /// The turn of a log. There are as many as logs that the store knows.
    fn turn(&self, id: &LogId) -> Arc<Mutex<()>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default().clone()
    }

    /// Signs what was judged to be right: written first, then told.
    fn signed(&self, id: &LogId, log: &Log, note: &Note, known: Option<&Signed>) -> Result<Answer, Trouble> {
        let lines = note.verify(&log.trusted).expect("it was judged");
        let mut signed = note.with_lines(|line| lines.iter().any(|(_, known)| *known == line));
        let time = no_earlier_than(known, &log.keys);
        let mut body = String::new();
        for line in log.keys.iter().map(|key| key.sign(note.text(), time)) {
            body = format!("{body}{line}\n");
            signed.add(line);
        }
        self.store.remember(id, &signed.to_string())?;
        Ok(Answer { status: 200, content_type: TEXT, body })
    }

    /// Keeps what was refused although the log has signed it, and says so to the operator.
    fn keep(&self, refusal: &Refusal, text: &str) -> Result<(), Trouble> {
        if let Some(file) = self.store.keep(refusal, text)? {
            eprintln!("{}: {}: {}", refusal.origin, refusal.reason, file.display());
        }
        Ok(())
    }
}

/// Now, in seconds since 1970; where the clock went back, the time of the last cosignature: at that time, what was signed
/// then was the largest tree.
fn no_earlier_than(known: Option<&Signed>, keys: &[SigningKey]) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let note = known.and_then(|known| Note::parse(known.note.as_bytes()).ok());
    let lines = note.iter().flat_map(Note::lines);
    let ours = lines.flat_map(|line| {
        let of_line = |key: &&SigningKey| (key.verifier().name(), key.verifier().id()) == (line.name(), line.key_id());
        keys.iter().filter(of_line).filter_map(|key| key.verifier().time_of(line))
    });
    ours.fold(now, u64::max)
}

impl Answer {
    /// One line of text.
    fn line(status: u16, text: &str) -> Self {
        Self { status, content_type: TEXT, body: format!("{text}\n") }
    }

    /// What is told to whoever is refused: of a conflict, the size from which to go on.
    fn of(refused: &Refused) -> Self {
        match refused {
            Refused::Conflict(known) => {
                Self { status: refused.status(), content_type: "text/x.tlog.size", body: format!("{}\n", known.size) }
            }
            _ => Self::line(refused.status(), &refused.to_string()),
        }
    }
}

/// What is wrong with our store is our operator's affair.
fn failed(trouble: &Trouble) -> Answer {
    eprintln!("{trouble}");
    Answer::line(500, "the witness cannot read or write its store")
}
