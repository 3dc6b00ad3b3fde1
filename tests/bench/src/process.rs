//! What processes of this machine use: processor time and memory, as the kernel counts them.

use std::{fs, time::Duration};

/// Ticks of the kernel's clock in a second, as `/proc` counts: 100 on every Linux that we know.
const TICKS: u64 = 100;

/// Processes, each with all that it started.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    roots: Vec<u32>,
}

impl Watched {
    /// These, and their children.
    pub fn new(roots: impl IntoIterator<Item = u32>) -> Self {
        Self { roots: roots.into_iter().collect() }
    }

    /// Processor time used by all of them since they began, of children that have ended too.
    pub fn cpu(&self) -> Duration {
        self.roots.iter().map(|root| cpu_with_children(*root)).sum()
    }

    /// The most memory that the first of them had at once since [`Watched::forget_peaks`], in bytes.
    pub fn peak_rss(&self) -> u64 {
        self.roots.first().map_or(0, |pid| status(*pid, "VmHWM:"))
    }

    /// The memory that the first of them has now, in bytes.
    pub fn rss(&self) -> u64 {
        self.roots.first().map_or(0, |pid| status(*pid, "VmRSS:"))
    }

    /// Begins to look for the most memory anew. Where the kernel refuses, the peak is that of the whole life.
    pub fn forget_peaks(&self) {
        for pid in &self.roots {
            let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
        }
    }
}

/// Processor time that this process has used itself.
pub fn own_cpu() -> Duration {
    times("self").map_or(Duration::ZERO, |(own, _)| own)
}

fn cpu_with_children(pid: u32) -> Duration {
    let Some((own, ended)) = times(&pid.to_string()) else { return Duration::ZERO };
    own + ended + children(pid).into_iter().map(cpu_with_children).sum::<Duration>()
}

fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Time of a process itself, and of its children that have ended and been waited for.
fn times(pid: &str) -> Option<(Duration, Duration)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; what follows are numbers, the state first.
    let (_, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let time = |user: u64, system: u64| Duration::from_millis((user + system) * 1_000 / TICKS);
    Some((time(ticks(11)?, ticks(12)?), time(ticks(13)?, ticks(14)?)))
}

/// A line of `/proc/<pid>/status` that counts kilobytes, in bytes.
fn status(pid: u32, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = status.lines().find_map(|each| each.strip_prefix(line));
    let kilobytes = value.and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn work_is_seen_as_processor_time_and_memory() {
        let own = Watched::new([std::process::id()]);
        let before = own.cpu();
        let (began, mut sum) = (Instant::now(), 0_u64);
        while began.elapsed() < Duration::from_millis(200) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(own.cpu() >= before + Duration::from_millis(50), "{before:?} and then {:?}", own.cpu());
        assert!(own.peak_rss() >= own.rss() && own.rss() > 0);
    }
}
