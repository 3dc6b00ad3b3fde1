//! A program of another language: copied below `target`, installed, built and run there, as its folder says.

use std::{
    env, fs,
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// How long an installation may take; where it takes longer the line is too weak to wait for it.
const INSTALLATION_LIMIT: Duration = Duration::from_secs(150);
const BUILD_LIMIT: Duration = Duration::from_mins(3);
/// After how long an installation that failed is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_hours(1);

/// A program that can be run.
#[derive(Debug)]
pub struct Program {
    folder: PathBuf,
    run: &'static [&'static str],
}

impl Program {
    /// Makes the program of `tests/clients/NAME` ready, which needs these commands and is run by `run`. Fails with the
    /// reason why it cannot run on this machine; panics where it could and does not build.
    pub fn ready(name: &str, needs: &[&str], run: &'static [&'static str]) -> Result<Self, String> {
        if let Some(missing) = needs.iter().find(|command| !is_there(command)) {
            return Err(format!("there is no {missing} here"));
        }
        let below = root().join("target/clients");
        let folder = below.join(name);
        fs::create_dir_all(&folder).expect("target can be written");
        let lock = File::create(below.join(format!("{name}.lock"))).expect("target can be written");
        lock.lock().expect("a file can be locked");
        let program = Self { folder, run };
        program.copy(&root().join("tests/clients").join(name));
        program.install()?;
        program.build();
        Ok(program)
    }

    /// How to start it.
    pub fn command(&self) -> Command {
        let (program, arguments) = self.run.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder);
        surround(&mut command);
        command
    }

    fn copy(&self, from: &Path) {
        for file in files(from, |_| true) {
            let to = self.folder.join(file.strip_prefix(from).expect("below it"));
            if fs::read(&to).ok() != fs::read(&file).ok() {
                fs::copy(&file, &to).expect("a file can be copied");
            }
        }
    }

    /// Runs `install.sh` where it never ran with what is pinned now. One that failed is left alone for a while.
    fn install(&self) -> Result<(), String> {
        let wanted = fingerprint(&self.pins());
        let (installed, failed) = (self.folder.join(".installed"), self.folder.join(".not-installed"));
        let says = |file: &Path| fs::read_to_string(file).is_ok_and(|text| text == wanted);
        if !self.folder.join("install.sh").exists() || says(&installed) {
            return Ok(());
        }
        let why = || format!("what it needs could not be installed: {}", self.folder.join("install.log").display());
        let age = fs::metadata(&failed).ok().and_then(|file| file.modified().ok()?.elapsed().ok());
        if says(&failed) && age.is_some_and(|age| age < TRY_AGAIN_AFTER) {
            return Err(format!("{} (to try again, remove {})", why(), failed.display()));
        }
        let done = self.script("install", INSTALLATION_LIMIT);
        fs::write(if done { &installed } else { &failed }, wanted).expect("target can be written");
        if done { Ok(()) } else { Err(why()) }
    }

    fn build(&self) {
        if !self.folder.join("build.sh").exists() {
            return;
        }
        let mut sources = files(&root().join("proto"), |file| file.extension().is_some_and(|is| is == "proto"));
        sources.extend(files(&self.folder, |file| file.parent() == Some(&self.folder) && !is_of_test(file)));
        let (wanted, built) = (fingerprint(&sources), self.folder.join(".built"));
        if fs::read_to_string(&built).is_ok_and(|text| text == wanted) {
            return;
        }
        let log = self.folder.join("build.log");
        let done = self.script("build", BUILD_LIMIT);
        assert!(done, "{}: {}", self.folder.display(), fs::read_to_string(&log).unwrap_or_default());
        fs::write(built, wanted).expect("target can be written");
    }

    /// Runs a script of the folder; whether it succeeds in time. What it says goes to a file of its name.
    fn script(&self, name: &str, limit: Duration) -> bool {
        let log = File::create(self.folder.join(format!("{name}.log"))).expect("target can be written");
        let mut command = Command::new("timeout");
        command.arg(limit.as_secs().to_string()).args(["sh", &format!("{name}.sh")]).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
        surround(&mut command);
        command.status().is_ok_and(|status| status.success())
    }

    /// What says what is installed: everything but the program itself and how it is built.
    fn pins(&self) -> Vec<PathBuf> {
        let sources = ["flow.", "Flow.", "rules.", "verify.", "build.", "tsconfig."];
        let source = |name: &str| sources.iter().any(|source| name.starts_with(source));
        let named = |file: &Path| file.file_name().is_some_and(|name| source(&name.to_string_lossy()));
        files(&self.folder, |file| file.parent() == Some(&self.folder) && !is_of_test(file) && !named(file))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the root is there")
}

/// Written beside a program by its test.
fn is_of_test(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    [".installed", ".not-installed", ".built", "install.log", "build.log"].contains(&name.as_str())
}

/// Where programs are looked for: last of all among those that the project has installed for itself.
fn paths() -> Vec<PathBuf> {
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths).chain([root().join(".tools/bin")]).collect()
}

fn is_there(command: &str) -> bool {
    paths().iter().any(|folder| folder.join(command).is_file())
}

fn surround(command: &mut Command) {
    command
        .env("PATH", env::join_paths(paths()).expect("paths"))
        .env("PROTO", root().join("proto"))
        .env("TOGUNA_SERVICE_CONFIG", root().join("deploy/service-config.json"));
}

/// Every file below a folder that is wanted, in order.
fn files(folder: &Path, wanted: impl Fn(&Path) -> bool + Copy) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, wanted));
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Differs wherever a name or a content differs.
fn fingerprint(files: &[PathBuf]) -> String {
    let mut hasher = DefaultHasher::new();
    for file in files {
        (file, fs::read(file).expect("a file can be read")).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
