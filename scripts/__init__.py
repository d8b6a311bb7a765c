"""What the Makefile calls: assets, dependency audit, locks. Plain Python, no Django."""
