"""Measurements of the product beside hand-written SQL; see docs/benchmarks.md. Nothing here runs in production."""
