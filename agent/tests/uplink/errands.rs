//! Renewal and manifests.

use shirase_agent::uplink::{Sidecar, sidecar_path};
use shirase_shared::ids::BurstId;
use shirase_shared::tls::sha256_hex;
use shirase_shared::wire::{ManifestReceipt, RenewAnswer, RenewRequest, manifest_header};

use crate::server::Reply;
use crate::site::{Authority, Site, clock, config, heartbeat_answer};

/// The day after tomorrow: rcgen's default begins in 1975, so that far less than a third is left.
fn soon() -> (i32, u8, u8) {
    let soon = clock().now() + jiff::SignedDuration::from_hours(48);
    let date = soon.to_zoned(jiff::tz::TimeZone::UTC).date();
    (date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_near_its_end_is_renewed_with_a_new_key_without_a_restart() {
    let authority = std::sync::Arc::new(Authority::new());
    let issuer = std::sync::Arc::clone(&authority);
    let server = authority.serve(Box::new(move |request| match request.path.as_str() {
        "/v1/renew" => {
            let asked: RenewRequest = serde_json::from_slice(&request.body).unwrap();
            Reply::json(200, &RenewAnswer { certificate_pem: issuer.certify(&asked.csr_pem) })
        }
        _ => Reply::json(200, &heartbeat_answer()),
    }));
    let mut site = Site::expiring(&authority, config(&server.url), Some(soon()));
    let key_before = std::fs::read(&site.identity.key).unwrap();
    site.start();
    let asked = server.next("/v1/renew");
    let renewed_until = clock().now() + jiff::SignedDuration::from_hours(24 * 365);
    site.eventually("a later expiry", |state, _| {
        state
            .certificate_expires
            .is_some_and(|at| renewed_until < at)
    })
    .await;
    assert_ne!(std::fs::read(&site.identity.key).unwrap(), key_before, "the key is new");
    // The next heartbeats come with the new certificate.
    let by = std::time::Instant::now() + std::time::Duration::from_secs(15);
    while server.next("/v1/heartbeat").peer == asked.peer {
        assert!(std::time::Instant::now() < by, "the old certificate is still in use");
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_key_is_not_taken() {
    let authority = std::sync::Arc::new(Authority::new());
    let issuer = std::sync::Arc::clone(&authority);
    let server = authority.serve(Box::new(move |request| match request.path.as_str() {
        "/v1/renew" => {
            let key = rcgen::KeyPair::generate().unwrap();
            let other = rcgen::CertificateParams::default()
                .serialize_request(&key)
                .unwrap()
                .pem()
                .unwrap();
            Reply::json(200, &RenewAnswer { certificate_pem: issuer.certify(&other) })
        }
        _ => Reply::json(200, &heartbeat_answer()),
    }));
    let mut site = Site::expiring(&authority, config(&server.url), Some(soon()));
    let read = |path: &std::path::Path| std::fs::read(path).unwrap();
    let before = (read(&site.identity.key), read(&site.identity.certificate));
    site.start();
    server.next("/v1/renew");
    server.next("/v1/heartbeat");
    server.next("/v1/heartbeat");
    assert_eq!((read(&site.identity.key), read(&site.identity.certificate)), before);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_leaves_only_when_the_receipt_is_for_its_bytes() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|request| match request.path.as_str() {
        "/v1/manifests" => {
            let honest = request.headers[manifest_header::FILES] == "7";
            let sha256 =
                if honest { sha256_hex(&request.body) } else { sha256_hex(b"other bytes") };
            Reply::json(200, &ManifestReceipt { sha256 })
        }
        _ => Reply::json(200, &heartbeat_answer()),
    }));
    let mut site = Site::new(&authority, config(&server.url));
    let outbox = site.dir.path().join("outbox");
    let put = |name: &str, files: u64| {
        let path = outbox.join(name);
        let sidecar = Sidecar { burst: BurstId::random(), files };
        std::fs::write(sidecar_path(&path), serde_json::to_vec(&sidecar).unwrap()).unwrap();
        std::fs::write(&path, format!("ciphertext of {files}")).unwrap();
        (path, sidecar)
    };
    let (misjudged, _) = put("a.age", 3);
    let (honest, sidecar) = put("b.age", 7);
    site.start();
    server.next("/v1/manifests");
    let request = server.next("/v1/manifests");
    assert_eq!(request.headers[manifest_header::BURST], sidecar.burst.to_string());
    assert_eq!(request.body, b"ciphertext of 7");
    site.eventually("one left", |state, _| state.manifests_waiting == 1)
        .await;
    assert!(misjudged.exists() && sidecar_path(&misjudged).exists());
    assert!(!honest.exists() && !sidecar_path(&honest).exists());
    site.stop().await;
}
