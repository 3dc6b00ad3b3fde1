//! Generations of a service's read models: the one that serves, and one beside it that is being made or served before.
//!
//! Each lives in a schema of its own, `<service>_v<version>`, and is kept up to date by projections of its own, so that
//! the one takes over from the other at any moment. Schema `read_models` says which there are and which serves: a
//! process that starts in the middle of anything goes on with what is written there. The reactions of a service are of
//! no generation: their checkpoints are in `read_models`, and they run once.
//!
//! The shape of the tables is a number that a program names. A program reads and fills generations of its own shape
//! only. One that finds none of its shape makes it, answers from it once it has caught up, and makes it live; the older
//! one stays for the older program to go back to.

pub(crate) mod compare;
mod first_event;
pub(crate) mod registry;
pub(crate) mod rows;

use sqlx::{PgPool, migrate::Migrator};
use tokio::sync::watch;

pub use self::compare::{Comparing, Comparison, Difference, FirstEvent};
use self::registry::Registry;
use crate::{StoreError, Timestamp, Wording};

/// One generation, open.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    pub version: u32,
    pub pool: PgPool,
}

/// The read models of a service, opened.
#[derive(Debug)]
pub struct Generations {
    /// `None`: one generation without others, which nobody rebuilds.
    pub(crate) registry: Option<Registry>,
    pub(crate) serving: watch::Sender<Generation>,
}

impl Generations {
    /// Opens those of a service: the live generation, or where that is of another shape the newest of this one; the
    /// first start makes the first. `shape` is to be raised whenever the tables change so that they must be filled anew.
    pub async fn open(
        owner_url: &str,
        service: &'static str,
        shape: u32,
        migrator: &'static Migrator,
    ) -> Result<Self, StoreError> {
        let registry = Registry::open(owner_url, service, shape, migrator).await?;
        let version = registry.first_to_serve().await?;
        let pool = registry.open_generation(version).await?;
        let (serving, _) = watch::channel(Generation { version, pool });
        Ok(Self { registry: Some(registry), serving })
    }

    /// Where queries find the tables.
    pub fn live(&self) -> LivePool {
        LivePool(self.serving.subscribe())
    }
}

/// A single generation that is there already.
impl From<PgPool> for Generations {
    fn from(pool: PgPool) -> Self {
        Self { registry: None, serving: watch::channel(Generation { version: 1, pool }).0 }
    }
}

/// The pool of the generation that serves, whichever that is at the moment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LivePool(watch::Receiver<Generation>);

impl LivePool {
    /// The pool. To be asked for anew by each query, after it has waited for what it must have seen.
    pub fn pool(&self) -> PgPool {
        self.0.borrow().pool.clone()
    }

    /// The number of the generation.
    pub fn version(&self) -> u32 {
        self.0.borrow().version
    }
}

/// What is written of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationRecord {
    /// Its number: the schema is `<service>_v<version>`.
    pub version: u32,
    /// The shape of its tables.
    pub shape: u32,
    /// Whether this program reads and fills tables of that shape.
    pub is_readable: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// The last comparison with the one that served.
    pub comparison: Option<Comparison>,
}

/// Which generations there are, and which of them serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationsRecord {
    /// Those that are there, by number.
    pub generations: Vec<GenerationRecord>,
    /// The one that serves.
    pub live: u32,
    /// The one that served before, where it is still there.
    pub previous: Option<u32>,
    /// When the live one began to serve.
    pub since: Timestamp,
    /// Who made it live.
    pub switched_by: String,
    /// The number of the next one to be made.
    pub next: u32,
}

/// Why something was not done to a generation.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError {
    /// There is none of that number, and the next one has another.
    #[error("there is no generation {version}; the next one is {next}")]
    Unknown {
        /// The number asked for.
        version: u32,
        /// The number that the next one will have.
        next: u32,
    },
    /// It is the one that serves.
    #[error("generation {version} is the one that serves")]
    Serves {
        /// Its number.
        version: u32,
    },
    /// It did not serve before the live one.
    #[error("generation {version} is not the one that served before")]
    DidNotServe {
        /// Its number.
        version: u32,
    },
    /// This program cannot read its tables.
    #[error("the tables of generation {version} have shape {shape}")]
    OtherShape {
        /// Its number.
        version: u32,
        /// The shape of its tables.
        shape: u32,
    },
    /// It lacks events.
    #[error("{projection} of generation {version} is {events} events behind")]
    Behind {
        /// Number of the generation.
        version: u32,
        /// The projection that is furthest behind.
        projection: String,
        /// How many events it lacks, as far as known.
        events: u64,
        /// How long the oldest of them has waited.
        seconds: u64,
    },
    /// A projection of it is stopped at an event.
    #[error("{projection} of generation {version} is stopped at position {position}: {error}")]
    Stopped {
        /// Number of the generation.
        version: u32,
        /// The projection.
        projection: String,
        /// The event.
        position: u64,
        /// Why it cannot be applied.
        error: String,
    },
    /// It was not compared with the one that serves.
    #[error("generation {version} was not compared with the one that serves")]
    NotCompared {
        /// Its number.
        version: u32,
    },
    /// The comparison found differences.
    #[error("generation {version} differs in {rows} rows from the one that serves")]
    Differs {
        /// Its number.
        version: u32,
        /// How many.
        rows: u64,
    },
    /// Something else is being done to the generations.
    #[error("something else is being done to the generations")]
    Busy,
    /// A table cannot be compared.
    #[error("table {table} cannot be compared: {}", problem.en)]
    NotComparable {
        /// Its name.
        table: String,
        /// Why.
        problem: Wording,
    },
    /// The read models were opened without generations.
    #[error("these read models have no generations")]
    Fixed,
    /// Postgres failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for GenerationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
