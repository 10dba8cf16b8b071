//! The command line.
//!
//! Always holds: no secret is an argument, because every user of the machine can read arguments.

use std::path::PathBuf;

use crate::sensors::files::BackendChoice;
use clap::{Args as ClapArgs, Parser, Subcommand};
use shirase_shared::tls::Fingerprint;

use crate::paths::DEFAULT_CONFIG;
use crate::replay::Window;

/// Watches one server and tells the hospital's collector what looks wrong.
#[derive(Debug, Parser)]
#[command(name = "shirase-agent", version, about, propagate_version = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch directories in the foreground and print what would be reported; needs no collector and no root
    Watch(WatchArgs),
    /// Run a recording of `watch --record`, or a plain damage manifest, through the detectors and print the same lines
    Replay(ReplayArgs),
    /// Make this host known to a collector and write its configuration
    Enroll(EnrollArgs),
    /// Run the service
    Run(RunArgs),
    /// Run the service as the service manager starts it
    #[command(hide = true)]
    Service(RunArgs),
    /// Have the service manager start the service with the system; brings one that is installed up to date (Windows)
    Install(InstallArgs),
    /// Stop the service and take it out of the service manager's list; state and configuration stay (Windows)
    Uninstall,
    /// Look for mistakes in a configuration file; opens nothing else. Exit status 1 if there are any
    Check(RunArgs),
    /// Ask configured probes once and print each answer. Exit status 1 if one is down
    Probe(ProbeArgs),
    /// Print the commented default configuration
    Config,
    /// Show how the running service is
    Status(StatusArgs),
    /// Look into the buffer of the running service
    #[command(subcommand)]
    Buffer(BufferCommand),
    /// Show everything this host knows about one event or burst
    Explain(ExplainArgs),
    /// Let processes run again that the service suspended because they harmed files
    Release(ReleaseArgs),
    /// List the decoys on this host and what they are for
    Canaries(CanariesArgs),
    /// Look how this host is set up, as far as the ministry's checklist asks, and name idle accounts; run it as root
    Posture(PostureArgs),
}

/// Arguments of `watch`.
#[derive(Debug, ClapArgs)]
pub struct WatchArgs {
    /// Directories to watch, with all below them
    #[arg(value_name = "DIR", required = true)]
    pub dirs: Vec<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Keep state here, so that changes made while nothing watched are found at the next start
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Record what is seen of files, and of nothing else, into this file, compressed if it ends in `.zst`; it holds clear
    /// names and stays on this host
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// What the kernel is asked with: `auto` takes fanotify or the change journal where they can be used
    #[arg(long, value_enum, default_value_t)]
    pub backend: BackendChoice,
    /// Largest recording, in MiB before compression; beyond it observations are only counted
    #[arg(long, value_name = "MIB", default_value_t = 1024, requires = "record")]
    pub record_limit: u64,
    /// Put keyed words in the place of names in the recording, so that it can be shared
    #[arg(long, requires = "record")]
    pub anonymise: bool,
}

/// Arguments of `replay`.
#[derive(Debug, ClapArgs)]
pub struct ReplayArgs {
    /// A recording, or a plain manifest (`.jsonl`); an encrypted one must be opened with the hospital's key first
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Go at so many times the speed at which it happened. Default: do not wait at all
    #[arg(long, value_name = "TIMES", value_parser = speed)]
    pub speed: Option<f64>,
    /// Try the thresholds of this configuration instead of the defaults
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Try a maintenance window, for example `2026-02-09T01:00:00+09:00..2026-02-09T05:00:00+09:00`
    #[arg(long, value_name = "FROM..UNTIL")]
    pub maintenance: Option<Window>,
    /// Write a copy with keyed words in the place of names, which can be shared; the key is forgotten
    ///
    /// Kept are: known extensions and suffixes, how names are related (equal, one behind or inside the other), the
    /// shape of SS-MIX2 names and numbers, the structure of directories, times, and programs of the system. Other
    /// words, unknown suffixes, numbers, people and addresses become keyed ones; free text of sensors is left out.
    #[arg(long, value_name = "COPY")]
    pub anonymise: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok();
    speed
        .filter(|speed| speed.is_finite() && 0.0 < *speed)
        .ok_or_else(|| "give a number above 0; 1 is as fast as it happened".to_owned())
}

/// Arguments of `enroll`.
#[derive(Debug, ClapArgs)]
pub struct EnrollArgs {
    /// Base address of the collector's enrolment listener, for example `https://collector.example.jp:8445`
    #[arg(long, value_name = "URL")]
    pub collector: String,
    /// File that holds the one-time token, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: String,
    /// SHA-256 of the authority's certificate, as the collector shows it
    #[arg(long, value_name = "SHA256")]
    pub ca_fingerprint: Fingerprint,
    /// Where to write the configuration; an existing one is kept
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Where the service keeps its state
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Directories to watch; can be given more than once
    #[arg(long = "root", value_name = "DIR", num_args = 1..)]
    pub roots: Vec<PathBuf>,
    /// Give a host that is enrolled another identity: it is a copy of another machine, or its key may have been read
    #[arg(long)]
    pub anew: bool,
}

/// Arguments of `run` and `check`.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
}

/// Arguments of `install`.
#[derive(Debug, ClapArgs)]
pub struct InstallArgs {
    /// Where the service finds its configuration.
    #[command(flatten)]
    pub run: RunArgs,
    /// Start it too, if this host is enrolled; for installers, which come before enrolment as well as after it
    #[arg(long)]
    pub start_if_enrolled: bool,
}

/// Arguments of `probe`.
#[derive(Debug, ClapArgs)]
pub struct ProbeArgs {
    /// Names of the probes to ask
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub names: Vec<String>,
    /// Ask every configured probe
    #[arg(long)]
    pub all: bool,
    /// Configuration file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
}

/// How the running service is found.
#[derive(Debug, ClapArgs)]
pub struct ServiceArgs {
    /// Configuration file of the service; tells where its state lies
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// State directory of the service, instead of the one in the configuration
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// Arguments of `status`.
#[derive(Debug, ClapArgs)]
pub struct StatusArgs {
    /// How the running service is found.
    #[command(flatten)]
    pub service: ServiceArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What can be done with the buffer.
#[derive(Debug, Subcommand)]
pub enum BufferCommand {
    /// Check every waiting record against its checksum and number
    Verify(ServiceArgs),
    /// Print every waiting record, one JSON object a line
    Export(ServiceArgs),
}

/// Arguments of `explain`.
#[derive(Debug, ClapArgs)]
pub struct ExplainArgs {
    /// Number of the event, `STREAM/NUMBER`, or the id of a burst
    #[arg(value_name = "EVENT")]
    pub event: String,
    /// How the running service is found.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Arguments of `release`.
#[derive(Debug, ClapArgs)]
pub struct ReleaseArgs {
    /// Number under which `status` shows them
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub id: Option<u32>,
    /// Everybody who is suspended
    #[arg(long)]
    pub all: bool,
    /// How the running service is found.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Arguments of `canaries`.
#[derive(Debug, ClapArgs)]
pub struct CanariesArgs {
    /// Delete every decoy that is as it was made; for before the agent is removed, once the service is stopped
    #[arg(long)]
    pub remove: bool,
    /// Whose decoys.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Arguments of `posture`.
#[derive(Debug, ClapArgs)]
pub struct PostureArgs {
    /// Days without a logon after which an account counts as idle
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub idle_days: u32,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn no_argument_takes_a_secret() {
        let mut names = Vec::new();
        let mut open = vec![Args::command()];
        while let Some(command) = open.pop() {
            names.extend(
                command
                    .get_arguments()
                    .map(|argument| argument.get_id().to_string()),
            );
            open.extend(command.get_subcommands().cloned());
        }
        assert!(names.contains(&"token_file".to_owned()), "{names:?}");
        for secret in ["token", "password", "key", "secret"] {
            assert!(!names.contains(&secret.to_owned()), "`--{secret}` is an argument");
        }
    }
}
