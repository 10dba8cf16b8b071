//! Authorities that replace each other.

use shirase_shared::tls::Fingerprint;
use shirase_shared::wire::{Heartbeat, HeartbeatAnswer};

use crate::server::{Reply, Request, Server};
use crate::site::{Authority, Site, config, heartbeat_answer};

/// A collector of `authority` that names these authorities to whoever trusts others.
fn naming(authority: &Authority, pem: String) -> Server {
    let named = pem.matches("BEGIN CERTIFICATE").count();
    authority.serve(Box::new(move |request| match request.path.as_str() {
        "/v1/heartbeat" => {
            let is_news = trusted(request).len() != named;
            let authorities_pem = is_news.then(|| pem.clone());
            Reply::json(200, &HeartbeatAnswer { authorities_pem, ..heartbeat_answer() })
        }
        _ => Reply::Cut,
    }))
}

fn trusted(request: &Request) -> Vec<String> {
    let sent: Heartbeat = serde_json::from_slice(&request.body).unwrap();
    sent.authorities
}

fn print(authority: &Authority) -> String {
    Fingerprint::of(&authority.der()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_authorities_are_trusted_once_the_collector_names_them() {
    let (present, next) = (Authority::new(), Authority::new());
    let server = naming(&present, format!("{}{}", next.pem(), present.pem()));
    let mut site = Site::new(&present, config(&server.url));
    site.start();
    assert_eq!(trusted(&server.next("/v1/heartbeat")), [print(&present)]);
    let both = [print(&next), print(&present)];
    let by = std::time::Instant::now() + std::time::Duration::from_secs(15);
    while trusted(&server.next("/v1/heartbeat")) != both {
        assert!(std::time::Instant::now() < by, "the new authority was not taken");
    }
    assert!(
        std::fs::read_to_string(&site.identity.authority)
            .unwrap()
            .contains(&next.pem())
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_that_would_lock_the_host_out_or_are_none_are_not_taken() {
    let (present, other) = (Authority::new(), Authority::new());
    let leaf = present.certify(
        &rcgen::CertificateParams::default()
            .serialize_request(&rcgen::KeyPair::generate().unwrap())
            .unwrap()
            .pem()
            .unwrap(),
    );
    let many = present.pem().repeat(5);
    // One authority is what the host has: two are named, or the script says no word of it.
    for named in [
        format!("{}{}", other.pem(), other.pem()),
        format!("{leaf}{}", present.pem()),
        many,
        String::new(),
    ] {
        let server = naming(&present, named.clone());
        let mut site = Site::new(&present, config(&server.url));
        let before = std::fs::read(&site.identity.authority).unwrap();
        site.start();
        for _ in 0..3 {
            assert_eq!(trusted(&server.next("/v1/heartbeat")), [print(&present)], "{named}");
        }
        assert_eq!(std::fs::read(&site.identity.authority).unwrap(), before);
        site.stop().await;
    }
}
