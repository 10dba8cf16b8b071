//! The words of a partner's package that nobody here has read.

use serde::Serialize;

use super::line;
use crate::exchange::PackageId;
use crate::exchange::kind::{PackageKind, Tlp};
use crate::locale::Locale;

/// A package that came, as far as staff are told of it: its text and its files are read in the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageCame {
    /// Which.
    pub id: PackageId,
    /// The thread it belongs to.
    pub thread: PackageId,
    /// What it is.
    pub kind: PackageKind,
    /// What the partner is called.
    pub partner: String,
    /// One line.
    pub subject: String,
    /// How far it may be passed on.
    pub tlp: Tlp,
}

impl PackageCame {
    /// Returns its subject; what is for the people addressed alone says nothing in a mail.
    fn told_subject(&self) -> Option<String> {
        (self.tlp != Tlp::Red).then(|| line(&self.subject))
    }
}

/// What a webhook is told of a package. Fields are added, never repurposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostPackage {
    /// Which.
    pub package: PackageId,
    /// `report`, `question`, `notice` …
    pub package_kind: &'static str,
    /// From whom.
    pub partner: String,
    /// One line; left out where it is for the people addressed alone (TLP:RED).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

pub(super) fn post(came: &PackageCame) -> PostPackage {
    PostPackage {
        package: came.id.clone(),
        package_kind: came.kind.as_str(),
        partner: line(&came.partner),
        subject: came.told_subject(),
    }
}

pub(super) fn subject(
    came: &PackageCame,
    (facility, kind): (&str, &str),
    locale: Locale,
) -> String {
    locale.text_with(
        "package-mail-subject",
        &[("facility", &facility), ("partner", &line(&came.partner)), ("kind", &kind)],
    )
}

pub(super) fn lines(came: &PackageCame, locale: Locale) -> Vec<String> {
    let mut lines = vec![
        locale.text_with("package-mail-from", &[("partner", &line(&came.partner))]),
        locale.text_with("package-mail-tlp", &[("tlp", &came.tlp.mark())]),
    ];
    if let Some(subject) = came.told_subject() {
        lines.push(locale.text_with("package-mail-about", &[("subject", &subject)]));
    }
    lines.extend([String::new(), locale.text("package-mail-do")]);
    lines
}
