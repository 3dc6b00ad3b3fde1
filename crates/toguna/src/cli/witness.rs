//! What can be asked of a witness.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};

/// What to do with a witness.
#[derive(Debug, Subcommand)]
pub enum Witness {
    /// Make the store of a witness with a new key, or that of the signer of logs
    #[command(after_long_help = "\
A witness signs with a key of its own what it has seen of logs of others: their size and the root of their tree, at a \
time. A signer (--signer) signs with the keys of logs of one's own, and asks for the same proof: what its service keeps \
may be stolen or restored from a backup, and still gets no signature under a second history. Keep them on machines of \
their own.

What the store holds: witness.toml (the name, where it answers), keys/ (readable by their owner alone; back them up \
where nobody reads them), logs/ (for which logs it signs, and whose notes it believes), state/ (what it signed last of \
each: its memory, which no backup can give back), evidence/ (what it refused).

Examples:
  toguna witness init --store /srv/witness --name witness.example/migration
  toguna witness init --store /srv/signer --signer --listen 127.0.0.1:8449")]
    Init(Init),
    /// Make the key of a log in a signer's store where there is none, and print how others verify it
    #[command(after_long_help = "\
Services and witnesses are told of the key before the log's origin is known. One key outlives the epochs of its log.

Examples: toguna witness add-key disbursements --store /srv/signer > disbursements.vkey")]
    AddKey(AddKey),
    /// Let it sign for a log, whose notes it believes under these keys; again, to add keys
    #[command(after_long_help = "\
A witness believes notes that are signed by the log's key, a signer those of its service's submission key. The origin is \
the first line of the log's checkpoints. A log that was restored and begins a new epoch has a new origin: before you add \
it, ask those who run the log what became of the old one.

A witness that runs need not be stopped. The verifier key that it prints goes into the policy of the log (a witness), or \
to the witnesses (a signer). In an emergency, a key is struck from the log's file in logs/.

Examples:
  toguna witness add-log toguna.example/disbursements/0f… --store /srv/witness --trust \"$(cat log.vkey)\"
  toguna witness add-log toguna.example/disbursements/0f… --store /srv/signer --key disbursements \\
      --trust \"$(cat submission.vkey)\"")]
    AddLog(AddLog),
    /// Answer those who ask for its signature, until Ctrl-C
    #[command(after_long_help = "\
HTTP, as C2SP tlog-witness has it: POST /add-checkpoint, and GET /ID/checkpoint for what it signed last, where ID is \
the SHA-256 of the origin in hexadecimal. It speaks no TLS: a server before it does, or it stays in a private network.

What it signs is on the disk before it answers. A note that its log has signed and that contradicts what the witness \
knows is refused, and kept in evidence/ with what was known: two signatures of one key under two histories are proof for \
anybody. A store whose memory is lost is not served; its name must be retired, and a new witness takes its place.

Examples:
  toguna witness serve --store /srv/witness
  toguna witness serve --store /srv/witness --listen 127.0.0.1:0 --ready-file /run/witness.ready")]
    Serve(Serve),
    /// What it has signed of each log, when, and what it refused
    #[command(after_long_help = "\
Reads the store, also while the witness runs. Fails where the store cannot be served.

Examples:
  toguna witness status --store /srv/witness
  toguna witness status --store /srv/witness --json | jq '.logs[] | {origin, size, root}'
  jq -r .request evidence/ID/HASH.json                   in the store: the refused request, byte by byte")]
    Status(StoreOf),
}

/// Which store.
#[derive(Debug, Args)]
pub struct StoreOf {
    /// The folder in which it keeps its keys and its memory
    #[arg(long, value_name = "FOLDER", env = "TOGUNA_WITNESS_STORE")]
    pub store: PathBuf,
}

/// What kind of witness.
#[derive(Debug, Args)]
pub struct Init {
    /// Where
    #[command(flatten)]
    pub of: StoreOf,
    /// The name under which it signs: an address of one's own without https://, without spaces and `+`
    #[arg(id = "witness_name", long = "name", value_name = "NAME", required_unless_present = "signer")]
    pub name: Option<String>,
    /// Sign with the keys of logs, under their origins, instead of a key of its own
    #[arg(long, conflicts_with = "witness_name")]
    pub signer: bool,
    /// Where it answers: host and port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8448")]
    pub listen: SocketAddr,
}

/// Which key.
#[derive(Debug, Args)]
pub struct AddKey {
    /// Its short name: lower-case letters, digits and hyphens
    #[arg(id = "log_key", value_name = "NAME")]
    pub key: String,
    /// Where
    #[command(flatten)]
    pub of: StoreOf,
}

/// For which log.
#[derive(Debug, Args)]
pub struct AddLog {
    /// The first line of the log's checkpoints
    #[arg(value_name = "ORIGIN")]
    pub origin: String,
    /// Where
    #[command(flatten)]
    pub of: StoreOf,
    /// A verifier key whose notes of this origin are believed: NAME+ID+KEY; may be given several times
    #[arg(id = "trusted", long = "trust", value_name = "KEY", required = true)]
    pub trusted: Vec<String>,
    /// Of a signer: which of its keys is the log's, by a short name; made where there is none [default: log]
    #[arg(id = "log_key", long = "key", value_name = "NAME")]
    pub key: Option<String>,
}

/// How to serve.
#[derive(Debug, Args)]
pub struct Serve {
    /// Which store
    #[command(flatten)]
    pub of: StoreOf,
    /// Where it answers: host and port; port 0 takes a free one [default: as in witness.toml]
    #[arg(id = "serve_listen", long = "listen", value_name = "ADDRESS", env = "TOGUNA_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Write the address into this file once it answers
    #[arg(long, value_name = "FILE", env = "TOGUNA_READY_FILE")]
    pub ready_file: Option<PathBuf>,
}
