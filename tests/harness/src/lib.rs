//! What tests run on: a real PostgreSQL and a real nats-server for each test binary, started once, stopped and
//! removed when the process is gone in any way; servers of one's own to kill; identities that services accept; programs
//! of other languages; and how to say that something could not be tried here.
//!
//! `TOGUNA_TEST_DATABASE_URL` (a role that can make databases and roles) and `TOGUNA_TEST_NATS_URL` point it at
//! servers that run already. Failures to start panic: a test without its servers says nothing.

mod program;

use std::{
    env, fs,
    io::{self, Write as _},
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use toguna::local::{
    identity::Identity,
    nats::Nats,
    postgres::{self, Disk, Postgres},
    random_hex,
};
use tokio::sync::OnceCell;

pub use program::Program;
pub use toguna::local::identity::{AUDIENCE, ISSUER};
/// A private nats-server.
pub use toguna::local::nats::Nats as NatsServer;

static SHARED: OnceCell<Servers> = OnceCell::const_new();
static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    let folder = scratch("identity");
    Identity::open(&folder).expect("the keys of the tests can be made")
});

/// The servers that all tests of a process share.
#[derive(Debug)]
pub struct Servers {
    postgres: Place<Postgres>,
    nats: Place<Nats>,
}

#[derive(Debug)]
enum Place<S> {
    Ours(S),
    Given(String),
}

impl Servers {
    /// The servers of this process, started by the first test that asks.
    pub async fn shared() -> &'static Self {
        SHARED.get_or_init(async || Self::start().await.expect("the servers of the tests start")).await
    }

    async fn start() -> Result<Self> {
        let postgres = match env::var("TOGUNA_TEST_DATABASE_URL") {
            Ok(url) => Place::Given(url),
            Err(_) => Place::Ours(Postgres::start(&scratch("postgres"), Disk::Throwaway).await?),
        };
        let nats = match env::var("TOGUNA_TEST_NATS_URL") {
            Ok(url) => Place::Given(url),
            Err(_) => Place::Ours(Nats::start(&scratch("nats"), Disk::Throwaway).await?),
        };
        Ok(Self { postgres, nats })
    }

    /// A new, empty database; the address is its owner's, who can make roles. `name`, of lower-case letters, digits
    /// and `_`, shows in the server's log; each call gives another database.
    pub async fn database(&self, name: &str) -> String {
        let name = format!("{name}_{}", random_hex(4));
        let made = match &self.postgres {
            Place::Ours(server) => server.database(&name).await,
            Place::Given(url) => given_database(url, &name).await,
        };
        made.unwrap_or_else(|error| panic!("no database for the test: {error:#}"))
    }

    /// Address of the nats-server that all tests share: streams need names of their own.
    pub fn nats_url(&self) -> String {
        match &self.nats {
            Place::Ours(server) => server.url(),
            Place::Given(url) => url.clone(),
        }
    }

    /// A nats-server of the test's own, to kill, wipe and start again. Stops when dropped.
    pub async fn private_nats(&self) -> Private<Nats> {
        let home = scratch("nats");
        let server = Nats::start(&home, Disk::Throwaway).await.expect("a nats-server starts");
        Private { server: Some(server), home }
    }

    /// A PostgreSQL of the test's own, to stop at once and start again. Stops when dropped.
    pub async fn private_postgres(&self) -> Private<Postgres> {
        let home = scratch("postgres");
        let server = Postgres::start(&home, Disk::Throwaway).await.expect("PostgreSQL starts");
        Private { server: Some(server), home }
    }
}

async fn given_database(url: &str, name: &str) -> Result<String> {
    postgres::psql(&postgres::programs()?, url, &format!("CREATE DATABASE {name}")).await?;
    postgres::in_database(url, name)
}

/// A server of one test's own; see its methods by `Deref`.
#[derive(Debug)]
pub struct Private<S> {
    server: Option<S>,
    home: PathBuf,
}

impl<S> Deref for Private<S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.server.as_ref().expect("it is there until dropped")
    }
}

impl<S> DerefMut for Private<S> {
    fn deref_mut(&mut self) -> &mut S {
        self.server.as_mut().expect("it is there until dropped")
    }
}

impl<S> Drop for Private<S> {
    fn drop(&mut self) {
        drop(self.server.take());
        // Of a server that the test left stopped; one that still runs removes the rest itself.
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// A token that services of [`environment`] accept for an hour: `token("focal-point", "partners/mli", "aminata")`.
/// Several roles are separated by commas.
pub fn token(roles: &str, organisation: &str, person: &str) -> String {
    let roles: Vec<&str> = roles.split(',').filter(|role| !role.is_empty()).collect();
    IDENTITY.token(&roles, organisation, person, SignedDuration::from_hours(1)).expect("the key can sign")
}

/// File that names the issuer of [`token`].
pub fn issuers() -> PathBuf {
    IDENTITY.issuers()
}

/// File of the key that turns persons into pseudonyms.
pub fn pseudonym_key() -> PathBuf {
    IDENTITY.pseudonym_key()
}

/// The settings of identity that a service reads from its environment.
pub fn environment() -> [(&'static str, String); 3] {
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    [
        ("TOGUNA_ISSUERS", text(issuers())),
        ("TOGUNA_PSEUDONYM_KEY", text(pseudonym_key())),
        ("TOGUNA_AUDIENCE", AUDIENCE.to_owned()),
    ]
}

/// Says that a test could not try something on this machine, and why. The test passes all the same, so this goes where
/// it is seen: past the output that tests keep to themselves while they pass, and into the file `TOGUNA_NOT_TRIED`, which
/// `make test` shows at its end. Where everything must be tried, with `TOGUNA_TRY_ALL` set, it panics instead.
pub fn not_tried(what: &str, why: &str) {
    let notice = format!("not tried: {what}: {}\n", why.trim().replace('\n', " "));
    assert!(env::var_os("TOGUNA_TRY_ALL").is_none(), "{notice}");
    // Of what is printed by the macros a test that passes shows nothing.
    let _ = io::stderr().write_all(notice.as_bytes());
    if let Some(file) = env::var_os("TOGUNA_NOT_TRIED") {
        let file = fs::File::options().create(true).append(true).open(file);
        file.and_then(|mut file| file.write_all(notice.as_bytes())).expect("the notice can be kept");
    }
}

/// A new directory for this process.
fn scratch(what: &str) -> PathBuf {
    let place = env::temp_dir().join(format!("toguna-test-{}-{what}", random_hex(6)));
    make(&place).unwrap_or_else(|error| panic!("{error:#}"));
    place
}

fn make(place: &Path) -> Result<()> {
    fs::create_dir(place).with_context(|| format!("cannot make {}", place.display()))
}

/// Holds a part of a page of `docs/` to what a program says: what stands between `<!-- part -->` and `<!-- /part -->`.
/// With `WRITE_DOCS` set the page is written instead.
pub fn hold_part(page: &str, part: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let whole = fs::read_to_string(&path).expect("a page");
    let (begins, ends) = (format!("<!-- {part} -->\n"), format!("<!-- /{part} -->"));
    let (before, rest) = whole.split_once(&begins).expect("the page has the part");
    let (there, after) = rest.split_once(&ends).expect("the part has an end");
    let text = format!("\n{text}");
    if env::var_os("WRITE_DOCS").is_some() {
        fs::write(&path, format!("{before}{begins}{text}{ends}{after}")).expect("the page can be written");
        return;
    }
    assert!(there == text, "{page} does not say of {part} what is so: run these tests with WRITE_DOCS=1");
}
