"""The composing app: commands that look at the installation itself."""

import gc

from django.apps import AppConfig

# New objects until the next search for unreachable circles. The rows of a long list are plain values that stay: at
# Python's own 700, an import of 50,000 of them was searched through 4,000 times, an eighth of its time.
_YOUNG_OBJECTS = 50_000


class ConfigConfig(AppConfig):
    """Holds no models and no rules."""

    name = "config"

    def ready(self) -> None:
        """Set for the whole process what cannot be set for one act while others run beside it."""
        gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
