"""Writes of this app: plan reminders, assemble digests, deliver them; `tick` runs all sweeps in their order."""
