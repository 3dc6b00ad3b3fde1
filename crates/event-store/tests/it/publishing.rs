//! A log that is published, with a signer and witnesses that answer over HTTP, and an independent reader of the folder.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use event_store::{
    Log, PageLimit,
    publication::{self, Publication, PublicationState, Witnessing},
};
use harness::Servers;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use sqlx::{Connection as _, PgConnection};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use transparency::{
    AddCheckpoint, Checkpoint, Hash, KeyKind, Known, Note, Refused, SigningKey, VerifierKey, leaf_hash, node_hash,
};

use crate::{
    stage::{LIMIT, append},
    tally::request,
};

/// A name that no network has.
pub const ORIGIN: &str = "log.test";

/// Somebody who signs checkpoints, as C2SP tlog-witness says, and forgets everything when the test ends.
pub struct Party {
    pub key: SigningKey,
    pub url: String,
    trusted: VerifierKey,
    pub known: Mutex<HashMap<String, Known>>,
    /// What it answers to everything, where it is not well.
    pub ailing: Mutex<Option<u16>>,
    pub asked: AtomicUsize,
}

impl Party {
    async fn start(name: &str, kind: KeyKind, seed: u8, trusted: &VerifierKey) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let party = Arc::new(Self {
            key: SigningKey::new(name, kind, &[seed; 32]).expect("a name of a key"),
            url: format!("http://{}", listener.local_addr().expect("an address")),
            trusted: trusted.clone(),
            known: Mutex::default(),
            ailing: Mutex::default(),
            asked: AtomicUsize::new(0),
        });
        let served = party.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let served = served.clone();
                let service = service_fn(move |request| {
                    let served = served.clone();
                    async move { Ok::<_, Infallible>(served.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(line), service));
            }
        });
        party
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/add-checkpoint"));
        let body = request.into_body().collect().await.expect("a body").to_bytes();
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (status, text) = self.judge(&body);
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = status.try_into().expect("a status");
        response
    }

    fn judge(&self, body: &[u8]) -> (u16, String) {
        if let Some(status) = *self.ailing.lock().expect("no panic") {
            return (status, "not well\n".into());
        }
        let asked = AddCheckpoint::parse(body).expect("a request");
        let origin = asked.checkpoint().origin().to_owned();
        // The log's key has the name of the tree; the service's has its own.
        let (trusted, key) = match self.key.verifier().kind() {
            KeyKind::Note => (self.trusted.clone(), self.key.renamed(&origin).expect("a name")),
            KeyKind::Cosigner => (self.trusted.renamed(&origin).expect("a name"), self.key.clone()),
        };
        let mut known = self.known.lock().expect("no panic");
        match asked.judge(&[trusted], known.get(&origin).copied()) {
            Ok(now) => {
                known.insert(origin, now);
                (200, format!("{}\n", key.sign(asked.note.text(), 1_800_000_000)))
            }
            Err(Refused::Conflict(known)) => (409, format!("{}\n", known.size)),
            Err(refused) => (refused.status(), refused.to_string()),
        }
    }
}

/// A log and those who sign it.
pub struct Publishing {
    pub url: String,
    pub log: Log,
    pub folder: PathBuf,
    pub signer: Arc<Party>,
    pub witnesses: Vec<Arc<Party>>,
    submission_key: SigningKey,
    log_key: VerifierKey,
    quorum: usize,
}

impl Drop for Publishing {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Publishing {
    /// An empty log named `tallies`, and a policy that wants so many of so many witnesses.
    pub async fn new(quorum: usize, witnesses: u8) -> Self {
        let url = Servers::shared().await.database("log").await;
        let log = Log::open("tallies", &url, CancellationToken::new()).await.expect("the log opens");
        let folder = std::env::temp_dir().join(format!("toguna-publication-{}", uuid::Uuid::new_v4().simple()));
        let submission_key = SigningKey::new("log.test/tallies", KeyKind::Note, &[1; 32]).expect("a name");
        let signer = Party::start("whatever", KeyKind::Note, 2, submission_key.verifier()).await;
        let log_key = signer.key.verifier().clone();
        let mut parties = Vec::new();
        for number in 0..witnesses {
            parties
                .push(Party::start(&format!("witness-{number}.test"), KeyKind::Cosigner, 10 + number, &log_key).await);
        }
        Self { url, log, folder, signer, witnesses: parties, submission_key, log_key, quorum }
    }

    /// The policy without the log.
    pub fn policy(&self) -> String {
        let name = |number: usize| format!("w{number}");
        let line = |(number, witness): (usize, &Arc<Party>)| {
            format!("witness {} {} {}\n", name(number), witness.key.verifier(), witness.url)
        };
        let text = self.witnesses.iter().enumerate().map(line).collect::<Vec<_>>().concat();
        let names = (0..self.witnesses.len()).map(name).collect::<Vec<_>>().join(" ");
        match self.quorum {
            0 => text + "quorum none\n",
            quorum => text + &format!("group enough {quorum} {names}\nquorum enough\n"),
        }
    }

    /// Starts to publish, in a hurry.
    pub fn start(&self) -> Published {
        let (key, keys) = (self.submission_key.clone(), vec![self.log_key.clone()]);
        let told = Publication::new(self.folder.clone(), ORIGIN, &self.signer.url, key, keys, &self.policy());
        let told = told.expect("nothing is wrong").every(Duration::from_millis(20));
        let shutdown = CancellationToken::new();
        let status = publication::start(self.log.clone(), told, shutdown.clone());
        Published { status, guard: shutdown.drop_guard() }
    }

    /// Appends so many events.
    pub async fn append(&self, events: usize) {
        let mut left = events;
        while left > 0 {
            append(&self.log, request(), "a", left.min(2_000)).await;
            left -= left.min(2_000);
        }
    }

    /// Does something to the database that no service can do.
    pub async fn as_owner(&self, statement: &'static str) {
        let mut owner = PgConnection::connect(&self.url).await.expect("a connection");
        sqlx::raw_sql("SET search_path = log").execute(&mut owner).await.expect("a schema");
        sqlx::raw_sql(statement).execute(&mut owner).await.expect("it is done");
    }

    /// Where the epoch of the log is published.
    pub fn place(&self) -> PathBuf {
        self.folder.join("tallies").join(self.log.epoch().to_string())
    }

    /// What the tree is called.
    pub fn origin(&self) -> String {
        format!("{ORIGIN}/tallies/{}", self.log.epoch())
    }

    /// The checkpoint in a file, which the log has signed.
    pub fn checkpoint(&self, name: &str) -> (Checkpoint, Note) {
        let note = Note::parse(&fs::read(self.place().join(name)).expect(name)).expect("a note");
        let checkpoint: Checkpoint = note.text().parse().expect("a checkpoint");
        assert_eq!(checkpoint.origin(), self.origin());
        note.verify(&[self.log_key.renamed(&self.origin()).expect("a name")]).expect("signed by the log");
        (checkpoint, note)
    }

    /// Every record, as it is stored.
    pub async fn records(&self) -> Vec<Bytes> {
        let mut records = Vec::new();
        while (records.len() as u64) < self.log.head() {
            let page = self.log.page(records.len() as u64 + 1, PageLimit { events: 100_000, bytes: usize::MAX });
            records.extend(page.await.expect("the log").into_iter().map(|event| event.record));
        }
        records
    }

    /// What is published is the log: entries byte for byte, each tile of a plain definition of the tree.
    pub async fn assert_published_is_the_log(&self) {
        let records = self.records().await;
        let leaves: Vec<Hash> = records.iter().map(|record| leaf_hash(record)).collect();
        let (checkpoint, _) = self.checkpoint("signed");
        assert_eq!(checkpoint.size(), records.len() as u64);
        assert_eq!(checkpoint.root(), tree_hash(&leaves));
        for (index, bundle) in (0..).zip(records.chunks(256)) {
            let expected: Vec<u8> = bundle
                .iter()
                .flat_map(|record| {
                    let length = u16::try_from(record.len()).expect("short").to_be_bytes();
                    length.into_iter().chain(record.iter().copied()).collect::<Vec<u8>>()
                })
                .collect();
            assert_eq!(self.tile("entries", index, bundle.len()), expected, "entries {index}");
        }
        let mut below = 1;
        for level in 0.. {
            let hashes: Vec<Hash> = leaves.chunks_exact(below).map(tree_hash).collect();
            if hashes.is_empty() {
                break;
            }
            for (index, tile) in (0..).zip(hashes.chunks(256)) {
                let expected: Vec<u8> = tile.iter().flat_map(|hash| *hash.as_bytes()).collect();
                assert_eq!(self.tile(&level.to_string(), index, tile.len()), expected, "tile {level}/{index}");
            }
            below *= 256;
        }
    }

    fn tile(&self, kind: &str, index: u64, width: usize) -> Vec<u8> {
        let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
        let path = self.place().join(format!("tile/{kind}/{index:03}{partial}"));
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// RFC 6962, 2.1, to the letter.
pub fn tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_TREE,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            node_hash(&tree_hash(left), &tree_hash(right))
        }
    }
}

/// A publisher that ends when this is dropped.
pub struct Published {
    pub status: watch::Receiver<Witnessing>,
    guard: DropGuard,
}

impl Published {
    /// Ends it, and waits until it has ended.
    pub async fn stop(mut self) {
        drop(self.guard);
        let ended = tokio::time::timeout(LIMIT, self.status.wait_for(|_| false)).await;
        assert!(ended.expect("it ends").is_err(), "nobody reports any more");
    }

    /// Waits until its status is such.
    pub async fn is(&self, what: &str, so: impl FnMut(&Witnessing) -> bool) -> Witnessing {
        let mut status = self.status.clone();
        let waited = tokio::time::timeout(LIMIT, status.wait_for(so)).await.map(|found| found.map(|it| it.clone()));
        waited.unwrap_or_else(|_| panic!("never {what}: {:?}", self.status.borrow())).expect("the publisher runs")
    }

    /// Waits until the log has signed so many records.
    pub async fn signed(&self, size: u64) -> Witnessing {
        self.is(&format!("{size} signed"), |status| status.signed == size).await
    }

    /// Waits until a quorum has signed so many.
    pub async fn witnessed(&self, size: u64) -> Witnessing {
        self.is(&format!("{size} witnessed"), |status| status.witnessed == size).await
    }

    /// Waits until it stops, and says why.
    pub async fn stops(&self) -> String {
        let stopped = |status: &Witnessing| matches!(status.state, PublicationState::Stopped { .. });
        match self.is("stopped", stopped).await.state {
            PublicationState::Stopped { error, .. } => error,
            state => panic!("{state:?}"),
        }
    }
}

/// Every file below a folder, by its path, but the lock.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != ".lock") {
                let name = path.strip_prefix(folder).expect("below it").to_owned();
                found.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

/// Makes a folder hold these files and no others.
pub fn restore(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    let _ = fs::remove_dir_all(folder);
    for (path, bytes) in files {
        let place = folder.join(path);
        fs::create_dir_all(place.parent().expect("a folder")).expect("it is made");
        fs::write(place, bytes).expect("it is written");
    }
}
