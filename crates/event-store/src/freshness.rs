//! How far a service has seen the logs that it follows, and waiting for it.

use std::sync::Arc;

use tokio::{sync::watch, time::Instant};

use crate::{Board, ConsistencyToken, FollowerStatus, Log, follower::Feeds};

/// How far all followers of a service are: what its answers have seen. Cheap to clone.
#[derive(Clone)]
pub struct Freshness {
    own: Option<Log>,
    feeds: Arc<Feeds>,
    followers: watch::Receiver<Board>,
}

/// What was asked for was not seen in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFresh {
    /// The read models are behind: asking again may help.
    #[error("{log} was seen up to position {position}, not {wanted}")]
    Behind {
        /// Name of the log.
        log: String,
        /// Position that everything here has reached.
        position: u64,
        /// The token's position.
        wanted: u64,
        /// How many whole seconds the oldest event that was not seen has waited, as far as known here.
        seconds: u64,
    },
    /// This service does not follow that log: its answers can never say anything of it.
    #[error("{log} is not followed here")]
    ForeignLog {
        /// Name of the log.
        log: String,
    },
    /// The token is of another history of the log: that log was restored, and what the token saw may be lost.
    #[error("{log} is in another epoch")]
    OtherEpoch {
        /// Name of the log.
        log: String,
    },
}

/// Whose answer is to be fresh.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// Reads the log itself: its own read models are of no concern.
    Log,
    /// Reads read models.
    ReadModels,
}

impl Freshness {
    pub(crate) fn new(own: Option<Log>, feeds: Feeds, followers: watch::Receiver<Board>) -> Self {
        Self { own, feeds: Arc::new(feeds), followers }
    }

    /// Waits until the read models, and our own log too, have seen what the tokens have seen. Where a reaction carried
    /// another log's events into ours, also until the read models have seen those.
    pub async fn wait(&self, tokens: &[ConsistencyToken], until: Instant) -> Result<(), NotFresh> {
        self.wait_for(tokens, Asker::ReadModels, until).await?;
        let Some(own) = self.own.as_ref().filter(|own| tokens.iter().any(|token| token.log != own.name())) else {
            return Ok(());
        };
        self.wait_for(&[own.token(own.head())], Asker::ReadModels, until).await
    }

    /// Waits until the log has seen what the tokens have seen, for whoever decides on it or reads it: for our own log
    /// that is so at once.
    pub async fn wait_for_log(&self, tokens: &[ConsistencyToken], until: Instant) -> Result<(), NotFresh> {
        self.wait_for(tokens, Asker::Log, until).await
    }

    /// The point of a log that everything here has seen; `None` where the log is not followed, or was not seen yet.
    pub fn reached(&self, log: &str) -> Option<ConsistencyToken> {
        let followers = self.followers.borrow();
        let mut tokens = followers
            .values()
            .filter(|follower| follower.log == log)
            .map(|follower| {
                Some(ConsistencyToken { log: log.to_owned(), epoch: follower.epoch?, position: follower.position })
            })
            .chain(self.own.iter().filter(|own| own.name() == log).map(|own| Some(own.token(own.head()))));
        let first = tokens.next()??;
        tokens.try_fold(first, |lowest, token| {
            let token = token.filter(|token| token.epoch == lowest.epoch)?;
            Some(if token.position < lowest.position { token } else { lowest })
        })
    }

    async fn wait_for(&self, tokens: &[ConsistencyToken], asker: Asker, until: Instant) -> Result<(), NotFresh> {
        let mut followers = self.followers.clone();
        let mut head = self.own.as_ref().map(Log::watch_head);
        for token in tokens {
            let mut awaited = None;
            loop {
                followers.borrow_and_update();
                if let Some(head) = &mut head {
                    head.borrow_and_update();
                }
                match self.check(token, asker) {
                    Ok(()) => break,
                    Err(never @ NotFresh::ForeignLog { .. }) => return Err(never),
                    Err(never @ NotFresh::OtherEpoch { .. }) if self.is_own(token) => return Err(never),
                    Err(_) => awaited = awaited.or_else(|| self.feeds.get(&token.log).map(|feed| feed.awaited())),
                }
                let head_moves = async {
                    match &mut head {
                        Some(head) => head.changed().await.is_ok(),
                        None => std::future::pending().await,
                    }
                };
                let followers_move = async {
                    if followers.changed().await.is_err() {
                        // There are none, or none any more: only the log's head can move.
                        std::future::pending::<()>().await;
                    }
                    true
                };
                let news = tokio::select! {
                    moved = followers_move => moved,
                    moved = head_moves => moved,
                    () = tokio::time::sleep_until(until) => false,
                };
                if !news {
                    // Looked at again, for the time that has passed.
                    self.check(token, asker)?;
                }
            }
        }
        Ok(())
    }

    /// How long the oldest event of a log that something here lacks has waited.
    fn waited(&self, log: &str) -> u64 {
        let board = self.followers.borrow();
        board.values().filter(|follower| follower.log == log).map(FollowerStatus::lag_seconds).max().unwrap_or(0)
    }

    fn is_own(&self, token: &ConsistencyToken) -> bool {
        self.own.as_ref().is_some_and(|own| own.name() == token.log)
    }

    fn check(&self, token: &ConsistencyToken, asker: Asker) -> Result<(), NotFresh> {
        let log = || token.log.clone();
        let reached = if self.is_own(token) && asker == Asker::Log {
            self.own.as_ref().map(|own| own.token(own.head()))
        } else {
            let followers = self.followers.borrow();
            if !self.is_own(token) && followers.values().all(|follower| follower.log != token.log) {
                return Err(NotFresh::ForeignLog { log: log() });
            }
            drop(followers);
            self.reached(&token.log)
        };
        match reached {
            Some(reached) if reached.epoch != token.epoch => Err(NotFresh::OtherEpoch { log: log() }),
            Some(reached) if reached.position >= token.position => Ok(()),
            reached => Err(NotFresh::Behind {
                log: log(),
                position: reached.map_or(0, |reached| reached.position),
                wanted: token.position,
                seconds: self.waited(&token.log),
            }),
        }
    }
}
