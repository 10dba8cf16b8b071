//! Makes a mark of a file: which file it is, where, and whether a hospital would miss it.

use std::path::Path;

use shirase_shared::clock::Moment;
use shirase_shared::redact::shown_extension;

use crate::detectors::mass_change::Touch;
use crate::detectors::mass_change::evidence::{Evidence, Mark, Value};
use crate::detectors::mass_change::memory::Keys;
use crate::names::{self, Kind};
use crate::observation::file_name;

/// Extensions of texts a hospital would miss.
const VALUED_TEXTS: &[&str] = &["txt", "text", "xml"];

/// Makes a mark about the file now at `path` that was called `well`.
pub(super) fn mark(keys: &Keys, at: Moment, path: &Path, well: &Path, evidence: Evidence) -> Mark {
    let name = file_name(well);
    let extension = names::extension(&name);

    Mark {
        at,
        file: keys.key(well),
        directory: keys.directory(well),
        evidence,
        value: value(&name, extension.as_deref(), evidence),
        files: 1,
        suffix: None,
        extension: extension.map(|extension| shown_extension(&extension)),
        below: path.to_owned(),
        touch: Touch::Written,
        actor: None,
    }
}

fn value(name: &str, extension: Option<&str>, evidence: Evidence) -> Value {
    let valued_text = extension.is_some_and(|extension| VALUED_TEXTS.contains(&extension));
    match (names::kind_of_name(name), evidence) {
        (Some(Kind::Document), _) | (Some(Kind::Text), Evidence::Truncated) => Value::Valued,
        (Some(Kind::Text), _) if valued_text => Value::Valued,
        (Some(Kind::Text | Kind::Other) | None, _) => Value::Common,
    }
}
