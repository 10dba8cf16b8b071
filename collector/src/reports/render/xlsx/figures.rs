//! Writes a municipality's yearly figures: one row a year, every column of every year the same, so that years compare.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use super::{A4, FONT, Looks, Names, Pen, columns};
use crate::cases::{Figures, HeardWay};
use crate::facilities::FacilityKind;
use crate::locale::{Locale, japan, japan_time};

/// Width of the first column and of each other, in characters.
const WIDTHS: (f64, f64) = (14.0, 11.0);

/// Renders the figures of every year, the newest first.
///
/// # Errors
/// When they are larger than the format can hold.
pub fn render(
    facility: &str,
    years: &BTreeMap<i16, Figures>,
    (now, locale): (Timestamp, Locale),
) -> Result<Vec<u8>, XlsxError> {
    let title = locale.text("title-case-figures");
    let mut workbook = Workbook::new();
    let at = japan()
        .to_datetime(now)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string();
    let properties = DocProperties::new()
        .set_title(format!("{title} {facility}"))
        .set_author(facility)
        .set_creation_datetime(&ExcelDateTime::parse_from_str(&at)?);
    workbook.set_properties(&properties);
    let looks = Looks::new();
    let head = head(locale);
    let mut widths = vec![WIDTHS.1; head.len()];
    if let Some(first) = widths.first_mut() {
        *first = WIDTHS.0;
    }
    let sheet = workbook.add_worksheet();
    sheet.set_name(Names::default().take(&title))?;
    sheet.set_paper_size(A4);
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_footer(format!("&L&\"{FONT}\"&7 {}&R&8&P / &N", japan_time(now)));
    columns(sheet, &widths)?;
    let last = u16::try_from(head.len().saturating_sub(1)).unwrap_or(0);
    let chars: f64 = widths.iter().sum();
    let mut pen = Pen { sheet, row: 0, last };
    pen.across(&format!("{title} {facility}"), &looks.title, chars / 1.6)?;
    pen.across(&japan_time(now), &looks.faint, chars)?;
    pen.across(&locale.text("figures-what"), &looks.plain, chars)?;
    let first = pen.row;
    pen.cells(&head, &widths, &looks.head)?;
    pen.sheet.set_repeat_rows(first, first)?;
    pen.sheet.set_freeze_panes(pen.row, 1)?;
    for (year, figures) in years.iter().rev() {
        let named = locale.text_with("figures-year", &[("year", &year.to_string())]);
        pen.put(0, &named, &looks.plain)?;
        for (count, column) in counts(figures).into_iter().zip(1_u16..) {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            pen.sheet
                .write_number_with_format(pen.row, column, count, &looks.right)?;
        }
        pen.row += 1;
    }

    workbook.save_to_buffer()
}

fn head(locale: Locale) -> Vec<String> {
    let keys = ["figures-of-year", "title-cases", "figures-open", "figures-institutions"];
    let ways = HeardWay::ALL.iter().map(|way| way.label_key());
    let kinds = FacilityKind::ALL.into_iter().map(FacilityKind::label_key);
    let rest = ["case-entry-question", "case-entry-guidance", "exchange-drill-mark"];
    let all = keys.into_iter().chain(ways).chain(kinds).chain(rest);
    all.map(|key| locale.text(key)).collect()
}

fn counts(figures: &Figures) -> Vec<usize> {
    let count = |found: Option<&usize>| found.copied().unwrap_or(0);
    let ways = HeardWay::ALL.iter().map(|way| count(figures.ways.get(way)));
    let kinds = FacilityKind::ALL
        .into_iter()
        .map(|kind| count(figures.kinds.get(&kind)));
    [figures.cases, figures.open, figures.institutions]
        .into_iter()
        .chain(ways)
        .chain(kinds)
        .chain([figures.questions, figures.guidance, figures.drills])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Lang;
    use crate::reports::render::archive::unpack;

    #[test]
    fn every_column_of_the_head_has_a_figure_and_the_newest_year_comes_first() {
        let locale = Locale::new(Lang::Ja);
        assert_eq!(head(locale).len(), counts(&Figures::default()).len() + 1);
        let ways = BTreeMap::from([(HeardWay::Press, 2)]);
        let years = BTreeMap::from([
            (2025, Figures { cases: 1, ..Figures::default() }),
            (2026, Figures { cases: 2, ways, ..Figures::default() }),
        ]);
        let at = "2026-11-26T00:00:00Z".parse().unwrap();
        let bytes = render("愛知県", &years, (at, locale)).unwrap();
        let parts = unpack(&bytes).unwrap();
        let texts = String::from_utf8(parts["xl/sharedStrings.xml"].clone()).unwrap();
        let at = |text: &str| {
            texts
                .find(text)
                .unwrap_or_else(|| panic!("{text}: {texts}"))
        };
        assert!(at("2026年度") < at("2025年度"));
        assert!(texts.contains("愛知県") && texts.contains("報道"));
    }
}
