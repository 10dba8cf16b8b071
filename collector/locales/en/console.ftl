# Words of the console. Keep keys and variables as in the Japanese file (a test compares them).

app-name = Shirase
other-language = 日本語
skip-to-content = Skip to content
page-made-at = Time of this page: { $time }
go-on = Continue

nav-main = Main pages
nav-facility = Pages of this facility
nav-overview = Facilities
nav-alerts = Alerts
nav-incidents = Incidents
nav-hosts = Hosts
nav-settings = Master data
nav-users = People
nav-audit = Audit log

title-sign-in = Sign in
title-password = Change password
title-second-factor = Second factor
title-second-factor-setup = Set up the second factor
title-error = Notice

login = Login name
password = Password
sign-in = Sign in
sign-out = Sign out
sign-in-hint = Your facility's administrator gives you a login name and a one-time password.
sign-in-wrong = The login name or the password is wrong.

password-forced = The password you were given works once. Replace it by your own.
password-old = Present password
password-new = New password
password-again = New password, again
password-change = Change
password-rule = At least { $min } characters. Do not reuse one from elsewhere.
password-differs = The two new passwords differ.
password-old-wrong = The present password is wrong.
password-too-short = Use at least { $min } characters.
password-too-long = The password is too long.
password-unchanged = This is the present password. Choose another.
password-contains-login = Do not use the login name in it.
password-monotonous = It repeats too few characters.

second-factor-how = Type the six digits your authenticator app shows. Each code works once.
second-factor-setup-how = Scan this picture with an authenticator app and type the six digits it shows.
second-factor-qr = Two-dimensional code for the authenticator app
second-factor-secret = Key to type if you cannot scan
second-factor-code = Six digits
second-factor-confirm = Set up
second-factor-wrong = The code is wrong or was used before. Wait for the next one and try again.
second-factor-lost = If you lost your telephone, ask your facility's administrator to reset your account.

error-not-found = There is no such page, or you may not see it.
error-forbidden = You may not do this. Ask your facility's administrator.
error-foreign-form = This form was not accepted. Open the page again and retry.
error-bad-form = The form could not be read. Open the page again and retry.
error-conflict = Somebody changed it before you, or it cannot be done in its present state. Open the page again and look.
error-too-many-attempts = Too many attempts. Wait a minute and try again.
error-internal = An internal problem kept this page from being shown. Look into the collector's log.

severity-low = Low
severity-medium = Medium
severity-high = High
severity-critical = Critical
