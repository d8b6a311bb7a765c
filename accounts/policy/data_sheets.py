"""What belongs on which form, mail or call: plain values in, a sheet out. Exact phrases come from the catalogue.

A sheet never has a place for a password, a security answer or a code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from accounts.words import count_noun

UNKNOWN_ID, KEEP_LIST, LICENSED_REASON, LICENSED_CCN = "QIES-FORM-1", "QIES-FORM-2", "QIES-FORM-3", "QIES-FORM-4"
_STATE_OF_PHRASE: Final = "TX"  # QIES-FORM-3 names the state in its words
_PROVIDER: Final = "[provider name]"
_LIST_FOLLOWS: Final = "…"
_ASK: Final = "Not known yet"
NEVER_TELL: Final = "Never write or tell a password, a security answer or a code."


class SheetRefused(ValueError):
    """A sheet that would be wrong or incomplete; the text says what to do first."""


@dataclass(frozen=True, slots=True)
class Field:
    """One line: what the form calls it, what goes there, and the fact that prescribes exact words (else empty)."""

    name: str
    value: str
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that belong together."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A data sheet. ``form``: what the receiver calls it; ``send_to``: who that is; ``message``: free text to send."""

    title: str
    form: str
    send_to: str
    parts: tuple[Part, ...] = ()
    message: str = ""
    hints: tuple[str, ...] = (NEVER_TELL,)

    def text(self) -> str:
        """Return all of it as plain text, for a mail or a form that is filled in by copying."""
        lines = [self.form, ""]
        for part in self.parts:
            lines += [part.title, *(f"{each.name}: {each.value}" for each in part.fields), ""]
        if self.message:
            lines += [self.message, ""]
        return "\n".join(lines).rstrip() + "\n"


@dataclass(frozen=True, slots=True)
class Someone:
    """A person on a sheet, as the record knows her. An empty user ID is not known to us."""

    name: str
    phone: str = ""
    email: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """A facility on a sheet; ``ccn`` None: licensed by its state only."""

    name: str
    ccn: str | None
    state: str
    zip_code: str


@dataclass(frozen=True, slots=True)
class Change:
    """Who is removed and who is added at a facility; a known successor goes on the same form (R-37)."""

    site: Site
    removed: Someone | None = None
    added: Someone | None = None
    reason: str = ""
    phrases: Mapping[str, str] = field(default_factory=dict)
    desk: str = ""  # the help desk with its e-mail address, as the catalogue has it
    epoc: bool = False  # the removed one holds an ePOC account as well, which goes by mail (QIES-REM-5)


def account_request(change: Change) -> Sheet:
    """Return the MDS Individual User Account Request: one form per person removed, the successor on the same form."""
    if change.removed is None and change.added is None:
        raise SheetRefused("Say who is to be removed or added.")
    parts = [
        Part("Facility", (*_facility(change), Field("Reason for Request", *_reason(change)))),
    ]
    if change.removed is not None:
        parts.append(Part("Remove", _person(change.removed, change.phrases)))
    if change.added is not None:
        parts.append(Part("Add", _person(change.added, change.phrases, new=True)))
    return Sheet(
        title="Data for the QIES account request",
        form="MDS Individual User Account Request",
        send_to="The QTSO help desk; the form is on the QTSO site.",
        parts=tuple(parts),
        message=f"By e-mail to {change.desk}: {_epoc_words(change)}" if change.epoc else "",
        hints=(
            "The form may have further fields; their full list was not found.",
            "The CMSNet ID has a form of its own: removing one ID does not remove the other.",
            NEVER_TELL,
        ),
    )


def cmsnet_request(change: Change) -> Sheet:
    """Return what the CMSNet Access Request Form asks for: type of request, provider, person."""
    who = change.removed or change.added
    if who is None:
        raise SheetRefused("Say who is to be removed or added.")
    removes = change.removed is not None
    provider = (
        Field("Facility name", change.site.name),
        Field("CCN", change.site.ccn or "None"),
        Field("State", change.site.state),
        Field("ZIP Code", change.site.zip_code),
    )
    person = [Field("Name", who.name), Field("Phone", who.phone or _ASK), Field("E-mail", who.email or _ASK)]
    if removes:
        person.append(Field("CMSNet user ID", who.user_id or "Not known"))
    return Sheet(
        title="Data for the CMSNet access request",
        form="CMSNet Access Request Form",
        send_to="The CMSNet help desk",
        parts=(
            Part("Request", (Field("Type of request", "Remove access" if removes else "New access"),)),
            Part("Provider information", provider),
            Part("Personal information", tuple(person)),
        ),
    )


def epoc_removal(change: Change) -> Sheet:
    """Return the mail that removes an ePOC account of the old system (QIES-REM-5): facility, CCN, the user's name."""
    if change.removed is None:
        raise SheetRefused("Say whose account is to be removed.")
    return Sheet(
        title="Mail to remove an ePOC account",
        form="E-mail to the QTSO help desk",
        send_to=change.desk,
        message=_epoc_words(change),
    )


def _epoc_words(change: Change) -> str:
    name = change.removed.name if change.removed else ""
    ccn = f"CCN {change.site.ccn}" if change.site.ccn else "no CCN"
    return f"Please remove the ePOC account of {name} at {change.site.name}, {ccn}."


def call_sheet(system: str, site: Site, who: Someone, contact: str) -> Sheet:
    """Return what to have at hand when calling about a forgotten user ID (QIES-FORGOT-1)."""
    return Sheet(
        title=f"Call about a forgotten {system} user ID",
        form="To have at hand during the call",
        send_to=contact,
        parts=(
            Part(
                "Have ready",
                (
                    Field("Provider number", "State or Medicaid facility ID: have it ready, it is not kept here"),
                    Field("CCN", site.ccn or "None"),
                    Field("Facility", f"{site.name}, {site.state} {site.zip_code}"),
                    Field("Name", who.name),
                    Field("Phone", who.phone or _ASK),
                    Field("E-mail", who.email or _ASK),
                ),
            ),
        ),
        hints=(
            "Name, phone and e-mail exactly as they were given when the account was made.",
            "Never tell the password, not even to the help desk.",
        ),
    )


def remove_all_but(site: Site, kept: Sequence[Someone], phrases: Mapping[str, str]) -> Sheet:
    """Return the request to remove all users but those named (R-36).

    Raises SheetRefused where nobody is kept, the facility has no name, or somebody has no account ID.
    """
    if not kept:
        raise SheetRefused("Tick at least one person who stays: without anybody, nobody could submit any more.")
    if not site.name.strip():
        raise SheetRefused("The facility has no name yet. Give it one first.")
    without = [each.name for each in kept if not each.user_id.strip()]
    if without:
        raise SheetRefused(
            f"No account ID is known of {', '.join(without)}. Add it on the account’s page, or leave that person out:"
            " everybody who stays must be named with the personal account ID."
        )
    words = phrases[KEEP_LIST].replace(_PROVIDER, site.name)
    listed = "; ".join(f"{each.name} (account ID {each.user_id})" for each in kept)
    message = words.replace(_LIST_FOLLOWS, listed) if _LIST_FOLLOWS in words else f"{words} {listed}"
    return Sheet(
        title=f"Remove everybody but {count_noun(len(kept), 'person,people')} at {site.name}",
        form="MDS Individual User Account Request",
        send_to="The QTSO help desk",
        parts=(Part("Facility", _facility(Change(site, phrases=phrases))),),
        message=message,
        hints=("Ask inside the facility first who has and who should have accounts.", NEVER_TELL),
    )


def _facility(change: Change) -> tuple[Field, ...]:
    name = Field("Facility", change.site.name)
    if change.site.ccn is None:
        return name, Field("Facility CCN", change.phrases[LICENSED_CCN], LICENSED_CCN)
    return name, Field("Facility CCN", change.site.ccn)


def _reason(change: Change) -> tuple[str, str]:
    """Return what goes into *Reason for Request*, with the fact that prescribes it."""
    if change.site.ccn is None and change.site.state == _STATE_OF_PHRASE and change.added is not None:
        return change.phrases[LICENSED_REASON], LICENSED_REASON
    if change.reason:
        return change.reason, ""
    if change.removed is not None and change.added is not None:
        return f"{change.removed.name} is replaced by {change.added.name}.", ""
    return ("Access is no longer needed." if change.removed is not None else "Access is needed for the work here."), ""


def _person(who: Someone, phrases: Mapping[str, str], *, new: bool = False) -> tuple[Field, ...]:
    known = Field("Personal logon ID", who.user_id) if who.user_id else None
    if known is None and not new:
        known = Field("Personal logon ID", phrases[UNKNOWN_ID], UNKNOWN_ID)
    lines = [Field("Name", who.name), Field("Phone", who.phone or _ASK), Field("E-mail", who.email or _ASK)]
    return (*lines, known) if known else tuple(lines)
