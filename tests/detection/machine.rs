//! What machine the figures are of.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::command::run;

/// The machine, as far as it matters to figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) kernel: String,
    pub(crate) system: String,
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) memory_mib: u64,
    /// Runnable processes over the last minute when the report was written: figures of a busy machine are worth less.
    pub(crate) load: String,
    /// File system of the grounds.
    pub(crate) written_at: String,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
        let field = |text: &str, key: &str| -> String {
            let line = text.lines().find(|line| line.starts_with(key));
            let value = line.and_then(|line| line.split_once([':', '=']));
            value
                .map_or("unknown", |(_, value)| value.trim().trim_matches('"'))
                .to_owned()
        };
        let said = |name: &str, arguments: &[&str]| {
            run(Command::new(name).args(arguments))
                .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory
            .split(' ')
            .next()
            .and_then(|kib| kib.parse().ok())
            .unwrap_or(0);

        Self {
            kernel: said("uname", &["-sr"]),
            system: field(&read("/etc/os-release"), "PRETTY_NAME"),
            processor: field(&read("/proc/cpuinfo"), "model name"),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_mib: kib / 1024,
            load: read("/proc/loadavg")
                .split(' ')
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            written_at: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        }
    }
}
