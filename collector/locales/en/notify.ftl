# The words of staff alerts (mail and webhook). Same keys as the Japanese file.

notify-severity-low = for information
notify-severity-medium = attention
notify-severity-high = serious
notify-severity-critical = urgent

notify-headline = { $title } ({ $roles })
notify-subject = [{ $severity }] { $facility }: { $headline }
notify-subject-drill = [DRILL] [{ $severity }] { $facility }: { $headline }

notify-drill = [DRILL] This is an exercise. Nothing was harmed.
notify-what = { $facility }: { $headline }
notify-incident = Incident no. { $number }, severity: { $severity }
notify-since = First change: { $time }
notify-where = * Where
notify-why = * Why Shirase thinks so
notify-first-step = * First step
notify-call = Call the maintenance vendor at once: { $company } { $phone }
notify-call-no-number = Call the maintenance vendor { $company } at once (no number is registered; look into the contract)
notify-call-unknown = Call the system's maintenance vendor at once (none is registered in Shirase)
notify-link = Particulars and draft report: { $link }
notify-audit-head = Audit log { $head }

notify-test-subject = [Test] { $facility }: test message from Shirase
notify-test-body =
    This is a test of the alert channel "{ $channel }" of { $facility }. Nothing has happened.
    Sent at: { $time }

deadline-subject = [Deadline] { $facility }: { $label } – { $state }
deadline-subject-drill = [DRILL] [Deadline] { $facility }: { $label } – { $state }
deadline-mail-what = { $facility }, incident { $number }: { $label }
deadline-mail-days = { $count } days left
deadline-mail-hours = { $count } hours left
deadline-mail-missed = The limit is missed. Report at once
deadline-mail-guide-passed = The guide value has passed (it is no limit). Report soon
deadline-mail-until = Until: { $time }
deadline-mail-from = Runs from: { $time }
deadline-mail-assumed = Runs from: nobody recorded when the institution knew, so it is counted from the alert at { $time }
deadline-mail-doubt = How this deadline is counted is not verified (last checked { $day }, { $url })
deadline-mail-link = Page of the incident: { $link }
notify-subject-drill-mark = [DRILL] 
matter-mail-link = Page: { $link }
