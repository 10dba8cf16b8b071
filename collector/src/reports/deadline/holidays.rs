//! Japan's public holidays (国民の祝日に関する法律), as the law stands since 2022, and the working days between them.
//!
//! Always holds: pure; the days of the equinoxes are computed by the formula astronomers give for 1980 to 2099 and marked
//! as such, because the government fixes them each February for the year after.

use jiff::civil::{Date, Weekday};

/// A public holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// Its name in Japanese.
    pub name: &'static str,
    /// How sure its date is.
    pub kind: HolidayKind,
}

/// How sure the date of a holiday is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolidayKind {
    /// The law names the day.
    ByLaw,
    /// It is an equinox, or follows from one.
    Computed,
}

const fn by_law(name: &'static str) -> Holiday {
    Holiday { name, kind: HolidayKind::ByLaw }
}

/// Returns the holiday a day is.
#[must_use]
pub fn holiday(day: Date) -> Option<Holiday> {
    if let Some(own) = own_holiday(day) {
        return Some(own);
    }
    substitute(day).or_else(|| between(day))
}

/// Whether offices work: no Saturday, no Sunday, no public holiday, and not 29 December to 3 January.
#[must_use]
pub fn is_working_day(day: Date) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let year_end = matches!((day.month(), day.day()), (12, 29..) | (1, ..=3));
    !weekend && !year_end && holiday(day).is_none()
}

/// Returns the first working day from a day on, that day included. `None` only at the end of the calendar.
#[must_use]
pub fn next_working_day(day: Date) -> Option<Date> {
    let mut day = day;
    while !is_working_day(day) {
        day = day.tomorrow().ok()?;
    }

    Some(day)
}

/// Days that are holidays by themselves.
fn own_holiday(day: Date) -> Option<Holiday> {
    let monday = |nth: i8| {
        day.weekday() == Weekday::Monday && (nth - 1) * 7 < day.day() && day.day() <= nth * 7
    };
    match (day.month(), day.day()) {
        (1, 1) => Some(by_law("元日")),
        (1, _) if monday(2) => Some(by_law("成人の日")),
        (2, 11) => Some(by_law("建国記念の日")),
        (2, 23) => Some(by_law("天皇誕生日")),
        (3, found) if Some(found) == equinox(day.year(), VERNAL) => {
            Some(Holiday { name: "春分の日", kind: HolidayKind::Computed })
        }
        (4, 29) => Some(by_law("昭和の日")),
        (5, 3) => Some(by_law("憲法記念日")),
        (5, 4) => Some(by_law("みどりの日")),
        (5, 5) => Some(by_law("こどもの日")),
        (7, _) if monday(3) => Some(by_law("海の日")),
        (8, 11) => Some(by_law("山の日")),
        (9, _) if monday(3) => Some(by_law("敬老の日")),
        (9, found) if Some(found) == equinox(day.year(), AUTUMNAL) => {
            Some(Holiday { name: "秋分の日", kind: HolidayKind::Computed })
        }
        (10, _) if monday(2) => Some(by_law("スポーツの日")),
        (11, 3) => Some(by_law("文化の日")),
        (11, 23) => Some(by_law("勤労感謝の日")),
        _ => None,
    }
}

/// Millionths of a day in March and September 1980.
const VERNAL: i64 = 20_843_100;
const AUTUMNAL: i64 = 23_248_800;

fn equinox(year: i16, base: i64) -> Option<i8> {
    if !(1980..=2099).contains(&year) {
        return None;
    }
    let years = i64::from(year) - 1980;
    i8::try_from((base + 242_194 * years) / 1_000_000 - years / 4).ok()
}

/// 振替休日: a holiday on a Sunday moves to the next day that is none by itself.
fn substitute(day: Date) -> Option<Holiday> {
    let mut before = day.yesterday().ok()?;
    let mut kind = HolidayKind::ByLaw;
    while let Some(own) = own_holiday(before) {
        if own.kind == HolidayKind::Computed {
            kind = HolidayKind::Computed;
        }
        if before.weekday() == Weekday::Sunday {
            return Some(Holiday { name: "振替休日", kind });
        }
        before = before.yesterday().ok()?;
    }
    None
}

/// 国民の休日: a day between two holidays.
fn between(day: Date) -> Option<Holiday> {
    let before = own_holiday(day.yesterday().ok()?)?;
    let after = own_holiday(day.tomorrow().ok()?)?;
    let computed = [before, after]
        .iter()
        .any(|own| own.kind == HolidayKind::Computed);
    let kind = if computed { HolidayKind::Computed } else { HolidayKind::ByLaw };

    Some(Holiday { name: "国民の休日", kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holidays_of_2026_and_2027() {
        check(
            2026,
            "1-1 元日, 1-12 成人の日, 2-11 建国記念の日, 2-23 天皇誕生日, 3-20* 春分の日, 4-29 昭和の日, \
             5-3 憲法記念日, 5-4 みどりの日, 5-5 こどもの日, 5-6 振替休日, 7-20 海の日, 8-11 山の日, 9-21 敬老の日, \
             9-22* 国民の休日, 9-23* 秋分の日, 10-12 スポーツの日, 11-3 文化の日, 11-23 勤労感謝の日",
        );
        check(
            2027,
            "1-1 元日, 1-11 成人の日, 2-11 建国記念の日, 2-23 天皇誕生日, 3-21* 春分の日, 3-22* 振替休日, \
             4-29 昭和の日, 5-3 憲法記念日, 5-4 みどりの日, 5-5 こどもの日, 7-19 海の日, 8-11 山の日, 9-20 敬老の日, \
             9-23* 秋分の日, 10-11 スポーツの日, 11-3 文化の日, 11-23 勤労感謝の日",
        );
    }

    #[test]
    fn equinoxes_that_were_fixed_come_out_of_the_formula() {
        // As announced in the gazettes of these years.
        for (year, march, september) in
            [(2012, 20, 22), (2022, 21, 23), (2023, 21, 23), (2024, 20, 22), (2025, 20, 23)]
        {
            assert_eq!(equinox(year, VERNAL), Some(march), "{year}");
            assert_eq!(equinox(year, AUTUMNAL), Some(september), "{year}");
        }
        assert_eq!(equinox(2100, VERNAL), None);
    }

    #[test]
    fn the_turn_of_the_year_and_golden_week_move_to_the_next_working_day() {
        let next = |text: &str| next_working_day(text.parse().unwrap()).unwrap().to_string();
        assert_eq!(next("2026-12-29"), "2027-01-04");
        assert_eq!(next("2026-05-02"), "2026-05-07");
        assert_eq!(next("2026-02-10"), "2026-02-10");
        assert_eq!(next("2027-12-31"), "2028-01-04");
    }

    /// `*` marks what was computed.
    #[track_caller]
    fn check(year: i16, expected: &str) {
        let mut day = Date::new(year, 1, 1).unwrap();
        let mut found = Vec::new();
        while day.year() == year {
            if let Some(holiday) = holiday(day) {
                let mark = if holiday.kind == HolidayKind::Computed { "*" } else { "" };
                found.push(format!("{}-{}{mark} {}", day.month(), day.day(), holiday.name));
            }
            day = day.tomorrow().unwrap();
        }
        assert_eq!(found.join(", "), expected);
    }
}
