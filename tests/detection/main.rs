//! The harness of the detectors: attacks, ordinary work and cost, measured on the real agent by anybody.
//!
//! ```text
//! arguments ─▶ conduct ─┬▶ attacks   tree ─▶ agent ─▶ workers (deed, journal) ─▶ files harmed before the alert
//!                       ├▶ ordinary  prepare ─▶ agent ─▶ real programs ─▶ proof that it still sees ─▶ false alarms
//!                       ├▶ days      recordings of ordinary work ─▶ thirty mixed days ─▶ replay ─▶ false alarms
//!                       └▶ cost      loads with and without the agent ─▶ processor, memory, slowdown, losses
//!                              └─────▶ results (kept per scenario and build) ─▶ report: Markdown, JSON, SVG
//! ```
//!
//! Always holds: nothing is touched but below a directory this program made and marked (`ground`); no network but
//! loopback; the payload is noise from a seed; what is missing on this machine is named in the report, never passed over.

mod arguments;
mod conduct;
mod random;
mod command;
mod ground;
mod tree;
mod journal;
mod deed;
mod worker;
mod load;
mod agent;
mod usage;
mod attacks;
mod ordinary;
mod cost;
mod days;
mod results;
mod figures;
mod machine;
mod report;

use std::process::ExitCode;

use clap::Parser as _;
use shirase_shared::error::Chain;

use arguments::{Arguments, Work};

#[expect(clippy::print_stderr, reason = "this is the program's voice")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.work {
        Some(Work::Work { plan }) => worker::work(plan),
        Some(Work::Load { plan }) => load::work(plan),
        None => conduct::run(&arguments.run),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("detection: {}", Chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
