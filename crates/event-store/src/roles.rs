//! The three database roles of a log. The owner, whose URL the service is given, makes tables and the other two roles, and
//! goes; the writer appends; the reader reads the log and keeps the read models. So no SQL of a running service, also
//! such as somebody smuggled into it, changes what is written. Who takes the process itself over finds the owner's URL
//! in its environment: against that the log is replayed, compared and kept elsewhere.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::StoreError;

/// How each role connects.
#[derive(Clone)]
pub(crate) struct Roles {
    pub owner: PgConnectOptions,
    pub writer: PgConnectOptions,
    pub reader: PgConnectOptions,
    pub database: String,
}

/// Makes the writer and the reader where they are missing, and gives them a password derived from the owner's URL, so
/// that every replica of a service comes to the same one and none is stored. Where both are there and it is right, the
/// owner needs no right to make roles any more.
pub(crate) async fn prepare(database_url: &str) -> Result<Roles, StoreError> {
    let owner: PgConnectOptions = database_url.parse()?;
    let mut connection = owner.connect().await?;
    let database: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut connection).await?;
    // Two services that start together must not make the same role twice.
    sqlx::query("SELECT pg_advisory_lock(hashtext('toguna roles'))").execute(&mut connection).await?;
    let mut roles = Vec::new();
    for role in ["writer", "reader"] {
        let name = format!("{database}_{role}");
        let password = password(database_url, &name);
        let role = owner.clone().username(&name).password(&password);
        make(&mut connection, &role, &name, &password).await?;
        roles.push(role);
    }
    connection.close().await?;
    let [writer, reader] = <[_; 2]>::try_from(roles).expect("one entry for each of the two roles");
    Ok(Roles { owner, writer, reader, database })
}

async fn make(
    connection: &mut PgConnection,
    role: &PgConnectOptions,
    name: &str,
    password: &str,
) -> Result<(), StoreError> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
    // One that cannot come in may have another password, or no right to connect yet.
    if known && let Ok(session) = role.connect().await {
        return Ok(session.close().await?);
    }
    let verb = if known { "ALTER" } else { "CREATE" };
    // Names of roles cannot be parameters; quoting doubles the quotes within.
    let quoted = name.replace('"', "\"\"");
    sqlx::query(AssertSqlSafe(format!("{verb} ROLE \"{quoted}\" LOGIN PASSWORD '{password}'")))
        .execute(connection)
        .await?;
    Ok(())
}

/// Keyed by the owner's own credentials, whatever the host a replica reaches the database by.
fn password(database_url: &str, role: &str) -> String {
    let credentials = database_url.split_once('@').map_or(database_url, |(credentials, _)| credentials);
    let mut mac = Hmac::<Sha256>::new_from_slice(credentials.as_bytes()).expect("a key of any length is taken");
    mac.update(role.as_bytes());
    let tag = mac.finalize().into_bytes();
    tag.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

/// What the roles may do in the log's schema: the writer never changes or deletes an event, nor a refusal that is kept but
/// those of long ago.
pub(crate) fn grants(roles: &Roles) -> Vec<AssertSqlSafe<String>> {
    let name = |options: &PgConnectOptions| options.get_username().replace('"', "\"\"");
    let (writer, reader) = (name(&roles.writer), name(&roles.reader));
    let database = roles.database.replace('"', "\"\"");
    [
        // Anybody else who has a login of the server, such as another service, has no business here.
        format!("REVOKE ALL ON DATABASE \"{database}\" FROM PUBLIC"),
        format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{writer}\", \"{reader}\""),
        format!("GRANT USAGE ON SCHEMA log TO \"{writer}\", \"{reader}\""),
        format!("GRANT SELECT ON ALL TABLES IN SCHEMA log TO \"{writer}\", \"{reader}\""),
        format!("GRANT INSERT ON log.events, log.requests, log.epochs, log.refusals TO \"{writer}\""),
        format!("GRANT UPDATE ON log.head TO \"{writer}\""),
        format!("GRANT EXECUTE ON FUNCTION log.forget_refusals(bigint) TO \"{writer}\""),
    ]
    .into_iter()
    .map(AssertSqlSafe)
    .collect()
}
