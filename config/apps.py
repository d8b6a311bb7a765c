"""The composing app: commands that look at the installation itself."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Holds no models and no rules."""

    name = "config"
