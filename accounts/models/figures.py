"""What is counted ahead for pages over many facilities: late, this week, unknown, findings; kept by `figures`."""

from django.db import models


class Counted(models.Model):
    """How many accounts stand so, the worst one counts; and how many findings of each weight stand beside them."""

    late = models.PositiveIntegerField(default=0)  # accounts past a last safe day
    check_roles = models.PositiveIntegerField(default=0)  # accounts whose roles somebody has to look at
    week = models.PositiveIntegerField(default=0)  # accounts with a date today or in the six days after it
    unknown = models.PositiveIntegerField(default=0)  # accounts nobody knows the last login of
    serious = models.PositiveIntegerField(default=0)  # critical and high findings, passed dates of accounts left out
    notable = models.PositiveIntegerField(default=0)  # medium ones

    class Meta:
        abstract = True


class OrganizationFigures(Counted):
    """One organization's figures, each account and finding once, as of one act of its audit chain."""

    organization = models.OneToOneField("facilities.Organization", models.PROTECT, related_name="figures")
    counted_on = models.DateField()  # the day, US Eastern, that late and week were told from
    counted_at = models.DateTimeField()
    act_seq = models.BigIntegerField()  # the newest act when counting began; a later one may have changed anything
    facilities = models.PositiveIntegerField(default=0)  # open ones
    troubled = models.PositiveIntegerField(default=0)  # of them with anything late, to check or serious


class FacilityFigures(Counted):
    """One facility's figures: accounts with a role there, findings there and about such accounts. None: all are 0."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    facility = models.OneToOneField("facilities.Facility", models.PROTECT, related_name="figures")
    burning = models.PositiveIntegerField(default=0)  # late, to check and serious together: the order of the page

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-burning", "-week", "facility"], name="accounts_worst_facilities")
        ]
