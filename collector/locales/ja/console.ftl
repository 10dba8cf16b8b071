# 画面の言葉。キーと変数は英語版と同じにすること(テストが比べる)。

app-name = 知らせ
other-language = English
skip-to-content = 本文へ
page-made-at = この画面の時刻: { $time }
go-on = 次へ

nav-main = 主な画面
nav-facility = この施設の画面
nav-overview = 施設一覧
nav-alerts = 警報
nav-incidents = インシデント
nav-hosts = サーバー
nav-settings = 施設情報
nav-users = 利用者
nav-audit = 監査記録

title-sign-in = サインイン
title-password = パスワードの変更
title-second-factor = 二要素認証
title-second-factor-setup = 二要素認証の設定
title-error = お知らせ

login = 利用者名
password = パスワード
sign-in = サインイン
sign-out = サインアウト
sign-in-hint = 利用者名と一度限りのパスワードは、施設の管理者から受け取ってください。
sign-in-wrong = 利用者名またはパスワードが違います。

password-forced = 受け取ったパスワードは一度だけ使えます。ご自分のパスワードに変えてください。
password-old = 今のパスワード
password-new = 新しいパスワード
password-again = 新しいパスワード(もう一度)
password-change = 変更する
password-rule = { $min }文字以上。ほかで使っているものは使わないでください。
password-differs = 二つの新しいパスワードが一致しません。
password-old-wrong = 今のパスワードが違います。
password-too-short = { $min }文字以上にしてください。
password-too-long = パスワードが長すぎます。
password-unchanged = 今のパスワードと同じです。別のものにしてください。
password-contains-login = 利用者名を含めないでください。
password-monotonous = 同じ文字の繰り返しが多すぎます。

second-factor-how = 認証アプリに表示されている6桁の数字を入力してください。一つの数字は一度だけ使えます。
second-factor-setup-how = スマートフォンの認証アプリでこの図を読み取り、表示された6桁の数字を入力してください。
second-factor-qr = 認証アプリで読み取る二次元コード
second-factor-secret = 読み取れないときに入力する鍵
second-factor-code = 6桁の数字
second-factor-confirm = 設定する
second-factor-wrong = 数字が違うか、すでに使われています。次の数字が表示されたら、もう一度入力してください。
second-factor-lost = スマートフォンをなくしたときは、施設の管理者に利用者の再設定を頼んでください。

error-not-found = この画面はありません。住所が違うか、見る権限がありません。
error-forbidden = この操作をする権限がありません。施設の管理者に確かめてください。
error-foreign-form = この入力は受け付けられませんでした。画面を開き直して、もう一度お試しください。
error-bad-form = 入力を読み取れませんでした。画面を開き直して、もう一度お試しください。
error-conflict = 先にほかの人が変更したか、今の状態ではできない操作です。画面を開き直して確かめてください。
error-too-many-attempts = 試した回数が多すぎます。1分ほど待ってから、もう一度お試しください。
error-internal = 内部の問題で表示できませんでした。収集サーバーの記録を確かめてください。

severity-low = 低
severity-medium = 中
severity-high = 高
severity-critical = 重大
