"""What stands against a request before it is submitted, and what to do instead. Pure: plain values in, guards out.

A guard either blocks, or says what somebody should know. Limits and prerequisites are the catalogue's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from accounts.policy.quotas import Limit

# Mail providers at which anybody may have an address: no employer's domain (HARP-CRED-5 speaks of personal e-mail).
PERSONAL_DOMAINS: Final = frozenset(
    {
        "aol.com", "att.net", "bellsouth.net", "comcast.net", "cox.net", "earthlink.net", "gmail.com", "gmx.com",
        "googlemail.com", "hotmail.com", "icloud.com", "live.com", "mac.com", "mail.com", "me.com", "msn.com",
        "outlook.com", "proton.me", "protonmail.com", "sbcglobal.net", "verizon.net", "yahoo.com", "ymail.com",
    }
)  # fmt: skip
PERSONAL_MAIL_PROVIDERS: Final = 2  # up to so many providers, without a domain of their own (HARP-CRED-5)
_NEW_ACCESS: Final = frozenset({"new-account", "additional-role", "role-change"})
_FIRST_TIME: Final = frozenset({"new-account", "additional-role"})
# What makes or keeps access usable: nobody needs that on a system that has closed for the facility.
NEEDS_OPEN_SYSTEM: Final = _NEW_ACCESS | {"reactivation", "unlock"}
# What gives access, keeps it or makes it usable: not for who has left. A removal is, and what it may take first.
FOR_WHO_WORKS: Final = NEEDS_OPEN_SYSTEM | {"proofing", "certification"}
# What keeps or brings back a role of old: worth a look where she works at other facilities only now.
_KEEPS_ROLES: Final = frozenset({"reactivation", "certification"})


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard that did not pass. ``blocks``: the request cannot go on; else it is something to know.

    ``code``: such as ``no_ccn``; ``rule``: such as ``R-30``; ``cure``: what to do instead; ``fact``: what says so.
    """

    code: str
    rule: str
    blocks: bool
    message: str
    cure: str
    fact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The person's account at a system that has to be there first; None values = nobody said so yet."""

    name: str
    slug: str
    fact: str
    until_on: date | None = None
    there: bool = False
    factor: bool | None = None  # a working second factor; None = not known
    proofed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for, and all that the guards read about it. People by key."""

    kind: str
    person: int
    name: str
    email: str
    vendor: bool
    left_on: date | None  # the last day of who has left; None for whoever works, will work or never did
    facility: str
    licensed_only: bool
    needs_ccn: str = ""  # the fact that says a CCN is needed
    without_ccn: str = ""  # what the catalogue says about asking without one
    system: str
    system_name: str
    closed: bool = False
    successors: tuple[str, ...] = ()
    still_needed: bool = False
    role: int | None = None
    role_name: str = ""
    role_fact: str = ""
    vendor_allowed: bool = True
    vendor_only: bool = False
    decides: bool = False  # the role is the one that decides others' requests on CMS's side
    has_official: bool = True  # somebody besides the person: nobody approves the own request (HARP-ROLE-2)
    is_official: bool = False  # the person decides others' requests there
    usable_from: date | None = None
    usable_until: date | None = None
    requestable_from: date | None = None
    holds: bool = False
    has_account: bool = False
    running: bool = False
    # With the people who hold what each counts, those for whom it is asked already, and those who give it up beside it.
    limits: tuple[tuple[Limit, frozenset[int], frozenset[int], frozenset[int]], ...] = ()
    needs: tuple[Authority, ...] = ()
    needs_factor: bool = False
    sign_in_system: bool = False  # the system is an authority where a user ID is chosen for good
    idm_user_id: bool = False
    providers: int = 1
    own_domain: bool = False
    wanted_until: date | None = None  # the last day of what is temporary
    moved_on: date | None = None  # the last day at the facility of who works at others only (`policy.people`)
    over_since: date | None = None  # until when the role was wanted that is to come back, where that has passed
    other_side: str = ""  # the role that she holds and that nobody else would hold beside her


def guards(asked: Wanted, on: date) -> list[Guard]:
    """Return what stands against a request on a day, blocking ones first."""
    found = [guard for check in _CHECKS for guard in check(asked, on)]
    return sorted(found, key=lambda guard: not guard.blocks)


def _person(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.left_on is not None and asked.kind in FOR_WHO_WORKS:
        message = f"{asked.name} does not work here any more: the last day was {asked.left_on:%d %b %Y}."
        yield Guard("left", "R-33", True, message, "Ask for the removal instead.")
    if asked.moved_on is not None and asked.kind in _KEEPS_ROLES:
        message = f"{asked.name} works elsewhere only: the last day at {asked.facility} was {asked.moved_on:%d %b %Y}."
        cure = "Where the role is not needed any more, ask for the removal instead."
        yield Guard("moved", "R-38", False, message, cure)
    if asked.running:
        yield Guard(
            "running", "", True, "The same is asked for already and has not ended.", "Open that request under Requests."
        )
    if asked.kind in _FIRST_TIME and asked.holds:
        message = f"{asked.name} holds {asked.role_name} at {asked.facility} already."
        yield Guard("held", "", True, message, "Choose another role, or another facility.")


def _until(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.wanted_until is not None and asked.wanted_until < on:
        message = f"“Only until” is {asked.wanted_until:%d %b %Y}, and that day has passed."
        yield Guard("until_passed", "R-54", True, message, "Change the request: give a later day, or none.")


def _back(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.over_since is not None:
        message = f"The role was wanted until {asked.over_since:%d %b %Y} only, and that day has passed."
        cure = "Ask for the role as a new one, so that somebody decides about it."
        yield Guard("over", "R-54", True, message, cure)


def _removal(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.kind == "removal" and asked.system == "casper":
        message = "One user name opens QIES and CASPER. This ends CASPER here only; the QIES account stays open."
        cure = "If that is to be removed as well, ask for it, too."
        yield Guard("casper_only", "R-34", False, message, cure, "QIES-REM-2")


def _role(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.kind not in _NEW_ACCESS:
        return
    if asked.usable_until is not None and on > asked.usable_until:
        message = f"{asked.role_name} ended on {asked.usable_until:%d %b %Y}."
        yield Guard("role_ended", "", True, message, "Choose a role that is in use.")
    if asked.requestable_from is not None and on < asked.requestable_from:
        message = f"{asked.role_name} can be requested from {asked.requestable_from:%d %b %Y} on."
        yield Guard("role_early", "", True, message, "Ask on that day.", "IQ-REG-5")
    elif asked.usable_from is not None and on < asked.usable_from:
        message = f"{asked.role_name} works from {asked.usable_from:%d %b %Y} on; it can be requested before."
        yield Guard("role_waits", "", False, message, "", "IQ-REG-5")
    yield from _vendor(asked)


def _vendor(asked: Wanted) -> Iterator[Guard]:
    if not asked.vendor:
        if asked.vendor_only:
            message = f"{asked.name} works for the provider. By its name, {asked.role_name} is for people of a vendor:"
            cure = "Choose the role of the provider’s own people, unless CMS’s side says otherwise."
            yield Guard("vendor_role", "R-22", False, f"{message} that is our reading.", cure, asked.role_fact)
    elif not asked.vendor_allowed and asked.decides:
        yield Guard(
            "vendor_official",
            "R-20",
            True,
            f"{asked.name} works for a vendor, and {asked.role_name} must work for the provider.",
            "Ask for somebody whom the facility employs.",
            "IQ-SO-4",
        )
    elif not asked.vendor_allowed:
        message = f"{asked.name} works for a vendor. By its name, {asked.role_name} is for people of the provider:"
        cure = "Choose the role for vendors, unless CMS’s side says otherwise."
        yield Guard("vendor_role", "R-22", False, f"{message} that is our reading.", cure, asked.role_fact)
    else:
        yield Guard(
            "vendor_per_ccn",
            "R-22",
            False,
            "A vendor needs a grant of its own at every facility it serves, approved there.",
            "Tick every facility that is served.",
            "IQ-REG-4",
        )


def _closed(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.kind in NEEDS_OPEN_SYSTEM and asked.closed and not asked.still_needed:
        onward = " or ".join(asked.successors)
        cure = f"Ask for {onward} instead" if onward else "Ask for nothing here"
        yield Guard(
            "closed",
            "R-47",
            True,
            f"{asked.system_name} has closed for {asked.facility}.",
            f"{cure}, or say why it is still needed here.",
        )


def _place(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.kind not in _NEW_ACCESS:
        return
    if asked.licensed_only and asked.needs_ccn:
        if asked.without_ccn:
            yield Guard("licensed_only", "R-30", False, asked.without_ccn, "", asked.needs_ccn)
        else:
            message = f"{asked.facility} has no CCN."
            yield Guard("no_ccn", "R-30", True, message, "Wait until CMS has assigned it.", asked.needs_ccn)
    if not asked.has_official and not asked.decides:
        if asked.is_official:
            message = f"{asked.name} is the only Security Official of {asked.facility} on {asked.system_name}, and"
            known = " whether one may approve the own request was not found; EQRS forbids it."
            if asked.system == "eqrs":
                known = " nobody approves the own request."
            fact = "IQ-SO-9" if asked.system == "iqies" else "HARP-ROLE-2"
            yield Guard("no_official", "R-21", False, message + known, "Ask for a second Security Official.", fact)
            return
        yield Guard(
            "no_official",
            "R-16",
            False,
            f"Nobody at {asked.facility} can approve this on {asked.system_name}: there is no Security Official.",
            "Ask for a Security Official first; the steps begin with that.",
            "IQ-PRE-2",
        )


def _quotas(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.kind not in _NEW_ACCESS:
        return
    for limit, people, waiting, going in asked.limits:
        held, further = len(people - {asked.person}), len(waiting - people - {asked.person})
        if asked.person in people or held + further < limit.most:
            continue
        full = held + further - len((going & people) - {asked.person}) >= limit.most
        blocks = full and limit.key == "CMSN-QUO-1"
        message = f"{asked.facility} has {held} of {limit.most} accounts that {asked.system_name} allows."
        if further:
            message = f"{message[:-1]}, and {further} more {'is' if further == 1 else 'are'} asked for already."
        cure = limit.cure if full else "The removal asked for together with it makes room: carry that out first."
        yield Guard("quota", "R-23" if limit.key == "CMSN-QUO-1" else "R-24", blocks, message, cure, limit.key)


def _prerequisites(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.kind not in _FIRST_TIME:
        return
    for need in asked.needs:
        if need.until_on is not None and on > need.until_on:
            continue
        rule = "R-31" if need.slug == "cmsnet" else "R-32"
        if not need.there:
            message = f"{asked.name} has no working {need.name} account, and that comes first."
            cure = f"Ask for {need.name}, or add the account if it is there already."
            yield Guard("prerequisite", rule, True, message, cure, need.fact)
            continue
        if not asked.needs_factor:
            continue
        page = f"Open the {need.name} account and say how it stands."
        if need.factor is False:
            message = f"{asked.name}’s {need.name} account has no second factor yet, and that comes first."
            yield Guard("second_factor", rule, True, message, page, "HARP-MFA-1")
        elif need.proofed is False:
            message = f"{asked.name}’s identity is not proved at {need.name} yet, and that comes first."
            yield Guard("proofing", rule, True, message, page, "HARP-PRE-1")
        elif need.factor is None and not asked.has_account:
            message = f"Nobody said yet whether {asked.name}’s {need.name} account has a second factor."
            yield Guard("second_factor_unknown", rule, True, message, page, "HARP-MFA-1")


def _identity(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.kind != "new-account" or asked.system != "harp":
        return
    domain = asked.email.rpartition("@")[2].lower()
    tolerated = asked.providers <= PERSONAL_MAIL_PROVIDERS and not asked.own_domain
    if not domain:
        message = f"No work e-mail of {asked.name} is known, and HARP wants one."
        yield Guard("no_email", "R-44", True, message, "Add it on the person’s page.", "HARP-CRED-5")
    elif domain in PERSONAL_DOMAINS and not tolerated:
        message = f"{asked.email} is a personal address. HARP takes one only from an organization of two or fewer"
        message += " providers without a mail domain of its own."
        yield Guard("personal_email", "R-44", True, message, "Use the work e-mail.", "HARP-CRED-5")
    message = "A HARP user ID can never be changed: no facility name, no # or & in it."
    yield Guard("user_id", "R-45", False, message, "", "HARP-CRED-4")
    if asked.idm_user_id:
        message = f"{asked.name} has an IDM account. Sign in to HARP with that instead of registering anew."
        yield Guard("known_identity", "R-46", False, message, "", "HARP-CRED-3")


def _two_people(asked: Wanted, on: date) -> Iterator[Guard]:
    if asked.kind in _NEW_ACCESS and asked.other_side:
        message = (
            f"{asked.name} is the only {asked.other_side} there. Who approves users cannot read the reports, so that it"
            " takes two people."
        )
        yield Guard("two_people", "R-51", True, message, "Ask for another person.", "PSR-2")


_CHECKS: Final[tuple[Callable[[Wanted, date], Iterator[Guard]], ...]] = (
    _person,
    _until,
    _back,
    _removal,
    _closed,
    _place,
    _role,
    _prerequisites,
    _quotas,
    _identity,
    _two_people,
)


def user_id_flaw(user_id: str, facilities: tuple[str, ...]) -> str:
    """Return what is wrong with a HARP user ID that is to be kept for good (R-45), empty where nothing is.

    ``facilities``: names; a word of five and more letters of one of them counts as the facility's name.
    """
    if "#" in user_id or "&" in user_id:
        return "It contains # or &, which HARP user IDs should not."
    plain = "".join(letter for letter in user_id.lower() if letter.isalnum())
    for name in facilities:
        joined = "".join(letter for letter in name.lower() if letter.isalnum())
        if joined and joined in plain:
            return f"It contains the name {name}; the ID stays with the person and can never be changed."
    return ""
