"""The name under which a member keeps the filters of a list."""

from typing import Any

from django import forms

from web.forms.secrets import SecretFree


class ViewForm(SecretFree):
    """A name, and for those who may whether everybody of the organization gets it."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="Such as “iQIES at Oak House”. It stands above the list.",
        error_messages={"required": "Give it a name."},
    )
    shared = forms.BooleanField(
        label="For everybody here", required=False, help_text="Each member sees it, with their own rows only."
    )

    def __init__(self, *args: Any, may_share: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_share:
            del self.fields["shared"]
