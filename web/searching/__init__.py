"""One search over people, facilities, accounts and systems: what each kind finds, and the sentences that show it."""
