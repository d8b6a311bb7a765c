"""What people hold on CMS systems, the evidence about it, and what goes wrong by when."""

from accounts.models.inventory import LoginEvent, PortalAccount, RoleGrant
from accounts.models.watch import Deadline, Finding, HouseWindow

__all__ = ["Deadline", "Finding", "HouseWindow", "LoginEvent", "PortalAccount", "RoleGrant"]
