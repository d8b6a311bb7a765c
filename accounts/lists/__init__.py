"""A system's user list or a facility's own spreadsheet of accounts: columns, words, cleaned rows."""
