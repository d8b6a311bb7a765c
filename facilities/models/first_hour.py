"""What nobody can compute about the first hour of a facility: a step that its people did elsewhere or do not need."""

from typing import Any

from django.db import models


class FirstHourMark(models.Model):
    """A step of the first hour set aside for one facility; a row of `facilities.services.first_hour` alone."""

    class Step(models.TextChoices):
        PEOPLE = "people", "Bring in your people"
        OFFICIALS = "officials", "Say who the Security Officials are"
        HEARING = "hearing", "Settle who hears what"
        TEST = "test", "Send yourself a test digest"

    class State(models.TextChoices):
        ELSEWHERE = "elsewhere", "Done elsewhere"
        NOT_NEEDED = "not_needed", "Not needed here"

    organization = models.ForeignKey("facilities.Organization", models.PROTECT, related_name="+")
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="first_hour_marks")
    step = models.CharField(max_length=9, choices=Step)
    state = models.CharField(max_length=10, choices=State)
    reason = models.CharField(max_length=300, blank=True)
    marked_by = models.CharField(max_length=200)  # label, as in the audit chain
    marked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "facility", "step"], name="facilities_first_hour_step_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="not_needed", reason=""), name="facilities_first_hour_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()}: {self.get_state_display().lower()}"

    @property
    def payload(self) -> dict[str, Any]:
        """What the audit chain keeps of it."""
        return {"step": self.step, "state": self.state, "reason": self.reason}
