"""Requests on pages: what is asked for, how it stands, and what can be done about it."""
