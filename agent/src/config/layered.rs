//! Lays the host's own file over a policy.
//!
//! Always holds: pure; what the file says stands key by key, a policy fills and adds. A single value that is as the default
//! has it says nothing: enrolment writes the whole commented file. An entry that does not go with this
//! host (a path of another system, a job on a root that is not watched) is left out and told as drift, so that one policy
//! serves hosts that differ.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use shirase_shared::config::Problem;
use shirase_shared::policy::{Laid, PolicyKey, Source, System, lay, source, without_defaults};
use toml::{Table, Value};

use super::Config;
use crate::sensors::files;

/// The configuration in force, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Layered {
    /// The configuration.
    pub config: Config,
    /// Keys of which the policy says something else than what is in force.
    pub drift: BTreeSet<PolicyKey>,
    /// Where what is in force under each key comes from.
    pub sources: Vec<(PolicyKey, Source)>,
}

/// Lays a good file over a policy.
///
/// # Errors
/// What is wrong with both together; the file alone has no mistakes.
pub fn layered(file: &str, policy: &Table) -> Result<Layered, Vec<Problem>> {
    let whole: Table = file.parse().map_err(unread)?;
    let own = without_defaults(&whole, &Table::try_from(Config::default()).map_err(unread)?);
    let mut policy = policy.clone();
    let mut drift = BTreeSet::new();
    if drop_foreign_roots(&mut policy) {
        drift.insert(PolicyKey::Roots);
    }
    let Laid { mut table, differing } = lay(&own, &policy);
    drift.extend(differing);
    let labels = labels(&table).map_err(unread)?;
    if drop_lost_jobs(&mut table, &own, &labels) {
        drift.insert(PolicyKey::Jobs);
    }
    let config = Config::parse(&toml::to_string(&table).map_err(unread)?)?;
    let from = |key: &PolicyKey| (*key, source(*key, &own, &table));
    let sources = PolicyKey::ALL.iter().map(from).collect();

    Ok(Layered { config, drift, sources })
}

fn unread(error: impl std::fmt::Display) -> Vec<Problem> {
    vec![Problem::of("", format!("does not read: {error}"), "correct it")]
}

/// Takes away the roots whose paths are of another system. Returns whether there were any.
fn drop_foreign_roots(policy: &mut Table) -> bool {
    let Some(roots) = list(policy, &["sensors", "roots"]) else { return false };
    let before = roots.len();
    let of_here = |root: &Value| {
        let path = root.get("path").and_then(Value::as_str);
        path.and_then(System::of_path) == Some(System::here())
    };
    roots.retain(of_here);

    roots.len() != before
}

/// The labels of all roots, as the agent will call them.
fn labels(table: &Table) -> Result<Vec<String>, toml::de::Error> {
    let roots = table
        .get("sensors")
        .and_then(|sensors| sensors.get("roots"));
    let configured: Vec<files::RootConfig> = match roots {
        Some(roots) => roots.clone().try_into()?,
        None => Vec::new(),
    };
    let roots = files::resolve(&configured);

    Ok(roots.iter().map(|root| root.label.clone()).collect())
}

/// Takes away the policy's jobs on roots that are not watched here. Returns whether there were any.
fn drop_lost_jobs(table: &mut Table, own: &Table, labels: &[String]) -> bool {
    let ours = own
        .get("detectors")
        .and_then(|detectors| detectors.get("mass_change")?.get("jobs")?.as_array())
        .map_or(0, Vec::len);
    let Some(jobs) = list(table, &["detectors", "mass_change", "jobs"]) else { return false };
    let before = jobs.len();
    let mut number = 0;
    jobs.retain(|job| {
        number += 1;
        let root = job.get("root").and_then(Value::as_str).unwrap_or_default();
        // Those of the file come first, and a mistake in one of them is the file's.
        number <= ours || labels.iter().any(|label| label == root)
    });

    jobs.len() != before
}

fn list<'a>(table: &'a mut Table, path: &[&str]) -> Option<&'a mut Vec<Value>> {
    let (last, tables) = path.split_last()?;
    let mut here = table;
    for name in tables {
        here = here.get_mut(*name)?.as_table_mut()?;
    }
    here.get_mut(*last)?.as_array_mut()
}

/// Says for each key a policy may set where what is in force comes from, a line each.
#[must_use]
pub fn told(sources: &[(PolicyKey, Source)], drift: &BTreeSet<PolicyKey>) -> Vec<String> {
    let line = |(key, Source { file, policy }): &(PolicyKey, Source)| {
        let mut line = format!("{key}: ");
        let from = match (file, policy) {
            (0, 0) => "default".to_owned(),
            (_, 0) => format!("this file ({file})"),
            (0, _) => format!("policy ({policy})"),
            (_, _) => format!("this file ({file}), policy ({policy})"),
        };
        line.push_str(&from);
        if drift.contains(key) {
            // Writing to a string cannot fail.
            write!(line, "; the policy says something else").unwrap_or_default();
        }
        line
    };
    sources.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, policy: &str) -> Layered {
        layered(file, &policy.parse().unwrap()).unwrap()
    }

    /// A path of this system and one of the other.
    const HERE: &str = if cfg!(windows) { "C:/srv" } else { "/srv" };
    const THERE: &str = if cfg!(windows) { "/srv" } else { "C:/srv" };

    #[test]
    fn a_policy_fills_and_adds_and_the_file_stands() {
        let file = format!(
            "[agent]\ncpu_budget_percent = 5\n[[sensors.roots]]\npath = '{HERE}/a'\npatient_data = false\n"
        );
        let policy = format!(
            "[agent]\ncpu_budget_percent = 50\nmemory_budget_mib = 77\n\
             [[sensors.roots]]\npath = '{HERE}/a'\nlabel = 'x'\n[[sensors.roots]]\npath = '{HERE}/b'\n\
             [detectors.mass_change]\nknown_bad_suffixes = ['akira']\n"
        );
        let Layered { config, drift, sources } = of(&file, &policy);
        assert_eq!((config.agent.cpu_budget_percent, config.agent.memory_budget_mib), (5, 77));
        let roots: Vec<_> = config
            .sensors
            .roots
            .iter()
            .map(|root| root.patient_data)
            .collect();
        assert_eq!(roots, [false, true], "a root of a policy keeps its names");
        assert_eq!(config.detectors.mass_change.known_bad_suffixes, ["akira"]);
        assert_eq!(drift, BTreeSet::from([PolicyKey::CpuBudget, PolicyKey::Roots]));
        let lines = told(&sources, &drift);
        assert_eq!(
            lines.iter().take(3).map(String::as_str).collect::<Vec<_>>(),
            [
                "agent.cpu_budget_percent: this file (1); the policy says something else",
                "agent.memory_budget_mib: policy (1)",
                "sensors.roots: this file (1), policy (1); the policy says something else",
            ]
        );
        assert!(
            lines
                .iter()
                .any(|line| line == "detectors.mass_change.jobs: default")
        );
    }

    #[test]
    fn the_file_that_enrolment_writes_leaves_everything_open() {
        let policy = "[agent]\ncpu_budget_percent = 50\n[sensors.protection]\nguards = ['x']\n\
                      [detectors.logon_burst]\nusual_hours = ['mon-fri 07:00-20:00 +09:00']\n\
                      [detectors.mass_change]\nknown_bad_suffixes = ['akira']\n";
        let Layered { config, drift, sources } = of(&crate::config::default_text(), policy);
        assert_eq!(config.agent.cpu_budget_percent, 50);
        assert_eq!(config.sensors.protection.guards, ["x"]);
        assert_eq!(config.detectors.logon_burst.usual_hours.len(), 1);
        assert_eq!(drift, BTreeSet::new());
        let file = sources.iter().filter(|(_, source)| 0 < source.file);
        assert_eq!(file.count(), 0);
    }

    #[test]
    fn what_does_not_go_with_this_host_is_left_out_and_told() {
        let job = |root: &str| {
            format!(
                "[[detectors.mass_change.jobs]]\nname = '{root}'\nroot = '{root}'\nfrom = '01:00'\nuntil = '02:00'\n"
            )
        };
        let policy = format!(
            "[[sensors.roots]]\npath = '{THERE}'\n[[sensors.roots]]\npath = '{HERE}/b'\n{}{}",
            job("b"),
            job("elsewhere")
        );
        let Layered { config, drift, .. } = of("", &policy);
        assert_eq!(config.sensors.roots.len(), 1);
        assert_eq!(config.detectors.mass_change.jobs.len(), 1);
        assert_eq!(drift, BTreeSet::from([PolicyKey::Roots, PolicyKey::Jobs]));
    }

    #[test]
    fn no_policy_can_turn_what_the_file_alone_says() {
        let policy = "[uplink]\ncollector_url = 'https://evil.example'\n[policy]\ntake = true\n\
                      [sensors.files]\nignored = ['/']\n[detectors.mass_change]\nhigh_files = 9999\n";
        assert_eq!(of("", policy).config, Config::default());
    }
}
