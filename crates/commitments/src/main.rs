//! The process of the service.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service_runtime::run(commitments::SERVICE, commitments::build).await
}
