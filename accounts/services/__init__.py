"""Writes of this app. Each module imports only those on its left: clocks, logins, inventory, lapses."""
