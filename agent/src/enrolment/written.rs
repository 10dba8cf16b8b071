//! Writes the configuration an enrolled host begins with: the commented default, with what is known filled in.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::DEFAULT_TEXT;
use crate::identity::Enrolment;
use crate::{durable, service};

use super::{EnrolError, EnrolOrder};

/// What became of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Configuration {
    /// It was written here.
    Written(PathBuf),
    /// One was there and says something else; the new one lies beside it for a person to compare.
    KeptOld {
        /// The one that was there.
        kept: PathBuf,
        /// The one for this enrolment.
        proposed: PathBuf,
    },
}

pub(super) fn write(
    order: &EnrolOrder,
    enrolment: &Enrolment,
) -> Result<Configuration, EnrolError> {
    let path = order.config.clone();
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| EnrolError::WriteConfig { path, source }
    };
    let text = filled_in(order, enrolment).map_err(failed(&path))?;
    if let Some(dir) = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty() && !dir.exists())
    {
        service::create_private_dir(dir).map_err(failed(dir))?;
    }
    match std::fs::read_to_string(&path) {
        Ok(old) if old == text => return Ok(Configuration::Written(path)),
        Ok(_) => {
            let mut proposed = path.clone().into_os_string();
            proposed.push(".proposed");
            let proposed = PathBuf::from(proposed);
            durable::replace(&proposed, text.as_bytes()).map_err(failed(&proposed))?;
            return Ok(Configuration::KeptOld { kept: path, proposed });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&path)(error)),
    }
    durable::replace(&path, text.as_bytes()).map_err(failed(&path))?;

    Ok(Configuration::Written(path))
}

/// The commented default with collector, state directory and roots filled in.
fn filled_in(order: &EnrolOrder, enrolment: &Enrolment) -> io::Result<String> {
    let mut text = set(DEFAULT_TEXT, "uplink", "collector_url", &enrolment.ingest_url);
    let state = absolute(order.state.dir())?;
    text = set(&text, "agent", "state_dir", &state);
    for root in &order.roots {
        text.push_str("\n[[sensors.roots]]\npath = ");
        text.push_str(&quoted(&absolute(root)?));
        text.push('\n');
    }

    Ok(text)
}

/// Replaces the value of one key in one table, comments and everything else kept.
fn set(text: &str, table: &str, key: &str, value: &str) -> String {
    let mut here = String::new();
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut here);
        }
        let is_key = trimmed
            .split_once('=')
            .is_some_and(|(name, _)| name.trim() == key);
        if here == table && is_key {
            out.push_str(key);
            out.push_str(" = ");
            out.push_str(&quoted(value));
            out.push('\n');
        } else {
            out.push_str(line);
        }
    }
    out
}

fn quoted(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

/// A path as the service will need it, wherever it is started from.
fn absolute(path: &Path) -> io::Result<String> {
    let path = std::path::absolute(path)?;
    path.into_os_string().into_string().map_err(|path| {
        let shown = path.to_string_lossy().into_owned();
        io::Error::other(format!("`{shown}` is not UTF-8 and cannot stand in the configuration"))
    })
}

#[cfg(test)]
mod tests {
    use shirase_shared::ids::HostId;
    use shirase_shared::secret::Secret;
    use shirase_shared::testing::builders::night;
    use shirase_shared::tls::Fingerprint;

    use super::*;
    use crate::config::Config;
    use crate::paths::StateDir;

    #[test]
    fn the_written_configuration_reads_back_with_collector_state_and_roots() {
        let dir = tempfile::tempdir().unwrap();
        let order = order(dir.path());
        let written = write(&order, &enrolment()).unwrap();
        assert_eq!(written, Configuration::Written(order.config.clone()));
        let config = Config::parse(&std::fs::read_to_string(&order.config).unwrap()).unwrap();
        assert_eq!(config.uplink.collector_url, "https://c.example:8444");
        assert_eq!(config.agent.state_dir, dir.path().join("state"));
        let roots: Vec<_> = config
            .sensors
            .roots
            .iter()
            .map(|root| root.path.clone())
            .collect();
        assert_eq!(roots, [dir.path().join("a \"quoted\" share")]);
    }

    #[test]
    fn an_existing_configuration_is_kept_and_the_new_one_laid_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let order = order(dir.path());
        std::fs::create_dir_all(order.config.parent().unwrap()).unwrap();
        std::fs::write(&order.config, "# mine\n").unwrap();
        let written = write(&order, &enrolment()).unwrap();
        let Configuration::KeptOld { kept, proposed } = written else { panic!("{written:?}") };
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "# mine\n");
        assert!(
            std::fs::read_to_string(proposed)
                .unwrap()
                .contains("https://c.example:8444")
        );
    }

    fn order(dir: &Path) -> EnrolOrder {
        EnrolOrder {
            collector: "https://c.example:8445".to_owned(),
            token: Secret::new("t".to_owned()),
            fingerprint: Fingerprint::of(b""),
            config: dir.join("etc/agent.toml"),
            state: StateDir::new(dir.join("state")),
            anew: false,
            roots: vec![dir.join("a \"quoted\" share")],
        }
    }

    fn enrolment() -> Enrolment {
        Enrolment {
            host: HostId::random(),
            facility: "handa-hp".parse().unwrap(),
            order_key: String::new(),
            manifest_recipient: String::new(),
            ingest_url: "https://c.example:8444".to_owned(),
            enrolled_at: night(),
        }
    }
}
