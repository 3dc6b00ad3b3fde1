//! Places for connections: how many there may be, from whom, and who gives way when there are none left.
//!
//! Whoever connects is a stranger until a call of a verified caller has come. Connections of strangers cost nothing to
//! open and nothing to keep, so they must not be what keeps others out: when all places are taken, a newcomer gets that
//! of the address with the most strangers, and of these that of the oldest. Those who fill a service alone displace
//! themselves, and cannot do so faster than a slow line needs to be heard.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Limits,
    shares::{Share, Whole},
    turns::Turns,
};

/// How long a stranger has to make itself known before it gives way to one who is no worse: on a line of 800 ms, TCP,
/// TLS and a first call take less.
const COURTESY: Duration = Duration::from_secs(3);

/// Who has which connections.
pub(crate) struct Places {
    limits: Limits,
    unread: Arc<Whole>,
    unsent: Arc<Whole>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// In the order in which they were opened.
    open: BTreeMap<u64, Arc<Standing>>,
    opened: u64,
    of_peer: HashMap<IpAddr, Arc<Peer>>,
}

/// What one address takes of the service.
#[derive(Debug)]
pub(crate) struct Peer {
    address: IpAddr,
    connections: AtomicU32,
    /// Those of its connections on which nobody was verified.
    strangers: AtomicU32,
    /// Bytes of requests that have come in part.
    pub unread: Arc<Share>,
    /// Bytes of answers that have not been taken.
    pub unsent: Arc<Share>,
    /// In which its calls are worked on.
    pub turns: Turns,
}

/// How a connection stands with us.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Who is at its other end.
    pub peer: Arc<Peer>,
    pub opened: Instant,
    /// Calls under way.
    pub calls: AtomicUsize,
    /// Milliseconds after it was opened at which the last call ended.
    pub quiet_since: AtomicU64,
    /// Cancelled when it must give its place to another.
    pub displaced: CancellationToken,
    stranger: AtomicBool,
}

impl Places {
    /// All of them free.
    pub fn within(limits: &Limits) -> Self {
        Self {
            unread: Whole::new(limits.unread_mebibytes, limits.unread_mebibytes_per_peer),
            unsent: Whole::new(limits.unsent_mebibytes, limits.unsent_mebibytes_per_peer),
            limits: limits.clone(),
            taken: Mutex::default(),
        }
    }

    /// A place for a connection from this address, if there is one or somebody has to make one.
    pub fn take(self: &Arc<Self>, address: SocketAddr) -> Option<Place> {
        let address = network(address.ip());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = taken.of_peer.get(&address).cloned().unwrap_or_else(|| Arc::new(self.stranger_at(address)));
        let has_enough = peer.connections() >= self.limits.connections_per_peer;
        if has_enough || taken.open.len() >= usize::try_from(self.limits.connections).unwrap_or(usize::MAX) {
            let displaced = taken.displaced_by(&peer, has_enough)?;
            taken.free(displaced)?.displaced.cancel();
        }
        let standing = Arc::new(Standing::new(peer.clone()));
        taken.opened += 1;
        let number = taken.opened;
        taken.open.insert(number, standing.clone());
        taken.of_peer.insert(address, peer);
        Some(Place { places: self.clone(), number, standing })
    }

    fn stranger_at(&self, address: IpAddr) -> Peer {
        Peer {
            address,
            connections: AtomicU32::new(0),
            strangers: AtomicU32::new(0),
            unread: Arc::new(Share::of(&self.unread)),
            unsent: Arc::new(Share::of(&self.unsent)),
            turns: Turns::new(),
        }
    }
}

impl Taken {
    /// Who gives way to a connection more from this peer; `alone`: among its own.
    fn displaced_by(&self, newcomer: &Arc<Peer>, alone: bool) -> Option<u64> {
        let open = || self.open.iter().filter(|(_, open)| !alone || Arc::ptr_eq(&open.peer, newcomer));
        let strangers = open().filter(|(_, open)| open.is_stranger());
        if let Some((number, stranger)) =
            strangers.max_by_key(|(number, open)| (open.peer.strangers(), Reverse(*number)))
        {
            let has_more = stranger.peer.strangers() > newcomer.strangers() + 1;
            return (has_more || stranger.opened.elapsed() >= COURTESY).then_some(*number);
        }
        // Clients that lose a connection without a call make another when they need it.
        let idle = open().filter(|(_, open)| open.calls.load(Ordering::Relaxed) == 0);
        let (number, idle) = idle.max_by_key(|(number, open)| (open.peer.connections(), Reverse(*number)))?;
        (idle.peer.connections() > newcomer.connections() + 1).then_some(*number)
    }

    fn free(&mut self, number: u64) -> Option<Arc<Standing>> {
        let standing = self.open.remove(&number)?;
        standing.becomes_known();
        if standing.peer.connections.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.of_peer.remove(&standing.peer.address);
        }
        Some(standing)
    }
}

impl Peer {
    fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    fn strangers(&self) -> u32 {
        self.strangers.load(Ordering::Relaxed)
    }
}

impl Standing {
    /// That of a stranger.
    fn new(peer: Arc<Peer>) -> Self {
        peer.connections.fetch_add(1, Ordering::Relaxed);
        peer.strangers.fetch_add(1, Ordering::Relaxed);
        Self {
            peer,
            opened: Instant::now(),
            calls: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
            displaced: CancellationToken::new(),
            stranger: AtomicBool::new(true),
        }
    }

    /// Whether no call of a verified caller has come.
    pub fn is_stranger(&self) -> bool {
        self.stranger.load(Ordering::Relaxed)
    }

    /// A call of a verified caller has come; or it no longer counts.
    pub fn becomes_known(&self) {
        if self.is_stranger() && self.stranger.swap(false, Ordering::Relaxed) {
            self.peer.strangers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// One who has many addresses of IPv6 has them in one network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// The place of one connection, free again when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    number: u64,
    pub standing: Arc<Standing>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken.lock().unwrap_or_else(PoisonError::into_inner).free(self.number);
    }
}
