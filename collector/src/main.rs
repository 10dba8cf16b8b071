//! The collector's program: reads the command line, does what it asks, and says how it ended.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use shirase_collector::args::Args;
use shirase_collector::cli::{self, Terminal};
use shirase_shared::error::Chain;

fn main() -> ExitCode {
    match try_main(Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to be done if standard error is closed too.
            drop(writeln!(std::io::stderr(), "shirase-collector: {}", Chain(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

fn try_main(args: Args) -> anyhow::Result<ExitCode> {
    cli::hand_over(&args)?;
    shirase_shared::tls::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;

    runtime.block_on(cli::run(args, &mut Terminal::standard()))
}
