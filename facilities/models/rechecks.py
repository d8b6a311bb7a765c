"""Facilities whose rules must be looked at again, because something that they read has changed."""

from django.db import models


class Recheck(models.Model):
    """One entry per act and facility; the sweep evaluates the facilities listed and takes the entries off.

    A list, not a mark on the facility: an act that commits while the sweep runs adds its own entry, which the sweep
    has not read and therefore does not take off.
    """

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"facility:{self.facility_id}"
