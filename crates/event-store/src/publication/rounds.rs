//! Whom of the witnesses is asked when.
//!
//! All are asked for the same checkpoint, so that their lines come together under one note. The next one's turn comes
//! when enough have signed, or when everybody who was asked has answered or failed; who failed is asked again after a
//! pause. Nobody waits for a witness but its own next turn.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use transparency::{Note, Policy, SignatureLine};

use super::{
    asking::{AskError, Cosigner},
    folder::Folder,
    http::Http,
    status::WitnessStatus,
};
use crate::chain::chain;

/// Pauses before a witness that failed is asked again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The witnesses of a policy, and the checkpoint that they are asked for.
pub(super) struct Rounds {
    http: Http,
    folder: Arc<Folder>,
    witnesses: Vec<Witness>,
    asks: JoinSet<Answer>,
    size: u64,
}

/// What came of asking one of them.
pub(super) struct Answer {
    witness: usize,
    pub size: u64,
    said: Result<Vec<SignatureLine>, AskError>,
}

struct Witness {
    name: String,
    cosigner: Cosigner,
    cosigned: u64,
    is_asked: bool,
    again_at: Instant,
    pause: Duration,
    trouble: Option<String>,
}

impl Rounds {
    /// No checkpoint yet. Witnesses without an address are not asked: their lines may come by other ways.
    pub fn new(http: Http, folder: Arc<Folder>, policy: &Policy) -> Self {
        let witnesses = policy.witnesses().iter().filter_map(|witness| {
            let cosigner = Cosigner::new(witness.url.as_deref()?, vec![witness.key.clone()]).ok()?;
            let name = witness.name.clone();
            let (again_at, pause) = (Instant::now(), FIRST_PAUSE);
            Some(Witness { name, cosigner, cosigned: 0, is_asked: false, again_at, pause, trouble: None })
        });
        Self { http, folder, witnesses: witnesses.collect(), asks: JoinSet::new(), size: 0 }
    }

    /// The size of the checkpoint that is asked for.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Nobody is being asked.
    pub fn is_idle(&self) -> bool {
        self.asks.is_empty()
    }

    /// Asks everybody who has not signed a checkpoint, is not being asked, and whose turn has come.
    pub fn ask(&mut self, note: &Note, size: u64) {
        self.size = size;
        let now = Instant::now();
        for (index, witness) in self.witnesses.iter_mut().enumerate() {
            if witness.cosigned >= size || witness.is_asked || witness.again_at > now {
                continue;
            }
            witness.is_asked = true;
            let (cosigner, known) = (witness.cosigner.clone(), witness.cosigned);
            let (http, folder, note) = (self.http.clone(), self.folder.clone(), note.clone());
            self.asks.spawn(async move {
                let said = cosigner.ask(&http, &folder, &note, size, known).await;
                Answer { witness: index, size, said }
            });
        }
    }

    /// Waits until somebody answers or fails, for ever where nobody is asked.
    pub async fn next(&mut self) -> Answer {
        loop {
            match self.asks.join_next().await {
                Some(Ok(answer)) => return answer,
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Takes note of an answer, and gives the lines that came.
    pub fn take(&mut self, answer: Answer) -> Vec<SignatureLine> {
        let witness = &mut self.witnesses[answer.witness];
        witness.is_asked = false;
        match answer.said {
            Ok(lines) => {
                witness.cosigned = answer.size;
                (witness.pause, witness.trouble) = (FIRST_PAUSE, None);
                lines
            }
            Err(error) => {
                let text = chain(&error);
                if witness.trouble.as_ref() != Some(&text) {
                    tracing::warn!(witness = witness.name, error = text, "a witness did not sign");
                }
                witness.trouble = Some(text);
                witness.again_at = Instant::now() + witness.pause;
                witness.pause = (witness.pause * 2).min(LONGEST_PAUSE);
                Vec::new()
            }
        }
    }

    /// How far each has come along.
    pub fn status(&self) -> Vec<WitnessStatus> {
        let status = |witness: &Witness| WitnessStatus {
            name: witness.name.clone(),
            cosigned: witness.cosigned,
            trouble: witness.trouble.clone(),
        };
        self.witnesses.iter().map(status).collect()
    }
}
