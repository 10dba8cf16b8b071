//! The note for staff: which files are decoys, what they are for, how they are switched off.

use super::ledger::Canary;

/// What everybody should know, before the list.
const HEAD: &str = "\
知らせ (Shirase) の見張り用ファイル

次のファイルは、ランサムウェアなどによる一斉改変を早く見つけるための「おとり」です。
・業務の情報や患者の情報は入っていません。開くと、その旨が書いてあります。
・変更・名前の変更・移動・削除をすると警報が出ます。読むだけ(バックアップ、ウイルス検査など)では出ません。
・壊されたり消えたりしたものは、落ち着いてから(10分間何も起きなければ)エージェントが作り直します。
・やめるときは agent.toml の [[sensors.roots]] で canaries = 0 とします。ファイルは自動的に消えます。
・エージェントを削除する前には「shirase-agent canaries --remove」を実行してください。

Decoys of the Shirase agent

The files below are decoys: they show early that somebody changes files in bulk. They hold no data of the hospital, and
say so when opened. Changing, renaming, moving or deleting one raises an alarm; reading one (backup, virus scanner) does
not. The agent makes them again once nothing happened for ten minutes. To end this, set canaries = 0 for the root in
agent.toml, and they are removed. Before the agent itself is removed, run `shirase-agent canaries --remove`.

";

/// Writes the note.
pub(super) fn write(canaries: &[Canary]) -> String {
    let mut note = HEAD.to_owned();
    if canaries.is_empty() {
        note.push_str("いまはありません。 There are none at the moment.\n");
    }
    for canary in canaries {
        let path: String = canary
            .path
            .to_string_lossy()
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect();
        note.push_str(&path);
        note.push('\n');
    }
    note
}
