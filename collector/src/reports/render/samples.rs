//! A realistic night for tests: a mass change on a file server, the records system down, a person at work.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::{DrillId, HostId, IncidentId, ReportId, Sequence, StreamId, UserId};
use shirase_shared::testing::builders::night;
use shirase_shared::tls::sha256_hex;

use crate::approval::{Frozen, Sender};
use crate::reports::answer::{
    Answer, AnswerStatus, Line, NamedPerson, RecordRef, Revision, RoundKind, Source, System, Value,
};
use crate::reports::fields::Field;
use crate::reports::profile::{MHLW_CONTACT, Profile, Profiles};
use crate::reports::{Report, ReportStatus, Round};

pub(crate) fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

pub(crate) fn profile() -> Profile {
    let profiles = Profiles::with_files(&[]).expect("the built-in profile reads");
    profiles
        .profile(MHLW_CONTACT)
        .expect("it is built in")
        .clone()
}

pub(crate) fn author() -> NamedPerson {
    NamedPerson {
        user: UserId::from_uuid(uuid(11)), name: "情報管理課　山田 花子".to_owned()
    }
}

pub(crate) fn after(seconds: i64) -> Timestamp {
    night() + SignedDuration::from_secs(seconds)
}

pub(crate) fn record(number: u64, host: &str, kind: &str) -> RecordRef {
    RecordRef {
        at: after(i64::try_from(number).expect("small") * 37),
        host_name: host.to_owned(),
        host: HostId::from_uuid(uuid(21)),
        stream: StreamId::from_uuid(uuid(22)),
        sequence: Sequence(number),
        kind: kind.to_owned(),
        hash: sha256_hex(&number.to_be_bytes()),
    }
}

pub(crate) fn machine(value: Value, status: AnswerStatus, basis: &str) -> Answer {
    let records = (1..=3).map(|number| record(number, "file-sv01", "mass_change"));
    let outage = record(9, "ehr-db1", "outage");
    let records = records.chain([outage]).collect();
    let source = Source::Machine { records, basis: basis.to_owned() };
    Answer {
        value,
        status,
        source,
        as_of: after(420),
        revision: Revision(1),
        reason: String::new(),
    }
}

pub(crate) fn person(value: Value, status: AnswerStatus, basis: &str) -> Answer {
    let NamedPerson { user, name } = author();
    let source = Source::Person { user, name, basis: basis.to_owned() };
    Answer {
        value,
        status,
        source,
        as_of: after(1500),
        revision: Revision(4),
        reason: String::new(),
    }
}

pub(crate) fn line(at: Option<i64>, label: &str, text: &str) -> Line {
    Line { at: at.map(after), label: label.to_owned(), text: text.to_owned() }
}

pub(crate) fn choice(chosen: &[&str], note: &str) -> Value {
    let chosen = chosen.iter().map(|&code| code.to_owned()).collect();
    Value::Choices { chosen, note: note.to_owned() }
}

fn system(name: &str, role: &str, os: &str, vendor: &str, damage: &str) -> System {
    let own = |text: &str| text.to_owned();
    System {
        name: own(name),
        role: own(role),
        os: own(os),
        vendor: own(vendor),
        damage: own(damage),
        kind: "server".to_owned(),
        count: Some(1),
        setting: "on-premises".to_owned(),
    }
}

#[expect(clippy::too_many_lines, reason = "a form has many fields, each with its answer")]
pub(crate) fn answers() -> BTreeMap<Field, Answer> {
    use AnswerStatus::{Confirmed, Estimated, Investigating, Unknown};

    let master = |lines| Answer {
        source: Source::MasterData,
        ..machine(Value::Lines { lines }, Confirmed, "")
    };
    let summary = "2026年2月9日（月）01:50頃、ファイル共有サーバ（file-sv01）において、共有フォルダ「部門共有」のファイルが短時間に大量に書き換えられ、拡張子「.locked」が付加される事象を監視ツールが検知した。03:10現在、影響を受けたファイルは41,208件（1,873フォルダ）である。\n02:05以降、電子カルテシステムのデータベースサーバ（ehr-db1）のサービス「postgresql」が停止しており、電子カルテの参照及び入力ができない状態が続いている。ランサムウェアによる攻撃の可能性がある。";
    let systems = vec![
        system(
            "file-sv01",
            "ファイル共有",
            "Windows Server 2019",
            "株式会社メディカルシステムズ 名古屋支店",
            "41,208件のファイルに「.locked」が付加。変更は継続中。",
        ),
        system(
            "ehr-db1",
            "電子カルテ、オーダ",
            "Debian GNU/Linux 12",
            "日本電子カルテ保守株式会社",
            "サービス「postgresql」が02:05から停止。",
        ),
        system(
            "pacs-arc2",
            "PACS（画像）",
            "Windows Server 2016",
            "",
            "01:58以降、通信なし。状態は確認中。",
        ),
    ];
    let timeline = vec![
        line(Some(0), "file-sv01", "最初のファイル変更（部門共有）"),
        line(Some(12), "file-sv01", "ファイルの大量変更を検知（128件、拡張子「.locked」）"),
        line(Some(95), "file-sv01", "大量変更が拡大（9,400件、412フォルダ）"),
        line(Some(480), "pacs-arc2", "監視プログラムからの通信が途絶"),
        line(Some(905), "ehr-db1", "サービス「postgresql」の停止を検知（電子カルテ）"),
        line(Some(960), "情報管理課 山田 花子", "インシデントを確認"),
        line(Some(1080), "保守事業者", "株式会社メディカルシステムズへ電話で連絡"),
        line(Some(1500), "file-sv01", "ネットワークから切り離し"),
    ];
    BTreeMap::from([
        (Field::ReportedAt, person(Value::DateTime { at: after(5400) }, Confirmed, "")),
        (
            Field::Facility,
            master(vec![
                line(None, "医療機関名", "医療法人社団知多会 半田中央総合病院"),
                line(None, "開設者", "医療法人社団知多会"),
                line(None, "種別", "病院"),
                line(None, "病床数", "412床"),
                line(None, "所在地", "愛知県半田市東洋町2丁目29番地"),
                line(None, "医療機関コード", "2311234567"),
            ]),
        ),
        (
            Field::People,
            master(vec![
                line(None, "管理者（院長）", "半田 太郎"),
                line(
                    None,
                    "医療情報システム安全管理責任者",
                    "知多 次郎（副院長）　電話 0569-00-0001",
                ),
                line(
                    None,
                    "連絡担当者",
                    "山田 花子（情報管理課）　電話 0569-00-0002　24時間 090-0000-0003　jouhou@handa-hp.example",
                ),
            ]),
        ),
        (
            Field::Kind,
            machine(
                choice(&["ransomware"], ""),
                Estimated,
                "未知の拡張子「.locked」の付加と、同じ時間帯の電子カルテの停止による。",
            ),
        ),
        (Field::Summary, person(Value::text(summary), Confirmed, "")),
        (
            Field::OccurredAt,
            machine(
                Value::DateTime { at: after(0) },
                Estimated,
                "検知された最初のファイル変更の時刻。攻撃の開始はこれより前の可能性がある。サーバの時計では01:50:02、誤差±3秒。",
            ),
        ),
        (
            Field::DetectedAt,
            person(
                Value::Lines {
                    lines: vec![
                        line(Some(12), "監視ツールの検知", "file-sv01 の大量変更"),
                        line(Some(960), "当機関が知った日時", "当直の職員が監視画面で確認"),
                    ],
                },
                Confirmed,
                "",
            ),
        ),
        (
            Field::Discovery,
            machine(
                choice(&["monitoring"], "サーバの監視プログラム（ファイルの大量変更の検知）"),
                Confirmed,
                "",
            ),
        ),
        (
            Field::Systems,
            machine(
                Value::Systems { systems },
                Confirmed,
                "各サーバの監視プログラムの報告による。",
            ),
        ),
        (
            Field::ServiceState,
            machine(
                choice(&["stopped"], "停止：電子カルテ（postgresql、02:05から）\n継続：医事会計"),
                Confirmed,
                "",
            ),
        ),
        (
            Field::CareImpact,
            machine(
                choice(
                    &["outpatient", "emergency", "inpatient", "imaging", "class-1", "class-2"],
                    "電子カルテの参照・入力ができず、紙の運用に切り替えている。画像の参照も確認中。",
                ),
                Estimated,
                "停止したサーバの役割（電子カルテ、オーダ）から推定。",
            ),
        ),
        (
            Field::CareHindered,
            person(choice(&["yes"], "02:40から救急の受入れを制限している。"), Confirmed, ""),
        ),
        (
            Field::DataLeak,
            machine(
                choice(
                    &[],
                    "監視プログラムの情報だけでは判断できない。ファイルの持ち出しの有無を調べる必要がある。",
                ),
                Investigating,
                "",
            ),
        ),
        (
            Field::Timeline,
            machine(
                Value::Lines { lines: timeline },
                Confirmed,
                "監視プログラムの記録と、職員の操作の記録による。",
            ),
        ),
        (
            Field::FirstResponse,
            person(
                Value::Lines {
                    lines: vec![
                        line(Some(1320), "", "バックアップ装置のネットワークを切断"),
                        line(Some(1440), "", "外部接続回線（保守用回線を含む。）を遮断"),
                        line(
                            Some(1500),
                            "",
                            "file-sv01 をネットワークから切り離し（電源は入れたまま保全）",
                        ),
                    ],
                },
                Confirmed,
                "",
            ),
        ),
        (
            Field::Contacted,
            person(
                Value::Lines {
                    lines: vec![
                        line(
                            Some(1080),
                            "保守事業者",
                            "株式会社メディカルシステムズ（電話、担当 佐藤氏、受付番号 MS-20260209-01）",
                        ),
                        line(Some(2100), "愛知県警察", "サイバー犯罪対策課（電話）"),
                    ],
                },
                Confirmed,
                "",
            ),
        ),
        (Field::HelpRequested, machine(Value::Nothing, Unknown, "")),
    ])
}

pub(crate) fn report(drill: Option<DrillId>) -> Report {
    Report {
        facility: "handa-hp".parse().expect("a plain name"),
        id: ReportId::from_uuid(uuid(31)),
        incident: IncidentId::from_uuid(uuid(32)),
        profile: MHLW_CONTACT.to_owned(),
        round: Round { series: "jp-mhlw".to_owned(), number: 1, kind: RoundKind::Preliminary },
        status: ReportStatus::Submitted,
        revision: Revision(5),
        drill,
        created_at: after(30),
        updated_at: after(5400),
    }
}

pub(crate) fn sender() -> Sender {
    Sender {
        facility: "handa-hp".parse().expect("a plain name"),
        name: "医療法人社団知多会 半田中央総合病院".to_owned(),
        director: "半田 太郎".to_owned(),
    }
}

pub(crate) fn frozen(answers: &BTreeMap<Field, Answer>, drill: Option<DrillId>) -> Frozen {
    Frozen::of(&report(drill), answers, profile().frozen(), sender(), 7)
}
