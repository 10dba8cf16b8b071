# What is wrong with tables people fill in, on a page or as CSV.

flaw = { $column }: { $remedy }
flaw-said = { $column } `{ $said }`: { $remedy }
flaw-missing = must not be empty.
flaw-choice = is none of the choices. Use a word of the page or of an exported table.
flaw-nameless = name an organisation or a person.
flaw-unreachable = give at least one of phone, fax, mail or web form.
flaw-duty-missing = choose a duty for a member of staff.
flaw-duty-of-other = only own staff have a duty. Leave it empty.
flaw-too-long = is too long. Keep to 200 characters, 1000 in the note.
flaw-hidden = holds a line break or a character that hides. Remove it.
flaw-phone = is no telephone number. For example 0569-00-0000, 03-0000-0000 ext. 123, +81-3-0000-0000.
flaw-phone-length = has too few or too many digits. Write 10 digits with the area code (11 for a mobile number); internal numbers have 3 to 6.
flaw-phone-several = holds more than one number. Keep one; put the others under night or into the note.
flaw-mail = is no mail address. Give one, such as tantou@example.jp.
flaw-web = is no web address. Begin with https://.
flaw-date = is no date. For example 2026-02-09 or 2026/2/9.
flaw-date-ahead = lies in the future. Give the day on which somebody made sure.
flaw-date-order = is before the first day.
flaw-place = give a number from 1 to 999, or leave it empty.
flaw-half-verified = give both the day and the person, or neither.
flaw-id = is no id. Keep what the exported table has, or leave it empty for something new.
flaw-code = is no medical institution code of 10 digits. Give 10 digits or leave it empty.
flaw-code-taken = another institution has this code.
flaw-partner = there is no partner of this short name. Use one from the list of partners, or leave it empty.

table-line = line { $line }: { $what }
table-encoding = line 1: the encoding cannot be read. Save as UTF-8 (in Excel `CSV UTF-8`) or Shift_JIS.
table-empty = line 1: there is no heading. Use the form of an exported table.
table-unknown-column = heading `{ $heading }` is no column. Correct it or remove the column.
table-column-twice = heading `{ $heading }` stands twice. Keep one.
table-no-column = there is no column `{ $column }`.
table-torn = the line has other cells than the heading, or a quote does not close.
table-too-many = there are too many lines. Split the table at 2000.
table-unknown-id = nothing in use here has this id. Leave the id empty for something new.
table-same = is the same as line { $other }. Remove one of them.
table-refused = The table has mistakes; nothing was taken in.
