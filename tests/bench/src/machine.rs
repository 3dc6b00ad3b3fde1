//! What the machine is, as far as it explains the figures: they mean nothing on another one, and little on a busy one.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::Instant,
};

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;
use serde::Serialize;

/// How often a small write is brought to the disk to see how long that takes.
const SYNCS: u32 = 200;
/// Size of that write.
const BLOCK: [u8; 4096] = [7; 4096];

/// The machine, before the first row.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Processors that this process may use.
    pub cores: usize,
    /// Their name, by the kernel.
    pub processor: String,
    /// Memory, in gibibytes.
    pub memory_gib: u64,
    /// Release of the kernel.
    pub kernel: String,
    /// Median time of one `fdatasync` after a write of 4 KiB where the servers keep their files, in milliseconds.
    pub fdatasync_ms: f64,
    /// The same, at the 99th percentile.
    pub fdatasync_p99_ms: f64,
    /// Load average of one minute before the run: above 0.3, something else was running too.
    pub load_before: f64,
    /// Version of PostgreSQL.
    pub postgres: String,
    /// Settings of PostgreSQL other than those of a stack of `toguna up`.
    pub postgres_settings: Vec<String>,
    /// What this was built from: commit, and whether the work tree differed.
    pub source: String,
    /// When the run began.
    pub began_at: String,
}

impl Machine {
    /// Looks at the machine; the disk is that of `scratch`.
    pub fn look(scratch: &Path, postgres: String, postgres_settings: Vec<String>) -> Result<Self> {
        // Before anything here is busy itself.
        let load_before = first_number("/proc/loadavg");
        let syncs = syncs(&scratch.join("fdatasync"))?;
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: line_of("/proc/cpuinfo", "model name"),
            memory_gib: line_of("/proc/meminfo", "MemTotal")
                .trim_end_matches(" kB")
                .parse()
                .map_or(0, |kilobytes: u64| kilobytes / 1024 / 1024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            fdatasync_ms: syncs.value_at_quantile(0.5) as f64 / 1e6,
            fdatasync_p99_ms: syncs.value_at_quantile(0.99) as f64 / 1e6,
            load_before,
            postgres,
            postgres_settings,
            source: source(),
            began_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    }
}

/// How long it takes to bring a write to the disk, in nanoseconds.
fn syncs(path: &Path) -> Result<Histogram<u64>> {
    let mut file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut times = Histogram::new(3)?;
    for _ in 0..SYNCS {
        let began = Instant::now();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        times.record(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX))?;
    }
    fs::remove_file(path)?;
    Ok(times)
}

fn first_number(path: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// The value of the first line of a file of `name: value` that has this name.
fn line_of(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

fn source() -> String {
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        output
            .ok()
            .filter(|output| output.status.success())
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
    format!("{commit}{}", if changed { " and changes" } else { "" })
}
