//! The road of a sharing product over three real collectors: hospital, CEPTOAR, second hospital; and a tool that reads it.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use reqwest::StatusCode;
use serde_json::Value;
use shirase_shared::event::Phase;
use shirase_shared::ids::{BurstId, FacilityId, HostId, ProductId, StreamId};
use shirase_shared::testing::builders::{mass_change, numbered};
use shirase_shared::testing::eventually::eventually;
use shirase_shared::tls::sha256_hex;
use tokio::io::AsyncWriteExt as _;

use super::network::{DEADLINE, House, accept, free_address};
use crate::audit::Actor;
use crate::exchange::OrganisationKind;
use crate::exchange::kind::Tlp;
use crate::exchange::samples::person;
use crate::keys::SigningKey;
use crate::records::{NewRecord, SeenRecord};
use crate::release::{Releases, read_profiles};
use crate::sharing::samples::{body, indicator};
use crate::sharing::taxii::{Client, Collection};
use crate::sharing::{Body, Finding, IndicatorKind};
use crate::store::{NewProduct, Received};

impl House {
    fn releases(&self) -> Releases {
        let data = &self.config.data_dir;
        let profiles = Arc::new(read_profiles(data).unwrap());
        let key = Arc::new(SigningKey::load_or_create(&data.join("report.key")).unwrap());
        Releases::new(self.store.clone(), Arc::clone(&self.clock), profiles, key, Path::new(""))
    }

    /// Has one person submit a product and another approve it, and sends it to some partners.
    async fn approve_and_send(&self, id: ProductId, to: &[&str]) {
        let (releases, by) = (self.releases(), person(1, "作成 太郎"));
        let revision = self
            .store
            .product(&self.facility, id)
            .await
            .unwrap()
            .revision;
        releases
            .submit_product((&self.facility, id, revision), &by)
            .await
            .unwrap();
        let place = (&self.facility, id);
        let kind = self.config.organisation.kind;
        let other = person(2, "承認 花子");
        let approved = releases.approve_product(place, kind, &other).await.unwrap();
        for partner in to {
            let partner = partner.parse().unwrap();
            self.post
                .send_product((&self.facility, &partner), &approved, &other)
                .await
                .unwrap();
        }
    }

    async fn received(&self, count: usize) -> Vec<Received> {
        eventually("the sharing product", DEADLINE, || async {
            let found = self.store.received_products(&self.facility).await.unwrap();
            (found.len() == count).then_some(found)
        })
        .await
    }

    async fn remember(&self, host: HostId) {
        let event = mass_change(BurstId::random(), Phase::Grew, 60, 0);
        let record = numbered(StreamId::random(), vec![event]).remove(0);
        let raw = serde_json::to_vec(&record).unwrap();
        let event = record.event;
        let seen = SeenRecord {
            facility: self.facility.clone(),
            host,
            stream: record.stream,
            sequence: record.sequence,
            hash: sha256_hex(&raw),
            kind: event.anomaly.kind().to_owned(),
            severity: Some(event.severity),
            burst: event.burst,
            drill: None,
            detected_at: Some(event.detected_at),
            corrected_at: event.detected_at,
            uncertainty: std::time::Duration::ZERO,
            received_at: event.detected_at,
            event: Some(event),
        };
        self.store
            .store_batch(&[NewRecord { seen, raw }])
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_goes_from_a_hospital_over_the_ceptoar_to_another_and_is_found_there() {
    let mut hospital = House::new("handa", OrganisationKind::Hospital).await;
    let mut ceptoar = House::new("ceptoar", OrganisationKind::Ceptoar).await;
    let mut second = House::new("oki", OrganisationKind::Hospital).await;
    ceptoar.config.taxii.listen = free_address().to_string();
    accept(&hospital, &ceptoar, "ceptoar").await;
    accept(&ceptoar, &hospital, "member-1").await;
    accept(&ceptoar, &second, "member-2").await;
    accept(&second, &ceptoar, "ceptoar").await;
    for house in [&mut hospital, &mut ceptoar, &mut second] {
        house.start().await;
    }

    // The hospital shares; the CEPTOAR has it and makes its own of it.
    let body = Body { tlp: Tlp::Green, ..body() };
    let new = NewProduct { incident: None, origins: Vec::new(), body: body.clone() };
    let by = person(1, "作成 太郎");
    let begun = hospital
        .store
        .begin_product(&hospital.facility, &new, (&by, hospital.clock.now()));
    hospital
        .approve_and_send(begun.await.unwrap(), &["ceptoar"])
        .await;
    let came = ceptoar.received(1).await.remove(0);
    assert_eq!(came.body.as_ref().unwrap(), &body);
    let editor = person(3, "編集 次郎");
    let made = ceptoar.releases();
    let id = made
        .merge_products(&ceptoar.facility, &[came.package], &editor)
        .await
        .unwrap();
    ceptoar.approve_and_send(id, &["member-2"]).await;

    // The second hospital looks whether it was there too.
    let host = HostId::random();
    second.remember(host).await;
    let came = second.received(1).await.remove(0);
    let body = came.body.unwrap();
    let wanted = body
        .indicators
        .iter()
        .map(|shared| shared.what.clone())
        .collect();
    let found = second
        .store
        .look_for(&second.facility, &wanted, body.drill)
        .await
        .unwrap();
    let Finding::Seen(looked) = &found[&indicator(IndicatorKind::Suffix, "locked")] else {
        panic!("{found:?}");
    };
    assert!(looked.hosts.contains(&host), "{looked:?}");
    let address = &found[&indicator(IndicatorKind::Address, "203.0.113.77")];
    assert_eq!(address, &Finding::Nowhere);

    // Nothing that names the first hospital reached the second one.
    let whole = second
        .store
        .whole_package(&second.facility, &came.package)
        .await
        .unwrap();
    let mut told = whole.manifest().text().unwrap();
    for file in whole
        .files()
        .iter()
        .filter(|file| file.name.as_str() != "product.pdf")
    {
        told.push_str(&String::from_utf8(file.bytes.clone()).unwrap());
    }
    for name in ["handa", "member-1", "作成", "編集", "承認"] {
        assert!(!told.contains(name), "{name}: {told}");
    }
    read_over_taxii(&ceptoar).await;
}

/// Reads the products as a tool does: with a token over TLS.
async fn read_over_taxii(ceptoar: &House) {
    let client = Client {
        facility: ceptoar.facility.clone(),
        id: "tool".parse().unwrap(),
        reads: Tlp::Green,
        made_at: ceptoar.clock.now(),
        revoked_at: None,
    };
    let hash = sha256_hex(b"token-of-the-tool");
    ceptoar
        .store
        .add_taxii_client(&client, &hash, Actor::CommandLine)
        .await
        .unwrap();
    let (url, tool) = (ceptoar.config.taxii_url(), ceptoar.visitor().await);
    let discovery = format!("{url}/taxii2/");
    let refused = tool.get(&discovery).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let ask = |url: String| {
        tool.get(url)
            .basic_auth("tool", Some("token-of-the-tool"))
            .send()
    };
    let found: Value = ask(discovery.clone()).await.unwrap().json().await.unwrap();
    let root = found["default"].as_str().unwrap();
    let facility: FacilityId = "ceptoar".parse().unwrap();
    let collection = Collection::Community.id(&facility);
    let objects = format!("{root}collections/{collection}/objects/?match%5Btype%5D=indicator");
    let objects: Value = ask(objects).await.unwrap().json().await.unwrap();
    assert_eq!(objects["objects"].as_array().unwrap().len(), 6, "{objects}");
    public_client(&discovery, own_authority(ceptoar).await).await;
}

async fn own_authority(house: &House) -> Vec<u8> {
    let own = house.store.own_cards().await.unwrap().remove(0);
    own.card.authority_der()
}

/// Has the public client read the same, if the environment names a Python that has it (see `tests/stix.sh`).
async fn public_client(discovery: &str, authority: Vec<u8>) {
    let Ok(python) = std::env::var("SHIRASE_TAXII_PYTHON") else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("authority.pem");
    let body = base64::engine::general_purpose::STANDARD.encode(authority);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    std::fs::write(&file, pem).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/taxii_client.py");
    let mut child = tokio::process::Command::new(python)
        .arg(script)
        .args([discovery, "tool"])
        .arg(&file)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"token-of-the-tool").await.unwrap();
    drop(stdin);
    assert!(child.wait().await.unwrap().success(), "the public client failed");
}
