"""Writes of this app: people, employments, and linking members to people."""
