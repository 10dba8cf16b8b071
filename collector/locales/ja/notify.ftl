# 職員への通知(メール・Webhook)の言葉。キーは英語版と同じにすること。

notify-severity-low = 参考
notify-severity-medium = 注意
notify-severity-high = 重大
notify-severity-critical = 緊急

notify-headline = { $roles }サーバーで{ $title }
notify-subject = 【{ $severity }】{ $facility }: { $headline }
notify-subject-drill = 【訓練】【{ $severity }】{ $facility }: { $headline }

notify-drill = 【訓練】これは訓練の通知です。実際の被害ではありません。
notify-what = { $facility }: { $headline }
notify-incident = インシデント第{ $number }号 重大度: { $severity }
notify-since = 最初の変化: { $time }
notify-where = ■ どこで
notify-why = ■ そう判断した理由
notify-first-step = ■ 最初にすること
notify-call = 保守事業者へ直ちに電話してください: { $company } { $phone }
notify-call-no-number = 保守事業者 { $company } へ直ちに電話してください(電話番号が登録されていません。契約書を確認してください)
notify-call-unknown = システムの保守事業者へ直ちに電話してください(Shirase に保守事業者が登録されていません)
notify-link = 詳細と報告書の下書き: { $link }
notify-audit-head = 監査記録 { $head }

notify-test-subject = 【通知テスト】{ $facility }: Shirase からの通知テスト
notify-test-body =
    { $facility } の通知先「{ $channel }」への通知テストです。何も起きていません。
    送信時刻: { $time }

deadline-subject = 【報告期限】{ $facility }: { $label } – { $state }
deadline-subject-drill = 【訓練】【報告期限】{ $facility }: { $label } – { $state }
deadline-mail-what = { $facility } インシデント第{ $number }号: { $label }
deadline-mail-days = あと{ $count }日です
deadline-mail-hours = あと{ $count }時間です
deadline-mail-missed = 期限超過です。直ちに報告してください
deadline-mail-guide-passed = 目安の日を過ぎました(期限ではありません)。早めに報告してください
deadline-mail-until = いつまで: { $time }
deadline-mail-from = 起点: { $time }
deadline-mail-assumed = 起点: 知った日時が記録されていないため、警報の時刻 { $time } から仮に計算しています
deadline-mail-doubt = この期限の数え方は未確認です(最終確認 { $day }、出典 { $url })
deadline-mail-link = インシデントの画面: { $link }
notify-subject-drill-mark = 【訓練】
matter-mail-link = 画面: { $link }
