"""Figures kept ahead say what counting everything says; they are counted anew after an act, and on a new day."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import FacilityFigures, Finding, OrganizationFigures, PortalAccount, RoleGrant
from accounts.services import figures
from accounts.services.figures import NAMES, count, keep_figures
from accounts.services.lapses import sweep_lapses
from accounts.services.logins import record_login
from accounts.services.obligations import Owed, add_obligation
from facilities.models import Facility
from tests.accounts.holding import held
from tests.accounts.mixed import ago, press
from tests.conftest import NOON, TODAY
from web.account_filters import narrowed

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def mixed(cast):
    return press(cast)


def by_place(cast):
    rows = FacilityFigures.objects.filter(organization=cast.riverside).select_related("facility")
    return {row.facility.name: {name: getattr(row, name) for name in NAMES} for row in rows}


def test_figures_say_what_the_list_of_accounts_says(mixed):
    keep_figures(at=NOON)
    whole = OrganizationFigures.objects.get(organization=mixed.riverside)
    everyone = PortalAccount.objects.filter(organization=mixed.riverside)
    listed = {
        "late": narrowed(everyone, "late", TODAY),
        "check_roles": narrowed(everyone, "check-roles", TODAY),
        "unknown": narrowed(everyone, "unknown", TODAY),
    }
    places = by_place(mixed)
    for name, accounts in listed.items():
        assert getattr(whole, name) == accounts.count() > 0, name
        for place in Facility.objects.filter(organization=mixed.riverside):
            there = RoleGrant.objects.in_force(TODAY).filter(facility=place, account__in=accounts)
            assert places[place.name][name] == there.values("account").distinct().count(), (name, place)
    assert whole.late == 1, "an account at two facilities is one"
    assert [places[name]["late"] for name in ("Oak House", "Elm House")] == [1, 1]
    assert whole.week == places["Elm House"]["week"] == 1
    assert (whole.facilities, whole.troubled) == (2, 2)


def test_findings_count_once_and_stand_at_their_facility(mixed):
    keep_figures(at=NOON)
    whole = OrganizationFigures.objects.get(organization=mixed.riverside)
    serious = Finding.objects.open().filter(organization=mixed.riverside, severity__in=["critical", "high"])
    assert whole.serious == serious.exclude(kind="lapse").count()
    letter = Owed("other", title="Send it", due_on=ago(1))
    owed = add_obligation(scope=mixed.scope("alice"), facility=mixed.elm, owed=letter, at=NOON)
    sweep_lapses(at=NOON)
    passed = Finding.objects.open().get(deadline__obligation=owed)
    assert passed.severity in {"critical", "high"}
    before = by_place(mixed)["Elm House"]["serious"]
    keep_figures(at=NOON)
    assert OrganizationFigures.objects.get(organization=mixed.riverside).serious == whole.serious + 1
    assert by_place(mixed)["Elm House"]["serious"] == before + 1, "a passed day that is no account's is a finding"
    medium = Finding.objects.open().filter(organization=mixed.riverside, severity="medium").exclude(kind="lapse")
    assert whole.notable == medium.count() > 0
    assert sum(row["notable"] for row in by_place(mixed).values()) >= medium.filter(facility__isnull=False).count()


def test_an_act_is_counted_and_nothing_is_written_without_one(mixed):
    first = keep_figures(at=NOON)
    assert first.organizations == 2, "both tenants are counted the first time"
    with CaptureQueriesContext(
        connection,
    ) as queries:
        again = keep_figures(at=NOON + timedelta(minutes=1))
    assert again.organizations == again.rows == 0
    assert len(queries) == 3
    unknown = PortalAccount.objects.get(person=mixed.people["olga"], system__slug="iqies")
    record_login(scope=mixed.scope("olga"), account=unknown, happened_on=TODAY, at=NOON)
    acted = keep_figures(at=NOON + timedelta(minutes=2))
    assert (acted.organizations, acted.rows) == (1, 1)
    assert OrganizationFigures.objects.get(organization=mixed.riverside).unknown == 0
    assert by_place(mixed)["Elm House"]["unknown"] == 0


def test_a_new_day_is_counted_and_a_facility_with_nothing_has_no_row(mixed):
    keep_figures(at=NOON)
    later = NOON + timedelta(days=4)
    keep_figures(at=later)
    whole = OrganizationFigures.objects.get(organization=mixed.riverside)
    assert (whole.counted_on, whole.late, whole.week) == (later.date(), 2, 0), "what was due in three days is late"
    PortalAccount.objects.filter(organization=mixed.riverside).update(status="lost", loss="inactive")
    Finding.objects.filter(organization=mixed.riverside).update(closed_at=NOON)
    keep_figures(at=later + timedelta(days=1))
    assert not FacilityFigures.objects.filter(organization=mixed.riverside).exists()


def test_a_member_counts_what_she_reads(mixed):
    elm = count(scope=mixed.scope("olga"), on=TODAY)
    assert set(elm.places) == {mixed.elm.pk}
    assert (elm.whole.late, elm.whole.unknown, elm.whole.week) == (1, 2, 1), "her HARP account is unknown as well"
    assert count(scope=mixed.scope("mallory"), on=TODAY).whole.late == 0


def test_what_is_past_a_window_of_ones_own_is_due_this_week_and_a_closed_facility_counts_nowhere(cast):
    held(cast, "harp", person="olga", facility="elm", last_login=ago(100))  # no limit of CMS: 90 days of one's own
    assert count(scope=cast.scope("alice"), on=TODAY).whole.week == 1
    listed = narrowed(PortalAccount.objects.filter(organization=cast.riverside), "week", TODAY)
    assert listed.count() == 1
    Facility.objects.filter(pk=cast.elm.pk).update(closed_on=ago(1))
    assert count(scope=cast.scope("alice"), on=TODAY).places == {}


def test_an_organization_that_cannot_be_counted_stops_no_other(mixed, monkeypatch):
    whole = figures.count

    def broken(*, scope, on):
        if scope.organization == mixed.hilltop:
            raise ValueError("broken")
        return whole(scope=scope, on=on)

    monkeypatch.setattr(figures, "count", broken)
    kept = keep_figures(at=NOON)
    assert (kept.organizations, kept.failed) == (1, 1)
    assert OrganizationFigures.objects.get().organization == mixed.riverside
