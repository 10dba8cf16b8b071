# 所管する医療機関の台帳のことば。

title-institutions = 所管医療機関の台帳
title-institution = 医療機関
nav-institutions = 医療機関

institutions-what = この自治体が所管する医療機関と、日中・夜間の連絡先です。登録は消さず、廃止などは「終了」として残します。
institutions-none = まだ登録がありません。一件ずつ登録するか、表（CSV）を取り込んでください。
institutions-add = 医療機関を登録する
institutions-export = 表を書き出す（CSV）
institutions-import = 表を取り込む（CSV）
institutions-import-hint = 見出しに「名称」と「種別」が要ります。番号の列が空の行は、医療機関コードが同じもの、なければ名称と種別が同じものとして扱い、どちらもなければ新しく登録します。一つでも誤りがあれば何も変えず、行と列を示します。表にない医療機関はそのまま残ります。
institutions-closed = 終了した医療機関

institution-id = 番号（変更しない）
institution-name = 名称
institution-kind = 種別
institution-code = 医療機関コード
institution-address = 所在地
institution-person = 担当者
institution-phone = 電話（日中）
institution-night-phone = 電話（夜間・休日）
institution-mail = メール
institution-partner = 提携先
institution-no-partner = 電子的なやりとりなし
institution-problems = 登録していません。次を直してください。
institution-change = 登録内容を変える
institution-close = 終了にする
institution-reopen = 台帳に戻す
institution-close-what = 廃止や所管の変更など。記録は残り、いつでも戻せます。
institution-is-closed = 台帳では終了しています。
institution-reason = 理由
institution-reason-missing = 理由を500字までの一行で書いてください。
institution-no-cases = この医療機関の事案はありません。
institution-notes = 覚え書き
institution-notes-none = まだありません。
institution-note-on = 日付
institution-note-text = 内容
institution-note-add = 書き加える
institution-note-refused = 覚え書きには、今日までの日付と4000字までの文が要ります。
institution-noted = { $name } が { $time } に記入
institution-act-added = 登録
institution-act-changed = 変更
institution-act-closed = 終了
institution-act-reopened = 台帳に戻した

done-institution-added = 医療機関を登録しました。
done-institution-changed = 登録内容を変えました。
done-institution-closed = 終了にしました。
done-institution-reopened = 台帳に戻しました。
done-institution-noted = 書き加えました。
done-institutions-imported = 表を取り込みました。
