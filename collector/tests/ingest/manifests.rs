//! Damage manifests: only ciphertext, kept under its hash, opened by the hospital alone.

use std::io::Write;

use reqwest::{Response, StatusCode};
use shirase_collector::facilities::open_manifest;
use shirase_collector::http::{MANIFESTS_DIR, manifest_path};
use shirase_shared::ids::BurstId;
use shirase_shared::tls::sha256_hex;
use shirase_shared::wire::{MANIFEST_MAX_BYTES, ManifestReceipt, manifest_header};

use crate::site::{Agent, Site, problem, read};

fn sealed(recipient: &str, text: &[u8]) -> Vec<u8> {
    let recipient: age::x25519::Recipient = recipient.parse().unwrap();
    let to = std::iter::once(&recipient as &dyn age::Recipient);
    let mut out = Vec::new();
    let mut writer = age::Encryptor::with_recipients(to)
        .unwrap()
        .wrap_output(&mut out)
        .unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap();
    out
}

async fn upload(agent: &Agent, burst: BurstId, body: Vec<u8>) -> Response {
    let request = agent.client.post(format!("{}/v1/manifests", agent.base));
    let request = request.header(manifest_header::BURST, burst.to_string());
    request
        .header(manifest_header::FILES, "2")
        .body(body)
        .send()
        .await
        .unwrap()
}

fn files_kept(site: &Site) -> usize {
    std::fs::read_dir(site.dir.path().join(MANIFESTS_DIR))
        .unwrap()
        .count()
}

#[tokio::test]
async fn a_manifest_is_kept_under_its_hash_and_only_the_hospital_opens_it() {
    let site = Site::start().await;
    let identity = site.facility("handa-hp").await;
    let agent = site.agent("handa-hp").await;
    let text = "share/山田太郎.pdf.locked\n".repeat(20_000).into_bytes();
    let body = sealed(&agent.answer.manifest_recipient, &text);
    let sha256 = sha256_hex(&body);
    let burst = BurstId::random();
    for _ in 0..2 {
        let answer = upload(&agent, burst, body.clone()).await;
        let receipt: ManifestReceipt = read(answer, StatusCode::OK).await;
        assert_eq!(receipt.sha256, sha256);
    }
    let manifests = site.store.manifests(&agent.facility).await.unwrap();
    assert_eq!(manifests.len(), 1);
    let manifest = &manifests[0];
    assert_eq!((manifest.host, manifest.burst, manifest.files), (agent.host, burst, 2));
    assert_eq!(usize::try_from(manifest.bytes).unwrap(), body.len());
    assert_eq!(files_kept(&site), 1);

    let file = std::fs::File::open(manifest_path(site.dir.path(), &sha256)).unwrap();
    let mut opened = Vec::new();
    open_manifest(file, &identity, &mut opened).unwrap();
    assert_eq!(opened, text);
}

#[tokio::test]
async fn clear_text_torn_headers_and_oversized_manifests_leave_nothing_behind() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let burst = BurstId::random();
    for clear in ["share/山田太郎.pdf", "", "age-encryption.org/v"] {
        let answer = upload(&agent, burst, clear.as_bytes().to_vec()).await;
        let told = problem(answer, StatusCode::BAD_REQUEST).await;
        assert!(told.contains("only encrypted manifests"), "{told}");
    }
    let nameless = agent
        .client
        .post(format!("{}/v1/manifests", agent.base))
        .body("x");
    let told = problem(nameless.send().await.unwrap(), StatusCode::BAD_REQUEST).await;
    assert!(told.contains(manifest_header::BURST), "{told}");
    let mut large = b"age-encryption.org/v1\n".to_vec();
    large.resize(MANIFEST_MAX_BYTES + 1, b'x');
    problem(upload(&agent, burst, large).await, StatusCode::PAYLOAD_TOO_LARGE).await;
    assert_eq!(files_kept(&site), 0);
    assert!(
        site.store
            .manifests(&agent.facility)
            .await
            .unwrap()
            .is_empty()
    );
}
