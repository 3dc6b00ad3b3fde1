//! Who is at work on a log, and who waits. Organisations take turns: one that sends much delays itself, and nobody
//! else.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// Commands at work at once: enough to fill the appender's batches, few enough to be decided and written in a moment.
pub(crate) const AT_WORK: usize = 512;
/// Commands of one organisation that may wait while no other's do; several that wait share it.
const MAY_WAIT: usize = 4_096;

/// The way in to a log.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    at_work: usize,
    waiting: HashMap<String, VecDeque<oneshot::Sender<Pass>>>,
    /// The organisations that wait, the next one first.
    turns: VecDeque<String>,
}

/// A command at work; the next one comes in when this is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Option<Arc<Gate>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// Waits for a place; `None`: too many commands of this organisation wait already.
    pub async fn enter(self: &Arc<Self>, organisation: &str) -> Option<Pass> {
        let turn = {
            let mut state = self.state();
            if state.at_work < AT_WORK {
                state.at_work += 1;
                return Some(Pass { gate: Some(self.clone()) });
            }
            state.queue(organisation)?
        };
        turn.await.ok()
    }

    /// How many commands are at work, and how many wait.
    pub fn load(&self) -> (usize, usize) {
        let state = self.state();
        (state.at_work, state.waiting.values().map(VecDeque::len).sum())
    }

    fn hand_on(self: Arc<Self>) {
        loop {
            let next = self.state().next();
            let Some(next) = next else { return };
            // Whoever went away meanwhile gives the place back, and it is handed on from here.
            match next.send(Pass { gate: Some(self.clone()) }) {
                Ok(()) => return,
                Err(mut unused) => unused.gate = None,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn queue(&mut self, organisation: &str) -> Option<oneshot::Receiver<Pass>> {
        let organisations = self.waiting.len() + usize::from(!self.waiting.contains_key(organisation));
        let share = MAY_WAIT / organisations;
        let queue = self.waiting.entry(organisation.to_owned()).or_insert_with(|| {
            self.turns.push_back(organisation.to_owned());
            VecDeque::new()
        });
        if queue.len() >= share {
            queue.retain(|waiting| !waiting.is_closed());
        }
        if queue.len() >= share.max(1) {
            return None;
        }
        let (turn, waiting) = oneshot::channel();
        queue.push_back(turn);
        Some(waiting)
    }

    /// Who comes in where somebody left; `None`: nobody waits, and the place is free.
    fn next(&mut self) -> Option<oneshot::Sender<Pass>> {
        while let Some(organisation) = self.turns.pop_front() {
            let Some(queue) = self.waiting.get_mut(&organisation) else { continue };
            let next = std::iter::from_fn(|| queue.pop_front()).find(|waiting| !waiting.is_closed());
            if queue.is_empty() {
                self.waiting.remove(&organisation);
            } else {
                self.turns.push_back(organisation);
            }
            if next.is_some() {
                return next;
            }
        }
        self.at_work -= 1;
        None
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.hand_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn full() -> (Arc<Gate>, Vec<Pass>) {
        let gate = Arc::new(Gate::default());
        let enter = || gate.enter("partners/busy").now_or_never().flatten().expect("a place is free");
        let passes = (0..AT_WORK).map(|_| enter()).collect();
        (gate, passes)
    }

    #[test]
    fn organisations_take_turns_however_much_one_of_them_sends() {
        let (gate, mut passes) = full();
        let mut busy: Vec<_> = (0..100).map(|_| Box::pin(gate.enter("partners/busy"))).collect();
        for waiting in &mut busy {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let mut calm = Box::pin(gate.enter("partners/calm"));
        assert!(calm.as_mut().now_or_never().is_none());
        drop(passes.drain(..2));
        assert!(calm.now_or_never().flatten().is_some(), "second in turn, though a hundred came before");
    }

    #[test]
    fn who_may_not_wait_is_told_at_once_and_others_may_still() {
        let (gate, passes) = full();
        let mut waiting = Vec::new();
        for _ in 0..MAY_WAIT {
            let mut one = Box::pin(gate.enter("partners/busy"));
            assert!(one.as_mut().now_or_never().is_none(), "it waits");
            waiting.push(one);
        }
        assert!(matches!(gate.enter("partners/busy").now_or_never(), Some(None)));
        let mut calm = Box::pin(gate.enter("partners/calm"));
        assert!(calm.as_mut().now_or_never().is_none(), "it waits");
        drop((waiting, passes));
        assert!(calm.now_or_never().flatten().is_some());
    }

    #[test]
    fn who_goes_away_leaves_the_place_to_the_next() {
        let (gate, mut passes) = full();
        let mut away = Box::pin(gate.enter("partners/a"));
        let mut next = Box::pin(gate.enter("partners/a"));
        assert!(away.as_mut().now_or_never().is_none() && next.as_mut().now_or_never().is_none());
        passes.pop();
        drop(away);
        assert!(next.now_or_never().flatten().is_some());
        drop(passes);
        assert_eq!(gate.load(), (0, 0));
    }
}
