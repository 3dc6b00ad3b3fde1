//! What is made of files, and made again when they change while the service runs: keys and certificates are exchanged
//! without a restart, and a broken file changes nothing.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at again.
pub(crate) const EVERY: Duration = Duration::from_secs(2);

/// Makes something of files; otherwise all that is wrong with them.
type Make<T> = dyn Fn(&mut Files) -> Result<T, Vec<String>> + Send + Sync;

/// Something made of files; the last that could be made of them.
pub(crate) struct Reloaded<T> {
    name: &'static str,
    make: Box<Make<T>>,
    current: RwLock<Arc<T>>,
    looked_at: Mutex<[u8; 32]>,
    is_sound: watch::Sender<bool>,
}

/// Reads files, and knows afterwards all that was read.
#[derive(Default)]
pub(crate) struct Files(Sha256);

impl Files {
    /// The content of a file; otherwise a problem that names it.
    pub fn read(&mut self, path: &Path) -> Result<Vec<u8>, String> {
        let content = fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
        // With its length, so that no two readings of several files look alike.
        let bytes = content.as_ref().map_or_else(|problem| problem.as_bytes(), Vec::as_slice);
        self.0.update([u8::from(content.is_ok())]);
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        content
    }

    /// The same for a text.
    pub fn text(&mut self, path: &Path) -> Result<String, String> {
        String::from_utf8(self.read(path)?).map_err(|_| format!("{} is no text in UTF-8", path.display()))
    }
}

impl<T: Send + Sync + 'static> Reloaded<T> {
    /// Makes it for the first time; `name` says in the log what it is. Every problem at once where it cannot be made.
    pub fn open(
        name: &'static str,
        make: impl Fn(&mut Files) -> Result<T, Vec<String>> + Send + Sync + 'static,
    ) -> Result<Self, Vec<String>> {
        let mut files = Files::default();
        let first = make(&mut files)?;
        Ok(Self {
            name,
            make: Box::new(make),
            current: RwLock::new(Arc::new(first)),
            looked_at: Mutex::new(files.0.finalize().into()),
            is_sound: watch::Sender::new(true),
        })
    }

    /// The last that could be made.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the files are still such that it could be made of them.
    pub fn is_sound(&self) -> watch::Receiver<bool> {
        self.is_sound.subscribe()
    }

    /// Makes it again where a file has changed since the last look.
    pub fn look_again(&self) {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files = Files::default();
        let made = (self.make)(&mut files);
        let read: [u8; 32] = files.0.finalize().into();
        if *looked_at == read {
            return;
        }
        *looked_at = read;
        match made {
            Ok(new) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                self.is_sound.send_replace(true);
                tracing::info!(what = self.name, "the files changed and are followed");
            }
            Err(problems) => {
                self.is_sound.send_replace(false);
                let problems = problems.join("; ");
                tracing::error!(
                    what = self.name,
                    problems,
                    "the files changed and are broken: what they said before holds"
                );
            }
        }
    }

    /// Looks again and again, until told to stop.
    pub async fn keep(self: Arc<Self>, stopping: CancellationToken) -> anyhow::Result<()> {
        let mut looks = interval(EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(looks.tick()).await.is_some() {
            let reloaded = Arc::clone(&self);
            tokio::task::spawn_blocking(move || reloaded.look_again()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
