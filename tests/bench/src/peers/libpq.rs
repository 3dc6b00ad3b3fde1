//! Where a database is, for those who are not told by an address: the programs of PostgreSQL, whose environment only
//! their user can read, and clients that do not know addresses of sockets.

use anyhow::{Context as _, Result};
use sqlx_0_8::postgres::PgConnectOptions;

/// The parts of a database's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Its host, or the folder of its socket.
    pub host: &'a str,
    port: &'a str,
    role: &'a str,
    password: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> Place<'a> {
    /// Of an address over TCP (`postgres://role:password@host:port/name`) or over a socket
    /// (`postgres://role:password@/name?host=folder&port=port`).
    pub fn of(url: &'a str) -> Result<Self> {
        let parts = url.strip_prefix("postgres://").and_then(|rest| rest.split_once('@'));
        let parts = parts.and_then(|(login, place)| Some((login.split_once(':')?, place.split_once('/')?)));
        let ((role, password), (host, name)) = parts.context("no address of a database")?;
        let (name, host, port) = match name.split_once('?') {
            Some((name, place)) => {
                let given = |key: &str| place.split('&').find_map(|each| each.strip_prefix(key)?.strip_prefix('='));
                (name, given("host").context("no host")?, given("port").context("no port")?)
            }
            None => host.split_once(':').map(|(host, port)| (name, host, port)).context("no port")?,
        };
        Ok(Self { host, port, role, password, name })
    }

    /// The variables that programs read.
    pub fn environment(&self) -> [(&'static str, &'a str); 5] {
        [
            ("PGHOST", self.host),
            ("PGPORT", self.port),
            ("PGUSER", self.role),
            ("PGPASSWORD", self.password),
            ("PGDATABASE", self.name),
        ]
    }

    /// The same for the client library of the peers that run in this process.
    pub fn options(&self) -> Result<PgConnectOptions> {
        let options = PgConnectOptions::new_without_pgpass().port(self.port.parse()?).username(self.role);
        let options = options.password(self.password).database(self.name);
        Ok(if self.host.starts_with('/') { options.socket(self.host) } else { options.host(self.host) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_an_address_are_understood() {
        let over_tcp = Place::of("postgres://role:secret@127.0.0.1:5433/name").expect("an address");
        let place = Place { host: "127.0.0.1", port: "5433", role: "role", password: "secret", name: "name" };
        assert_eq!(over_tcp, place);
        let over_socket = Place::of("postgres://role:secret@/name?host=/run/here&port=5433").expect("an address");
        assert_eq!(over_socket, Place { host: "/run/here", ..place });
        assert!(Place::of("postgres://127.0.0.1/name").is_err());
    }
}
