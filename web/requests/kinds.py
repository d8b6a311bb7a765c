"""The kinds of requests in the words of whoever asks. New account or additional role: that is worked out, not asked."""

from typing import Final

from accounts.policy.requesting import Kind

ACCESS: Final = "access"
# kind -> what one wants, and what that means
PLAIN: Final[dict[str, tuple[str, str]]] = {
    ACCESS: ("Get access to a system", "A new account, or a further role or building on an account that is there."),
    Kind.ROLE_CHANGE.value: ("Change a role", "Another role instead of one that is held."),
    Kind.REACTIVATION.value: ("Get a role back that lapsed", "As it was before it was lost."),
    Kind.REMOVAL.value: ("Remove access", "A role or a whole account that is no longer needed."),
    Kind.FORGOTTEN_ID.value: ("Forgotten user ID", "Nobody knows what to type in to sign in."),
    Kind.CONTACT_CHANGE.value: ("Change contact data", "Name, phone or e-mail as the system knows them."),
    Kind.UNLOCK.value: ("Unlock", "Locked after wrong passwords."),
    Kind.PROOFING.value: ("Identity proofing again", "It did not work the first time."),
    Kind.CERTIFICATION.value: ("Yearly certification", "A role has to be confirmed for another year."),
}
# kind -> what the page is called once it is chosen
HEADINGS: Final[dict[str, str]] = {
    ACCESS: "Ask for access",
    Kind.ROLE_CHANGE.value: "Ask for a change of role",
    Kind.REACTIVATION.value: "Ask for a role back",
    Kind.REMOVAL.value: "Ask for a removal",
    Kind.FORGOTTEN_ID.value: "Ask for a forgotten user ID",
    Kind.CONTACT_CHANGE.value: "Ask for a change of contact data",
    Kind.UNLOCK.value: "Ask for an unlock",
    Kind.PROOFING.value: "Ask for identity proofing again",
    Kind.CERTIFICATION.value: "Ask for a yearly certification",
}
# What a link may call it -> what it is here.
_ALSO: Final = {Kind.NEW_ACCOUNT.value: ACCESS, Kind.ADDITIONAL_ROLE.value: ACCESS}
# These are asked for accounts that nobody recorded, too.
UNRECORDED: Final = frozenset({Kind.FORGOTTEN_ID.value, Kind.PROOFING.value})
WHICH: Final[dict[str, str]] = {
    Kind.ROLE_CHANGE.value: "Which role is to change?",
    Kind.REACTIVATION.value: "What is to come back?",
    Kind.REMOVAL.value: "What is to be removed?",
    Kind.FORGOTTEN_ID.value: "Of which account is the user ID forgotten?",
    Kind.CONTACT_CHANGE.value: "On which account?",
    Kind.UNLOCK.value: "Which account is locked?",
    Kind.PROOFING.value: "For which account?",
    Kind.CERTIFICATION.value: "Which role is to be certified?",
}


def kind_asked(text: str) -> str:
    """Return the kind that an address names, or nothing."""
    kind = _ALSO.get(text, text)
    return kind if kind in PLAIN else ""
