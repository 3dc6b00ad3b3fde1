//! Opening the schemas of a service's read models.

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    StoreError,
    log::ACQUIRE_TIMEOUT,
    roles::{self, Roles},
};

/// Most connections of a pool of read models: queries and projections share them.
const MAX_CONNECTIONS: u32 = 16;

/// Opens one generation of a service's read models: schema `<service>_v<version>`, brought up to date by the
/// service's own migrations and by that of the checkpoints, each with a table of its own that says what was applied.
/// The answered pool finds its tables without naming the schema; it may change their rows, and nothing else.
pub async fn open_read_models(
    owner_url: &str,
    service: &str,
    version: u32,
    migrator: &Migrator,
) -> Result<PgPool, StoreError> {
    let roles = roles::prepare(owner_url).await?;
    open(&roles, &schema_of(service, version), migrator).await
}

/// The schema of a generation.
pub(crate) fn schema_of(service: &str, version: u32) -> String {
    format!("{}{version}", schema_prefix(service))
}

/// What the names of all schemas of a service's generations begin with.
pub(crate) fn schema_prefix(service: &str) -> String {
    format!("{service}_v")
}

/// Opens a schema with checkpoints and whatever else the migrations make.
///
/// Its sessions do not wait for the disk when they commit. Rows and checkpoint are lost together when Postgres loses
/// its last moment, so the same events are applied again: the log, which does wait, is the truth.
pub(crate) async fn open(roles: &Roles, schema: &str, migrator: &Migrator) -> Result<PgPool, StoreError> {
    let search_path = |options: &PgConnectOptions| options.clone().options([("search_path", schema)]);
    let mut owner = PgConnection::connect_with(&search_path(&roles.owner)).await?;
    let reader = quoted(roles.reader.get_username());
    let (schema_name, database) = (quoted(schema), quoted(&roles.database));
    // Replicas that start together migrate one after the other.
    execute(&mut owner, "SELECT pg_advisory_lock(hashtext('toguna read models'))".to_owned()).await?;
    execute(&mut owner, format!("CREATE SCHEMA IF NOT EXISTS {schema_name}")).await?;
    let mut checkpoints = sqlx::migrate!("migrations/read_model");
    checkpoints.dangerous_set_table_name("_checkpoint_migrations");
    // `run` would make this future one that cannot move between threads.
    checkpoints.run_direct(None, &mut owner, false).await?;
    migrator.run_direct(None, &mut owner, false).await?;
    execute(
        &mut owner,
        format!(
            "GRANT CONNECT ON DATABASE {database} TO {reader};
             GRANT USAGE ON SCHEMA {schema_name} TO {reader};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema_name} TO {reader};
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema_name} TO {reader}"
        ),
    )
    .await?;
    owner.close().await?;
    let pool = PgPoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
    Ok(pool.connect_with(search_path(&roles.reader).options([("synchronous_commit", "off")])).await?)
}

/// Removes a schema and all that is in it, if it is there.
pub(crate) async fn remove(roles: &Roles, schema: &str) -> Result<(), StoreError> {
    let mut owner = PgConnection::connect_with(&roles.owner).await?;
    execute(&mut owner, format!("DROP SCHEMA IF EXISTS {} CASCADE", quoted(schema))).await?;
    Ok(owner.close().await?)
}

async fn execute(owner: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    // Names of schemas and roles cannot be parameters; they are quoted.
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(owner).await.map(|_| ())
}

/// A name of Postgres, quoted.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
