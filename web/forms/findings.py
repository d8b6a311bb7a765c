"""How people narrow down the list of findings; every combination is an address that can be kept."""

from typing import Any

from django import forms

from accounts.finding_words import WORDS
from accounts.models.watch import Severity
from facilities.access import Scope
from web.account_filters import NOW
from web.finding_filters import SERIOUS, WITHOUT
from web.forms.lists import ALL, ListFilter


class FindingFilter(ListFilter):
    """Cause, severity, whether passed dates of accounts are among them, and facility."""

    kind = forms.ChoiceField(
        label="Cause", choices=[ALL, *((kind, words.heading) for kind, words in WORDS.items())], required=False
    )
    severity = forms.ChoiceField(
        label="Severity", choices=[ALL, (SERIOUS, "Critical or high"), *Severity.choices], required=False
    )
    late = forms.ChoiceField(label="Late accounts", choices=[ALL, (WITHOUT, "Left out")], required=False)
    # Only from the figures of one facility, so it is a chip that one can take away and no further field. An account
    # that has no role anywhere any more stands where it had one (`RoleGrantQuerySet.placing`).
    held = forms.ChoiceField(
        label="Role held", choices=[ALL, (NOW, "Now, or none any more")], required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, scope=scope, **kwargs)
        self.dress()
