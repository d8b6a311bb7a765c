"""All rules that find something wrong now, in the order in which they are run."""

from typing import Final

from accounts.services import missing
from accounts.services.rules import (
    absences,
    closed_systems,
    job_changes,
    jobs,
    leavers,
    logins_unknown,
    officials,
    officials_lapse,
    profiles,
    quotas,
    records,
    submitting,
    two_accounts,
    user_ids,
)
from accounts.services.rules.found import Rule

RULES: Final[tuple[Rule, ...]] = (
    leavers.LEFT,
    leavers.MOVED,
    job_changes.RULE,
    user_ids.SHARED,
    user_ids.REUSED,
    absences.RULE,
    profiles.PROFILES,
    profiles.PRIVILEGED,
    logins_unknown.RULE,
    two_accounts.RULE,
    missing.RULE,
    submitting.RULE,
    officials.RULE,
    officials_lapse.RULE,
    jobs.EPOC,
    jobs.PSR,
    jobs.PICKUP,
    jobs.KEEPERS,
    records.RULE,
    quotas.RULE,
    closed_systems.RULE,
)
