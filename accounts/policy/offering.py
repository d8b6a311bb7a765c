"""Which kinds of request make sense on a system, and what to do instead of the others. Pure."""

from dataclasses import dataclass
from typing import Final

from accounts.policy.requesting import Kind
from accounts.words import listed

_NAMED_AT_MOST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What of a system decides which kinds of request there are.

    ``authority``: the system through which one signs in, empty where that is itself. ``opens``: the systems that are
    signed in to with it, where such an account stays with its person. ``roles``: how many there are to choose from.
    ``certified``: a rule asks for a certification of each role every year. ``proofed``: steps of identity proofing were
    published, there or at the authority.
    """

    name: str
    authority: str = ""
    opens: tuple[str, ...] = ()
    roles: int = 1
    certified: bool = False
    proofed: bool = False


def why_not(kind: str, surface: Surface, *, privileged: bool = False) -> str:
    """Return why a kind of request is not offered on a system, with what to do instead; empty where it is offered.

    ``privileged``: it is about a role by which somebody decides on the access of others.
    """
    name = surface.name
    if kind == Kind.CERTIFICATION and not surface.certified:
        return f"No rule asks for a yearly certification on {name}. Ask for a removal where a role is not needed."
    if kind == Kind.PROOFING and not surface.proofed:
        return f"No identity proofing of {name} was published. Ask its help desk if it demands one."
    if kind == Kind.PROOFING and surface.authority:
        return f"{name} is entered with the {surface.authority} account; identity is proved there. Ask for it there."
    if kind == Kind.ROLE_CHANGE and surface.roles < 2:
        return (
            f"Different roles of {name} are not known here, so that none can take another’s place. Ask for access or"
            " for a removal."
        )
    if kind == Kind.REMOVAL and surface.opens and not privileged:
        return (
            f"The {name} account stays with its person, and the facility does not delete it; who may close one was not"
            f" found. What can be removed are the roles in {_opened(surface)}: ask for that. Where the account does not"
            " exist, or is the second one of the person, take it out of the register on its own page, by “It was"
            f" removed on {name}”."
        )
    return ""


def _opened(surface: Surface) -> str:
    if len(surface.opens) > _NAMED_AT_MOST:
        return f"the applications that are opened with {surface.name}"
    return listed(surface.opens)
