//! Conducts a run: which scenarios, where, in what order, and what is said meanwhile.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use crate::agent::{Agent, Backend};
use crate::arguments::{Form, Part, RunArguments};
use crate::attacks::{self, Attack, AttackRun, Field};
use crate::command::run as run_command;
use crate::cost::{self, Bench, CostRun, Effort, Measurement};
use crate::days::{self, DayRun};
use crate::ground::Volume;
use crate::ordinary::{self, Ordinary, OrdinaryRun};
use crate::report;
use crate::results::Store;

/// Seeds per attack in the long form.
const LONG_SEEDS: u64 = 30;
/// Size of the file system in which grounds are made, in MiB and files.
const VOLUME: (u64, u64) = (6_144, 400_000);
/// Rate of every attack in the short form, in files a second: a busy machine must not decide the outcome.
const GENTLE: f64 = 30.0;

/// Whether somebody asked this run to end.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Runs what is asked for and writes the report.
pub(crate) fn run(arguments: &RunArguments) -> Result<()> {
    if arguments.list {
        list();
        return Ok(());
    }
    let agent = agent(arguments)?;
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("failed to make `{}`", arguments.out.display()))?;
    let out = arguments
        .out
        .canonicalize()
        .context("failed to resolve the folder for results")?;
    let store = Store::open(&out, &agent, arguments.form())?;
    let done = if arguments.report_only {
        Ok(())
    } else {
        listen_for_signals()?;
        let place = Place::make(arguments)?;
        let (grounds, logs) = (place.grounds().to_owned(), store.folder("logs")?);
        let field = Field { agent: agent.clone(), grounds, logs };
        Conductor { arguments, store: &store, field: &field }.all()
    };
    report::write(&out, &agent, &store)?;
    say(&format!("the report: {}", out.join("report.md").display()));

    done
}

/// Lets a run that is broken off put everything away: servers, agents, grounds, mounted images.
fn listen_for_signals() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        say("ending after this run");
        STOPPING.store(true, Ordering::Relaxed);
    });

    Ok(())
}

/// Ends the run when somebody asked for it.
///
/// # Errors
/// When somebody did.
pub(crate) fn go_on() -> Result<()> {
    if STOPPING.load(Ordering::Relaxed) {
        bail!("broken off; the same command goes on from here");
    }

    Ok(())
}

/// Builds the agent if none is given, and finds it.
fn agent(arguments: &RunArguments) -> Result<Agent> {
    let profile = arguments.profile();
    let binary = match &arguments.agent {
        Some(binary) => binary.clone(),
        None => {
            let own = std::env::current_exe().context("failed to find this program")?;
            let target = own
                .ancestors()
                .find(|folder| folder.join("CACHEDIR.TAG").exists())
                .context("this program lies in no target folder; give --agent FILE")?;
            say("building the agent");
            let mut build = Command::new("cargo");
            build.args(["build", "--locked", "-p", "shirase-agent", "--target-dir"]);
            build.arg(target);
            if arguments.release {
                build.arg("--release");
            }
            run_command(&mut build)?;
            if arguments.takes(Part::Cost) {
                // The service is measured against a real collector, which lies beside this program.
                let mut beside = Command::new("cargo");
                beside.args([
                    "build",
                    "--locked",
                    "-p",
                    "shirase-agent",
                    "-p",
                    "shirase-collector",
                ]);
                run_command(beside.arg("--target-dir").arg(target))?;
            }
            target.join(profile.folder()).join("shirase-agent")
        }
    };

    Agent::find(binary, arguments.windows_agent.clone(), profile)
}

/// Where grounds are made.
struct Place {
    /// Before its folder: what is mounted goes first.
    volume: Option<Volume>,
    parent: tempfile::TempDir,
}

impl Place {
    fn make(arguments: &RunArguments) -> Result<Self> {
        let parent = match &arguments.grounds {
            Some(folder) => tempfile::Builder::new()
                .prefix("shirase-detection-")
                .tempdir_in(folder),
            None => tempfile::Builder::new()
                .prefix("shirase-detection-")
                .tempdir(),
        }
        .context("failed to make a folder for grounds")?;
        let (mib, inodes) = VOLUME;
        let volume = match arguments.volume || arguments.form() == Form::Long {
            true => match Volume::mount(parent.path(), "grounds", mib, inodes) {
                Ok(volume) => Some(volume),
                Err(error) if arguments.volume => return Err(error),
                Err(error) => {
                    say(&format!("no file system of its own: {error:#}"));
                    None
                }
            },
            false => None,
        };

        Ok(Self { volume, parent })
    }

    fn grounds(&self) -> &Path {
        self.volume
            .as_ref()
            .map_or_else(|| self.parent.path(), Volume::dir)
    }
}

struct Conductor<'a> {
    arguments: &'a RunArguments,
    store: &'a Store,
    field: &'a Field,
}

impl Conductor<'_> {
    fn all(&self) -> Result<()> {
        self.say_what_is_missing();
        let mut failed = Vec::new();
        for (number, backend) in self.backends()?.into_iter().enumerate() {
            if self.arguments.takes(Part::Attacks) {
                for attack in attacks::catalogue() {
                    go_on()?;
                    let attack = self.gently(attack);
                    if self.arguments.wants(attack.name, attack.short)
                        && let Err(error) = self.attack(&attack, backend)
                    {
                        say(&format!("{} {}: FAILED: {error:#}", attack.name, backend.name()));
                        failed.push(attack.name.to_owned());
                    }
                }
            }
            // The short form lets one of them, the best, watch ordinary work: a gate has no time for more.
            let best_alone =
                self.arguments.form() == Form::Short && self.arguments.backend.is_empty();
            if self.arguments.takes(Part::Ordinary) && !(best_alone && 0 < number) {
                for workload in ordinary::catalogue() {
                    go_on()?;
                    if self.arguments.wants(workload.name, workload.short)
                        && let Err(error) = self.ordinary(&workload, backend)
                    {
                        say(&format!("{} {}: FAILED: {error:#}", workload.name, backend.name()));
                        failed.push(workload.name.to_owned());
                    }
                }
            }
        }
        if self.arguments.takes(Part::Days) {
            self.days()?;
        }
        if self.arguments.takes(Part::Cost) {
            for backend in self
                .backends()?
                .into_iter()
                .filter(|one| *one != Backend::Windows)
            {
                for measurement in cost::catalogue() {
                    go_on()?;
                    if self.arguments.wants(measurement.name, true) {
                        self.cost(&measurement, backend)?;
                    }
                }
            }
        }
        if failed.is_empty() {
            return Ok(());
        }

        bail!("{} scenarios could not be carried out: {}", failed.len(), failed.join(", "))
    }

    /// Says before anything is run which programs it lacks: a long run without them has gaps.
    fn say_what_is_missing(&self) {
        let mut lacking: Vec<_> = ordinary::catalogue()
            .iter()
            .filter(|workload| {
                self.arguments.takes(Part::Ordinary)
                    && self.arguments.wants(workload.name, workload.short)
            })
            .filter_map(ordinary::missing)
            .collect();
        lacking.extend(attacks::Server::missing().filter(|_| {
            let over_samba = |attack: &Attack| {
                attack.name.starts_with("A16") && self.arguments.wants(attack.name, attack.short)
            };
            self.arguments.takes(Part::Attacks) && attacks::catalogue().iter().any(over_samba)
        }));
        lacking.sort();
        lacking.dedup();
        for what in lacking {
            say(&format!("left out: {what}"));
        }
    }

    /// Returns the backends to try. One that was asked for and cannot be tried is an error.
    fn backends(&self) -> Result<Vec<Backend>> {
        let asked = &self.arguments.backend;
        let mut usable = Vec::new();
        for backend in Backend::ALL {
            if !asked.is_empty() && !asked.contains(&backend) {
                continue;
            }
            match self.field.agent.cannot(backend) {
                None => usable.push(backend),
                Some(why) if asked.is_empty() => {
                    say(&format!("{}: not run: {why}", backend.name()))
                }
                Some(why) => bail!("{} cannot be tried here: {why}", backend.name()),
            }
        }

        Ok(usable)
    }

    /// In the short form every attack goes at a rate no busy machine can turn into another result.
    fn gently(&self, attack: Attack) -> Attack {
        match self.arguments.form() {
            Form::Short if self.arguments.only.is_empty() => {
                Attack { rate: Some(GENTLE), ..attack }
            }
            Form::Short | Form::Long => attack,
        }
    }

    fn attack(&self, attack: &Attack, backend: Backend) -> Result<()> {
        if self.arguments.fresh || self.arguments.form() == Form::Short {
            self.store.forget("attacks", backend, attack.name);
        }
        let known: Vec<AttackRun> = self.store.read("attacks", backend, attack.name);
        let long = self.arguments.form() == Form::Long;
        let count = self
            .arguments
            .seeds
            .unwrap_or(if long { LONG_SEEDS } else { 1 });
        let missing: Vec<_> = (1..=count)
            .filter(|seed| known.iter().all(|run| run.seed != *seed))
            .collect();
        attacks::run_seeds(attack, backend, &missing, self.field, |run| {
            let told = run.harmed_before.map_or_else(
                || format!("MISSED, {} files harmed", run.harmed),
                |files| {
                    let ms = run.to_alert_ms.unwrap_or_default();
                    format!("{files} files in {ms:.0} ms: {}", run.reason)
                },
            );
            say(&format!("{} {} seed {}: {told}", run.name, backend.name(), run.seed));
            self.store.keep("attacks", backend, attack.name, &run)
        })
    }

    fn ordinary(&self, workload: &Ordinary, backend: Backend) -> Result<()> {
        let known: Vec<OrdinaryRun> = self.store.read("ordinary", backend, workload.name);
        let again = self.arguments.fresh || self.arguments.form() == Form::Short;
        if !again && known.iter().any(|run| run.not_run.is_none()) {
            return Ok(());
        }
        self.store.forget("ordinary", backend, workload.name);
        let record = self.record(workload, backend)?;
        let run = ordinary::run(workload, backend, 1, self.field, record)?;
        let told = match (&run.not_run, run.alerts.first(), run.still_seeing) {
            (Some(why), _, _) => format!("not run: {why}"),
            (None, Some(alert), _) => format!("FALSE ALARM: {alert}"),
            (None, None, false) => "the agent saw nothing any more".to_owned(),
            (None, None, true) => {
                format!("quiet, {:.1} s, {} ms of the agent", run.secs, run.cpu_ms)
            }
        };
        say(&format!("{} {}: {told}", workload.name, backend.name()));
        self.store.keep("ordinary", backend, workload.name, &run)
    }

    fn days(&self) -> Result<()> {
        if self.arguments.fresh {
            self.store.forget("days", Backend::Fanotify, "days");
        }
        let known: Vec<DayRun> = self.store.read("days", Backend::Fanotify, "days");
        let missing: Vec<_> = (1..=days::DAYS)
            .filter(|day| known.iter().all(|run| run.day != *day))
            .collect();
        let (traces, folder) = (self.store.folder("traces")?, self.store.folder("days")?);
        days::play(&self.field.agent, &traces, &missing, &folder, |day| {
            let told = day.alerts.first().map_or("quiet", String::as_str);
            say(&format!("day {}: {} observations, {told}", day.day, day.observations));
            self.store.keep("days", Backend::Fanotify, "days", &day)
        })
    }

    fn cost(&self, measurement: &Measurement, backend: Backend) -> Result<()> {
        let (name, long) = (measurement.name, self.arguments.form() == Form::Long);
        let known: Vec<CostRun> = self.store.read("cost", backend, name);
        if long && !self.arguments.fresh && known.iter().any(|run| run.not_run.is_none()) {
            return Ok(());
        }
        self.store.forget("cost", backend, name);
        let logs = self.store.folder("logs")?;
        let effort = if long { Effort::LONG } else { Effort::SHORT };
        let run = measurement.run(&Bench { backend, field: self.field, effort, logs: &logs });
        let figures = run.figures.iter();
        let told: Vec<_> = figures
            .map(|(name, value)| format!("{name} {value:.2}"))
            .collect();
        let not_run = run.not_run.as_deref().map(|why| format!("not run: {why}"));
        say(&format!("{name} {}: {}", backend.name(), not_run.unwrap_or_else(|| told.join(", "))));
        self.store.keep("cost", backend, name, &run)
    }

    /// Where the trace of a workload goes, from which the mixed days are made.
    fn record(&self, workload: &Ordinary, backend: Backend) -> Result<Option<PathBuf>> {
        if self.arguments.form() == Form::Short || backend != Backend::Fanotify {
            return Ok(None);
        }
        let trace = self
            .store
            .folder("traces")?
            .join(format!("{}.jsonl", workload.name));
        drop(std::fs::remove_file(&trace));

        Ok(Some(trace))
    }
}

#[expect(clippy::print_stdout, reason = "the list is the product")]
fn list() {
    for attack in attacks::catalogue() {
        println!("{:<24} {}", attack.name, attack.about);
    }
    for workload in ordinary::catalogue() {
        println!("{:<24} {}", workload.name, workload.about);
    }
}

/// Says what happens, with the time that has passed.
#[expect(clippy::print_stderr, reason = "this is the program's voice")]
pub(crate) fn say(what: &str) {
    eprintln!("{what}");
}
