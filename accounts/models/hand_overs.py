"""What passed from one to others in a request and has no day of its own: a turn, an outcome, a word."""

from django.db import models
from django.db.models import Q

from accounts.models.requests import AccessRequest, RequestNote, RequestStep


class HandOver(models.Model):
    """One fact about a request that somebody else has to hear of. To whom it is told is no matter of this app.

    ``by_person``: whose act it was or who left, None for a command or the passing of a day. ``taken_at``: when a sweep
    took it up, whether or not anybody was left to tell; it is taken once.
    """

    class What(models.TextChoices):
        TURN = "turn", "A step without a day is to do"
        LEFT = "left", "Who asked has left"
        SENT_BACK = "sent-back", "Something is missing"
        COMMENT = "comment", "Somebody wrote something"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"
        DONE = "done", "Carried out"
        FAILED = "failed", "Did not work"
        UNDONE = "undone", "Taken back that it was carried out"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="hand_overs")
    step = models.ForeignKey(RequestStep, models.PROTECT, null=True, related_name="+")
    note = models.ForeignKey(RequestNote, models.PROTECT, null=True, related_name="+")
    what = models.CharField(max_length=9, choices=What)
    by_person = models.ForeignKey("staff.Person", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(what="turn", step__isnull=False) | (~Q(what="turn") & Q(step=None)),
                name="accounts_a_turn_names_its_step",
            ),
            models.CheckConstraint(
                condition=Q(what__in=["sent-back", "comment"], note__isnull=False)
                | (~Q(what__in=["sent-back", "comment"]) & Q(note=None)),
                name="accounts_words_name_their_note",
            ),
        ]
        indexes = [
            # the sweep: what nobody has taken up yet
            models.Index(fields=["at"], condition=Q(taken_at=None), name="accounts_handed_over"),
        ]
