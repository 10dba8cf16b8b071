//! What a probe asks, as the configuration says it. It stands in `shared`, since a policy may say it too.

pub use shirase_shared::settings::probe::{ProbeConfig, problems};

#[cfg(test)]
mod tests;
