"""No form takes a secret: what looks like one is refused, and not even shown again (R-42)."""

from typing import Any

from django import forms

from audit.secrets import found_secret
from web.forms.shown import show_instead


class SecretFree(forms.Form):
    """Refuses text that holds a password, seed, code, SSN or date of birth, and empties that field."""

    def clean(self) -> dict[str, Any]:
        """Look through every text as typed, whether or not the field was valid otherwise."""
        cleaned = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            if not isinstance(field, forms.CharField) or isinstance(field.widget, forms.PasswordInput):
                continue
            kind = found_secret(str(self.data.get(self.add_prefix(name)) or ""))
            if kind:
                show_instead(self, name, "")
                self.add_error(
                    name,
                    f"This looks like {kind}. Portalkeeper never keeps one, so the text was dropped;"
                    " please write it without.",
                )
        return cleaned
