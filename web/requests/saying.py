"""One request as a sentence that could be read aloud."""

from accounts.models import AccessRequest
from accounts.policy.requesting import Kind
from accounts.sentences import possessive


def said(request: AccessRequest) -> str:
    """Return what a request (read with system, facility, role, grant and its role, beneficiary) asks for."""
    who, system, place = request.beneficiary_person, request.system.name, request.facility.name
    account = f"{possessive(str(who))} {system} account"
    role = request.role.name if request.role else ""
    held = request.grant.role.name if request.grant else ""
    sentences = {
        Kind.NEW_ACCOUNT: f"A new {system} account for {who} at {place}, as {role}.",
        Kind.ADDITIONAL_ROLE: f"A further role on {account}: {role} at {place}.",
        Kind.ROLE_CHANGE: f"{account} at {place}: {role} instead of {held}.",
        Kind.REMOVAL: f"{account}: {held} at {place} is to go." if held else f"{account} is to go as a whole.",
        Kind.REACTIVATION: f"{account}: {held} at {place} is to come back." if held else f"{account} is to come back.",
        Kind.FORGOTTEN_ID: f"The forgotten user ID of {account}.",
        Kind.CONTACT_CHANGE: f"Changed contact data on {account}.",
        Kind.UNLOCK: f"{account} is to be unlocked.",
        Kind.PROOFING: f"Identity proofing again for {account}.",
        Kind.CERTIFICATION: f"{account}: {held} at {place} is to be certified for another year.",
    }
    return sentences[Kind(request.kind)]
