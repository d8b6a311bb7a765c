"""What people ask for: requests, their steps on CMS's side, who decided, what was said, and the proof at the end.

What a row of these tables may become is refused by the database as well: see `accounts.request_triggers`.
"""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.models.inventory import PortalAccount
from accounts.policy.requesting import APPROVED_WORDS, KIND_WORDS, NEEDS_APPROVAL, STATE_WORDS, Approved, State
from systems.models import Step

if TYPE_CHECKING:
    from facilities.access import Scope

_WITH_APPROVAL = Q(kind__in=sorted(kind.value for kind in NEEDS_APPROVAL))


class RequestHouse(models.Model):
    """How an organization decides: who does where nobody else may, and whether privileged roles take two."""

    organization = models.OneToOneField("facilities.Organization", models.PROTECT, related_name="request_house")
    outside_deputy = models.ForeignKey("staff.Person", models.PROTECT, null=True, blank=True, related_name="+")
    two_for_privileged = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)


class RequestBundle(models.Model):
    """Requests made together, decided together or singly: one for each role and facility."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    requester_person = models.ForeignKey("staff.Person", models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    @property
    def key(self) -> str:
        """Audit key, such as ``bundle:7``."""
        return f"bundle:{self.pk}"


class AccessRequestQuerySet(models.QuerySet["AccessRequest"]):
    """Reading starts at `visible_to`."""

    def visible_to(self, scope: "Scope") -> "AccessRequestQuerySet":
        """Requests at facilities the member reads, and those by or for the member."""
        mine = self.filter(organization=scope.organization)
        places = scope.reads
        if places is None:
            return mine
        return mine.filter(Q(facility__in=places) | self.of_user(scope))

    def of_user(self, scope: "Scope") -> Q:
        """Return the condition on requests by or for the member's own person."""
        if scope.user_id is None:
            return Q(pk__in=())
        return Q(requester_person__user_id=scope.user_id) | Q(beneficiary_person__user_id=scope.user_id)

    def under_way(self) -> "AccessRequestQuerySet":
        """Sent, and neither ended nor given up: asking for the same again would be one thing twice."""
        return self.filter(state__in=[State.SUBMITTED.value, State.APPROVED.value, State.IN_PROGRESS.value])

    def pending(self) -> "AccessRequestQuerySet":
        """Not ended: somebody still has something to do."""
        return self.filter(
            state__in=[
                State.DRAFT.value,
                State.SUBMITTED.value,
                State.APPROVED.value,
                State.IN_PROGRESS.value,
                State.FAILED.value,
            ]
        )


class AccessRequest(models.Model):
    """One thing asked for one person at one facility on one system. Its states: `accounts.policy.requesting`.

    ``revision`` rises with every change of what is asked for; decisions count for the revision they were made about.
    """

    class Proof(models.TextChoices):
        NOTE = "note", "In words"
        FILE = "file", "A file"
        SEEN = "seen", "Seen in the system"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    bundle = models.ForeignKey(RequestBundle, models.PROTECT, null=True, blank=True, related_name="requests")
    kind = models.CharField(max_length=16, choices=KIND_WORDS)
    system = models.ForeignKey("systems.System", models.PROTECT, related_name="+")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="requests")
    role = models.ForeignKey("systems.SystemRole", models.PROTECT, null=True, blank=True, related_name="+")
    # The role that is changed, removed or certified; the account that is meant where there is one already.
    grant = models.ForeignKey("accounts.RoleGrant", models.PROTECT, null=True, blank=True, related_name="requests")
    account = models.ForeignKey(PortalAccount, models.PROTECT, null=True, blank=True, related_name="requests")
    requester_person = models.ForeignKey("staff.Person", models.PROTECT, related_name="requests_made")
    beneficiary_person = models.ForeignKey("staff.Person", models.PROTECT, related_name="requests_for")
    # Who asked before somebody took it over from her: she decides it no more than who asks for it now.
    asked_first_person = models.ForeignKey(
        "staff.Person", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    state = models.CharField(max_length=11, choices=STATE_WORDS, default=State.DRAFT.value)
    approval = models.CharField(max_length=10, choices=APPROVED_WORDS)
    approvers_needed = models.PositiveSmallIntegerField(default=1)
    unapproved_reason = models.CharField(max_length=500, blank=True)
    reason = models.CharField(max_length=500, blank=True)  # why it is asked for
    still_needed_reason = models.CharField(max_length=500, blank=True)  # why on a system that has closed there
    wanted_on = models.DateField(null=True, blank=True)
    wanted_until = models.DateField(null=True, blank=True)  # last day of temporary access
    revision = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # rejected, withdrawn, done or failed
    # How it ended: the day from which it holds, what proves it, and the role that came of it.
    effective_on = models.DateField(null=True, blank=True)
    proof = models.CharField(max_length=4, choices=Proof, blank=True)
    proof_text = models.CharField(max_length=500, blank=True)
    seen_by = models.ForeignKey("staff.Person", models.PROTECT, null=True, blank=True, related_name="+")
    opened_grant = models.ForeignKey("accounts.RoleGrant", models.PROTECT, null=True, blank=True, related_name="+")
    before = models.TextField(default="{}")  # JSON: what completing it changed, so that it can be taken back
    ended_reason = models.CharField(max_length=500, blank=True)  # why rejected, withdrawn, failed or undone

    objects = AccessRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(_WITH_APPROVAL & Q(approval__in=[Approved.NEEDED.value, Approved.UNAPPROVED.value]))
                | (~_WITH_APPROVAL & Q(approval=Approved.NOT_NEEDED.value)),
                name="accounts_request_approval_fits",
            ),
            models.CheckConstraint(
                condition=~Q(approval=Approved.UNAPPROVED.value) | ~Q(unapproved_reason=""),
                name="accounts_unapproved_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.DONE.value) | (Q(effective_on__isnull=False) & ~Q(proof="")),
                name="accounts_done_has_proof",
            ),
            models.CheckConstraint(
                condition=~_WITH_APPROVAL | Q(role__isnull=False), name="accounts_request_names_role"
            ),
            models.CheckConstraint(
                condition=Q(wanted_until=None) | Q(wanted_on=None) | Q(wanted_until__gte=F("wanted_on")),
                name="accounts_request_forward",
            ),
            models.CheckConstraint(
                condition=Q(approvers_needed__gte=1, approvers_needed__lte=2), name="accounts_one_or_two_decide"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="accounts_requests_newest"),
            models.Index(fields=["organization", "state", "-id"], name="accounts_requests_by_state"),
            models.Index(fields=["organization", "facility", "state", "-id"], name="accounts_requests_at"),
            models.Index(fields=["requester_person", "-id"], name="accounts_requests_made"),
            models.Index(fields=["beneficiary_person", "-id"], name="accounts_requests_for"),
            # what is carried out for who asked, however much of it has ended
            models.Index(
                fields=["organization", "requester_person", "-id"],
                condition=Q(closed_at=None, state__in=[State.APPROVED.value, State.IN_PROGRESS.value]),
                name="accounts_requests_left",
            ),
            # what did not work, for the next in line where who asked has left
            models.Index(
                fields=["requester_person"], condition=Q(state=State.FAILED.value), name="accounts_requests_failed"
            ),
            # the few removals that their holders asked for themselves, for the administrators who carry them out
            models.Index(
                fields=["organization", "-id"],
                condition=Q(closed_at=None, kind="removal", requester_person=F("beneficiary_person")),
                name="accounts_own_removals",
            ),
            # what is still open for a person on a system: the same thing is not asked for twice
            models.Index(
                fields=["beneficiary_person", "system"],
                condition=Q(closed_at=None),
                name="accounts_requests_running",
            ),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``request:7``."""
        return f"request:{self.pk}"

    def get_absolute_url(self) -> str:
        """The request's page."""
        return reverse("web:request", args=[self.organization.slug, self.pk])


class RequestStep(models.Model):
    """One step of carrying a request out, copied from the catalogue when the request was submitted.

    ``position`` 0 is our own decision. A step waits until those before it are through; ``started_on`` is the day from
    which its duration counts, ``due_on`` the last day of that.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Not yet"
        OPEN = "open", "To do"
        DONE = "done", "Done"
        FAILED = "failed", "Did not work"
        SKIPPED = "skipped", "Not needed"

    class Actor(models.TextChoices):
        """Those of the catalogue's steps, and who decides here."""

        HOLDER = "holder", "the person"
        OFFICIAL = "official", "Security Official or approver on CMS's side"
        FACILITY = "facility", "the facility"
        HELP_DESK = "help-desk", "help desk"
        CMS = "cms", "CMS"
        APPROVER = "approver", "who decides here"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    key_in_list = models.CharField(max_length=32)
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    fact = models.CharField(max_length=24, blank=True)  # what the catalogue cites; empty = ours
    actor = models.CharField(max_length=10, choices=Actor)
    duration = models.PositiveSmallIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=13, choices=Step.Unit, blank=True)
    after = models.CharField(max_length=32, blank=True)
    together = models.CharField(max_length=32, blank=True)
    cure_for = models.CharField(max_length=32, blank=True)
    stage = models.CharField(max_length=60, blank=True)
    takes = models.CharField(max_length=40, blank=True)  # in CMS's words, where no number was printed
    state = models.CharField(max_length=7, choices=State, default=State.WAITING.value)
    started_on = models.DateField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    done_on = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["request", "position"]
        constraints = [
            models.UniqueConstraint(fields=["request", "key_in_list"], name="accounts_request_step_once"),
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], done_on__isnull=False, done_at__isnull=False)
                | Q(state__in=["waiting", "open", "skipped"]),
                name="accounts_request_step_dated",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "actor", "id"], condition=Q(state="open"), name="accounts_steps_to_do"
            ),
        ]

    @property
    def key(self) -> str:
        """Audit key, such as ``request-step:7``."""
        return f"request-step:{self.pk}"


class RequestNote(models.Model):
    """What somebody said about a request: a comment, or what was missing when it was sent back."""

    class Kind(models.TextChoices):
        COMMENT = "comment", "Comment"
        SENT_BACK = "sent-back", "Sent back"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.COMMENT)
    person = models.ForeignKey("staff.Person", models.PROTECT, null=True, related_name="+")
    by = models.CharField(max_length=200)
    text = models.CharField(max_length=1000)
    at = models.DateTimeField()

    class Meta:
        ordering = ["request", "pk"]


class Approval(models.Model):
    """A decision about one revision of a request, by a third person. Never changed; a changed request voids it.

    Requester and beneficiary stand here as well, so that the database can refuse who decides about her own.
    """

    class Verdict(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="approvals")
    revision = models.PositiveIntegerField()
    verdict = models.CharField(max_length=7, choices=Verdict)
    approver_person = models.ForeignKey("staff.Person", models.PROTECT, related_name="+")
    requester_person = models.ForeignKey("staff.Person", models.PROTECT, related_name="+")
    beneficiary_person = models.ForeignKey("staff.Person", models.PROTECT, related_name="+")
    in_place_of = models.ForeignKey("staff.Person", models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(approver_person=F("requester_person")), name="accounts_approver_is_not_requester"
            ),
            models.CheckConstraint(
                condition=~Q(approver_person=F("beneficiary_person")), name="accounts_approver_is_not_beneficiary"
            ),
            # Who stands in has the seat of the absent person: her own requests are none of it either.
            models.CheckConstraint(
                condition=~Q(in_place_of=F("requester_person")), name="accounts_seat_is_not_requesters"
            ),
            models.CheckConstraint(
                condition=~Q(in_place_of=F("beneficiary_person")), name="accounts_seat_is_not_beneficiarys"
            ),
            models.CheckConstraint(condition=~Q(in_place_of=F("approver_person")), name="accounts_deputy_is_another"),
            models.UniqueConstraint(
                "request",
                "revision",
                Coalesce("in_place_of", "approver_person"),
                condition=Q(voided_at=None),
                name="accounts_one_decision_a_seat",
            ),
            models.UniqueConstraint(
                fields=["request", "revision", "approver_person"],
                condition=Q(voided_at=None),
                name="accounts_one_decision_each",
            ),
            models.CheckConstraint(condition=Q(verdict="approve") | ~Q(reason=""), name="accounts_rejected_has_reason"),
        ]


class RequestFile(models.Model):
    """A file that proves how a request ended. It lies outside the web root; name, size and hash stand here."""

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="files")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=200)  # below the evidence folder
    at = models.DateTimeField()
    by = models.CharField(max_length=200)
