//! One product that was received: what it says, whether it was here, and what of it is accepted for detection.

use std::collections::BTreeMap;

use askama::Template;
use shirase_shared::ids::HostId;

use super::super::frame::Frame;
use super::super::ui::{Badge, Tone};
use crate::locale::{Locale, japan_time};
use crate::sharing::{Finding, Indicator, ProductPaper};
use crate::store::{Accepted, Received, Searched};

/// A product that was received.
#[derive(Template)]
#[template(path = "sharing_received.html")]
pub struct ReceivedPage {
    /// What stands around it.
    pub f: Frame,
    /// The package.
    pub package: String,
    /// From whom and when, in words.
    pub from: String,
    /// In words; none where it does not read.
    pub paper: Option<ProductPaper>,
    /// Who last looked for it and when, in words.
    pub searched: String,
    /// Its indicators.
    pub rows: Vec<FindingRow>,
}

/// One indicator of it.
pub struct FindingRow {
    /// What is sent.
    pub key: String,
    /// What kind of thing.
    pub kind: String,
    /// The thing.
    pub value: String,
    /// Whether it was here; none before somebody looked.
    pub finding: Option<Badge>,
    /// Where.
    pub hosts: String,
    /// Who accepted it, in words; empty if nobody did.
    pub accepted: String,
}

/// What the page is made from.
pub struct ReceivedParts<'a> {
    /// What came.
    pub received: &'a Received,
    /// Hash of what it says.
    pub sha256: &'a str,
    /// The last search.
    pub searched: Option<&'a Searched>,
    /// Everything that is accepted.
    pub accepted: &'a [Accepted],
    /// Names of hosts.
    pub hosts: &'a BTreeMap<HostId, String>,
}

impl ReceivedPage {
    /// Shows a product that was received.
    #[must_use]
    pub fn of(f: Frame, parts: &ReceivedParts<'_>) -> Self {
        let ReceivedParts { received, sha256, searched, .. } = parts;
        let locale = f.locale;
        let stored = japan_time(received.stored_at);
        let from: [(&str, &dyn std::fmt::Display); 2] =
            [("partner", &received.partner), ("time", &stored)];
        let body = received.body.as_ref().ok();
        let rows = body.map_or(&[][..], |body| body.indicators.as_slice());
        Self {
            package: received.package.to_string(),
            from: locale.text_with("sharing-received-from", &from),
            paper: body.map(|body| ProductPaper::of(body, sha256, locale)),
            searched: searched
                .map(|one| searched_words(one, locale))
                .unwrap_or_default(),
            rows: rows
                .iter()
                .map(|shared| row(&shared.what, parts, locale))
                .collect(),
            f,
        }
    }
}

fn searched_words(searched: &Searched, locale: Locale) -> String {
    let time = japan_time(searched.at);
    locale.text_with("sharing-searched", &[("name", &searched.by), ("time", &time)])
}

fn row(what: &Indicator, parts: &ReceivedParts<'_>, locale: Locale) -> FindingRow {
    let finding = parts
        .searched
        .and_then(|searched| searched.findings.get(what));
    let hosts = match finding {
        Some(Finding::Seen(looked)) => {
            let name = |id: &HostId| {
                parts
                    .hosts
                    .get(id)
                    .cloned()
                    .unwrap_or_else(|| id.to_string())
            };
            let names: Vec<String> = looked.hosts.iter().map(name).collect();
            locale.text_with("sharing-finding-hosts", &[("hosts", &names.join(", "))])
        }
        Some(Finding::NotHeld | Finding::Nowhere) | None => String::new(),
    };
    let accepted = parts
        .accepted
        .iter()
        .find(|one| one.what == *what)
        .map(|one| {
            let time = japan_time(one.at);
            locale.text_with("sharing-accepted-by", &[("name", &one.by), ("time", &time)])
        });
    FindingRow {
        key: what.key(),
        kind: locale.text(what.kind().label_key()),
        value: what.shown(),
        finding: finding.map(|finding| badge(finding, locale)),
        hosts,
        accepted: accepted.unwrap_or_default(),
    }
}

fn badge(finding: &Finding, locale: Locale) -> Badge {
    match finding {
        Finding::NotHeld => {
            Badge { tone: Tone::Quiet, text: locale.text("sharing-finding-not-held") }
        }
        Finding::Nowhere => {
            Badge { tone: Tone::Well, text: locale.text("sharing-finding-nowhere") }
        }
        Finding::Seen(looked) => {
            let (first, last) = (japan_time(looked.first_at), japan_time(looked.last_at));
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("events", &looked.events), ("first", &first), ("last", &last)];
            let text = locale.text_with("sharing-finding-seen", &values);
            Badge { tone: Tone::Critical, text }
        }
    }
}
