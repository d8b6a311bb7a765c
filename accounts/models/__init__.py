"""What people hold on CMS systems, the evidence about it, and what goes wrong by when."""

from accounts.models.figures import FacilityFigures, OrganizationFigures
from accounts.models.hand_overs import HandOver
from accounts.models.inventory import PortalAccount, RoleGrant
from accounts.models.logins import LoginEvent
from accounts.models.register import (
    AccessLook,
    AccessReview,
    Acknowledgement,
    Certification,
    FacilityStream,
    HouseRule,
    Obligation,
    ProfileCheck,
    RecordCopy,
    RecordKeeper,
    RoleNeed,
    SystemInUse,
)
from accounts.models.requests import (
    AccessRequest,
    Approval,
    RequestBundle,
    RequestFile,
    RequestHouse,
    RequestNote,
    RequestStep,
)
from accounts.models.watch import Deadline, Finding, HouseWindow

__all__ = [
    "AccessLook",
    "AccessRequest",
    "AccessReview",
    "Acknowledgement",
    "Approval",
    "Certification",
    "Deadline",
    "FacilityFigures",
    "FacilityStream",
    "Finding",
    "HandOver",
    "HouseRule",
    "HouseWindow",
    "LoginEvent",
    "Obligation",
    "OrganizationFigures",
    "PortalAccount",
    "ProfileCheck",
    "RecordCopy",
    "RecordKeeper",
    "RequestBundle",
    "RequestFile",
    "RequestHouse",
    "RequestNote",
    "RequestStep",
    "RoleGrant",
    "RoleNeed",
    "SystemInUse",
]
