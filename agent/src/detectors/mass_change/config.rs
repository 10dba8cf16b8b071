//! What can be set about mass changes: thresholds, suffixes, learning, and the jobs that are expected.

use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;
use shirase_shared::settings::job::Job;
use shirase_shared::settings::known_bad;

/// Most minutes local time can be ahead of UTC or behind it.
const OFFSET_MAX_MINUTES: i32 = 14 * 60;

/// When changes of many files are an anomaly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MassChangeConfig {
    /// Files harmed within ten seconds that make an event of severity high. Fewer sees an attack earlier and a person
    /// renaming by hand sooner as well.
    pub high_files: u32,
    /// Files harmed in one burst that make it critical. A burst over three directories is critical at less than half.
    pub critical_files: u32,
    /// Files deleted, moved away or emptied within two minutes that make an event at all. A virus scanner that takes thirty
    /// away at once is below the default. Where several programs did it and none by itself so many, it takes twice as many
    /// to be high. A file that was emptied, or lies in a new archive with a password, counts twice.
    pub removed_files: u32,
    /// A burst has ended when nothing was harmed for this long, in seconds.
    pub quiet_secs: u64,
    /// Suffixes that programs of this hospital append, without the dot. They count only when the content no longer fits.
    pub allowed_suffixes: Vec<String>,
    /// Suffixes an advisory or a partner names as an attacker's, without the dot. One file that gets one is high at once,
    /// and no maintenance window or job covers it.
    pub known_bad_suffixes: Vec<String>,
    /// Names of files an advisory or a partner names as an attacker's, such as that of a ransom note. As for suffixes.
    pub known_bad_names: Vec<String>,
    /// Days a root is watched before what is deleted, moved and rewritten there at the same hour of other days counts
    /// as usual and is told as low, up to ten times `removed_files`. 0 learns nothing. Lost content, decoys and ransom
    /// notes are never usual.
    pub learning_days: u32,
    /// Local time in which jobs and hours are meant, in minutes ahead of UTC. 540 is Japan.
    pub utc_offset_minutes: i32,
    /// Work that is expected on a root at certain times, and then told as low. Never covers lost content, decoys and
    /// ransom notes.
    pub jobs: Vec<Job>,
}

impl Default for MassChangeConfig {
    fn default() -> Self {
        Self {
            high_files: 3,
            critical_files: 20,
            removed_files: 32,
            quiet_secs: 30,
            allowed_suffixes: Vec::new(),
            known_bad_suffixes: Vec::new(),
            known_bad_names: Vec::new(),
            learning_days: 7,
            utc_offset_minutes: 540,
            jobs: Vec::new(),
        }
    }
}

impl MassChangeConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let key = |name: &str| format!("detectors.mass_change.{name}");
        let mut problems = Vec::new();
        if self.high_files == 0 || self.removed_files == 0 {
            let remedy = "give at least 1; the defaults are 3 and 32";
            problems.push(Problem::of(&key("high_files"), "or `removed_files` is 0", remedy));
        }
        if self.critical_files < self.high_files {
            let remedy = "give a number not below `high_files`; 20 is the default";
            problems.push(Problem::of(&key("critical_files"), "is below `high_files`", remedy));
        }
        if self.quiet_secs == 0 {
            let remedy = "give at least 1 second; 30 is the default";
            problems.push(Problem::of(&key("quiet_secs"), "is 0", remedy));
        }
        let odd = |suffix: &&String| suffix.starts_with('.') || suffix.is_empty();
        if self.allowed_suffixes.iter().any(|suffix| odd(&suffix)) {
            let remedy = "write `done`, not `.done`";
            problems.push(Problem::of(&key("allowed_suffixes"), "holds a dot or nothing", remedy));
        }
        let table = "detectors.mass_change";
        problems.extend(known_bad::problems(
            table,
            &self.known_bad_suffixes,
            &self.known_bad_names,
        ));
        if OFFSET_MAX_MINUTES < self.utc_offset_minutes.abs() {
            let remedy = "give minutes between -840 and 840; 540 is Japan";
            problems.push(Problem::of(&key("utc_offset_minutes"), "is no time zone", remedy));
        }
        for job in &self.jobs {
            problems.extend(job.problems(&key("jobs")));
        }
        problems
    }

    /// Returns a problem for each job on a root that is not watched.
    #[must_use]
    pub fn lost_jobs(&self, watched: &[&str]) -> Vec<Problem> {
        let lost = |job: &&Job| !watched.contains(&job.root.as_str());
        let problem = |job: &Job| {
            let message = format!("has the job `{}` on the root `{}`", job.name, job.root);
            let remedy = format!("name a watched root by its label: {}", watched.join(", "));
            Problem::of("detectors.mass_change.jobs", message, remedy)
        };

        self.jobs.iter().filter(lost).map(problem).collect()
    }

    /// The same, with everything in the form in which it is compared.
    pub(super) fn prepared(&self) -> Self {
        let mut settings = self.clone();
        let lists = [
            &mut settings.allowed_suffixes,
            &mut settings.known_bad_suffixes,
            &mut settings.known_bad_names,
        ];
        for name in lists.into_iter().flatten() {
            *name = name.to_lowercase();
        }
        settings
    }
}
