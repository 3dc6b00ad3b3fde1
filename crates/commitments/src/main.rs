//! The service of commitments as a process.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service_runtime::run("commitments", commitments::build).await
}
