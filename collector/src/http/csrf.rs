//! Whether a form was sent from a page of this console.
//!
//! Three bars, each enough by itself in a current browser: the cookie is `SameSite=Strict`, the browser's own word
//! (`Sec-Fetch-Site`, or `Origin` from older ones) must name this site, and the form carries a token of the session.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Header by which browsers tell where a request comes from.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Whether the browser says that a request comes from elsewhere. A program that sends neither header is judged by the
/// token alone.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(SEC_FETCH_SITE) {
        return site != "same-origin";
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return false;
    };
    let host = text(HOST.as_str()).unwrap_or_default();
    origin
        .split_once("://")
        .is_none_or(|(_, named)| host.is_empty() || named != host)
}

/// Compares two tokens in a time that does not tell how much of them agrees.
pub(super) fn same_token(expected: &str, sent: &str) -> bool {
    let (expected, sent) = (expected.as_bytes(), sent.as_bytes());
    let differing = expected
        .iter()
        .zip(sent)
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    !expected.is_empty() && expected.len() == sent.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_site_may_send_forms() {
        let check = |pairs: &[(&'static str, &str)]| {
            let headers = pairs
                .iter()
                .map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()));
            comes_from_elsewhere(&headers.collect())
        };
        assert!(!check(&[]));
        assert!(!check(&[("sec-fetch-site", "same-origin"), ("origin", "https://evil")]));
        assert!(!check(&[("origin", "https://c.example:8443"), ("host", "c.example:8443")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(check(&[("sec-fetch-site", site)]), "{site}");
        }
        for origin in ["null", "https://c.example", "https://c.example:8443.evil"] {
            assert!(check(&[("origin", origin), ("host", "c.example:8443")]), "{origin}");
        }
    }

    #[test]
    fn a_token_fits_itself_alone() {
        assert!(same_token("abc", "abc"));
        for wrong in ["", "ab", "abd", "abcd"] {
            assert!(!same_token("abc", wrong), "{wrong}");
        }
        assert!(!same_token("", ""));
    }
}
