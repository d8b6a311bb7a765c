"""Guides to the systems: the catalogue's rows in words, each value with the mark that leads to its source."""
