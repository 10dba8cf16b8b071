//! Makes foreign text harmless before a person reads it, and tells times the way Japan does.
//!
//! Always holds: what [`plain`] returns has no control, bidirectional or invisible character; line ends are `\n`.
//! Markup is not touched: renderers take text as data and never as source.

use jiff::civil::{DateTime, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// Japan has no summer time.
const JAPAN: Offset = Offset::constant(9);

/// Removes what cannot be seen, and what turns the direction of reading.
#[must_use]
pub fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().filter_map(shown).collect()
}

/// As [`plain`], on one line.
#[must_use]
pub fn plain_line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => Some('\n'),
        '\t' => Some(' '),
        // Bidirectional controls, zero-width characters, soft hyphen, tags, noncharacters and private use.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{fffe}'..='\u{ffff}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{e0000}'..='\u{e007f}'
        | '\u{f0000}'..='\u{10ffff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// A moment as a Japanese document writes it: `2026年2月9日（月）01:50:00`.
#[must_use]
pub fn japanese_time(at: Timestamp) -> String {
    let local = in_japan(at);
    format!("{}{:02}:{:02}:{:02}", japanese_date(at), local.hour(), local.minute(), local.second())
}

/// A day as a Japanese document writes it: `2026年2月9日（月）`.
#[must_use]
pub fn japanese_date(at: Timestamp) -> String {
    let local = in_japan(at);
    let index = usize::try_from(local.weekday().to_sunday_zero_offset()).unwrap_or(0);
    let weekday = ['日', '月', '火', '水', '木', '金', '土']
        .get(index)
        .copied()
        .unwrap_or(' ');
    format!("{}年{}月{}日（{weekday}）", local.year(), local.month(), local.day())
}

/// A day as a Japanese letter is dated: `令和8年2月9日`; before 2019-05-01 as [`japanese_date`] writes it.
#[must_use]
pub fn letter_date(at: Timestamp) -> String {
    let local = in_japan(at);
    if local.date() < date(2019, 5, 1) {
        return japanese_date(at);
    }
    let year = match local.year() - 2018 {
        1 => "元".to_owned(),
        year => year.to_string(),
    };
    format!("令和{year}年{}月{}日", local.month(), local.day())
}

/// A moment as a form field shows and takes it: `2026-02-09 01:50:00`, in Japan.
#[must_use]
pub fn form_time(at: Timestamp) -> String {
    in_japan(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A moment for a page in English: `2026-02-09 01:50:00 JST (UTC+09:00)`.
#[must_use]
pub fn zoned_time(at: Timestamp) -> String {
    format!("{} JST (UTC+09:00)", form_time(at))
}

/// Reads what [`form_time`] writes and what a browser's date field sends; seconds may be missing.
#[must_use]
pub fn read_form_time(text: &str) -> Option<Timestamp> {
    let text = text
        .trim()
        .trim_end_matches("JST (UTC+09:00)")
        .trim_end()
        .replace('/', "-");
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let parse = |format: &str| DateTime::strptime(format, &text).ok();
    let civil = parse("%Y-%m-%d %H:%M:%S")
        .or_else(|| parse("%Y-%m-%d %H:%M"))
        .or_else(|| parse("%Y-%m-%dT%H:%M:%S"))
        .or_else(|| parse("%Y-%m-%dT%H:%M"))?;

    JAPAN.to_timestamp(civil).ok()
}

fn in_japan(at: Timestamp) -> Zoned {
    at.to_zoned(TimeZone::fixed(JAPAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_bidi_and_invisible_characters_disappear() {
        let hostile =
            "a\u{202e}fdp.exe\u{0}\u{1b}[31m\u{200b}b\u{feff}\u{2066}c\r\nd\u{85}e\tf\u{e0041}";
        assert_eq!(plain(hostile), "afdp.exe[31mbc\nd\ne f");
        assert_eq!(plain_line("a\n\n b\u{2028}c"), "a b c");
        assert_eq!(
            plain("𠮷野家　葛󠄀城市"),
            "𠮷野家　葛󠄀城市",
            "names keep their variant characters"
        );
    }

    #[test]
    fn times_are_told_in_japan_and_read_back() {
        let at: Timestamp = "2026-02-08T16:50:00Z".parse().unwrap();
        assert_eq!(japanese_time(at), "2026年2月9日（月）01:50:00");
        assert_eq!(zoned_time(at), "2026-02-09 01:50:00 JST (UTC+09:00)");
        for text in [
            form_time(at).as_str(),
            "2026-02-09T01:50",
            "2026/02/09 01:50",
            "2026-02-08T16:50:00Z",
            &zoned_time(at),
        ] {
            assert_eq!(read_form_time(text), Some(at), "{text}");
        }
        assert_eq!(read_form_time("昨日の夜"), None);
    }

    #[test]
    fn a_letter_is_dated_by_the_era() {
        let dated = |at: &str| letter_date(at.parse().unwrap());
        assert_eq!(dated("2026-02-08T16:50:00Z"), "令和8年2月9日");
        assert_eq!(dated("2019-04-30T15:00:00Z"), "令和元年5月1日");
        assert_eq!(dated("2019-04-30T14:59:59Z"), "2019年4月30日（火）");
    }
}
