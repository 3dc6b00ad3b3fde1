//! Opening the schema of a service's read models.

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{StoreError, log::ACQUIRE_TIMEOUT, roles};

/// Most connections of a pool of read models: queries and projections share them.
const MAX_CONNECTIONS: u32 = 16;

/// Opens version `version` of a service's read models: schema `<service>_v<version>`, brought up to date by the
/// service's own migrations and by that of the checkpoints, each with a table of its own that says what was applied.
/// The answered pool finds its tables without naming the schema; it may change their rows, and nothing else.
pub async fn open_read_models(
    owner_url: &str,
    service: &str,
    version: u32,
    migrator: &Migrator,
) -> Result<PgPool, StoreError> {
    let roles = roles::prepare(owner_url).await?;
    let schema = format!("{service}_v{version}");
    let search_path = |options: &PgConnectOptions| options.clone().options([("search_path", schema.as_str())]);
    let mut owner = PgConnection::connect_with(&search_path(&roles.owner)).await?;
    let reader = quoted(roles.reader.get_username());
    let (schema_name, database) = (quoted(&schema), quoted(&roles.database));
    let execute = async |owner: &mut PgConnection, sql: String| sqlx::raw_sql(AssertSqlSafe(sql)).execute(owner).await;
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
    Ok(pool.connect_with(search_path(&roles.reader)).await?)
}

/// A name of Postgres, quoted.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
