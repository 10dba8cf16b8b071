# インシデントの言葉。キーは英語版と同じにすること。

# 診療での役割
care-role-ehr = 電子カルテ
care-role-orders = オーダー
care-role-pacs = 画像（PACS）
care-role-lab = 検査
care-role-accounting = 医事会計
care-role-nurse-call = ナースコール
care-role-file-share = ファイル共有
care-role-directory = 認証基盤（AD）
care-role-backup = バックアップ
care-role-other = その他

# 重大度
incident-severity-low = 低
incident-severity-medium = 中
incident-severity-high = 高
incident-severity-critical = 緊急

# 状態
incident-status-open = 未対応
incident-status-acknowledged = 対応中
incident-status-closed = 終了
incident-status-false-alarm = 誤報
incident-status-merged = 統合済み

# 見出し
rule-ransomware-impact = ランサムウェアの疑い（診療に影響）
rule-spreading = 大量のファイル変更が複数のサーバーに拡大
rule-mass-change = ファイルの大量変更
rule-care-outage = 診療系システムの停止
rule-silent-host = サーバーからの応答が途絶
rule-logon = 不審なログオン
rule-print-burst = 大量の印刷
rule-services-stopped = 多数のサービスの停止
rule-protection-loss = 防御機能の停止または改変
rule-backup-loss = バックアップの消失または未実施
rule-fork = エージェントの複製を検出
rule-outage = サービスの停止
rule-loss = 監視できなかった事象
rule-pressure = サーバーの資源不足または時刻のずれ
incident-headline = { $rule }（{ $hosts }）

# 並べ方
list-comma = 、
list-rest = ほか{ $count }件
list-word = { $word }
count-unknown = 件数不明
source-unknown = 接続元不明
time-unknown = 不明
host-unknown = 不明なサーバー
care-roles-unknown = 役割は未登録

# 理由
why-mass-change = { $host }の「{ $root }」で、{ $first }以降、{ $files }個のファイル（{ $directories }個のフォルダー）が暗号化や破壊でみられる形に変わりました。現在も続いている可能性があります。根拠：{ $signs }。
why-mass-change-ended = { $host }の「{ $root }」で、{ $first }から{ $ended }までに{ $files }個のファイル（{ $directories }個のフォルダー）が暗号化や破壊でみられる形に変わりました。根拠：{ $signs }。
sign-magic-lost = 中身の形式が失われたもの{ $count }個
sign-suffix-appended = 見慣れない拡張子が付いたもの{ $count }個
sign-extension-lost = 元の拡張子が失われたもの{ $count }個
sign-replaced = 別のファイルに置き換えられたもの{ $count }個
sign-truncated = 中身が空にされたもの{ $count }個
sign-deleted = 削除されたもの{ $count }個
sign-moved-out = 別の場所へ移されたもの{ $count }個
sign-randomised = 中身が乱数のように書き換えられたもの{ $count }個
sign-directories-renamed = 拡張子が付けられたフォルダー{ $count }個
sign-canaries = 触れられたおとりファイル{ $count }個
sign-note = 同じ新しい文書（脅迫文の可能性）が置かれたフォルダー{ $count }個
sign-suffix = 拡張子「.{ $suffix }」
why-outage = { $host }のサービスが停止しています。
why-outage-down = { $host }の{ $watched }「{ $target }」（{ $roles }）が{ $since }から応答していません。
why-outage-flapping = { $host }の{ $watched }「{ $target }」（{ $roles }）が{ $since }から停止と復帰を繰り返しています。
why-outage-recovered = { $host }の{ $watched }「{ $target }」（{ $roles }）は{ $since }から異常でしたが、{ $recovered }に復帰しました。
watched-service = サービス
watched-process = プロセス
watched-tcp = 接続先（TCP）
watched-http = 接続先（HTTP）
watched-hl7 = HL7インターフェース（MLLP）
watched-dicom = DICOM接続先（C-ECHO）
watched-postgres = データベース（PostgreSQL）
why-ransomware-impact = { $host }で{ $files }個のファイルが大量に変更され、その前後に次の停止がありました：{ $impacts }。診療に影響するランサムウェア攻撃の疑いがあります。
impact-outage = { $host }の「{ $target }」が停止（{ $at }から）
impact-silence = { $host }からの応答が途絶（{ $at }以降）
why-spreading-suffix = { $host }と同じ変更が{ $others }でも起きています。共通点：{ $suffixes }。
why-spreading-time = { $host }とほぼ同じ時刻に、{ $others }でも大量のファイル変更が起きています。
why-silent = { $host }から{ $heard }を最後に応答がありません。停止の連絡はありませんでした。応答がないことは、正常を意味しません。{ $maintenance }
why-silent-returned = { $host }から{ $heard }を最後に応答がありませんでした。停止の連絡はなく、{ $returned }に応答が戻りました。{ $maintenance }
why-silent-announced = { $host }から{ $heard }を最後に応答がありません。エージェントは{ $stopped }に停止の操作を受けています（{ $cause }）。予定した停止かどうかを確認してください。{ $maintenance }
why-silent-announced-returned = { $host }から{ $heard }を最後に応答がありませんでした。エージェントは{ $stopped }に停止の操作を受け（{ $cause }）、{ $returned }に応答が戻りました。{ $maintenance }
why-silent-maintenance = 保守作業が{ $until }まで届け出られています（担当：{ $owner }、内容：{ $reason }）。
stop-cause-unsaid = 理由は不明
stop-cause-restart = サービスの再起動
stop-cause-upgrade = プログラムの更新
stop-cause-removal = パッケージの削除
stop-cause-reboot = サーバーの再起動
stop-cause-shutdown = サーバーの電源断
why-fork = { $host }と同じ身元のエージェントが2つ動いています（通番{ $first }から{ $count }件が重複）。サーバーの複製、または古い状態への復元がないか確認してください。
why-unread = { $host }から、この版では読めない種類の記録「{ $kind }」が{ $count }件届きました。コレクターを更新してください。
why-loss-kernel-queue = ファイル変更の通知があふれ、一部を見られませんでした（{ $count }）。直後に再確認を行っています。
why-loss-own-queue = エージェント内の待ち行列があふれ、一部を見られませんでした（{ $count }）。直後に再確認を行っています。
why-loss-not-running = エージェントが動いていなかった間に、暗号化や破壊でみられる形に変わったファイルがありました（{ $count }）。
why-loss-root-unreadable = 監視フォルダーの全部または一部を読めません（{ $count }）。
why-loss-root-gone = 監視フォルダーがなくなりました（{ $count }）。
why-loss-buffer-full = 送信待ちの領域がいっぱいになり、重大度の低い記録を受け付けられませんでした（{ $count }）。
why-loss-buffer-replaced = 送信待ちの領域を開けなかったため、新しく作り直しました（{ $count }）。
why-loss-record-set-aside = コレクターが受け取れない記録を別に保管しました（{ $count }）。
why-loss-sensor-blind = センサーが動いていません（{ $count }）。
why-disk = ディスク「{ $mount }」の空きが残り{ $percent }％です。
why-memory = メモリーの空きが残り{ $percent }％です。
why-clock-ahead = 時計が{ $seconds }秒進みました。
why-clock-back = 時計が{ $seconds }秒戻りました。
why-certificate = 「{ $name }」の証明書の有効期限は{ $expires }です。
why-logon-failures = { $sources }からのログオンの失敗が短い時間に{ $count }回ありました。
why-logon-success = ログオンの失敗が続いた後に、{ $sources }からのログオンが成功しました（{ $count }件）。
why-logon-administrator = 管理者の権限を持つ利用者が{ $count }件増えました。
why-logon-hours = 通常の時間外に、{ $sources }から遠隔の接続が{ $count }件ありました。
why-guard-stopped = 防御用のソフトウェア「{ $name }」が停止しました。
why-guard-removed = 防御用のソフトウェア「{ $name }」が削除されたか、起動しない設定に変えられました。
why-log-truncated = ログ「{ $name }」の記録が途中から消されました。
why-log-removed = ログ「{ $name }」が削除されました。
why-own-files = エージェント自身のファイル「{ $name }」が何者かに変更されました。
why-own-service = エージェント自身のサービス「{ $name }」が停止の設定にされたか、変更されました。
why-own-service-killed = エージェント自身のサービス「{ $name }」が、停止の操作なしに強制終了されたか、異常終了しました。
why-backup-harmed = バックアップ「{ $name }」の{ $count }個のファイルが削除または書き換えられました。最後に正常だった時刻：{ $last }。
why-backup-snapshots = バックアップ「{ $name }」のスナップショット{ $count }個がなくなりました。最後に正常だった時刻：{ $last }。
why-backup-overdue = バックアップ「{ $name }」が予定の時刻を過ぎても作られていません。最後に正常だった時刻：{ $last }。
why-stops = { $seconds }秒以内に{ $count }個のサービスが停止しました：{ $names }。
why-print = { $seconds }秒以内に{ $printers }台のプリンターへ{ $jobs }件の印刷がありました。
why-print-same = { $seconds }秒以内に{ $printers }台のプリンターへ{ $jobs }件の印刷があり、うち{ $same }件は同じ題名です。
why-intrusion = 不審な動きがありました。
why-intrusion-ended = { $what }{ $ended }に収まりました。

# 経過
timeline-mass-change-opened = 「{ $root }」でファイルの大量変更を検知（{ $files }個）
timeline-mass-change-grew = 「{ $root }」の変更が{ $files }個に増加
timeline-mass-change-ended = 「{ $root }」の変更が止まりました（合計{ $files }個）
timeline-outage-down = 「{ $target }」が停止
timeline-outage-flapping = 「{ $target }」が停止と復帰を反復
timeline-outage-recovered = 「{ $target }」が復帰
timeline-over = 収束：{ $what }
timeline-agent-started = エージェントが起動
timeline-agent-stopping = エージェントが停止の操作を受けました
timeline-agent-config-invalid = 設定ファイルに誤りがあり、直前の正しい設定で動作を継続
timeline-agent-config-loaded = 新しい設定を適用
timeline-agent-drill-started = 訓練を開始
timeline-agent-drill-ended = 訓練を終了
timeline-agent-order-refused = コレクターの指示を拒否
timeline-agent-contained = ファイルを壊していたプロセスをエージェントが一時停止
timeline-agent-released = 一時停止したプロセスを再開
timeline-agent-budget-reached = エージェントが設定された資源の上限に達しました
timeline-unread = この版では読めない種類の記録「{ $kind }」
timeline-opened = インシデントを登録：{ $rule }
timeline-concluded = 判定：{ $rule }
timeline-grew = 判定の重大度が「{ $severity }」に上がりました：{ $rule }
timeline-raised = 重大度を「{ $from }」から「{ $to }」に引き上げ
timeline-took-in = 第{ $number }号を同じ事案として統合
timeline-became-part = 第{ $number }号に統合されました
timeline-acknowledged = 対応を開始
timeline-commented = コメント：{ $text }
timeline-closed = 終了と判断：{ $text }
timeline-false-alarm = 誤報と判断：{ $reason }
timeline-reopened = 再開：{ $reason }
timeline-vendor-called = 保守会社へ連絡：{ $whom }（{ $number }）{ $at }

# 操作の案内
incident-act-unfit = この状態のインシデントには、その操作はできません。画面を読み直してください。
incident-act-empty = 必要な項目が空です。記入してください。
incident-act-too-long = 文が長すぎます。短くしてください。
incident-act-in-the-future = 連絡時刻が未来になっています。時刻を確認してください。

# 報告の要否
reportable-ransomware-impact = 診療に影響するランサムウェア攻撃の疑いがあります。
reportable-spreading = 同じ変更が複数のサーバーに広がっています。
reportable-mass-change = 多数のファイルが暗号化や破壊でみられる形に変わっています。
reportable-care-outage = 診療系のシステムが猶予時間を超えて停止しました。
reportable-backup-loss = バックアップが失われたおそれがあります。
reportable-print-burst = 大量の印刷がありました（脅迫文の可能性）。
reportable-no = 報告の対象となる事象はありません。
timeline-step = 手順「{ $step }」: { $outcome } { $at } { $text }
