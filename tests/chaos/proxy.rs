//! A wire that can be cut: what programs say to each other goes through here, and can be stopped in one direction or
//! both, for a time or for good.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// What the wire does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Weather {
    /// It carries everything.
    #[default]
    Fair,
    /// Nobody gets through, and who was through is cut off.
    Cut,
    /// What both sides say waits here.
    Stalled,
    /// What the client asks arrives; what the server answers waits here.
    AnswersLost,
    /// The server is told that the client is gone, the client is told nothing.
    HalfOpen,
}

/// A wire to one of several ports of this machine.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    weather: watch::Sender<Weather>,
    targets: Arc<Mutex<Vec<u16>>>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let weather = watch::Sender::new(Weather::default());
        let targets = Arc::new(Mutex::new(vec![target]));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, targets.clone(), weather.clone()));
        Self { port, weather, targets, _accepting: accepting }
    }

    /// From now on, for connections that are there and those to come.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Connections to come go to these ports in turn.
    pub fn aim(&self, targets: Vec<u16>) {
        *self.targets.lock().unwrap_or_else(PoisonError::into_inner) = targets;
    }
}

async fn accept(listener: TcpListener, targets: Arc<Mutex<Vec<u16>>>, weather: watch::Sender<Weather>) {
    let turn = AtomicUsize::new(0);
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let targets = targets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let target = targets[turn.fetch_add(1, Ordering::Relaxed) % targets.len()];
        connections.spawn(carry(client, target, weather.subscribe()));
    }
}

/// Carries one connection, until one side ends it or it is cut.
async fn carry(mut client: TcpStream, target: u16, mut weather: watch::Receiver<Weather>) {
    let born = *weather.borrow();
    if born == Weather::Cut {
        return;
    }
    let Ok(mut server) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], target))).await else { return };
    // Small messages go at once, as they would without us.
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let half_open = async {
            if born == Weather::HalfOpen {
                std::future::pending::<()>().await;
            }
            let _ = weather.clone().wait_for(|weather| *weather == Weather::HalfOpen).await;
        };
        // It is over when one side has ended it: the programs here never close one half alone.
        tokio::select! {
            _ = pump(from_client, to_server, weather.clone(), |weather| weather == Weather::Stalled) => return,
            _ = pump(from_server, to_client, weather.clone(), answers_wait) => return,
            () = cut(weather.clone()) => return,
            () = half_open => {}
        }
    }
    drop(server);
    let mut unheard = vec![0; 4 * 1024];
    let over = weather.wait_for(|weather| *weather != Weather::HalfOpen);
    tokio::pin!(over);
    loop {
        tokio::select! {
            _ = &mut over => return,
            read = client.read(&mut unheard) => {
                if read.unwrap_or(0) == 0 {
                    return;
                }
            }
        }
    }
}

fn answers_wait(weather: Weather) -> bool {
    matches!(weather, Weather::Stalled | Weather::AnswersLost)
}

async fn cut(mut weather: watch::Receiver<Weather>) {
    let _ = weather.wait_for(|weather| *weather == Weather::Cut).await;
}

/// Carries one direction, until it ends.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    waits: impl Fn(Weather) -> bool,
) -> io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        if weather.wait_for(|weather| !waits(*weather)).await.is_err() || read == 0 {
            return Ok(());
        }
        to.write_all(&bytes[..read]).await?;
    }
}
