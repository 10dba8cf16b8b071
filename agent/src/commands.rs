//! Does what the command line says.

mod posture;
mod probe;

use std::future::Future;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use shirase_shared::clock::SystemClock;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::agent::Agent;
use crate::args::{
    BufferCommand, CanariesArgs, Command, EnrollArgs, ExplainArgs, InstallArgs, ReleaseArgs,
    ReplayArgs, RunArgs, ServiceArgs, StatusArgs,
};
use crate::config::{self, Config, default_text};
use crate::containment::Contain;
use crate::control::{self, Answer, Question};
use crate::enrolment::{self, Configuration, EnrolOrder, Enrolled};
use crate::paths::{DEFAULT_STATE_DIR, StateDir};
use crate::policy::as_in_force;
use crate::sensors::backups::{BackupConfig, Medium};
use crate::sensors::files::BackendChoice;
use crate::sensors::hanging::look_at;
use crate::trace::Limit;
use crate::{canaries, replay, service, watch};

/// Environment variable with the log filter, for example `debug` or `shirase_agent=trace`.
const LOG_FILTER: &str = "SHIRASE_LOG";

/// What is logged unless `SHIRASE_LOG` says otherwise. A certificate that is not trusted is told by who asked, in his
/// own words and once, and not by the library at each question.
const LOG_DEFAULT: &str = "info,rustls_platform_verifier=off";

/// Threads for what waits for something. One a core would be more than the service may have on a large server.
const WORKERS: usize = 2;
/// How long the end waits for what still runs in the background.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// Starts the log on standard error; `info` unless `SHIRASE_LOG` says otherwise.
pub fn start_log() {
    let filter =
        EnvFilter::try_from_env(LOG_FILTER).unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    let log = tracing_subscriber::fmt()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(service::log_writer())
        .with_env_filter(filter);
    // Fails only if a log is there already.
    drop(log.try_init());
}

/// Carries out one command.
///
/// # Errors
/// Says what was tried and what to do; the exit status is 1 then.
pub fn dispatch(command: Command, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    if let Some(why) = service::too_old() {
        anyhow::bail!(why);
    }
    match command {
        Command::Watch(args) => {
            let recording = |file| watch::Recording {
                file,
                limit: Limit { bytes: args.record_limit.saturating_mul(1 << 20) },
                anonymise: args.anonymise,
            };
            let options = watch::Options {
                dirs: args.dirs,
                json: args.json,
                state: args.state,
                backend: args.backend,
                record: args.record.map(recording),
            };
            block_on(watch_until_told(options, out))
        }
        Command::Replay(args) => replay::run(&options_of(args), out),
        Command::Enroll(args) => block_on(enrol(args, out)),
        Command::Run(args) => block_on(run(args)),
        Command::Service(args) => service::host(|| block_on(run(args))),
        Command::Install(args) => install(&args, out),
        Command::Uninstall => told(&service::uninstall()?, out),
        Command::Check(args) => check(&args, out),
        Command::Probe(args) => block_on(probe::probe(args, out)),
        Command::Config => Ok(out.write_all(default_text().as_bytes())?),
        Command::Status(args) => block_on(status(args, out)),
        Command::Buffer(BufferCommand::Verify(service)) => {
            block_on(ask(&service, Question::BufferVerify, out))
        }
        Command::Buffer(BufferCommand::Export(service)) => {
            block_on(ask(&service, Question::BufferExport, out))
        }
        Command::Explain(ExplainArgs { event, service }) => {
            block_on(ask(&service, Question::Explain { event }, out))
        }
        Command::Release(ReleaseArgs { id, service, .. }) => {
            block_on(ask(&service, Question::Release { id }, out))
        }
        Command::Canaries(args) => canaries_of(&args, out),
        Command::Posture(args) => posture::posture(&args, out),
    }
}

fn options_of(args: ReplayArgs) -> replay::Options {
    let ReplayArgs { file, json, speed, config, maintenance, anonymise } = args;
    replay::Options { file, json, speed, config, maintenance, anonymise }
}

async fn watch_until_told(
    options: watch::Options,
    out: &mut (impl Write + Send),
) -> anyhow::Result<()> {
    let termination = service::Termination::listen().context("failed to take over signals")?;
    let clock = Arc::new(SystemClock::new(service::boot_id()));

    let stop = CancellationToken::new();
    let ending = stop.clone();
    tokio::spawn(async move {
        termination.requested().await;
        ending.cancel();
    });

    watch::run(options, clock, out, stop).await
}

async fn run(args: RunArgs) -> anyhow::Result<()> {
    let termination = service::Termination::listen().context("failed to take over signals")?;
    let agent = Agent::build(&args.config).await?;

    agent.run(termination.requested()).await
}

async fn enrol(args: EnrollArgs, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let order = EnrolOrder {
        collector: args.collector,
        token: enrolment::read_token(&args.token_file)?,
        fingerprint: args.ca_fingerprint,
        config: args.config,
        state: StateDir::new(args.state.unwrap_or_else(|| DEFAULT_STATE_DIR.into())),
        roots: args.roots,
        anew: args.anew,
    };
    let no_roots = order.roots.is_empty();
    let clock = SystemClock::new(service::boot_id());
    let Enrolled { enrolment, configuration, set_aside } = enrolment::enrol(order, &clock).await?;
    writeln!(out, "enrolled as host {} of facility {}", enrolment.host, enrolment.facility)?;
    if let Some(aside) = set_aside {
        writeln!(
            out,
            "its former identity, with the events and manifests that were not sent, lies in {}",
            aside.display()
        )?;
    }
    let config = match &configuration {
        Configuration::Written(path) => {
            writeln!(out, "wrote the configuration {}", path.display())?;
            path
        }
        Configuration::KeptOld { kept, proposed } => {
            writeln!(out, "kept the configuration {} as it was", kept.display())?;
            writeln!(out, "the one for this enrolment is {}; compare the two", proposed.display())?;
            kept
        }
    };
    writeln!(out, "\nNext:")?;
    if no_roots {
        writeln!(
            out,
            "  name the directories to watch: [[sensors.roots]] in {}",
            config.display()
        )?;
    }
    writeln!(out, "  shirase-agent check --config {}", config.display())?;
    writeln!(out, "  shirase-agent run --config {}", config.display())?;

    Ok(())
}

fn install(args: &InstallArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = std::path::absolute(&args.run.config)?;
    told(&service::install(&config)?, out)?;
    if args.start_if_enrolled && Config::state_named_in(&config).enrolment().exists() {
        told(&service::start()?, out)?;
    }

    Ok(())
}

fn told(lines: &[String], out: &mut impl Write) -> anyhow::Result<()> {
    for line in lines {
        writeln!(out, "{line}")?;
    }

    Ok(())
}

fn check(args: &RunArgs, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let (laid, policy) = as_in_force(&args.config)?;
    for warning in warnings(&laid.config) {
        writeln!(out, "warning: {warning}")?;
    }
    if let Some(applied) = policy.applied {
        writeln!(out, "with policy {}, whose keys come from:", applied.revision)?;
        for line in config::told(&laid.sources, &laid.drift) {
            writeln!(out, "  {line}")?;
        }
    }
    writeln!(out, "{} is good", args.config.display())?;

    Ok(())
}

/// What is legal but probably not meant. Looks at the roots and at the places of backups and opens nothing else.
fn warnings(config: &Config) -> Vec<String> {
    let roots = &config.sensors.roots;
    let mut warnings: Vec<_> = roots
        .iter()
        .filter_map(|root| root_warning(&root.path))
        .collect();
    if roots.is_empty() {
        warnings.push(
            "no directory is watched; add [[sensors.roots]] with the `path` of each".to_owned(),
        );
    }
    let places = config
        .sensors
        .backups
        .iter()
        .filter(|backup| backup.medium == Medium::Fixed);
    warnings.extend(places.filter_map(backup_warning));
    let contains = roots.iter().any(|root| root.contain == Contain::Suspend);
    if contains && config.sensors.files.backend == BackendChoice::Notify {
        warnings.push(
            "`contain = \"suspend\"` does nothing with `sensors.files.backend = \"notify\"`, which does not tell who \
             changed a file; set it to \"auto\""
                .to_owned(),
        );
    }
    if config.uplink.collector_url.is_empty() {
        warnings.push(
            "`uplink.collector_url` is empty; the address from the enrolment is used".to_owned(),
        );
    }
    warnings
}

fn root_warning(path: &Path) -> Option<String> {
    let shown = path.display();
    match look_at(path, |path| std::fs::read_dir(path).map(drop)) {
        Some(Ok(())) => None,
        None => Some(format!(
            "the watched directory `{shown}` does not answer; it is not watched until it does: look whether its server is \
             up and the network to it"
        )),
        Some(Err(error)) => Some(format!(
            "the watched directory `{shown}` cannot be read: {error}; correct the path, or let the agent's user read it"
        )),
    }
}

fn backup_warning(backup: &BackupConfig) -> Option<String> {
    let (path, name) = (backup.path.as_ref()?, &backup.name);
    let error = match look_at(path, |path| path.metadata().map(drop)) {
        Some(looked) => looked.err()?,
        None => io::ErrorKind::TimedOut.into(),
    };

    Some(format!(
        "backup `{name}`: `{}` cannot be looked at: {error}; correct the path, or let the agent's user read it",
        path.display()
    ))
}

fn canaries_of(args: &CanariesArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let state = state_of(&args.service);
    if !args.remove {
        return Ok(out.write_all(canaries::tell(&state)?.as_bytes())?);
    }
    let (removed, left) = canaries::remove_all(&state)?;
    writeln!(out, "removed {removed} decoys")?;
    for path in left {
        writeln!(out, "left `{}`, which is not as it was made", path.display())?;
    }

    Ok(())
}

async fn status(args: StatusArgs, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let json = args.json;
    let print = |answer| {
        match answer {
            Answer::Status(status) if json => {
                writeln!(out, "{}", serde_json::to_string(&status)?)?;
            }
            Answer::Status(status) => status.write(out)?,
            Answer::Line { line } => writeln!(out, "{line}")?,
            Answer::Failed { .. } | Answer::End => {}
        }
        out.flush()
    };

    Ok(control::ask(&state_of(&args.service), &Question::Status, print).await?)
}

async fn ask(
    service: &ServiceArgs,
    question: Question,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let print = |answer| match answer {
        Answer::Line { line } => writeln!(out, "{line}"),
        Answer::Status(_) | Answer::Failed { .. } | Answer::End => Ok(()),
    };

    Ok(control::ask(&state_of(service), &question, print).await?)
}

/// Finds the state directory of the service: as told, else from its configuration, even if that is broken elsewhere.
fn state_of(service: &ServiceArgs) -> StateDir {
    match &service.state {
        Some(dir) => StateDir::new(dir.clone()),
        None => Config::state_named_in(&service.config),
    }
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let done = runtime.block_on(work);
    // A look at a file system that hangs would hold the end up.
    runtime.shutdown_timeout(LEFT_BEHIND);

    done
}
