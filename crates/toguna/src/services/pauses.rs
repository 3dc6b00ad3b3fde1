//! Asking again, where the line lost an answer or a service could not give one yet: queries may be asked as often as one
//! likes.

use std::time::{Duration, Instant};

use rand::Rng as _;

use super::refusal::Refusal;
use crate::language::Language;

/// First and longest pause, before chance makes it shorter.
const PAUSES: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(5));
/// After how long a silence a person hears why nothing comes.
const SILENCE: Duration = Duration::from_secs(5);

/// Longer and longer pauses, for as long as one is patient.
#[derive(Debug)]
pub struct Pauses {
    /// How long nothing may come at all; `None`: for ever.
    patience: Option<Duration>,
    language: Language,
    /// When something came last.
    since: Instant,
    next: Duration,
    told: bool,
}

impl Pauses {
    /// Begins to wait.
    pub fn new(patience: Option<Duration>, language: Language) -> Self {
        Self { patience, language, since: Instant::now(), next: PAUSES.0, told: false }
    }

    /// Something came.
    pub fn came(&mut self) {
        *self = Self::new(self.patience, self.language);
    }

    /// Pauses before the same is asked again; gives the refusal back where that does not help, or was done long enough.
    pub async fn after(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        // Many who lost the same line do not all come back at the same moment.
        let wait = refusal.after.max(self.next.mul_f64(rand::rng().random_range(0.5..1.0)));
        let silence = self.since.elapsed();
        if !refusal.is_passing() || self.patience.is_some_and(|patience| silence + wait > patience) {
            return Err(refusal);
        }
        if silence > SILENCE && !self.told {
            self.told = true;
            eprintln!(
                "{}",
                self.language.say(
                    format!("no answer yet, asking again ({refusal})"),
                    format!("pas encore de réponse, nouvelle demande ({refusal})"),
                )
            );
        }
        tokio::time::sleep(wait).await;
        self.next = (self.next * 2).min(PAUSES.1);
        Ok(())
    }
}
