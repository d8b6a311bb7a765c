"""Changing what a bound form shows when its page comes back."""

from typing import Any

from django import forms


def show_instead(form: forms.BaseForm, name: str, value: str) -> None:
    """Let a field of a bound form show ``value`` instead of what was sent; the request's own data stays as it is."""
    data: Any = form.data
    data = data.copy()
    data[form.add_prefix(name)] = value
    form.data = data
