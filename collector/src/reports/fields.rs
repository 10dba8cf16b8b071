//! The fields of a report: their numbers, what each takes, and how a person writes it down.
//!
//! Always holds: a number means the same field for ever, it is the key in the database and in frozen answers.
//!
//! Not here: which of them an addressee wants (see `profile`).

mod check;
mod entry;
mod kind;

use serde::{Deserialize, Serialize};

pub use entry::Entered;
pub use kind::{Cell, Column, Kind};

macro_rules! fields {
    ($($name:ident = $number:literal $label:literal;)*) => {
        /// One field of a report. The value of a variant is its number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u8", into = "u8")]
        #[repr(u8)]
        pub enum Field { $(#[doc = $label] $name = $number),* }

        impl Field {
            /// Every field, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

fields! {
    Round = 1 "報告の区分と第n報";
    Addressees = 2 "提出先";
    ReportedAt = 3 "報告日時";
    Facility = 4 "医療機関名・開設者・種別・病床数";
    Identifiers = 5 "法人番号・医療機関コード・所在地・所管";
    Designation = 6 "特定機能病院・災害拠点・救急の別、基幹インフラ指定の有無";
    People = 7 "責任者・連絡担当者";
    Kind = 8 "事案の種別";
    Summary = 9 "件名・事案の概要";
    OccurredAt = 10 "発生日時";
    DetectedAt = 11 "検知（発覚）日時・「知った」日時";
    Discovery = 12 "発見契機と発見者";
    Place = 13 "発生場所・発生箇所";
    Systems = 14 "被害を受けたシステム・機器";
    ServiceState = 15 "サービスの状況";
    CareImpact = 16 "診療への影響";
    CareHindered = 17 "医療提供体制への支障";
    ServiceLevel = 18 "重要インフラサービス維持レベルの逸脱";
    Workaround = 19 "代替運用・患者受入制限・転送";
    DataLeak = 20 "個人情報漏えい";
    LeakClass = 21 "漏えい等の区分と規則7条各号";
    DataItems = 22 "個人データの項目";
    Persons = 23 "本人の数と根拠";
    SecondaryHarm = 24 "二次被害又はそのおそれ";
    NoticeToPersons = 25 "本人への対応";
    Publication = 26 "公表の実施状況";
    Cause = 27 "原因";
    Entry = 28 "侵入方法・経路";
    Timeline = 29 "攻撃の時系列";
    RansomNote = 30 "ランサムノート";
    Extensions = 31 "暗号化ファイルの拡張子";
    Family = 32 "ランサムウェアの類型・名称";
    Indicators = 33 "インディケータ";
    Flood = 34 "DDoS攻撃の型・通信量・継続時間・緩和策";
    Ransom = 35 "身代金の要求・連絡・支払";
    Guard = 36 "セキュリティ対策ソフトの状態";
    Backups = 37 "バックアップの状況";
    FirstResponse = 38 "初動対応と日時";
    Evidence = 39 "証拠保全の状況";
    Recovery = 40 "復旧状況・見込み・優先順位";
    Contacted = 41 "連絡済みの先";
    HelpRequested = 42 "初動対応支援の要請";
    ThirdParties = 43 "委託関係・接続先への影響";
    Maintenance = 44 "保守・移行作業の有無";
    Prevention = 45 "再発防止策";
    PriorControls = 46 "事前対策の状況";
    Consent = 47 "情報共有への同意";
    Other = 48 "その他特記事項";
    Attachments = 49 "添付とハッシュ";
    Authorship = 50 "作成者・承認者";
    Restorable = 51 "データを復元できるか";
    HeardHow = 52 "自治体が事案を把握した経緯";
    LegalBasis = 53 "自治体の調査・指導の根拠";
    FoundDamage = 54 "自治体の調査による被害状況";
    FoundResponse = 55 "自治体の調査による対応状況";
    FoundRecovery = 56 "自治体の調査による復旧状況";
    FoundPrevention = 57 "自治体の調査による再発防止策";
    Guidance = 58 "自治体の照会・指導とその結果";
}

impl Field {
    /// Returns the field's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the field with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|field| field.number() == number)
    }

    /// Returns the key of its label in the locale files, for example `field-3`.
    #[must_use]
    pub fn label_key(self) -> String {
        format!("field-{}", self.number())
    }

    /// Returns the key of the label of one of its choices, for example `choice-8-ransomware`.
    #[must_use]
    pub fn choice_key(self, code: &str) -> String {
        format!("choice-{}-{}", self.number(), code.replace('.', "-"))
    }

    /// Returns the codes a person may choose from; empty for fields without choices.
    #[must_use]
    pub const fn choices(self) -> &'static [&'static str] {
        match self.kind() {
            Kind::One(codes) | Kind::Any(codes) | Kind::Dated(codes) | Kind::Flood(codes) => codes,
            Kind::Text
            | Kind::DateTime
            | Kind::People
            | Kind::Lines
            | Kind::Systems
            | Kind::Rows(_)
            | Kind::Round => &[],
        }
    }

    /// Whether it is about one report and not about the incident: set when the report is made or submitted.
    #[must_use]
    pub const fn is_of_report(self) -> bool {
        matches!(self, Self::Round | Self::Addressees | Self::ReportedAt | Self::Authorship)
    }

    /// Whether a person answers it.
    #[must_use]
    pub const fn is_answered_by_people(self) -> bool {
        !self.is_of_report()
    }
}

impl From<Field> for u8 {
    fn from(field: Field) -> Self {
        field.number()
    }
}

/// A number this build knows no field for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no field {0}; use one of the numbers 1 to 58")]
pub struct NoSuchField(u8);

impl TryFrom<u8> for Field {
    type Error = NoSuchField;

    fn try_from(number: u8) -> Result<Self, NoSuchField> {
        Self::from_number(number).ok_or(NoSuchField(number))
    }
}

#[cfg(test)]
mod tests;
