//! Judges what the collector asks for: only a signed, fresh order for this host is carried out, and only once.
//!
//! ```text
//! SignedOrder ─▶ signature ─▶ host ─▶ expiry (by the collector's time) ─▶ nonce seen? ─▶ CarryOut | AlreadySeen | Refused
//! ```
//!
//! Always holds:
//! - an order's id is on disk before anything is done for it, so that a crash never carries it out twice;
//! - the collector repeats an order until it is confirmed, so one that was seen is passed over quietly, and one that
//!   was refused is told once;
//! - what is remembered is bounded by the orders' own expiry.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{HostId, OrderId};
use shirase_shared::tls::sha256_hex;
use shirase_shared::wire::{Action, Order, SignedOrder};

use crate::durable;
use crate::identity::{Enrolment, IdentityError};
use crate::paths::StateDir;

/// Largest order text read.
const ORDER_MAX_BYTES: usize = 16 * 1024;
/// Fewest and most files of a drill.
const DRILL_FILES: std::ops::RangeInclusive<u32> = 10..=500;
/// Refused orders remembered, so that each is told once; beyond that the memory starts over.
const REFUSED_MAX: usize = 256;

/// Why an order is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// Longer than any order.
    #[error("the order is longer than {ORDER_MAX_BYTES} bytes")]
    TooLong,
    /// The signature is not the collector's.
    #[error("the order is not signed with the order key this host was enrolled with")]
    Signature,
    /// Signed, but not readable: a newer collector.
    #[error("the order is signed but this version of the agent does not understand it")]
    Unreadable,
    /// For another host.
    #[error("order {order} is for host {host}, not for this one")]
    OtherHost {
        /// Which order.
        order: OrderId,
        /// Whom it names.
        host: HostId,
    },
    /// Too late.
    #[error("order {order} expired at {expires_at}; by the collector's time it is {now}")]
    Expired {
        /// Which order.
        order: OrderId,
        /// When it expired.
        expires_at: Timestamp,
        /// The collector's time.
        now: Timestamp,
    },
    /// Older than the book of orders seen, so that nobody can tell whether it was carried out.
    #[error(
        "order {order} was given at {issued_at}, before this host began its present book of orders at {since}; it may \
         have been carried out already, so give it again"
    )]
    OlderThanBook {
        /// Which order.
        order: OrderId,
        /// When it was given.
        issued_at: Timestamp,
        /// When the book began.
        since: Timestamp,
    },
    /// A drill of an unreasonable size.
    #[error("order {order} asks for a drill of {files} files; 10 to 500 are carried out")]
    DrillSize {
        /// Which order.
        order: OrderId,
        /// How many it wants.
        files: u32,
    },
    /// A maintenance window that is over before it begins.
    #[error("order {order} asks for a maintenance window that ended at {until}")]
    WindowOver {
        /// Which order.
        order: OrderId,
        /// When it ended.
        until: Timestamp,
    },
}

/// What to do with an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Remember it, then do it.
    CarryOut(Order),
    /// It was carried out before; the collector only repeats it.
    AlreadySeen(OrderId),
    /// Tell why, once.
    Refused(OrderRefusal),
    /// Refused before and told then.
    RefusedBefore,
}

/// Keeps the key, and the orders seen.
pub struct OrderBook {
    key: UnparsedPublicKey<Vec<u8>>,
    host: HostId,
    path: PathBuf,
    seen: Seen,
    refused: BTreeSet<String>,
}

/// The book as it lies on disk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Seen {
    /// Set when an earlier book was lost: orders given before are refused.
    since: Option<Timestamp>,
    /// Orders carried out, with their expiry.
    orders: BTreeMap<OrderId, Timestamp>,
}

impl OrderBook {
    /// Opens the book of this host.
    ///
    /// A book that does not read stops nothing but the orders given before `now`: they might be carried out twice.
    ///
    /// # Errors
    /// If the order key is none.
    pub fn open(
        enrolment: &Enrolment,
        state: &StateDir,
        now: Timestamp,
    ) -> Result<Self, IdentityError> {
        let path = state.orders_seen();
        let seen = match durable::read_json(&path) {
            Ok(seen) => seen.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "the book of orders does not read; orders given before now are refused");
                Seen { since: Some(now), orders: BTreeMap::new() }
            }
        };

        Ok(Self {
            key: UnparsedPublicKey::new(&ED25519, enrolment.order_key()?),
            host: enrolment.host,
            path,
            seen,
            refused: BTreeSet::new(),
        })
    }

    /// Decides about one order. `now` is the collector's time.
    pub fn judge(&mut self, signed: &SignedOrder, now: Timestamp) -> Decision {
        let refusal = match self.examine(signed, now) {
            Ok(decision) => return decision,
            Err(refusal) => refusal,
        };
        if REFUSED_MAX <= self.refused.len() {
            self.refused.clear();
        }
        if self.refused.insert(sha256_hex(signed.order.as_bytes())) {
            Decision::Refused(refusal)
        } else {
            Decision::RefusedBefore
        }
    }

    fn examine(&self, signed: &SignedOrder, now: Timestamp) -> Result<Decision, OrderRefusal> {
        if ORDER_MAX_BYTES < signed.order.len() {
            return Err(OrderRefusal::TooLong);
        }
        let signature = BASE64
            .decode(&signed.signature)
            .map_err(|_| OrderRefusal::Signature)?;
        self.key
            .verify(signed.order.as_bytes(), &signature)
            .map_err(|_| OrderRefusal::Signature)?;
        let order: Order =
            serde_json::from_str(&signed.order).map_err(|_| OrderRefusal::Unreadable)?;
        if order.host != self.host {
            return Err(OrderRefusal::OtherHost { order: order.id, host: order.host });
        }
        if self.seen.orders.contains_key(&order.id) {
            return Ok(Decision::AlreadySeen(order.id));
        }
        if order.expires_at <= now {
            let Order { id: order, expires_at, .. } = order;
            return Err(OrderRefusal::Expired { order, expires_at, now });
        }
        if let Some(since) = self.seen.since.filter(|since| order.issued_at < *since) {
            let Order { id: order, issued_at, .. } = order;
            return Err(OrderRefusal::OlderThanBook { order, issued_at, since });
        }
        match &order.action {
            Action::Drill { files, .. } if !DRILL_FILES.contains(files) => {
                Err(OrderRefusal::DrillSize { order: order.id, files: *files })
            }
            Action::Maintenance { until, .. } if *until <= now => {
                Err(OrderRefusal::WindowOver { order: order.id, until: *until })
            }
            Action::Drill { .. } | Action::Maintenance { .. } | Action::EndMaintenance { .. } => {
                Ok(Decision::CarryOut(order))
            }
        }
    }

    /// Writes down that an order is being carried out, before it is.
    ///
    /// # Errors
    /// If that cannot be made durable; then the order must not be carried out.
    pub fn remember(&mut self, order: &Order, now: Timestamp) -> io::Result<()> {
        let mut seen = self.seen.clone();
        seen.orders.retain(|_, expires_at| now < *expires_at);
        seen.orders.insert(order.id, order.expires_at);
        durable::replace_json(&self.path, &seen)?;
        self.seen = seen;

        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    use shirase_shared::ids::DrillId;
    use shirase_shared::testing::builders::night;

    use super::*;

    struct Bench {
        _dir: tempfile::TempDir,
        state: StateDir,
        key: Ed25519KeyPair,
        enrolment: Enrolment,
    }

    #[test]
    fn an_order_is_carried_out_once_also_after_a_restart() {
        let bench = bench();
        let signed = bench.sign(&bench.order(20));
        let mut book = bench.book();
        let Decision::CarryOut(order) = book.judge(&signed, night()) else { panic!() };
        book.remember(&order, night()).unwrap();
        assert_eq!(book.judge(&signed, night()), Decision::AlreadySeen(order.id));
        assert_eq!(bench.book().judge(&signed, night()), Decision::AlreadySeen(order.id));
    }

    #[test]
    fn a_forged_or_changed_order_is_refused_and_told_once() {
        let bench = bench();
        let mut signed = bench.sign(&bench.order(20));
        signed.order = signed.order.replace("20", "30");
        let mut book = bench.book();
        assert_eq!(book.judge(&signed, night()), Decision::Refused(OrderRefusal::Signature));
        assert_eq!(book.judge(&signed, night()), Decision::RefusedBefore);
        let stranger = Bench { key: fresh_key(), ..self::bench() };
        let signed = stranger.sign(&bench.order(20));
        assert_eq!(book.judge(&signed, night()), Decision::Refused(OrderRefusal::Signature));
        let garbage = SignedOrder { order: "{}".to_owned(), signature: "%%%".to_owned() };
        assert_eq!(book.judge(&garbage, night()), Decision::Refused(OrderRefusal::Signature));
    }

    #[test]
    fn an_order_for_another_host_too_late_or_too_large_is_refused() {
        let bench = bench();
        let mut book = bench.book();
        let mut refusal = |order: &Order, now| {
            let decision = book.judge(&bench.sign(order), now);
            let Decision::Refused(refusal) = decision else { panic!("{decision:?}") };
            refusal
        };
        let other = Order { host: HostId::random(), ..bench.order(20) };
        assert!(matches!(refusal(&other, night()), OrderRefusal::OtherHost { .. }));
        let late = night() + 1.hour();
        assert!(matches!(refusal(&bench.order(20), late), OrderRefusal::Expired { .. }));
        for files in [0, 9, 501, u32::MAX] {
            let refused = refusal(&bench.order(files), night());
            assert!(matches!(refused, OrderRefusal::DrillSize { .. }), "{files}");
        }
        let over = Action::Maintenance {
            owner: "IT".to_owned(),
            reason: "update".to_owned(),
            until: night(),
        };
        let over = Order { action: over, ..bench.order(20) };
        assert!(matches!(refusal(&over, night()), OrderRefusal::WindowOver { .. }));
    }

    #[test]
    fn an_expired_order_is_forgotten_and_its_replay_refused() {
        let bench = bench();
        let mut book = bench.book();
        let first = bench.order(20);
        book.remember(&first, night()).unwrap();
        let later = night() + 2.hours();
        let second = Order { expires_at: later + 1.hour(), ..bench.order(20) };
        book.remember(&second, later).unwrap();
        assert_eq!(book.seen.orders.keys().copied().collect::<Vec<_>>(), [second.id]);
        let replayed = book.judge(&bench.sign(&first), later);
        assert!(matches!(replayed, Decision::Refused(OrderRefusal::Expired { .. })));
    }

    #[test]
    fn a_lost_book_refuses_what_may_have_been_done_before() {
        let bench = bench();
        std::fs::write(bench.state.orders_seen(), "torn").unwrap();
        let mut book = bench.book();
        let old = book.judge(&bench.sign(&bench.order(20)), night() + 2.minutes());
        assert!(matches!(old, Decision::Refused(OrderRefusal::OlderThanBook { .. })), "{old:?}");
        let fresh = Order { issued_at: night() + 2.minutes(), ..bench.order(20) };
        let fresh = book.judge(&bench.sign(&fresh), night() + 2.minutes());
        assert!(matches!(fresh, Decision::CarryOut(_)), "{fresh:?}");
    }

    fn fresh_key() -> Ed25519KeyPair {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
    }

    fn bench() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let key = fresh_key();
        let enrolment = Enrolment {
            host: HostId::random(),
            facility: "handa-hp".parse().unwrap(),
            order_key: BASE64.encode(key.public_key().as_ref()),
            manifest_recipient: String::new(),
            ingest_url: String::new(),
            enrolled_at: night(),
        };
        Bench { state: StateDir::new(dir.path()), _dir: dir, key, enrolment }
    }

    impl Bench {
        fn book(&self) -> OrderBook {
            OrderBook::open(&self.enrolment, &self.state, night() + 1.minute()).unwrap()
        }

        fn order(&self, files: u32) -> Order {
            Order {
                id: OrderId::random(),
                host: self.enrolment.host,
                issued_at: night(),
                expires_at: night() + 10.minutes(),
                action: Action::Drill { drill: DrillId::random(), files },
            }
        }

        fn sign(&self, order: &Order) -> SignedOrder {
            let order = serde_json::to_string(order).unwrap();
            let signature = BASE64.encode(self.key.sign(order.as_bytes()).as_ref());
            SignedOrder { order, signature }
        }
    }
}
