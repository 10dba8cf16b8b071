# The register of medical institutions under a municipality's jurisdiction.

title-institutions = Register of institutions
title-institution = Institution
nav-institutions = Institutions

institutions-what = The medical institutions under this municipality's jurisdiction, with numbers for day and night. Nothing is deleted: an institution that is gone is marked closed.
institutions-none = Nothing is registered yet. Add institutions one by one, or import a table (CSV).
institutions-add = Add an institution
institutions-export = Export the table (CSV)
institutions-import = Import a table (CSV)
institutions-import-hint = The heading needs Name and Kind. A line without an id is the institution with the same code, else the one with the same name and kind, else a new one. One mistake and nothing changes; line and column are named. Institutions that are not in the table stay.
institutions-closed = Closed institutions

institution-id = Id (leave as it is)
institution-name = Name
institution-kind = Kind
institution-code = Institution code
institution-address = Address
institution-person = Person to ask for
institution-phone = Phone (day)
institution-night-phone = Phone (night, holidays)
institution-mail = Mail
institution-partner = Partner
institution-no-partner = No electronic exchange
institution-problems = Nothing was stored. Please correct this:
institution-change = Change the entry
institution-close = Mark as closed
institution-reopen = Take into the register again
institution-close-what = When it is gone, or under another jurisdiction. Its records stay, and it can come back at any time.
institution-is-closed = Closed in the register.
institution-reason = Reason
institution-reason-missing = Give a reason in one line of at most 500 characters.
institution-no-cases = No case is about this institution.
institution-notes = Notes
institution-notes-none = None yet.
institution-note-on = Date
institution-note-text = Text
institution-note-add = Add the note
institution-note-refused = A note needs a date up to today and a text of at most 4000 characters.
institution-noted = noted by { $name }, { $time }
institution-act-added = added
institution-act-changed = changed
institution-act-closed = closed
institution-act-reopened = reopened

done-institution-added = The institution was added.
done-institution-changed = The entry was changed.
done-institution-closed = The institution was marked as closed.
done-institution-reopened = The institution is in the register again.
done-institution-noted = The note was added.
done-institutions-imported = The table was taken in.
