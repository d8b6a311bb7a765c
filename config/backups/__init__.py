"""A consistent copy of the installation, and the proof that it can be restored."""
