//! The report: what was found, in a page for people, a file for programs and a picture.

mod summary;
mod goals;
mod page;
mod plot;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::agent::Agent;
use crate::machine::Machine;
use crate::results::Store;

pub(crate) use summary::Gathered;

/// Writes `report.md`, `report.json` and `harmed.svg` into `out`.
pub(crate) fn write(out: &Path, agent: &Agent, store: &Store) -> Result<()> {
    let gathered = Gathered::from(out, store);
    let goals = goals::judge(&gathered);
    let machine = Machine::look();
    let all = json!({
        "build": agent.build,
        "machine": machine,
        "goals": goals,
        "attacks": gathered.attack_sums(),
        "ordinary": gathered.ordinary.values().flatten().collect::<Vec<_>>(),
        "days": gathered.days,
        "cost": gathered.cost.values().flatten().collect::<Vec<_>>(),
    });
    let files = [
        ("report.md", page::page(&gathered, &goals, &agent.build, &machine)),
        ("report.json", serde_json::to_string_pretty(&all)?),
        ("harmed.svg", plot::plot(&gathered)),
    ];
    for (name, text) in files {
        let path = out.join(name);
        std::fs::write(&path, text)
            .with_context(|| format!("failed to write `{}`", path.display()))?;
    }

    Ok(())
}
