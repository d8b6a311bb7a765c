"""Samples of the parts of requests for the style page: what changes, and the steps in every state."""

from datetime import UTC, datetime
from typing import Any, Final

from web.forms.deciding import OutcomeForm

_AT: Final = datetime(2026, 11, 21, 15, tzinfo=UTC)


def changes() -> list[dict[str, str]]:
    """Return what somebody may do before and after a change of role."""
    return [
        {"label": "MDS 3.0", "before": "view data", "after": "view data, upload files", "gained": "upload files"},
        {"label": "PBJ", "before": "edit data", "after": "", "lost": "edit data"},
        {"label": "HOPE", "before": "run reports", "after": "run reports"},
    ]


def steps() -> list[dict[str, Any]]:
    """Return a guided way with a step in every state."""
    looks = [
        ("done", "Done", "Get a HARP account", "Done on Thu 19 Nov 2026."),
        ("failed", "Did not work", "Prove who you are", "Did not work on Fri 20 Nov 2026."),
        ("open", "To do", "Try the proofing again", ""),
        ("late", "Late", "Wait for the decision", ""),
        ("quiet", "Not yet", "Sign in once", ""),
    ]
    return [
        {
            "pk": number,
            "title": title,
            "text": "What to press there, in the system’s own words.",
            "look": look,
            "state": state,
            "who": "Henry Test does this",
            "takes": "Two full business days: by Tue 24 Nov (in three days)." if look == "open" else "",
            "stage": "Remote Proofing" if look == "open" else "",
            "outcome": outcome,
            "cure": look == "open",
            "open": look in ("open", "late"),
            "recordable": look in ("open", "late"),
            "form": OutcomeForm(at=_AT, auto_id=f"step-{number}-%s"),
        }
        for number, (look, state, title, outcome) in enumerate(looks, start=1)
    ]
