//! Runs a command beside a private PostgreSQL, whose address it finds in `TOGUNA_TEST_DATABASE_URL`.

use std::{env, process::Command};

use anyhow::{Context as _, Result};
use toguna::local::{
    postgres::{self, Disk, Postgres},
    random_hex,
};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments.next().context("usage: with-postgres COMMAND [ARGUMENT]…")?;
    let home = env::temp_dir().join(format!("toguna-{}", random_hex(6)));
    std::fs::create_dir(&home)?;
    let server = Postgres::start(&home, Disk::Throwaway).await?;
    let mut path = vec![postgres::programs()?];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let status = Command::new(program)
        .args(arguments)
        .env("TOGUNA_TEST_DATABASE_URL", server.url("postgres"))
        .env("PATH", env::join_paths(path)?)
        .status()?;
    drop(server);
    std::process::exit(status.code().unwrap_or(1));
}
