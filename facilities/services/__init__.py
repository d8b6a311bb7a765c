"""Writes of this app: organizations, members, facilities."""
