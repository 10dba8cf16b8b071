//! The endpoint agent: parses its command line, does what it says, ends with a status.

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use shirase_agent::args::Args;
use shirase_agent::commands;
use shirase_shared::error::Chain;

#[expect(clippy::print_stderr, reason = "the log may not be up yet")]
fn main() -> ExitCode {
    let args = Args::parse();
    commands::start_log();
    match commands::dispatch(args.command, &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shirase-agent: {}", Chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
