#!/usr/bin/env python
"""Django's command line; without DJANGO_SETTINGS_MODULE it uses the embedded settings."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
    try:
        from config.env import EnvironmentRefused
        from django.core.management import execute_from_command_line
    except ImportError as exc:
        sys.exit(f"Django is not installed in this Python ({exc}). Run `make run` or `make test` once; they install it.")
    try:
        execute_from_command_line(sys.argv)
    except EnvironmentRefused as exc:
        sys.exit(f"Portalkeeper cannot start: {exc}")


if __name__ == "__main__":
    main()
