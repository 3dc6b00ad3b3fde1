//! What a service is told by its environment, read once, with every problem at once.

mod publication;

use std::{env, fmt, fs, net::SocketAddr, num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};

use event_store::publication::Publication;

use crate::{Limits, Origins, authorisation::Authority, identity::Verifier, telemetry::LogFormat, tls::Tls};

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into secrecy.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What a service is told.
#[derive(Debug)]
pub struct Config {
    /// Name of the service, of its log and of its NATS stream.
    pub service: &'static str,
    /// Where to listen (`TOGUNA_LISTEN`; `127.0.0.1:0`: a free port of this machine).
    pub listen: SocketAddr,
    /// Where to write the address once the service is ready (`TOGUNA_READY_FILE`).
    pub ready_file: Option<PathBuf>,
    /// The log's database, as its owner (`DATABASE_URL`).
    pub database_url: Secret,
    /// The NATS server (`NATS_URL`).
    pub nats_url: Secret,
    /// After how long a silence a replay says that it is alive (`TOGUNA_HEARTBEAT`, in seconds; 20).
    pub heartbeat: Duration,
    /// Verifies callers (`TOGUNA_ISSUERS`, `TOGUNA_AUDIENCE`, `TOGUNA_PSEUDONYM_KEY`).
    pub verifier: Arc<Verifier>,
    /// How much callers may take (`limits::VARIABLES`).
    pub limits: Limits,
    /// TLS, where the service speaks it (`TOGUNA_TLS_CERT`, `TOGUNA_TLS_KEY`, `TOGUNA_TLS_CLIENT_CA`).
    pub tls: Option<Tls>,
    /// What verified callers may do (`TOGUNA_POLICIES`, a folder; unset: the policies that come with the program).
    pub authority: Arc<Authority>,
    /// Whose pages may call from a browser (`TOGUNA_WEB_ORIGINS`, separated by commas); none by default.
    pub web_origins: Origins,
    /// How the log is published for others to check (`TOGUNA_PUBLICATION_DIR`, `TOGUNA_LOG_ORIGIN`,
    /// `TOGUNA_SIGNER_URL`, `TOGUNA_SUBMISSION_KEY`, `TOGUNA_LOG_KEY`, `TOGUNA_WITNESS_POLICY`); `None`: it is not.
    pub publication: Option<Publication>,
    /// Whether everybody may read what is published (`TOGUNA_LOG_PUBLIC`: `true` or `false`); otherwise those alone may
    /// who may replay the log.
    pub log_is_public: bool,
    /// Where traces and metrics go (`OTEL_EXPORTER_OTLP_ENDPOINT`); `None`: nowhere.
    pub otlp_endpoint: Option<String>,
    /// Which log lines are written (`RUST_LOG`).
    pub log_filter: String,
    /// How they are written (`TOGUNA_LOG_FORMAT`: `json` or `text`).
    pub log_format: LogFormat,
}

/// Every problem of a configuration, each saying what to set.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment must be mended:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the environment of the process and the files that it names.
    pub fn from_env(service: &'static str) -> Result<Self, ConfigError> {
        Self::read(service, |name| env::var(name).ok())
    }

    /// Reads variables wherever they are, and the files that they name.
    pub fn read(service: &'static str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reading = Reading { variable: &variable, problems: Vec::new() };
        let listen = reading.parsed("TOGUNA_LISTEN", "127.0.0.1:0", "an address such as 127.0.0.1:7001");
        let database_url = reading.url("DATABASE_URL", &["postgres://", "postgresql://"]);
        let nats_url = reading.url("NATS_URL", &["nats://", "tls://"]);
        let heartbeat: Option<NonZeroU32> = reading.parsed("TOGUNA_HEARTBEAT", "20", "a number of seconds such as 20");
        let verifier = reading.verifier();
        let tls = reading.tls();
        let authority = Authority::read(reading.variable, &mut reading.problems);
        let limits = Limits::read(reading.variable, &mut reading.problems);
        let web_origins = reading
            .parsed("TOGUNA_WEB_ORIGINS", "", "origins such as https://portal.example, separated by commas")
            .unwrap_or_default();
        let publication = publication::read(&mut reading);
        let log_is_public = reading.parsed("TOGUNA_LOG_PUBLIC", "false", "true or false").unwrap_or_default();
        let otlp_endpoint = reading.optional("OTEL_EXPORTER_OTLP_ENDPOINT");
        if otlp_endpoint.as_ref().is_some_and(|endpoint| !endpoint.starts_with("http://")) {
            reading.problem("OTEL_EXPORTER_OTLP_ENDPOINT: set the http:// address of an OTLP receiver, or nothing");
        }
        let log_format = match reading.optional("TOGUNA_LOG_FORMAT").as_deref() {
            None => LogFormat::of_stderr(),
            Some("json") => LogFormat::Json,
            Some("text") => LogFormat::Text,
            Some(_) => {
                reading.problem("TOGUNA_LOG_FORMAT: set json or text");
                LogFormat::Text
            }
        };
        let log_filter = reading.optional("RUST_LOG").unwrap_or_else(|| "info,sqlx=warn".into());
        if log_filter.parse::<tracing_subscriber::EnvFilter>().is_err() {
            reading.problem("RUST_LOG: set a filter such as info,event_store=debug");
        }
        let ready_file = reading.optional("TOGUNA_READY_FILE").map(PathBuf::from);
        match (listen, database_url, nats_url, heartbeat, verifier) {
            (Some(listen), Some(database_url), Some(nats_url), Some(heartbeat), Some(verifier))
                if reading.problems.is_empty() =>
            {
                Ok(Self {
                    service,
                    listen,
                    ready_file,
                    database_url,
                    nats_url,
                    heartbeat: Duration::from_secs(heartbeat.get().into()),
                    verifier: Arc::new(verifier),
                    tls,
                    authority,
                    limits,
                    web_origins,
                    publication,
                    log_is_public,
                    otlp_endpoint,
                    log_filter,
                    log_format,
                })
            }
            _ => Err(ConfigError(reading.problems)),
        }
    }
}

struct Reading<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl Reading<'_> {
    fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &str, what: &str) -> Option<String> {
        let value = self.optional(name);
        if value.is_none() {
            self.problem(format!("{name}: set {what}"));
        }
        value
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, default: &str, what: &str) -> Option<T> {
        let value = self.optional(name).unwrap_or_else(|| default.into()).parse().ok();
        if value.is_none() {
            self.problem(format!("{name}: set {what}"));
        }
        value
    }

    /// The address itself is not repeated: it may hold a password.
    fn url(&mut self, name: &str, schemes: &[&str]) -> Option<Secret> {
        let what = format!("an address that begins with {}", schemes.join(" or "));
        let value = self.required(name, &what)?;
        if schemes.iter().any(|scheme| value.starts_with(scheme)) {
            return Some(Secret(value));
        }
        self.problem(format!("{name}: set {what}"));
        None
    }

    fn file(&mut self, name: &str, what: &str) -> Option<(String, PathBuf)> {
        let path = PathBuf::from(self.required(name, &format!("the path of {what}"))?);
        match fs::read_to_string(&path) {
            Ok(text) => Some((text, path)),
            Err(error) => {
                self.problem(format!("{name}: set the path of {what}; {} cannot be read: {error}", path.display()));
                None
            }
        }
    }

    fn verifier(&mut self) -> Option<Verifier> {
        let issuers = self.required("TOGUNA_ISSUERS", "the path of a file that names the issuers of callers' tokens");
        let audience = self.required("TOGUNA_AUDIENCE", "the audience (`aud`) that callers' tokens are for");
        let key = self.pseudonym_key();
        // The file is looked at even if something else is missing: all problems at once.
        let verifier =
            Verifier::open(&PathBuf::from(issuers?), audience.as_deref().unwrap_or_default(), key.unwrap_or_default());
        match verifier {
            Ok(verifier) => audience.and(key).map(|_| verifier),
            Err(problems) => {
                self.problems.extend(problems.into_iter().map(|problem| format!("TOGUNA_ISSUERS: {problem}")));
                None
            }
        }
    }

    fn tls(&mut self) -> Option<Tls> {
        let [chain, key, authorities] = ["TOGUNA_TLS_CERT", "TOGUNA_TLS_KEY", "TOGUNA_TLS_CLIENT_CA"]
            .map(|name| self.optional(name).map(PathBuf::from));
        let opened = match (chain, key, authorities) {
            (Some(chain), Some(key), authorities) => Tls::open(chain, key, authorities),
            (None, None, None) => return None,
            _ => Err(vec!["set both paths, or neither and no TOGUNA_TLS_CLIENT_CA".into()]),
        };
        let problem = |problem| format!("TOGUNA_TLS_CERT, TOGUNA_TLS_KEY: {problem}");
        opened.map_err(|problems| self.problems.extend(problems.into_iter().map(problem))).ok()
    }

    fn pseudonym_key(&mut self) -> Option<[u8; 32]> {
        let (text, path) = self.file("TOGUNA_PSEUDONYM_KEY", "a file with 32 bytes in hexadecimal")?;
        let key = key_from_hex(text.trim());
        if key.is_none() {
            self.problem(format!("TOGUNA_PSEUDONYM_KEY: {} must hold 32 bytes in hexadecimal", path.display()));
        }
        key
    }
}

fn key_from_hex(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, index) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[index..index + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests;
