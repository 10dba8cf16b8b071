//! The page: one page whatever is in it, with its mark in header and footer.

use shirase_shared::testing::builders::night;
use shirase_shared::tls::sha256_hex;

use super::super::samples::{body, indicator};
use super::super::{
    Body, INDICATORS_MAX, IndicatorKind, ProductPaper, Shared, TECHNIQUES, TECHNIQUES_MAX,
    TechniqueId,
};
use crate::exchange::kind::Tlp;
use crate::locale::{Lang, Locale};
use crate::reports::render::pdf::PdfRenderer;
use crate::reports::render::tests::pages;

/// As much as a body can hold, in its longest form.
fn fullest() -> Body {
    let hash = |number: usize| Shared {
        what: indicator(IndicatorKind::Hash, &sha256_hex(&number.to_be_bytes())),
        seen: number.is_multiple_of(2),
    };
    let techniques = TECHNIQUES.iter().rev().take(TECHNIQUES_MAX);
    Body {
        summary: vec!["長い説明".repeat(12); 8].join("\n"),
        indicators: (0..INDICATORS_MAX).map(hash).collect(),
        techniques: techniques
            .filter_map(|one| TechniqueId::parse(one.id))
            .collect(),
        drill: true,
        ..body()
    }
    .tidied()
}

#[test]
fn the_fullest_product_is_one_page_with_its_mark_above_and_below() {
    let renderer = PdfRenderer::load(None).expect("a Japanese font");
    assert_eq!(fullest().check(), Ok(()));
    for tlp in Tlp::ALL {
        for lang in [Lang::Ja, Lang::En] {
            let body = Body { tlp, ..fullest() };
            let paper = ProductPaper::of(&body, &sha256_hex(b"body"), Locale::new(lang));
            let pdf = renderer
                .render_product(&paper, "identity", night())
                .unwrap();
            let found = pages(&pdf);
            assert_eq!(found.len(), 1, "{tlp} {lang:?}");
            let text = found.concat().replace('\u{200b}', "");
            assert_eq!(text.matches(tlp.mark()).count(), 2, "{tlp} {lang:?}: {text}");
            leave(&format!("fullest-{tlp}-{}", lang.as_str()), &pdf);
        }
    }
}

/// Leaves pages where a person can look at them, if the environment names a folder.
fn leave(name: &str, pdf: &[u8]) {
    if let Ok(folder) = std::env::var("SHIRASE_SHOW_PAGES") {
        let file = std::path::Path::new(&folder).join(format!("{name}.pdf"));
        std::fs::write(file, pdf).unwrap();
    }
}
