//! Read models are made again beside those that serve, compared with them, put in their place and taken back.

use std::time::Duration;

use event_store::{
    Comparing, Comparison, Difference, Followers, GenerationError, Generations, LivePool, Log, NotFresh,
};
use harness::Servers;
use sqlx::PgPool;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    house::{MIGRATOR, Mirror, Running, Totals, expected, totals},
    stage::{Stage, append, until},
    tally::request,
};

/// A service that follows its own log, and what of it stays when its process ends.
struct House {
    url: String,
    log: Log,
}

/// A process of the service.
struct Process {
    running: Running,
    live: LivePool,
}

impl House {
    async fn new() -> Self {
        let url = Servers::shared().await.database("house").await;
        let log = Log::open("tallies", &url, CancellationToken::new()).await.expect("the log opens");
        Self { url, log }
    }

    async fn append(&self, id: &str, events: usize) -> event_store::ConsistencyToken {
        append(&self.log, request(), id, events).await.token
    }

    async fn start(&self) -> Process {
        self.start_with(1, Totals::of("tallies")).await
    }

    async fn start_with(&self, shape: u32, totals: Totals) -> Process {
        let generations = Generations::open(&self.url, "tallies", shape, &MIGRATOR).await.expect("they open");
        let live = generations.live();
        let running = Running::start(Followers::new(generations).own_log(&self.log).projection(totals));
        Process { running, live }
    }

    /// A pool of one generation's schema, for whoever changes rows by hand.
    async fn by_hand(&self, version: u32) -> PgPool {
        event_store::open_read_models(&self.url, "tallies", version, &MIGRATOR).await.expect("it opens")
    }
}

impl Process {
    /// Waits until a generation has seen as much of the log.
    async fn has_seen(&self, version: u32, position: u64) {
        let status = self.running.following.status();
        until(&format!("generation {version} reaches {position}"), async || {
            let board = status.borrow();
            let mut followers = board.of_generation(version).peekable();
            followers.peek().is_some() && followers.all(|(_, follower)| follower.position >= position)
        })
        .await;
    }

    async fn rebuild(&self, version: u32, position: u64) {
        self.running.following.rebuild(version, "operator").await.expect("it begins");
        self.has_seen(version, position).await;
    }

    async fn compare(&self, version: u32) -> (Comparison, Vec<Difference>) {
        let (said, mut heard) = mpsc::channel(1_000);
        let comparison = self.running.following.compare(version, said).await.expect("they can be compared");
        let mut differences = Vec::new();
        while let Some(what) = heard.recv().await {
            if let Comparing::Difference(difference) = what {
                differences.push(difference);
            }
        }
        (comparison, differences)
    }

    async fn fresh(&self, token: &event_store::ConsistencyToken) {
        let until = Instant::now() + Duration::from_secs(30);
        self.running.following.freshness().wait(std::slice::from_ref(token), until).await.expect("fresh");
    }

    async fn live(&self) -> u32 {
        self.running.following.generations().await.expect("they are written").live
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_is_made_beside_the_live_one_under_load_and_takes_over_and_back() {
    let house = House::new().await;
    house.append("a", 1_500).await;
    let process = house.start().await;
    process.has_seen(1, 1_500).await;
    let (following, load) = (&process.running.following, CancellationToken::new());
    let appending = async {
        while !load.is_cancelled() {
            let token = house.append("b", 3).await;
            // Whoever has a token reads what it has seen, whatever generation answers.
            process.fresh(&token).await;
            let row: (i64,) = sqlx::query_as("SELECT events FROM totals WHERE tally = 'totals tallies/b'")
                .fetch_one(&process.live.pool())
                .await
                .expect("the row");
            let own = token.position - 1_500;
            assert!(row.0.cast_unsigned() >= own, "generation {}: {} < {own}", process.live.version(), row.0);
        }
    };
    let operating = async {
        process.rebuild(2, house.log.head()).await;
        assert_eq!(process.live.version(), 1, "the live one serves on");
        let (comparison, differences) = process.compare(2).await;
        assert_eq!((comparison.differing, differences.as_slice()), (0, [].as_slice()));
        assert_eq!(comparison.rows, 2);
        for round in 0..5 {
            following.switch(2, false, "operator").await.expect("it takes over");
            assert_eq!((process.live.version(), process.live().await), (2, 2), "{round}");
            tokio::time::sleep(Duration::from_millis(30)).await;
            following.back(1, "operator").await.expect("it goes back");
            assert_eq!((process.live.version(), process.live().await), (1, 1), "{round}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        following.switch(2, false, "operator").await.expect("it takes over");
        load.cancel();
    };
    tokio::join!(appending, operating);
    process.has_seen(1, house.log.head()).await;
    process.has_seen(2, house.log.head()).await;
    assert_eq!(totals(&house.by_hand(1).await, "totals").await, expected(&house.log).await);
    assert_eq!(totals(&process.live.pool(), "totals").await, expected(&house.log).await);
    following.drop_generation(1).await.expect("it is dropped");
    let left = following.generations().await.expect("they are written");
    assert_eq!(left.generations.iter().map(|it| it.version).collect::<Vec<_>>(), [2]);
    assert_eq!((left.previous, left.next), (None, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_changed_by_hand_is_found_with_the_first_event_that_touched_it() {
    let house = House::new().await;
    house.append("a", 700).await;
    house.append("b", 5).await;
    house.append("a", 600).await;
    house.append("c", 2).await;
    let process = house.start().await;
    process.rebuild(2, house.log.head()).await;
    process.has_seen(1, house.log.head()).await;
    let pool = house.by_hand(1).await;
    let change = async |sql: &'static str| {
        sqlx::query(sql).execute(&pool).await.expect("changed by hand");
    };
    change("UPDATE totals SET total = 77 WHERE tally = 'totals tallies/b'").await;
    // As it was after its first event: it lacks the effect of the second.
    change("UPDATE totals SET total = 1, events = 1 WHERE tally = 'totals tallies/c'").await;
    change("INSERT INTO totals VALUES ('totals stray', 1, 1)").await;
    let (comparison, differences) = process.compare(2).await;
    assert_eq!((comparison.rows, comparison.differing), (4, 3));
    let of = |tally: &str| {
        let key = [("tally".to_owned(), format!("totals {tally}"))];
        differences.iter().find(|it| it.key == key).unwrap_or_else(|| panic!("{tally}: {differences:?}"))
    };
    let changed = of("tallies/b");
    assert_eq!((changed.table.as_str(), changed.in_live, changed.in_beside), ("totals", true, true));
    assert_eq!(changed.columns, [("total".to_owned(), "77".to_owned(), "5".to_owned())]);
    let first = changed.first_event.as_ref().expect("an event touches it");
    assert_eq!((first.log.as_str(), first.position, first.stream.as_str()), ("tallies", 701, "tallies/b"));
    assert_eq!(of("tallies/c").first_event.as_ref().map(|first| first.position), Some(1_307));
    let stray = of("stray");
    assert_eq!((stray.in_live, stray.in_beside, stray.first_event.as_ref()), (true, false, None));

    // Who finds differences decides whether they are a reason to switch.
    let following = &process.running.following;
    let refused = following.switch(2, false, "operator").await.expect_err("it differs");
    assert!(matches!(refused, GenerationError::Differs { version: 2, rows: 3 }), "{refused}");
    following.switch(2, true, "operator").await.expect("it takes over");
    assert_eq!(totals(&process.live.pool(), "totals").await, expected(&house.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_refused_by_name() {
    let house = House::new().await;
    house.append("a", 10).await;
    let process = house.start().await;
    let following = &process.running.following;
    let refused = following.rebuild(7, "operator").await.expect_err("not the next");
    assert!(matches!(refused, GenerationError::Unknown { version: 7, next: 2 }), "{refused}");
    let refused = following.rebuild(1, "operator").await.expect_err("it serves");
    assert!(matches!(refused, GenerationError::Serves { version: 1 }), "{refused}");
    process.rebuild(2, 10).await;
    following.rebuild(2, "operator").await.expect("asked for again, nothing happens");
    let refused = following.switch(2, false, "operator").await.expect_err("nobody compared");
    assert!(matches!(refused, GenerationError::NotCompared { version: 2 }), "{refused}");
    let refused = following.back(2, "operator").await.expect_err("it never served");
    assert!(matches!(refused, GenerationError::DidNotServe { version: 2 }), "{refused}");
    let refused = following.drop_generation(1).await.expect_err("it serves");
    assert!(matches!(refused, GenerationError::Serves { version: 1 }), "{refused}");
    process.rebuild(3, 10).await;
    let refused = following.switch(2, true, "operator").await.expect_err("it was dropped for the next");
    assert!(matches!(refused, GenerationError::Unknown { version: 2, next: 4 }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_that_is_stopped_or_behind_does_not_take_over() {
    let house = House::new().await;
    house.append("a", 10).await;
    let delicate = Totals { pace: Duration::from_millis(200), ..Totals::of("tallies") };
    let process = house.start_with(1, delicate).await;
    process.has_seen(1, 10).await;
    let following = &process.running.following;
    following.rebuild(2, "operator").await.expect("it begins");
    house.append("a", 60).await;
    let refused = following.switch(2, true, "operator").await.expect_err("it is behind");
    assert!(matches!(refused, GenerationError::Behind { version: 2, events: 1.., .. }), "{refused}");
    assert_eq!(process.live().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_starts_in_the_middle_goes_on_with_what_is_written() {
    let house = House::new().await;
    house.append("a", 2_000).await;
    let process = house.start().await;
    process.running.following.rebuild(2, "operator").await.expect("it begins");
    drop(process);
    let process = house.start().await;
    assert_eq!(process.live.version(), 1);
    process.has_seen(2, 2_000).await;
    assert_eq!(process.compare(2).await.0.differing, 0);
    drop(process);
    let process = house.start().await;
    process.has_seen(2, 2_000).await;
    process.running.following.switch(2, false, "operator").await.expect("what was compared stays compared");
    drop(process);
    let token = house.append("a", 5).await;
    let process = house.start().await;
    assert_eq!(process.live.version(), 2);
    process.fresh(&token).await;
    assert_eq!(totals(&process.live.pool(), "totals").await, expected(&house.log).await);
    process.has_seen(1, 2_005).await;
    process.running.following.back(1, "operator").await.expect("it goes back");
    assert_eq!(totals(&process.live.pool(), "totals").await, expected(&house.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_of_the_service_follows_a_switch() {
    let house = House::new().await;
    house.append("a", 50).await;
    let (one, other) = (house.start().await, house.start().await);
    one.rebuild(2, 50).await;
    other.has_seen(2, 50).await;
    one.running.following.switch(2, true, "operator").await.expect("it takes over");
    until("the other process serves it too", async || other.live.version() == 2).await;
    let token = house.append("a", 5).await;
    other.fresh(&token).await;
    assert_eq!(totals(&other.live.pool(), "totals").await, expected(&house.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_to_another_shape_fills_a_generation_of_its_own_and_the_old_program_can_come_back() {
    let house = House::new().await;
    house.append("a", 500).await;
    let old = house.start().await;
    old.has_seen(1, 500).await;
    drop(old);
    let token = house.append("a", 1).await;
    let slow = Totals { pace: Duration::from_millis(1), ..Totals::of("tallies") };
    let new = house.start_with(2, slow).await;
    assert_eq!((new.live.version(), new.live().await), (2, 1), "it is live once it has caught up");
    let at_once = new.running.following.freshness().wait(std::slice::from_ref(&token), Instant::now()).await;
    assert!(matches!(at_once, Err(NotFresh::Behind { .. })), "{at_once:?}");
    new.fresh(&token).await;
    assert_eq!(totals(&new.live.pool(), "totals").await, expected(&house.log).await);
    until("it is live", async || new.live().await == 2).await;
    let refused = new.running.following.back(1, "operator").await.expect_err("it cannot read it");
    assert!(matches!(refused, GenerationError::OtherShape { version: 1, shape: 1 }), "{refused}");
    drop(new);
    let old = house.start().await;
    assert_eq!(old.live.version(), 1);
    old.fresh(&token).await;
    until("the old one is live again", async || old.live().await == 1).await;
    assert_eq!(totals(&old.live.pool(), "totals").await, expected(&house.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_run_once_whatever_generations_there_are() {
    let stage = Stage::new().await;
    let _relaying = stage.relay();
    let url = Servers::shared().await.database("house").await;
    let own = Log::open("house", &url, CancellationToken::new()).await.expect("the log opens");
    let start = async || {
        let generations = Generations::open(&url, "house", 1, &MIGRATOR).await.expect("they open");
        let followers = Followers::new(generations).own_log(&own).other_logs(&stage.nats);
        Running::start(followers.projection(Totals::of("house")).reaction(Mirror))
    };
    let running = start().await;
    stage.append("a", 25).await;
    running.reaches("mirror", 25).await;
    running.following.rebuild(2, "operator").await.expect("it begins");
    running.reaches("totals", 25).await;
    let until_2 = || running.following.status().borrow().of_generation(2).any(|(_, it)| it.position == own.head());
    until("it has caught up", async || until_2()).await;
    running.following.switch(2, true, "operator").await.expect("it takes over");
    running.following.drop_generation(1).await.expect("it is dropped");
    stage.append("a", 2).await;
    running.reaches("mirror", 27).await;
    drop(running);
    let running = start().await;
    running.reaches("mirror", 27).await;
    running.reaches("totals", 27).await;
    assert_eq!(own.head(), 27);
    let url = url.as_str();
    let mut owner = <sqlx::PgConnection as sqlx::Connection>::connect(url).await.expect("the database");
    let kept: Vec<(String, i64)> = sqlx::query_as("SELECT follower, position FROM read_models.checkpoints")
        .fetch_all(&mut owner)
        .await
        .expect("rows");
    assert_eq!(kept, [("mirror".to_owned(), 27)], "its checkpoint is of no generation");
}
