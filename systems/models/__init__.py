"""The catalogue: what CMS systems are, what they demand, and who says so. Loaded from `systems/catalogue`."""

from systems.models.evidence import CatalogueQuerySet, Confidence, Source
from systems.models.guides import Contact, ContactPoint, Document, FormPhrase, Milestone, Note, RequestKind, Step
from systems.models.rules import Boundary, Consequence, Policy, PolicyKind, Prerequisite, Quota
from systems.models.surfaces import (
    Ability,
    AddressStatus,
    RoleAbility,
    Stream,
    StreamPath,
    System,
    SystemAddress,
    SystemRole,
)
from systems.models.terms import Term

__all__ = [
    "Ability",
    "AddressStatus",
    "Boundary",
    "CatalogueQuerySet",
    "Confidence",
    "Consequence",
    "Contact",
    "ContactPoint",
    "Document",
    "FormPhrase",
    "Milestone",
    "Note",
    "Policy",
    "PolicyKind",
    "Prerequisite",
    "Quota",
    "RequestKind",
    "RoleAbility",
    "Source",
    "Step",
    "Stream",
    "StreamPath",
    "System",
    "SystemAddress",
    "SystemRole",
    "Term",
]
