//! Benchmarks: this project beside its peers and the limits of the machine, in the same run.
//!
//! `arguments` says what can be asked, `rows` what is measured beside what, `ground` what all of it stands on, `servers`
//! what is under test; `load` is what callers send, `measure` how they are timed, `report` what is printed.

mod arguments;
mod fill;
mod ground;
mod load;
mod machine;
mod measure;
mod peers;
mod process;
mod report;
mod rows;
mod run;
mod servers;
mod stage;
mod wire;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{arguments::Arguments, report::Report, run::Run};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(server) = arguments.serve {
        return server.serve().await;
    }
    match bench(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(arguments: &Arguments) -> anyhow::Result<()> {
    let wanted = rows::wanted(&arguments.rows)?;
    let run = Run::prepare(arguments).await?;
    let mut report = Report::new(&run);
    for family in wanted {
        eprintln!("{family:?}: {} …", family.what());
        report.add(family, family.measure(&run).await);
    }
    report.write(&arguments.json)?;
    report.print(arguments.verbose);
    run.end().await
}
