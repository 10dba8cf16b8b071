//! TAXII 2.1, to be read only: collections of approved products, a page at a time.
//!
//! ```text
//! approved products ─▶ items (object, version, when added) ─▶ Ask (filters) ─▶ Page ─▶ envelope, manifest
//! ```
//!
//! Always holds:
//! - what is marked TLP:RED or TLP:AMBER+STRICT, and what belongs to an exercise, is in no collection;
//! - an object once added stays at its place, so that a page that was begun goes on where it ended.
//!
//! Not here: who asks (see `http::taxii`).

mod ask;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use shirase_shared::ids::FacilityId;

use super::stix::derived;
use crate::exchange::kind::Tlp;
use crate::exchange::partner::PartnerId;

pub use ask::{Ask, AskError, Page, page};

/// The media type of every answer.
pub const MEDIA_TYPE: &str = "application/taxii+json;version=2.1";
/// The media type of every object.
const STIX_TYPE: &str = "application/stix+json;version=2.1";
/// Bytes of the token a client shows.
pub const TOKEN_BYTES: usize = 32;

/// Somebody who may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Client {
    /// Whose products.
    pub facility: FacilityId,
    /// What it is called here.
    pub id: PartnerId,
    /// The narrowest mark it may read.
    pub reads: Tlp,
    /// Since when.
    pub made_at: Timestamp,
    /// Since when no more.
    pub revoked_at: Option<Timestamp>,
}

/// A collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Collection {
    /// What may be published: TLP:CLEAR.
    Public,
    /// What the community may read: TLP:GREEN too.
    Community,
    /// What members and those they serve may read: TLP:AMBER too.
    Members,
}

impl Collection {
    /// Every collection.
    pub const ALL: [Self; 3] = [Self::Public, Self::Community, Self::Members];

    /// Returns the narrowest mark in it.
    #[must_use]
    pub const fn narrowest(self) -> Tlp {
        match self {
            Self::Public => Tlp::Clear,
            Self::Community => Tlp::Green,
            Self::Members => Tlp::Amber,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Public => "TLP:CLEAR",
            Self::Community => "TLP:CLEAR, TLP:GREEN",
            Self::Members => "TLP:CLEAR, TLP:GREEN, TLP:AMBER",
        }
    }

    /// Returns its id: the same for the same facility always.
    #[must_use]
    pub fn id(self, facility: &FacilityId) -> String {
        let whole = derived("collection", &[facility.as_str(), self.narrowest().as_str()]);
        whole
            .strip_prefix("collection--")
            .unwrap_or_default()
            .to_owned()
    }

    /// Returns it as clients see it.
    #[must_use]
    pub fn resource(self, facility: &FacilityId) -> Value {
        json!({
            "id": self.id(facility),
            "title": format!("Shirase sharing products ({})", self.title()),
            "can_read": true,
            "can_write": false,
            "media_types": [STIX_TYPE],
        })
    }
}

impl Client {
    /// Returns the collections it may read.
    pub fn collections(&self) -> impl Iterator<Item = Collection> {
        let reads = self.reads;
        let all = Collection::ALL.into_iter();
        all.filter(move |collection| reads <= collection.narrowest())
    }

    /// Finds a collection it may read.
    #[must_use]
    pub fn collection(&self, id: &str) -> Option<Collection> {
        self.collections().find(|one| one.id(&self.facility) == id)
    }
}

/// Whether a mark can be the narrowest a client reads.
#[must_use]
pub const fn can_be_read(tlp: Tlp) -> bool {
    match tlp {
        Tlp::Clear | Tlp::Green | Tlp::Amber => true,
        Tlp::AmberStrict | Tlp::Red => false,
    }
}

/// An approved product as it is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// When it was approved.
    pub added: Timestamp,
    /// Its mark.
    pub tlp: Tlp,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// Its bundle, as it was approved.
    pub bundle: Value,
}

/// One object of a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// When it was added.
    pub added: Timestamp,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its type.
    pub kind: String,
    /// The object.
    pub object: Value,
}

/// Returns the objects of a collection, those added first before all others. The same version of an object that several
/// products have stands once.
#[must_use]
pub fn items(collection: Collection, mut offered: Vec<Offered>) -> Vec<Item> {
    offered.retain(|one| !one.drill && collection.narrowest() <= one.tlp);
    offered.sort_by_key(|one| one.added);
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    let mut items = Vec::new();
    for Offered { added, bundle, .. } in offered {
        let objects = bundle.get("objects").and_then(Value::as_array).cloned();
        for object in objects.unwrap_or_default() {
            let text = |name: &str| object.get(name).and_then(Value::as_str);
            let Some(id) = text("id").map(str::to_owned) else { continue };
            let version = text("modified").or_else(|| text("created"));
            let version = version.map_or_else(|| written(added), str::to_owned);
            // An observable has no version of its own: it stands once.
            let key = if text("created").is_some() { version.clone() } else { String::new() };
            if known.insert((id.clone(), key)) {
                let kind = text("type").unwrap_or_default().to_owned();
                items.push(Item { added, id, version, kind, object });
            }
        }
    }
    items
}

/// Returns what the server says of itself.
#[must_use]
pub fn discovery(root: &str) -> Value {
    json!({
        "title": "Shirase",
        "description": "Approved sharing products, to be read only",
        "default": root,
        "api_roots": [root],
    })
}

/// Returns what an API root says of itself.
#[must_use]
pub fn api_root() -> Value {
    json!({
        "title": "Shirase sharing products",
        "versions": [MEDIA_TYPE],
        // Nothing is taken; the number has to be there.
        "max_content_length": 1,
    })
}

/// Returns the objects of a page as an envelope.
#[must_use]
pub fn envelope(page: &Page<'_>) -> Value {
    let objects: Vec<&Value> = page.items.iter().map(|item| &item.object).collect();
    with_more(json!({ "objects": objects }), "objects", page)
}

/// Returns what a page holds without the objects.
#[must_use]
pub fn manifest(page: &Page<'_>) -> Value {
    let record = |item: &&Item| {
        json!({
            "id": item.id,
            "date_added": written(item.added),
            "version": item.version,
            "media_type": STIX_TYPE,
        })
    };
    let objects: Vec<Value> = page.items.iter().map(record).collect();
    with_more(json!({ "objects": objects }), "objects", page)
}

/// Returns the versions a page holds.
#[must_use]
pub fn versions(page: &Page<'_>) -> Value {
    let all: Vec<&str> = page
        .items
        .iter()
        .map(|item| item.version.as_str())
        .collect();
    with_more(json!({ "versions": all }), "versions", page)
}

/// Adds where the next page begins; an empty list is left out, as the specification wants it.
fn with_more(mut resource: Value, list: &str, page: &Page<'_>) -> Value {
    if let Some(members) = resource.as_object_mut() {
        if page.items.is_empty() {
            members.remove(list);
        }
        if let Some(next) = page.next {
            members.insert("more".to_owned(), json!(true));
            members.insert("next".to_owned(), json!(next.to_string()));
        }
    }
    resource
}

/// Returns an error as clients read it.
#[must_use]
pub fn error(status: u16, title: &str) -> Value {
    json!({ "title": title, "http_status": status.to_string() })
}

/// Writes a moment as TAXII does, with microseconds.
#[must_use]
pub fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests;
