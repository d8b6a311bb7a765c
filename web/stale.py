"""A save that came second: both versions side by side, nothing typed is lost."""

from typing import Any

from django import forms
from django.db.models import Model

from web.forms.shown import show_instead


def both_versions(form: forms.Form, stored: Model) -> list[dict[str, str]]:
    """Return ``{label, theirs, yours}`` for every field of the form that differs from what is stored now.

    The form then carries the stored version, so that saving it once more is a decision taken with both in sight.
    """
    differing = []
    for name, field in form.fields.items():
        if isinstance(field.widget, forms.HiddenInput):
            continue
        theirs, yours = getattr(stored, name), form.cleaned_data.get(name)
        if (theirs or "") != (yours or ""):
            differing.append({"label": str(field.label), "theirs": _shown(theirs), "yours": _shown(yours)})
    show_instead(form, "version", str(stored.version))  # type: ignore[attr-defined]
    return differing


def _shown(value: Any) -> str:
    return str(value) if value not in (None, "") else "(empty)"
