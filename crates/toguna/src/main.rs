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
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe))
}
