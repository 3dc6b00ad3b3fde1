//! Whether and how the log is published: all of it, or nothing.

use std::path::PathBuf;

use event_store::publication::Publication;
use transparency::{SigningKey, VerifierKey};

use super::Reading;

/// What belongs together.
const ALL: [&str; 6] = [
    "TOGUNA_PUBLICATION_DIR",
    "TOGUNA_LOG_ORIGIN",
    "TOGUNA_SIGNER_URL",
    "TOGUNA_SUBMISSION_KEY",
    "TOGUNA_LOG_KEY",
    "TOGUNA_WITNESS_POLICY",
];
/// The origin of the local stack, below which all names of its keys are: their private halves are nobody's secret.
const DEMO: &str = "toguna.localhost";

/// `None`: nothing is published, or something is wrong.
pub(super) fn read(reading: &mut Reading) -> Option<Publication> {
    if ALL.iter().all(|name| reading.optional(name).is_none()) {
        return None;
    }
    let folder = reading.required(ALL[0], "the folder in which the log is published");
    let origin = reading.required(ALL[1], "the origin of the deployment's logs, such as toguna.example.org");
    let signer = reading.required(ALL[2], "the http:// address of the signer of the log");
    let submission = reading.file(ALL[3], "a file with the private key by which the signer knows this service");
    let log_keys = reading.file(ALL[4], "a file with the verifier keys of the log, one a line");
    let policy = reading.file(ALL[5], "a file that names the witnesses and their quorum");
    let submission: Option<SigningKey> = submission.and_then(|(text, _)| key(reading, ALL[3], text.trim()));
    let log_keys: Option<Vec<VerifierKey>> = log_keys.and_then(|(text, _)| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(|line| key(reading, ALL[4], line)).collect()
    });
    let (folder, origin, signer) = (PathBuf::from(folder?), origin?, signer?);
    let (submission, log_keys, (policy, _)) = (submission?, log_keys?, policy?);
    let is_demo = |name: &str| name.starts_with("toguna.localhost/");
    let demo = is_demo(submission.verifier().name())
        || log_keys.iter().any(|key| is_demo(key.name()))
        || policy.split_whitespace().any(is_demo);
    if demo && origin != DEMO {
        reading.problem(format!(
            "{}: set {DEMO} too, or keys of your own: those of a local stack, {DEMO}/…, prove nothing",
            ALL[1]
        ));
        return None;
    }
    let told = Publication::new(folder, &origin, &signer, submission, log_keys, &policy);
    let together = ALL[1..].join(", ");
    told.map_err(|problems| problems.into_iter().for_each(|it| reading.problem(format!("{together}: {it}")))).ok()
}

fn key<K: std::str::FromStr<Err: std::fmt::Display>>(reading: &mut Reading, name: &str, text: &str) -> Option<K> {
    // The text is not repeated: it may be a secret.
    text.parse().map_err(|error| reading.problem(format!("{name}: set the path of a file of keys; {error}"))).ok()
}
