//! `shirase-agent probe`: asks the configured probes once and shows what each was answered.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use anyhow::bail;
use jiff::Timestamp;
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::event::WatchedAs;
use tokio::task::JoinSet;

use crate::args::ProbeArgs;
use crate::config::Layered;
use crate::observation::Presence;
use crate::policy::as_in_force;
use crate::sensors::probes::{Answer, ProbeConfig, Prober};
use crate::service;

/// Asks, prints one line for each probe in the order of the file.
///
/// # Errors
/// If one is down or cannot ask, or if none has the name.
pub(super) async fn probe(args: ProbeArgs, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let (Layered { config, .. }, _) = as_in_force(&args.config)?;
    let probes = chosen(&config.sensors.probes, &args)?;
    let clock: SharedClock = Arc::new(SystemClock::new(service::boot_id()));
    let mut asking = JoinSet::new();
    for (place, probe) in probes.iter().cloned().enumerate() {
        let clock = Arc::clone(&clock);
        asking.spawn(async move {
            let asked = match Prober::new(&probe, clock) {
                Ok(mut prober) => prober.ask().await,
                Err(why) => Err(why),
            };
            (place, asked)
        });
    }
    let mut answers = asking.join_all().await;
    answers.sort_by_key(|(place, _)| *place);

    let mut bad = 0;
    for (probe, (_, answer)) in probes.iter().zip(answers) {
        bad += usize::from(!matches!(&answer, Ok(Answer { presence: Presence::Up, .. })));
        writeln!(out, "{}", line(probe, &answer, clock.now()))?;
    }
    if 0 < bad {
        bail!("{bad} of {} {} not up", probes.len(), if bad == 1 { "is" } else { "are" });
    }

    Ok(())
}

/// Returns the probes that are meant.
fn chosen(probes: &[ProbeConfig], args: &ProbeArgs) -> anyhow::Result<Vec<ProbeConfig>> {
    let shown = args.config.display();
    if probes.is_empty() {
        bail!("`{shown}` has no probe; add [[sensors.probes]] with what must answer");
    }
    if args.all {
        return Ok(probes.to_vec());
    }
    let known: BTreeSet<_> = probes.iter().map(|probe| probe.name.as_str()).collect();
    if let Some(unknown) = args
        .names
        .iter()
        .find(|name| !known.contains(name.as_str()))
    {
        let known = Vec::from_iter(known).join("`, `");
        bail!("`{shown}` has no probe `{unknown}`; it has `{known}`");
    }

    Ok(probes
        .iter()
        .filter(|probe| args.names.contains(&probe.name))
        .cloned()
        .collect())
}

fn line(probe: &ProbeConfig, answer: &Result<Answer, String>, now: Timestamp) -> String {
    let name = &probe.name;
    let place = probe
        .asks()
        .map(|(way, place)| format!("{} {place}", word(way)))
        .unwrap_or_default();
    match answer {
        Err(why) => format!("{name}: cannot ask: {why} ({place})"),
        Ok(answer) => {
            let presence = match answer.presence {
                Presence::Up => "up",
                Presence::Down => "DOWN",
            };
            let certificate = answer.not_after.map_or_else(String::new, |until| {
                let days = (until.as_second() - now.as_second()) / 86_400;
                format!(", certificate valid until {until} ({days} days)")
            });
            format!(
                "{name}: {presence}, {} ({place}, {} ms{certificate})",
                answer.detail, answer.took_ms
            )
        }
    }
}

const fn word(way: WatchedAs) -> &'static str {
    match way {
        WatchedAs::Service => "service",
        WatchedAs::Process => "process",
        WatchedAs::Tcp => "tcp",
        WatchedAs::Http => "url",
        WatchedAs::Hl7 => "hl7",
        WatchedAs::Dicom => "dicom",
        WatchedAs::Postgres => "postgres",
    }
}
