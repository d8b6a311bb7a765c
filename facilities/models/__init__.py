"""Tenants, their facilities, who may see them, and CMS's public directory."""

from facilities.models.directory import DirectoryEdition, Provider
from facilities.models.first_hour import FirstHourMark
from facilities.models.rechecks import Recheck
from facilities.models.tenancy import Facility, Invitation, Membership, Organization

__all__ = [
    "DirectoryEdition",
    "Facility",
    "FirstHourMark",
    "Invitation",
    "Membership",
    "Organization",
    "Provider",
    "Recheck",
]
