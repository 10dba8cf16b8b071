//! What a client asks for: filters and pages.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Item;

/// Most objects of one page.
const PAGE_MAX: usize = 100;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    added_after: Option<Timestamp>,
    limit: usize,
    from: usize,
    ids: Vec<String>,
    kinds: Vec<String>,
    versions: Vec<String>,
    specs: Vec<String>,
}

/// Why a question is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// A moment does not read.
    #[error("added_after is no timestamp such as 2026-02-08T16:50:00.000000Z")]
    AddedAfter,
    /// A limit is no number from 1 on.
    #[error("limit is a number from 1 on")]
    Limit,
    /// A place to go on at was not given by this server.
    #[error("next is what an answer of this server named")]
    Next,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            added_after: None,
            limit: PAGE_MAX,
            from: 0,
            ids: Vec::new(),
            kinds: Vec::new(),
            versions: Vec::new(),
            specs: Vec::new(),
        }
    }
}

impl Ask {
    /// Reads the parameters of an address. Those TAXII does not know are left alone.
    ///
    /// # Errors
    /// Says which does not read.
    pub fn read(pairs: &[(String, String)]) -> Result<Self, AskError> {
        let mut ask = Self::default();
        let listed = |text: &str| text.split(',').map(str::to_owned).collect();
        for (name, value) in pairs {
            match name.as_str() {
                "added_after" => {
                    let at = value.parse().map_err(|_| AskError::AddedAfter)?;
                    ask.added_after = Some(at);
                }
                "limit" => {
                    let limit: usize = value.parse().map_err(|_| AskError::Limit)?;
                    if limit == 0 {
                        return Err(AskError::Limit);
                    }
                    ask.limit = limit.min(PAGE_MAX);
                }
                "next" => ask.from = value.parse().map_err(|_| AskError::Next)?,
                "match[id]" => ask.ids = listed(value),
                "match[type]" => ask.kinds = listed(value),
                "match[version]" => ask.versions = listed(value),
                "match[spec_version]" => ask.specs = listed(value),
                _ => {}
            }
        }

        Ok(ask)
    }

    /// The same for one object alone.
    #[must_use]
    pub fn of_object(mut self, id: &str) -> Self {
        self.ids = vec![id.to_owned()];
        self
    }

    /// The same for every version.
    #[must_use]
    pub fn every_version(mut self) -> Self {
        self.versions = vec!["all".to_owned()];
        self
    }

    fn wants(&self, item: &Item) -> bool {
        let named =
            |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
        self.added_after.is_none_or(|after| after < item.added)
            && named(&self.ids, &item.id)
            && named(&self.kinds, &item.kind)
            && named(&self.specs, "2.1")
    }
}

/// A page of objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<'a> {
    /// The objects.
    pub items: Vec<&'a Item>,
    /// Where the next page begins, if there is one.
    pub next: Option<usize>,
}

/// Returns the page a client asks for.
#[must_use]
pub fn page<'a>(items: &'a [Item], ask: &Ask) -> Page<'a> {
    let wanted: Vec<&Item> = items.iter().filter(|item| ask.wants(item)).collect();
    let wanted = of_versions(wanted, &ask.versions);
    let rest = wanted.len().saturating_sub(ask.from);
    let next = (ask.limit < rest).then(|| ask.from + ask.limit);
    let items = wanted.into_iter().skip(ask.from).take(ask.limit).collect();

    Page { items, next }
}

/// Leaves the versions asked for: the last of each object if nothing was said.
fn of_versions<'a>(items: Vec<&'a Item>, versions: &[String]) -> Vec<&'a Item> {
    let says = |word: &str| versions.iter().any(|one| one == word);
    if says("all") {
        return items;
    }
    let mut ends: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for item in &items {
        let version = item.version.as_str();
        let known = ends.entry(&item.id).or_insert((version, version));
        *known = (known.0.min(version), known.1.max(version));
    }
    let wanted = |item: &&Item| {
        let (first, last) = ends.get(item.id.as_str()).copied().unwrap_or_default();
        let version = item.version.as_str();
        let is_last = version == last && (versions.is_empty() || says("last"));
        is_last || (says("first") && version == first) || says(version)
    };
    items.into_iter().filter(wanted).collect()
}
