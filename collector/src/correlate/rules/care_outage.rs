//! A system that care stands on is down.
//!
//! The same as [`super::outage`] for a target, or a host, with a care role. It closes nothing by itself: that the
//! system came back is noted in the reason, and a person decides what that means.

use super::outage;
use crate::correlate::conclusion::{Conclusion, Rule};
use crate::correlate::input::Facts;

pub(in crate::correlate) fn run(facts: &Facts<'_>) -> Vec<Conclusion> {
    outage::conclusions(facts, Rule::CareOutage)
}
