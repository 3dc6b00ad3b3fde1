//! What goes wrong, one thing after another or two at once, as a seed says.

use std::{fs, str::FromStr, sync::atomic::Ordering, time::Duration};

use checker::history::{Line, Writer};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::{
    load::Shared,
    numbers::Numbers,
    proxy::Weather,
    stack::{Stack, signal},
};

/// How long the stack may take to answer commands again after a fault.
const RECOVERY: Duration = Duration::from_mins(1);

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    ServiceKilled,
    NatsKilled,
    NatsWiped,
    PostgresStopped,
    EverythingAtOnce,
    ServicePaused,
    NatsPaused,
    BackendPaused,
    DatabaseCut,
    DatabaseStalled,
    DatabaseAnswersLost,
    DatabaseHalfOpen,
    NatsCut,
    NatsStalled,
    NatsAnswersLost,
    NatsHalfOpen,
    ClientsCut,
    ClientsStalled,
    ClientsAnswersLost,
    SecondAppender,
    Backup,
    Restore,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::ServiceKilled,
        Self::NatsKilled,
        Self::NatsWiped,
        Self::PostgresStopped,
        Self::EverythingAtOnce,
        Self::ServicePaused,
        Self::NatsPaused,
        Self::BackendPaused,
        Self::DatabaseCut,
        Self::DatabaseStalled,
        Self::DatabaseAnswersLost,
        Self::DatabaseHalfOpen,
        Self::NatsCut,
        Self::NatsStalled,
        Self::NatsAnswersLost,
        Self::NatsHalfOpen,
        Self::ClientsCut,
        Self::ClientsStalled,
        Self::ClientsAnswersLost,
        Self::SecondAppender,
        Self::Backup,
        Self::Restore,
    ];

    /// `service-killed`
    pub fn name(self) -> String {
        let camel = format!("{self:?}");
        camel.char_indices().fold(String::new(), |mut name, (index, char)| {
            if char.is_uppercase() && index > 0 {
                name.push('-');
            }
            name.extend(char.to_lowercase());
            name
        })
    }

    /// It may last while something else breaks.
    fn lasts(self) -> bool {
        !matches!(
            self,
            Self::EverythingAtOnce | Self::PostgresStopped | Self::SecondAppender | Self::Backup | Self::Restore
        )
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| format!("there is no fault {name:?}"))
    }
}

/// Strikes for a time, with subsets of the kinds that change every few seconds; a quarter of the time is calm. Mends what
/// it broke. Fails where commands are not answered again in time.
pub async fn strike(
    stack: &mut Stack,
    shared: &Shared,
    history: &Writer,
    kinds: &[Kind],
    seed: u64,
    time: Duration,
) -> Result<(), String> {
    let mut strikes = Strikes { stack, shared, history, numbers: Numbers::new(seed), backups: 0 };
    let struck = strikes.until(Instant::now() + time, kinds).await;
    strikes.stack.mend();
    struck?;
    strikes.stack.until_ready().await?;
    strikes.recovered().await
}

struct Strikes<'a> {
    stack: &'a mut Stack,
    shared: &'a Shared,
    history: &'a Writer,
    numbers: Numbers,
    backups: u64,
}

impl Strikes<'_> {
    async fn until(&mut self, end: Instant, kinds: &[Kind]) -> Result<(), String> {
        while Instant::now() < end {
            let phase = Duration::from_millis(3_000 + self.numbers.below(5_000)).min(end - Instant::now());
            let mut subset: Vec<Kind> = kinds.iter().copied().filter(|_| self.numbers.below(2) == 0).collect();
            if subset.is_empty() {
                subset.push(kinds[self.numbers.index(kinds.len())]);
            }
            let began = Instant::now();
            while began.elapsed() < phase * 3 / 4 {
                let one = subset[self.numbers.index(subset.len())];
                let other = subset[self.numbers.index(subset.len())];
                let both = one.lasts() && other.lasts() && one != other && self.numbers.below(3) == 0;
                self.one(one, both.then_some(other)).await;
                self.recovered().await?;
            }
            sleep(phase / 4).await;
        }
        Ok(())
    }

    /// Breaks something, perhaps something else meanwhile, and mends both.
    async fn one(&mut self, kind: Kind, other: Option<Kind>) {
        let names = self.stack.sites.keys().copied().collect::<Vec<_>>();
        let name = names[self.numbers.index(names.len())];
        let from = self.history.now();
        let hold = match kind {
            Kind::ServicePaused | Kind::NatsPaused | Kind::BackendPaused => {
                Duration::from_secs(1) + Duration::from_millis(self.numbers.below(9) * self.numbers.below(1_000))
            }
            _ => Duration::from_millis(self.numbers.below(1_500)),
        };
        let paused = self.begin(kind, name).await;
        if let Some(other) = other {
            sleep(hold / 3).await;
            let from = self.history.now();
            let also_paused = self.begin(other, name).await;
            sleep(hold / 3).await;
            self.end(other, name, also_paused).await;
            self.write(from, other);
        }
        sleep(hold / if other.is_some() { 3 } else { 1 }).await;
        self.end(kind, name, paused).await;
        self.write(from, kind);
    }

    fn write(&self, from: u64, kind: Kind) {
        self.history.write(&Line::Fault { from, until: self.history.now(), fault: kind.name() });
    }

    /// Breaks it; answers the process of PostgreSQL that was paused.
    async fn begin(&mut self, kind: Kind, name: &'static str) -> Option<u32> {
        let site = self.stack.sites.get_mut(name).expect("a service");
        match kind {
            Kind::ServiceKilled => site.service.kill(),
            Kind::ServicePaused => site.service.signal(Signal::SIGSTOP),
            Kind::DatabaseCut => site.to_database.set(Weather::Cut),
            Kind::DatabaseStalled => site.to_database.set(Weather::Stalled),
            Kind::DatabaseAnswersLost => site.to_database.set(Weather::AnswersLost),
            Kind::DatabaseHalfOpen => site.to_database.set(Weather::HalfOpen),
            Kind::NatsCut => site.to_nats.set(Weather::Cut),
            Kind::NatsStalled => site.to_nats.set(Weather::Stalled),
            Kind::NatsAnswersLost => site.to_nats.set(Weather::AnswersLost),
            Kind::NatsHalfOpen => site.to_nats.set(Weather::HalfOpen),
            Kind::ClientsCut => site.clients.set(Weather::Cut),
            Kind::ClientsStalled => site.clients.set(Weather::Stalled),
            Kind::ClientsAnswersLost => site.clients.set(Weather::AnswersLost),
            Kind::NatsKilled => self.stack.nats.kill().await.expect("killed"),
            Kind::NatsWiped => {
                self.stack.nats.kill().await.expect("killed");
                // Another fault may have wiped it already.
                let _ = fs::remove_dir_all(self.stack.nats.store());
            }
            Kind::NatsPaused => {
                if let Some(pid) = self.stack.nats.pid() {
                    signal(pid, Signal::SIGSTOP);
                }
            }
            Kind::BackendPaused => {
                let pid = self.stack.writing_backend(name).await?;
                signal(pid, Signal::SIGSTOP);
                return Some(pid);
            }
            Kind::PostgresStopped => self.stack.crash_postgres().await,
            Kind::EverythingAtOnce => {
                self.stack.crash_postgres().await;
                site_of(self.stack, name).service.kill();
                self.stack.nats.kill().await.expect("killed");
            }
            Kind::SecondAppender => self.second_appender(name).await,
            Kind::Backup => self.one_backup().await,
            Kind::Restore => self.restore().await,
        }
        None
    }

    /// Mends it.
    async fn end(&mut self, kind: Kind, name: &'static str, paused: Option<u32>) {
        if let Some(pid) = paused {
            signal(pid, Signal::SIGCONT);
        }
        let answers_come_late = self.numbers.below(2) == 0;
        let site = site_of(self.stack, name);
        match kind {
            Kind::DatabaseCut | Kind::DatabaseStalled | Kind::DatabaseHalfOpen => {
                site.to_database.set(Weather::Fair);
            }
            Kind::NatsCut | Kind::NatsStalled | Kind::NatsHalfOpen => site.to_nats.set(Weather::Fair),
            Kind::ClientsCut | Kind::ClientsStalled => site.clients.set(Weather::Fair),
            Kind::DatabaseAnswersLost | Kind::NatsAnswersLost | Kind::ClientsAnswersLost => {
                let wire = match kind {
                    Kind::DatabaseAnswersLost => &site.to_database,
                    Kind::NatsAnswersLost => &site.to_nats,
                    _ => &site.clients,
                };
                if !answers_come_late {
                    wire.set(Weather::Cut);
                    sleep(Duration::from_millis(20)).await;
                }
                wire.set(Weather::Fair);
            }
            Kind::ServicePaused => site.service.signal(Signal::SIGCONT),
            Kind::NatsKilled | Kind::NatsWiped => self.resume_nats().await,
            Kind::NatsPaused => {
                if let Some(pid) = self.stack.nats.pid() {
                    signal(pid, Signal::SIGCONT);
                }
            }
            Kind::PostgresStopped => self.stack.resume_postgres().await,
            Kind::EverythingAtOnce => {
                self.stack.resume_postgres().await;
                self.resume_nats().await;
            }
            Kind::ServiceKilled | Kind::BackendPaused | Kind::SecondAppender | Kind::Backup | Kind::Restore => {}
        }
        self.stack.start_missing();
    }

    async fn one_backup(&mut self) {
        self.stack.back_up().await;
        self.backups += 1;
    }

    async fn resume_nats(&mut self) {
        if self.stack.nats.pid().is_none() {
            self.stack.nats.resume().await.expect("nats-server starts again");
        }
    }

    /// Two processes write one log: the first is paused, the second takes over, the first wakes up with what it held;
    /// both go on for a while; one is killed.
    async fn second_appender(&mut self, name: &'static str) {
        let kill_first = self.numbers.below(2) == 0;
        let site = site_of(self.stack, name);
        site.service.signal(Signal::SIGSTOP);
        site.start_second().await;
        site.reconnect_clients().await;
        sleep(Duration::from_secs(1)).await;
        site.service.signal(Signal::SIGCONT);
        sleep(Duration::from_secs(2)).await;
        if kill_first {
            site.only_second();
        } else {
            site.only_first();
        }
    }

    /// Mostly of a backup that was taken a moment ago, so that most of the run is left to be judged.
    async fn restore(&mut self) {
        let recent = self.numbers.below(4) > 0;
        if recent || self.backups == 0 {
            self.one_backup().await;
            // Something is to be lost.
            let commands = 1 + self.numbers.below(100);
            self.answered(commands, Duration::from_secs(10)).await;
        }
        let back = self.numbers.below(2).min(self.backups.saturating_sub(1)) * u64::from(!recent);
        let dead = self.numbers.below(3) == 0;
        self.stack.restore(usize::try_from(back).expect("a few"), dead).await;
    }

    /// Waits until commands are answered again, two times in three; else goes on at once.
    async fn recovered(&mut self) -> Result<(), String> {
        if self.numbers.below(3) == 0 {
            sleep(Duration::from_millis(self.numbers.below(500))).await;
            return Ok(());
        }
        let commands = 5 + self.numbers.below(30);
        if self.answered(commands, RECOVERY).await {
            Ok(())
        } else {
            Err(format!("commands were not answered again within {RECOVERY:?}"))
        }
    }

    /// Waits until so many commands were answered well; `false`: not in time.
    async fn answered(&mut self, commands: u64, time: Duration) -> bool {
        let acknowledged = || self.shared.acknowledged.load(Ordering::Relaxed);
        let (enough, limit) = (acknowledged() + commands, Instant::now() + time);
        while acknowledged() < enough && Instant::now() < limit {
            self.stack.start_missing();
            sleep(Duration::from_millis(20)).await;
        }
        acknowledged() >= enough
    }
}

fn site_of<'a>(stack: &'a mut Stack, name: &str) -> &'a mut crate::stack::Site {
    stack.sites.get_mut(name).expect("a service")
}
