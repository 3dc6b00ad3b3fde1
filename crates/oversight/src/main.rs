//! The process of oversight.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service_runtime::run(oversight::SERVICE, oversight::build).await
}
