//! The steady state: an agent that has nothing to do, and one that sees a thousand operations a second.
//!
//! In a control group of its own, so that what the kernel holds for it (queued events, watches, sockets) is counted too.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use shirase_system_tests::site::Site;

use super::{Bench, Figures, paired};
use crate::agent::{Backend, WatchOptions};
use crate::attacks::approximately;
use crate::ground::Ground;
use crate::load::{self, Kind, Load};
use crate::usage::{Group, Usage};

/// Operations a second.
const RATE: f64 = 1000.0;
/// How long the bare reader lets changes gather, as the agent does, in milliseconds.
const READER_PAUSE_MS: u32 = 10;
/// How long a started agent is left alone before anything is measured.
const WARM_UP: Duration = Duration::from_secs(10);

/// The running agent, whichever way it was started. Killed when dropped.
struct Running {
    child: Child,
    group: Option<Group>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What was used and held at one moment.
#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    cpu_us: u64,
    resident_kib: u64,
    anonymous_kib: u64,
    kernel_kib: Option<u64>,
}

pub(super) fn watch(bench: &Bench<'_>) -> Result<Figures> {
    let ground = Ground::make(&bench.field.grounds, "steady-watch")?;
    load::prepare(&ground, Kind::Mixed, 0)?;
    let command =
        bench
            .field
            .agent
            .watch(bench.backend, &[ground.watched()], &WatchOptions::default())?;
    let running = Running::start(command, &bench.logs.join("steady-watch.log"), "watch")?;

    running.measure(bench, &ground)
}

/// Measures a reader that does nothing with what it reads: what an agent that costs less would have to do without.
pub(super) fn bare_reader(bench: &Bench<'_>) -> Result<Figures> {
    if bench.backend != Backend::Fanotify {
        bail!("there is a bare reader for fanotify alone");
    }
    let ground = Ground::make(&bench.field.grounds, "steady-reader")?;
    load::prepare(&ground, Kind::Mixed, 0)?;
    let mut command = Command::new(paired::build_reader(bench.logs)?);
    command
        .arg(ground.watched())
        .arg(READER_PAUSE_MS.to_string());
    let running = Running::start(command, &bench.logs.join("steady-reader.log"), "reader")?;

    running.measure(bench, &ground)
}

pub(super) fn service(bench: &Bench<'_>) -> Result<Figures> {
    let ground = Ground::make(&bench.field.grounds, "steady-service")?;
    load::prepare(&ground, Kind::Mixed, 0)?;

    service_on(bench, &ground)
}

/// Measures the service while it watches `ground`, enrolled at a real collector on loopback.
pub(super) fn service_on(bench: &Bench<'_>, ground: &Ground) -> Result<Figures> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let folder = tempfile::Builder::new()
        .prefix("shirase-detection-site-")
        .tempdir()
        .context("failed to make a folder for the collector")?;
    runtime.block_on(async {
        let mut site = Site::prepare(folder.path()).await?;
        site.start_collector().await?;
        site.enrol()?;
        settle_configuration(&site, bench, ground)?;
        let mut command = Command::new(&bench.field.agent.binary);
        command.arg("run").arg("--config").arg(site.agent_config());
        let running = Running::start(command, &bench.logs.join("steady-service.log"), "service")?;
        site.agent_heard().await?;
        let figures = running.measure(bench, ground)?;
        drop(running);
        site.stop()?;

        Ok(figures)
    })
}

/// Lets the enrolled agent watch the ground, at the pace it has in a hospital.
fn settle_configuration(site: &Site, bench: &Bench<'_>, ground: &Ground) -> Result<()> {
    let path = site.agent_config();
    let text = std::fs::read_to_string(&path).context("failed to read the configuration")?;
    let from = site.watched().display().to_string();
    let to = ground.watched().display().to_string();
    let moved = text
        .replace(&from, &to)
        .replace("heartbeat_secs = 5", "heartbeat_secs = 30");
    if !moved.contains(&to) {
        bail!("the enrolled configuration names no root");
    }
    let chosen =
        moved.replace("backend = \"auto\"", &format!("backend = \"{}\"", bench.backend.name()));
    let chosen = if chosen.contains("backend = ") {
        chosen
    } else {
        format!("{chosen}\n[sensors.files]\nbackend = \"{}\"\n", bench.backend.name())
    };

    std::fs::write(&path, chosen).context("failed to write the configuration")
}

impl Running {
    /// Starts the agent inside a group where there is one, so that nothing it ever allocates escapes the count.
    fn start(command: Command, log: &Path, name: &str) -> Result<Self> {
        let group = Group::make(name).ok();
        let mut command = match &group {
            Some(group) => group.around(&command),
            None => command,
        };
        let log = std::fs::File::create(log).context("failed to make a log")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("failed to start {command:?}"))?;

        Ok(Self { child, group })
    }

    fn sample(&self) -> Result<Sample> {
        let usage = Usage::of(self.child.id())?;
        let held = self.group.as_ref().map(Group::held).transpose()?;

        Ok(Sample {
            at: Instant::now(),
            cpu_us: held.and_then(|held| held.cpu_us).unwrap_or(usage.cpu_us),
            resident_kib: usage.resident_kib,
            anonymous_kib: held.map_or(usage.anonymous_kib, |held| held.anonymous_kib),
            kernel_kib: held.map(|held| held.kernel_kib),
        })
    }

    fn measure(&self, bench: &Bench<'_>, ground: &Ground) -> Result<Figures> {
        std::thread::sleep(WARM_UP);
        let steady = Duration::from_secs(bench.effort.steady_secs);
        let mut figures = Figures::default();

        let before = self.sample()?;
        std::thread::sleep(steady);
        let idle = self.sample()?;
        figures.set("idle_cpu_percent", percent(before, idle));
        figures.set("idle_resident_kib", approximately(idle.resident_kib));
        figures.set("idle_anonymous_kib", approximately(idle.anonymous_kib));

        let operations = 1000 * bench.effort.steady_secs;
        let load = Load {
            ground: ground.dir().to_owned(),
            mark: ground.mark().to_owned(),
            kind: Kind::Mixed,
            operations,
            rate: Some(RATE),
        };
        let before = self.sample()?;
        let (took, most) = std::thread::scope(|scope| {
            let loading = scope.spawn(|| load::start(&load, bench.logs));
            let mut most = before;
            while !loading.is_finished() {
                std::thread::sleep(Duration::from_millis(500));
                let now = self.sample()?;
                most.resident_kib = most.resident_kib.max(now.resident_kib);
                most.anonymous_kib = most.anonymous_kib.max(now.anonymous_kib);
                most.kernel_kib = most.kernel_kib.max(now.kernel_kib);
            }
            let took = loading
                .join()
                .map_err(|_| anyhow::anyhow!("the load panicked"))??;
            anyhow::Ok((took, most))
        })?;
        let loaded = self.sample()?;
        figures.set("loaded_cpu_percent", percent(before, loaded));
        figures.set("loaded_resident_kib", approximately(most.resident_kib));
        figures.set("loaded_anonymous_kib", approximately(most.anonymous_kib));
        if let Some(kernel) = most.kernel_kib {
            figures.set("loaded_kernel_kib", approximately(kernel));
            figures.set("loaded_held_kib", approximately(most.anonymous_kib + kernel));
        }
        figures.set("operations_per_second", 1e6 / took.us_each());
        figures.how = format!(
            "{} s idle, then {operations} operations (overwrite, rename, rename back); {}",
            bench.effort.steady_secs,
            if self.group.is_some() {
                "processor time and memory of its control group"
            } else {
                "no control group could be made: /proc alone"
            }
        );

        Ok(figures)
    }
}

fn percent(from: Sample, to: Sample) -> f64 {
    let passed = to.at.duration_since(from.at).as_secs_f64();
    approximately(to.cpu_us.saturating_sub(from.cpu_us)) / 1e6 / passed * 100.0
}
