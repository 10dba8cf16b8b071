# 人が書き込む表（画面・CSV）の誤りのことば。

flaw = { $column }: { $remedy }
flaw-said = { $column }「{ $said }」: { $remedy }
flaw-missing = 空欄にできません。
flaw-choice = 選択肢にありません。画面か書き出した表にある言葉を使ってください。
flaw-nameless = 組織か氏名のどちらかを書いてください。
flaw-unreachable = 電話、FAX、メール、ウェブ窓口のどれか一つは要ります。
flaw-duty-missing = 院内の職員には職務を選んでください。
flaw-duty-of-other = 職務は院内の職員だけのものです。空欄にしてください。
flaw-too-long = 長すぎます。200字（備考は1000字）までにしてください。
flaw-hidden = 改行や見えない文字があります。取り除いてください。
flaw-phone = 電話番号として読めません。例: 0569-00-0000、03-0000-0000 内線 123、+81-3-0000-0000
flaw-phone-length = 桁数が合いません。市外局番から10桁（携帯電話などは11桁）で書いてください。院内の番号は3〜6桁です。
flaw-phone-several = 番号が二つ以上あります。一つだけ書き、残りは夜間の欄か備考へ。
flaw-mail = メールアドレスとして読めません。一つだけ書いてください。例: tantou@example.jp
flaw-web = ウェブのアドレスとして読めません。https:// から書いてください。
flaw-date = 日付として読めません。例: 2026-02-09、2026/2/9
flaw-date-ahead = 未来の日付です。実際に確認した日を書いてください。
flaw-date-order = 開始日より前です。
flaw-place = 1から999までの数を書くか、空欄にしてください。
flaw-half-verified = 確認日と確認者は両方書くか、両方空欄にしてください。
flaw-id = 番号として読めません。書き出した表の値をそのまま使うか、新しいものなら空欄にしてください。
flaw-code = 10桁の医療機関コードとして読めません。半角数字10桁で書くか、空欄にしてください。
flaw-code-taken = この医療機関コードは別の医療機関で登録済みです。
flaw-partner = この短い名前の提携先はありません。提携先の一覧にある名前を書くか、空欄にしてください。

table-line = { $line }行目: { $what }
table-encoding = 1行目: 文字コードが読めません。UTF-8（Excelでは「CSV UTF-8」）か Shift_JIS で保存してください。
table-empty = 1行目: 見出しがありません。「表を書き出す」で得た表の形にしてください。
table-unknown-column = 見出し「{ $heading }」は列の名前ではありません。直すか、列を消してください。
table-column-twice = 見出し「{ $heading }」が二度あります。一つにしてください。
table-no-column = 見出し「{ $column }」の列がありません。
table-torn = 列の数が見出しと合わないか、引用符が閉じていません。
table-too-many = 行が多すぎます。2000行までに分けてください。
table-unknown-id = この番号のものは登録されていないか、使用を終えています。新しいものなら番号を空欄にしてください。
table-same = { $other }行目と同じものです。どちらかを消してください。
table-refused = 表に誤りがあるため、何も取り込んでいません。
