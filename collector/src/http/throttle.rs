//! How often one address may ask, on the listeners that answer whoever calls.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::error::ApiError;
use super::listener::Peer;

/// From so many remembered addresses on, those that were quiet are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Counts the requests of each address.
#[derive(Clone)]
pub(super) struct Throttle(Arc<DefaultKeyedRateLimiter<IpAddr>>);

impl Throttle {
    /// Lets each address make `burst` requests at once, and one more after each `refill`, which is not zero.
    pub(super) fn new(burst: NonZeroU32, refill: Duration) -> Self {
        let quota = Quota::with_period(refill)
            .map_or_else(|| Quota::per_second(burst), |quota| quota.allow_burst(burst));

        Self(Arc::new(RateLimiter::keyed(quota)))
    }
}

/// Refuses an address that asks too often.
pub(super) async fn not_too_often(
    State(Throttle(requests)): State<Throttle>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if ADDRESSES_MAX < requests.len() {
        requests.retain_recent();
    }
    if requests.check_key(&household(peer.address.ip())).is_err() {
        return Err(ApiError::TooMany);
    }

    Ok(next.run(request).await)
}

/// Counts an IPv6 network of /64 as one address: a single machine owns all of it.
fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_cannot_escape_the_limit_with_its_other_addresses() {
        let household = |text: &str| household(text.parse().unwrap()).to_string();
        assert_eq!(household("2001:db8:1:2:3:4:5:6"), household("2001:db8:1:2:ffff::1"));
        assert_ne!(household("2001:db8:1:2::1"), household("2001:db8:1:3::1"));
        assert_eq!(household("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
