//! The program `toguna`.

use std::{io, process::ExitCode};

use toguna::{cli::Cli, commands};

fn main() -> ExitCode {
    let cli = Cli::of_process();
    let language = cli.language();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} {error:#}", language.say("error:", "erreur\u{202f}:"));
            ExitCode::FAILURE
        }
    }
}

/// Whoever read our output, such as `head`, has had enough.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind_of = |cause: &(dyn std::error::Error + 'static)| {
        let written = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        written.or_else(|| cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind))
    };
    error.chain().any(|cause| kind_of(cause) == Some(io::ErrorKind::BrokenPipe))
}
