"""The clock of an organization or a person, as its zone is stored."""

import logging
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from systems.policy import EASTERN

_log = logging.getLogger(__name__)


def local_time(at: datetime, zone: str) -> datetime:
    """Return an instant in a zone as stored; one that nobody knows runs on Eastern time, and no run breaks on it."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _log.warning("a time zone of mails is not known; Eastern time is used instead")
        return at.astimezone(ZoneInfo(EASTERN))
