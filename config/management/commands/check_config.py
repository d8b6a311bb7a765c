"""``manage.py check_config``: every environment variable, its value's source, secrets only as set or unset."""

from pathlib import Path
from typing import Any

from django.conf import settings

from audit.commands import ContractCommand, Outcome
from config.env import SEEN, Setting


def shown_value(variable: Setting) -> Any:
    """Return what may be printed: ``set`` or ``unset`` for a secret, else the value in a form JSON can hold."""
    if variable.secret:
        return "unset" if variable.source == "default" else "set"
    value = variable.value
    if isinstance(value, dict):
        return {key: shown for key, shown in value.items() if "PASSWORD" not in key}
    return str(value) if isinstance(value, Path) else value


class Command(ContractCommand):
    """Answers as soon as the settings could be read; a value that cannot be read ends the start before, with exit 1."""

    help = "Print where the value of each variable comes from (docs/configuration.md)."
    requires_system_checks: tuple[str, ...] = ()

    def run(self, **options: Any) -> Outcome:
        variables = [
            {"name": name, "value": shown_value(seen), "source": seen.source, "secret": seen.secret}
            for name, seen in sorted(SEEN.items())
        ]
        width = max(len(name) for name in SEEN)
        lines = [f"{row['name']:<{width}}  {row['source']:<11}  {row['value']}" for row in variables]
        document = {"settings": settings.SETTINGS_MODULE, "variables": variables, "errors": []}
        return Outcome(document, [f"Settings: {settings.SETTINGS_MODULE}", *lines])
