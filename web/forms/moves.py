"""How people narrow down the facilities of a move; every combination is an address that can be kept."""

from typing import Any

from django import forms

from accounts.policy.moving import Readiness
from facilities.access import Scope
from facilities.models import Facility
from web.forms.lists import ALL, ListFilter, Search

READINESS = {
    Readiness.NOT_READY: "Not ready",
    Readiness.UNKNOWN: "Nobody knows",
    Readiness.READY: "Ready",
}


class MoveFilter(ListFilter):
    """Name or CCN, state, and whether the facility is ready."""

    of_a_place = False
    q = Search("Name, CCN or city")
    standing = forms.ChoiceField(
        label="Only",
        choices=[ALL, *((each.value, words) for each, words in READINESS.items())],
        required=False,
        error_messages={"invalid_choice": "A facility is ready, not ready, or nobody knows."},
    )

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, scope=scope, **kwargs)
        states = Facility.objects.visible_to(scope).open().order_by("state").values_list("state", flat=True).distinct()
        self.fields["state"] = forms.ChoiceField(
            label="State",
            choices=[ALL, *((state, state) for state in states)],
            required=False,
            error_messages={"invalid_choice": "You have no facility in that state."},
        )
        self.order_fields(["q", "state", "standing"])
        self.dress()
