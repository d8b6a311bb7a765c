#!/usr/bin/env python
"""Django's command line; without DJANGO_SETTINGS_MODULE it uses the embedded settings."""

import json
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
    try:
        from django.core.management import execute_from_command_line

        from config.env import EnvironmentRefused
    except ImportError as exc:
        sys.exit(
            f"Django is not installed in this Python ({exc}). Run `make run` or `make test` once; they install it."
        )
    try:
        execute_from_command_line(sys.argv)
    except EnvironmentRefused as exc:
        if "--json" in sys.argv:  # the contract: one document on standard output, on refusal too
            print(json.dumps({"errors": [{"code": "environment", "message": str(exc), "place": exc.variable}]}))  # noqa: T201
        sys.exit(f"Portalkeeper cannot start: {exc}")


if __name__ == "__main__":
    main()
