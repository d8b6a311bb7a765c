"""Rules about facilities: each finds what is wrong there, and not what differs from it in one fact."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import FacilityStream, PortalAccount, RecordKeeper, RoleGrant
from accounts.models.register import HouseRule, SystemInUse
from facilities.models import Facility
from staff.models import Absence, Employment
from systems.models import Stream, System, SystemRole
from tests import factories
from tests.accounts.holding import held
from tests.accounts.rules import found
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
YEAR_BEFORE = TODAY - timedelta(days=365)


def role(system, slug):
    return SystemRole.objects.get(system__slug=system, slug=slug)


def holds(cast, slug, system="iqies", person="carol", facility="oak", **more):
    return held(cast, system, person=person, facility=facility, roles=[role(system, slug)], last_login=TODAY, **more)


def facts(finding):
    return json.loads(finding.facts)


def at_oak(cast, rest):
    return f"facility:{cast.oak.pk}/{rest}"


def stated(place, stream, through, **more):
    return FacilityStream.objects.create(
        organization=place.organization,
        facility=place,
        stream=Stream.objects.get(slug=stream),
        through=through,
        recorded_at=NOON,
        recorded_by="a test",
        **more,
    )


def of_type(cast, ccn_type):
    Facility.objects.filter(pk=cast.oak.pk).update(provider_type=ccn_type)


def still_in_use(cast, system):
    SystemInUse.objects.create(
        organization=cast.riverside,
        facility=cast.oak,
        system=System.objects.get(slug=system),
        reason="Old reports are still read there.",
        recorded_at=NOON,
        recorded_by="a test",
    )


#


def test_a_ccn_without_a_security_official_is_critical_and_with_two_fine(cast):
    assert found("no-official")[at_oak(cast, "system:iqies")].severity == "critical"
    holds(cast, "provider-security-official")
    assert at_oak(cast, "system:iqies") not in found("no-official")
    one = found("one-official")[at_oak(cast, "system:iqies")]
    assert (one.severity, facts(one)["people"]) == ("high", [cast.people["carol"].pk])
    holds(cast, "provider-security-official", person="henry")
    assert at_oak(cast, "system:iqies") not in found("one-official")


def test_an_official_who_left_or_lost_the_account_is_none(cast):
    account = holds(cast, "provider-security-official")
    PortalAccount.objects.filter(pk=account.pk).update(status="lost", loss="roles_revoked")
    assert at_oak(cast, "system:iqies") in found("no-official")
    PortalAccount.objects.filter(pk=account.pk).update(status="active", loss="")
    assert at_oak(cast, "system:iqies") not in found("no-official")
    Employment.objects.filter(person=cast.people["carol"]).update(valid_to=TODAY - timedelta(days=1))
    assert at_oak(cast, "system:iqies") in found("no-official")


def test_officials_are_asked_for_only_where_the_system_is_used_and_by_ccn(cast):
    of_type(cast, "ASC")
    assert {key for key in found("no-official") if key.startswith(at_oak(cast, ""))} == {at_oak(cast, "system:hqr")}, (
        "the catalogue asks hospitals and surgical centers for an official on HQR"
    )
    Facility.objects.filter(pk=cast.elm.pk).update(ccn=None, licensed_only=True)
    assert f"facility:{cast.elm.pk}/system:iqies" not in found("no-official")


def test_an_official_of_one_facility_is_none_of_another(cast):
    holds(cast, "provider-security-official", person="olga", facility="elm")
    assert set(found("no-official")) == {
        at_oak(cast, "system:iqies"),
        f"facility:{cast.summit.pk}/system:iqies",
    }


#


def test_a_third_cmsnet_id_is_too_many_and_two_are_not(cast):
    still_in_use(cast, "cmsnet")
    for person in ("carol", "henry"):
        holds(cast, "individual-user", "cmsnet", person)
    assert found("quota") == {}
    third = holds(cast, "individual-user", "cmsnet", "alice")
    quota = found("quota")[at_oak(cast, "quota:CMSN-QUO-1")]
    assert (quota.severity, facts(quota)["most"], len(facts(quota)["people"])) == ("high", 2, 3)
    PortalAccount.objects.filter(pk=third.pk).update(status="lost", loss="deleted")
    assert found("quota") == {}, "a deleted ID is none"


def test_a_limit_on_a_closed_system_is_only_told(cast):
    for person in ("carol", "henry", "alice"):
        holds(cast, "individual-user", "cmsnet", person)
    quota = found("quota")[at_oak(cast, "quota:CMSN-QUO-1")]
    assert (quota.severity, facts(quota)["closed"]) == ("info", True)


def test_qies_counts_individual_and_epoc_users_apart(cast):
    still_in_use(cast, "qies")
    for person in ("carol", "henry"):
        holds(cast, "individual-user", "qies", person)
    for person in ("alice", "audrey", "olga", "henry"):
        holds(cast, "epoc-user", "qies", person)
    assert found("quota") == {}
    holds(cast, "individual-user", "qies", "alice")
    quota = found("quota")
    assert list(quota) == [at_oak(cast, "quota:QIES-QUO-3")]
    assert quota[at_oak(cast, "quota:QIES-QUO-3")].severity == "medium"
    holds(cast, "epoc-user", "qies", "carol")
    assert set(found("quota")) == {at_oak(cast, "quota:QIES-QUO-3"), at_oak(cast, "quota:QIES-QUO-4")}


def test_a_hospice_is_measured_by_its_own_limit_once(cast):
    of_type(cast, "HOSPICE")
    for person in ("carol", "henry", "alice"):
        holds(cast, "individual-user", "qies", person)
    assert list(found("quota")) == [at_oak(cast, "quota:QIES-QUO-6")]


#


def test_nobody_one_two_people_who_can_submit(cast):
    nobody = found("no-account")
    assert nobody[at_oak(cast, "stream:mds")].severity == "critical"
    holds(cast, "assessment-submitter")
    assert at_oak(cast, "stream:mds") not in found("no-account")
    one = found("no-backup")[at_oak(cast, "stream:mds")]
    assert (one.severity, facts(one)["people"]) == ("high", [cast.people["carol"].pk])
    holds(cast, "provider-administrator", person="henry")
    assert at_oak(cast, "stream:mds") not in found("no-backup")


def test_who_may_only_look_cannot_submit(cast):
    holds(cast, "assessment-submitter")
    holds(cast, "provider-assessment-viewer", person="henry")
    assert at_oak(cast, "stream:mds") in found("no-backup")


def test_who_is_on_leave_does_not_count_until_the_day_after(cast):
    holds(cast, "assessment-submitter")
    holds(cast, "assessment-submitter", person="henry")
    assert at_oak(cast, "stream:mds") not in found("no-backup")
    leave = Absence.objects.create(
        organization=cast.riverside, person=cast.people["henry"], valid_from=TODAY, recorded_at=NOON, recorded_by="x"
    )
    assert at_oak(cast, "stream:mds") in found("no-backup")
    Absence.objects.filter(pk=leave.pk).update(valid_from=TODAY - timedelta(days=9), valid_to=TODAY - timedelta(days=1))
    assert at_oak(cast, "stream:mds") not in found("no-backup")


def test_who_works_at_another_facility_of_the_organization_counts_where_the_role_is(cast):
    holds(cast, "assessment-submitter")
    holds(cast, "assessment-submitter", person="olga")
    assert at_oak(cast, "stream:mds") not in found("no-backup")
    Employment.objects.filter(person=cast.people["olga"]).update(valid_to=TODAY - timedelta(days=1))
    assert at_oak(cast, "stream:mds") in found("no-backup")


@pytest.mark.parametrize("through", ["corporate", "third-party", "none"])
def test_where_others_submit_nobody_of_ours_is_asked_for(cast, through):
    assert at_oak(cast, "stream:pbj") in found("no-account")
    stated(cast.oak, "pbj", through)
    assert at_oak(cast, "stream:pbj") not in found("no-account")
    assert at_oak(cast, "stream:mds") in found("no-account")


def test_what_was_said_holds_from_day_to_day(cast):
    stated(cast.oak, "pbj", "corporate", valid_from=TODAY - timedelta(days=9), valid_to=TODAY - timedelta(days=1))
    assert at_oak(cast, "stream:pbj") in found("no-account")
    stated(cast.oak, "pbj", "corporate", valid_from=TODAY)
    assert at_oak(cast, "stream:pbj") not in found("no-account")


def test_a_stream_that_the_kind_does_not_have_counts_once_somebody_says_so(cast):
    of_type(cast, "ACUTE")
    assert at_oak(cast, "stream:mds") not in found("no-account")
    stated(cast.oak, "mds", "own")
    assert at_oak(cast, "stream:mds") in found("no-account")


def test_nothing_is_asked_of_a_facility_out_of_business(cast):
    Facility.objects.filter(pk=cast.oak.pk).update(closed_on=TODAY - timedelta(days=1))
    assert not [key for key in found("no-account") if key.startswith(at_oak(cast, ""))]


def test_a_dialysis_facility_counts_its_end_users_and_not_the_official(cast):
    of_type(cast, "ESRD-I")
    holds(cast, "security-official", "eqrs")
    assert at_oak(cast, "stream:esrd") in found("no-account")
    holds(cast, "end-user", "eqrs", "henry")
    assert at_oak(cast, "stream:esrd") not in found("no-account")


def test_after_a_move_old_access_is_no_access(cast):
    account = holds(cast, "individual-user", "qies")
    moved = found("no-successor")[at_oak(cast, "stream:pbj")]
    assert (moved.severity, facts(moved)["since"]) == ("high", "2026-08-17")
    assert "qies" in facts(moved)["replaced"]
    RoleGrant.objects.filter(account=account).update(valid_to=YEAR_BEFORE)
    assert at_oak(cast, "stream:pbj") not in found("no-successor")
    assert at_oak(cast, "stream:pbj") in found("no-account"), "without any account that is what is said"


def test_a_nursing_facility_on_iqies_without_pbj_submitter_from_the_day_of_the_move(cast):
    holds(cast, "assessment-submitter")
    before = found("no-successor", at=datetime(2026, 8, 14, 17, tzinfo=UTC))
    assert at_oak(cast, "stream:pbj") not in before
    assert at_oak(cast, "stream:pbj") in found("no-successor", at=datetime(2026, 8, 17, 17, tzinfo=UTC))
    assert at_oak(cast, "stream:pbj") not in found("no-account")
    holds(cast, "pbj-submitter-provider", opened_on=date(2026, 8, 17))
    assert at_oak(cast, "stream:pbj") not in found("no-successor")


def test_a_hospice_needs_a_role_that_uploads_on_iqies_since_hope(cast):
    of_type(cast, "HOSPICE")
    holds(cast, "individual-user", "qies")
    day = datetime(2025, 9, 30, 17, tzinfo=UTC)
    assert at_oak(cast, "stream:hope") not in found("no-account", at=day) | found("no-successor", at=day)
    assert at_oak(cast, "stream:hope") in found("no-account", at=day + timedelta(days=1))
    assert at_oak(cast, "stream:hope") in found("no-successor", at=datetime(2026, 2, 16, 17, tzinfo=UTC))
    holds(cast, "assessment-submitter")
    assert at_oak(cast, "stream:hope") not in found("no-account") | found("no-successor")


def test_where_the_old_system_is_still_in_use_its_accounts_count(cast):
    holds(cast, "individual-user", "qies")
    assert at_oak(cast, "stream:pbj") in found("no-account")
    still_in_use(cast, "qies")
    assert at_oak(cast, "stream:pbj") not in found("no-account") | found("no-successor")
    assert at_oak(cast, "stream:pbj") in found("no-backup")


#


def keeper(cast, person, **more):
    more = {"valid_from": YEAR_BEFORE} | more
    return RecordKeeper.objects.create(
        organization=cast.riverside,
        facility=cast.oak,
        person=cast.people[person],
        recorded_at=NOON,
        recorded_by="x",
        **more,
    )


def keepers_wanted(cast, since):
    HouseRule.objects.create(
        organization=cast.riverside, rule="R-27", enabled_on=since, recorded_at=NOON, recorded_by="x"
    )


def test_keepers_are_counted_only_once_the_organization_wants_that(cast):
    assert found("few-keepers") == {}
    keepers_wanted(cast, TODAY + timedelta(days=1))
    assert found("few-keepers") == {}
    HouseRule.objects.update(enabled_on=TODAY)
    keys = {f"facility:{place.pk}" for place in (cast.oak, cast.elm)}
    assert set(found("few-keepers")) == keys, "Hilltop did not switch it on"


def test_none_is_worse_than_one_keeper_and_two_are_enough(cast):
    keepers_wanted(cast, TODAY)
    mine = f"facility:{cast.oak.pk}"
    assert found("few-keepers")[mine].severity == "high"
    keeper(cast, "carol")
    assert found("few-keepers")[mine].severity == "medium"
    second = keeper(cast, "henry")
    assert mine not in found("few-keepers")
    Employment.objects.filter(person=cast.people["henry"]).update(valid_to=TODAY - timedelta(days=1))
    assert mine in found("few-keepers"), "who has left keeps nothing"
    Employment.objects.filter(person=cast.people["henry"]).update(valid_to=None)
    RecordKeeper.objects.filter(pk=second.pk).update(valid_to=TODAY - timedelta(days=1))
    assert mine in found("few-keepers")


#


def test_open_accounts_on_a_system_closed_here_are_one_finding_per_system(cast):
    for person in ("carol", "henry"):
        holds(cast, "individual-user", "qies", person)
    closed = found("closed-system", at=datetime(2026, 8, 15, 17, tzinfo=UTC))
    finding = closed[at_oak(cast, "system:qies")]
    assert (finding.severity, facts(finding)["count"], facts(finding)["last_on"]) == ("medium", 2, "2026-08-14")
    assert set(closed) == {at_oak(cast, "system:qies")}, "iQIES lives; nobody has an account on CASPER"


def test_a_system_is_not_closed_as_long_as_one_stream_used_there_goes_on(cast):
    holds(cast, "individual-user", "qies")
    day = datetime(2026, 8, 14, 17, tzinfo=UTC)
    assert found("closed-system", at=day) == {}
    stated(cast.oak, "pbj", "none", valid_from=YEAR_BEFORE)
    assert at_oak(cast, "system:qies") in found("closed-system", at=day)


def test_an_administrator_may_say_that_it_is_still_in_use(cast):
    holds(cast, "individual-user", "qies")
    assert at_oak(cast, "system:qies") in found("closed-system")
    still_in_use(cast, "qies")
    assert found("closed-system") == {}


def test_a_system_without_known_ways_is_not_closed(cast):
    of_type(cast, "ASC")
    holds(cast, "individual-user", "qies")
    assert found("closed-system") == {}


#


def test_a_nursing_facility_needs_an_epoc_administrator_since_the_role_exists(cast):
    key = at_oak(cast, "stream:epoc")
    assert key not in found("no-epoc-administrator", at=datetime(2025, 7, 13, 17, tzinfo=UTC))
    assert found("no-epoc-administrator", at=datetime(2025, 7, 14, 17, tzinfo=UTC))[key].severity == "high"
    holds(cast, "provider-epoc-administrator")
    assert key not in found("no-epoc-administrator")


def test_no_epoc_administrator_is_asked_for_where_epoc_is_not_used(cast):
    stated(cast.oak, "epoc", "none")
    of_type(cast, "SNF")
    assert at_oak(cast, "stream:epoc") not in found("no-epoc-administrator")
    Facility.objects.filter(pk=cast.elm.pk).update(provider_type="HHA")
    assert set(found("no-epoc-administrator")) == {f"facility:{cast.summit.pk}/stream:epoc"}


#


def test_psr_needs_two_different_people(cast):
    key = at_oak(cast, "stream:psr-reports")

    def missing():
        finding = found("psr-two-people").get(key)
        return finding and facts(finding)["missing"]

    assert missing() == "official and user"
    account = held(cast, "psr", roles=[role("psr", "security-official")], last_login=TODAY)
    assert missing() == "user"
    factories.GrantFactory(account=account, facility=cast.oak, role=role("psr", "end-user"))
    assert missing() == "second person"
    holds(cast, "end-user", "psr", "henry")
    assert missing() is None
    RoleGrant.objects.filter(account=account, role__slug="security-official").update(valid_to=TODAY - timedelta(days=1))
    assert missing() == "official"


def test_psr_is_not_asked_for_where_a_corporate_office_files_the_reports(cast):
    stated(cast.oak, "psr-reports", "corporate")
    assert at_oak(cast, "stream:psr-reports") not in found("psr-two-people")
    assert f"facility:{cast.elm.pk}/stream:psr-reports" in found("psr-two-people")
