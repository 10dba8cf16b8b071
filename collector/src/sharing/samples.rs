//! Products for tests.

use jiff::Timestamp;
use shirase_shared::ids::ProductId;
use shirase_shared::testing::builders::night;
use shirase_shared::tls::sha256_hex;

use super::{
    Approved, AttackKind, BODY_FILE, Body, Decided, Indicator, IndicatorKind, Known, Product,
    ProductFile, ProductState, Shared, Span, StoredProduct, TechniqueId, signed_text, stix,
};
use crate::exchange::OrganisationKind;
use crate::exchange::kind::Tlp;
use crate::exchange::package::PackageFile;
use crate::exchange::samples::{facility, key, person};

/// One indicator.
pub(crate) fn indicator(kind: IndicatorKind, value: &str) -> Indicator {
    Indicator::new(kind, value).unwrap()
}

/// A body as a hospital would share it.
pub(crate) fn body() -> Body {
    let seen = |kind, value| Shared { what: indicator(kind, value), seen: true };
    let said = |kind, value| Shared { what: indicator(kind, value), seen: false };
    let day = |text: &str| text.parse().unwrap();
    let body = Body::new(
        AttackKind::Ransomware,
        Span::of(day("2026-02-09"), day("2026-02-12")),
        Tlp::Amber,
    );
    Body {
        summary: "夜間に外部から侵入され、ファイルサーバーと診療系サーバーのファイルが暗号化された。\nVPN装置の脆弱性（CVE-2026-12345）が悪用された疑いがある。".to_owned(),
        indicators: vec![
            seen(IndicatorKind::Suffix, ".locked"),
            said(IndicatorKind::NoteName, "RECOVER-FILES.txt"),
            said(IndicatorKind::Hash, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            seen(IndicatorKind::Address, "203.0.113.77"),
            said(IndicatorKind::Address, "2001:db8::77"),
            seen(IndicatorKind::Tool, "rclone.exe"),
        ],
        techniques: ["T1190", "T1486", "T1490"]
            .map(|id| TechniqueId::parse(id).unwrap())
            .into(),
        ..body
    }
    .tidied()
}

/// What a hospital's collector knows.
pub(crate) fn known() -> Known {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Known {
        places: texts(&["医療法人知多会 半田中央病院", "handa", "2310000001", "愛知県", "半田市"]),
        addresses: texts(&["愛知県半田市東洋町1-1"]),
        people: texts(&["佐藤 花子", "情報管理課 森 一郎"]),
        logins: texts(&["sato.h"]),
        hosts: texts(&["EHR-DB1.handa.example", "pacs02"]),
        partners: texts(&["株式会社電カル保守", "半田医師会"]),
        reach: texts(&["sato@hospital.example", "0569-00-0000", "198.51.100.4"]),
    }
}

/// An approved product with its canonical body and its bundle.
pub(crate) fn approved(body: Body, at: Timestamp) -> Approved {
    let id = ProductId::from_uuid(uuid::Uuid::from_u128(7));
    let frozen = body.text().unwrap();
    let sha256 = sha256_hex(frozen.as_bytes());
    let source =
        stix::Source { product: id, body: &body, at, organisation: OrganisationKind::Hospital };
    let bundle = stix::bundle(source).unwrap();
    let file = |name: &str, text: String| {
        let file = PackageFile { name: name.parse().unwrap(), bytes: text.into_bytes() };
        let signature = key().sign_base64(signed_text(id, &sha256, &file).as_bytes());
        ProductFile { file, signature }
    };
    let files = vec![file(BODY_FILE, frozen.clone()), file(stix::STIX_FILE, bundle)];
    let decided = Decided { by: person(2, "承認 花子"), at, sha256 };
    let product = Product {
        facility: facility(),
        id,
        number: 1,
        incident: None,
        origins: Vec::new(),
        body,
        revision: 2,
        authors: vec![person(1, "作成 太郎")],
        consent: None,
        state: ProductState::Approved(decided),
        reason: String::new(),
        made_at: night(),
        changed_at: at,
    };
    let stored = StoredProduct { product, frozen, signer: key().public_base64(), files };
    Approved::verify(stored).unwrap()
}
