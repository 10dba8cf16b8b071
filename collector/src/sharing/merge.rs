//! What a CEPTOAR makes of products it received: one of its own, with the indicators of several, never marked wider.

use std::collections::BTreeMap;

use super::{Body, Shared};
use crate::exchange::PackageId;
use crate::exchange::kind::Tlp;

/// A product that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The package it came in.
    pub package: PackageId,
    /// What it says.
    pub body: Body,
}

/// Whether a mark lets somebody pass a product on to those they serve (TLP 2.0).
#[must_use]
pub const fn may_pass_on(tlp: Tlp) -> bool {
    match tlp {
        Tlp::Red | Tlp::AmberStrict => false,
        Tlp::Amber | Tlp::Green | Tlp::Clear => true,
    }
}

/// Returns a new body from those of others.
///
/// That is: their indicators and techniques together, the narrowest mark, the whole span, and the texts one after the other
/// for a person to write anew. `None` if there is none, one may not be passed on, or an exercise's would be mixed with a
/// real one.
#[must_use]
pub fn merged(origins: &[Origin]) -> Option<Body> {
    let (first, others) = origins.split_first()?;
    let drill = first.body.drill;
    let fits = |origin: &Origin| may_pass_on(origin.body.tlp) && origin.body.drill == drill;
    if !origins.iter().all(fits) {
        return None;
    }
    let mut body = first.body.clone();
    for origin in others {
        let other = &origin.body;
        body.span = body.span.with(other.span);
        body.tlp = body.tlp.min(other.tlp);
        body.indicators.extend(other.indicators.iter().cloned());
        body.techniques.extend(&other.techniques);
        if other.attack != body.attack {
            body.attack = super::AttackKind::Other;
        }
        if other.summary != body.summary {
            body.summary = format!("{}\n{}", body.summary, other.summary);
        }
    }

    Some(body.tidied())
}

/// Counts in how many of several products each indicator stands.
#[must_use]
pub fn offered(origins: &[Origin]) -> BTreeMap<Shared, u64> {
    let mut counts: BTreeMap<Shared, u64> = BTreeMap::new();
    for shared in origins.iter().flat_map(|origin| &origin.body.indicators) {
        *counts.entry(shared.clone()).or_default() += 1;
    }
    counts
}
