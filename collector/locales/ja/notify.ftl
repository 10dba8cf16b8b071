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
notify-audit-head = 監査記録 第{ $n }件 { $hash }

notify-test-subject = 【通知テスト】{ $facility }: Shirase からの通知テスト
notify-test-body =
    { $facility } の通知先「{ $channel }」への通知テストです。何も起きていません。
    送信時刻: { $time }
