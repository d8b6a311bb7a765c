"""The list of accounts and one account: how it stands and why, what it demands, what can be done with it."""

from datetime import timedelta

import pytest
import time_machine

from accounts.models import Deadline, LoginEvent, PortalAccount, RoleGrant
from accounts.services.logins import confirm_roles, record_login, void_login
from audit.models import AuditEvent
from tests import factories
from tests.conftest import NOON, TODAY
from tests.web.holdings import address, crowd, held
from web import account_list
from web.account_filters import STANDINGS

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(LATER, tick=False):
        yield


def shown(answer):
    return [row["cells"][0]["text"] + ", " + row["cells"][1]["text"] for row in answer.context["rows"]]


def html(answer):
    return " ".join(answer.content.decode().split())


def checked(cast, person="carol"):
    """Return an account whose roles somebody has to look at."""
    account = held(cast, person, ago=75)
    record_login(scope=cast.scope(person), account=account, happened_on=TODAY, at=NOON)
    return account


def lost(cast):
    account = checked(cast)
    confirm_roles(scope=cast.scope("carol"), account=account, still_there=False, at=NOON)
    account.refresh_from_db()
    return account


# One account


def test_an_account_shows_its_clock_its_rule_and_where_that_is_written(client, cast):
    account = held(cast, ago=48)
    client.force_login(cast.carol)
    page = html(client.get(address("account", account.pk)))
    assert "Your iQIES account" in page
    assert "Sign in to iQIES by Wed 2 Dec (in 12 days): last seen 48 days ago." in page
    assert "48 of 60 days since the last login on Sat 3 Oct. Last safe day: Wed 2 Dec 2026 (in 12 days)." in page
    assert "iQIES tolerates 60 days without a login, not one day more." in page
    assert "all iQIES roles are revoked" in page
    assert "request each role again" in page
    assert "IQ-INACT-1" in page
    assert "by Wed 2 Dec, 11 p.m. in Chicago" in page
    assert "iQIES Service Center" in page
    assert "Open now, until 20:00 ET." in page
    assert 'href="tel:18003399313"' in page
    account.grants.update(valid_to=TODAY + timedelta(days=9))
    page = html(client.get(address("account", account.pk)))
    assert "Role ends: " in page, "what lies ahead has not happened"
    assert "Role ended: " not in page


def test_the_history_keeps_what_was_taken_back_struck_through(client, cast):
    account = held(cast, ago=48)
    outcome = record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON)
    client.force_login(cast.carol)
    before = client.get(address("account", account.pk)).context["timeline"]
    assert [entry["title"] for entry in before if "grade" in entry] == ["Signed in to iQIES"] * 2
    assert sum("void_url" in entry for entry in before) == 2
    void_login(scope=cast.scope("carol"), event=outcome.event, reason="", at=LATER)
    after = client.get(address("account", account.pk)).context["timeline"]
    assert [entry["voided"] for entry in after if entry.get("voided")] == [
        "taken back on Fri 20 Nov 2026, 12:05 p.m. ET."
    ]
    assert sum("void_url" in entry for entry in after) == 1


def test_an_auditor_reads_the_account_without_any_deed(client, cast):
    account = held(cast, ago=48)
    client.force_login(cast.audrey)
    page = client.get(address("account", account.pk))
    assert page.status_code == 200
    assert "Carol Test’s iQIES account" in html(page)
    assert 'method="post" action="/o/' not in html(page)
    assert address("account-edit", account.pk) not in html(page)


def test_an_account_never_used_and_one_with_unknown_history_say_so(client, cast):
    opened_on = TODAY - timedelta(days=30)
    never = held(cast, slug="cmsnet", ago="never", opened_on=opened_on)
    unknown = held(cast, slug="idm", ago="unknown")
    client.force_login(cast.carol)
    assert "never signed in since it was opened on" in html(client.get(address("account", never.pk)))
    assert "When did you last sign in to IDM?" in html(client.get(address("account", unknown.pk)))


def test_a_system_whose_streams_moved_on_is_asked_about(client, cast):
    casper, iqies = held(cast, slug="casper", ago=5), held(cast, slug="iqies", ago=5)
    client.force_login(cast.carol)
    assert "Is this account still needed?" in html(client.get(address("account", casper.pk)))
    assert "Is this account still needed?" not in html(client.get(address("account", iqies.pk)))


DEEDS = ["account", "account-edit", "account-lost", "account-remove", "account-regain"]


@pytest.mark.parametrize("name", DEEDS)
@pytest.mark.parametrize(
    ("who", "status"), [("carol", 200), ("alice", 200), ("olga", 404), ("mallory", 404), ("nobody", 404)]
)
def test_pages_of_an_account_exist_for_those_who_read_its_facility(client, cast, name, who, status):
    account = held(cast, "henry", ago=48)
    client.force_login(getattr(cast, who))
    assert client.get(address(name, account.pk)).status_code == status


@pytest.mark.parametrize(("who", "name"), [*(("audrey", name) for name in DEEDS[1:]), ("henry", "account-remove")])
def test_those_who_read_but_may_not_edit_are_told_whom_to_ask(client, cast, name, who):
    account = held(cast, "henry", ago=48)
    client.force_login(getattr(cast, who))
    answer = client.get(address(name, account.pk))
    assert answer.status_code == 403
    assert "coordinator" in html(answer)


@pytest.mark.parametrize("name", ["account-edit", "account-lost", "account-regain"])
def test_a_holder_keeps_her_own_account_true_and_nobody_elses(client, cast, name):
    client.force_login(cast.henry)
    assert client.get(address(name, held(cast, "henry", ago=48).pk)).status_code == 200
    assert client.get(address(name, held(cast, "carol", ago=48).pk)).status_code == 404


def test_a_revoked_role_is_told_on_the_page_and_the_way_back_is_offered(client, cast):
    account = held(cast, "henry", ago=90)
    client.force_login(cast.henry)
    assert "It no longer works" in html(client.get(address("account", account.pk)))
    refused = client.post(address("account-lost", account.pk), {"loss": "", "on": TODAY.isoformat()})
    assert "Say what happened" in html(refused)
    client.post(address("account-lost", account.pk), {"loss": "roles_revoked", "on": TODAY.isoformat()})
    page = html(client.get(address("account", account.pk)))
    notice = page.partition("This account is lost")[2].partition("This account</h2>")[0]
    assert all(deed in notice for deed in ("Get it back", "It is back"))


def test_the_address_of_another_tenant_shows_nothing_of_ours(client, cast):
    account = held(cast, ago=48)
    client.force_login(cast.mallory)
    assert client.get(address("account", account.pk, slug="hilltop")).status_code == 404
    assert client.post(address("login", account.pk, slug="hilltop")).status_code == 404


def test_the_page_costs_the_same_with_two_logins_and_with_thirty(client, cast, django_assert_num_queries):
    account = held(cast, ago=58)
    client.force_login(cast.carol)
    client.get(address("account", account.pk))

    def add(days):
        for ago in days:
            day = TODAY - timedelta(days=ago)
            record_login(scope=cast.scope("carol"), account=account, happened_on=day, at=NOON)

    add([57])
    # two ask who else holds the system, one why the role is needed, one for running requests
    with django_assert_num_queries(31):
        client.get(address("account", account.pk))
    add(range(20, 49))
    with django_assert_num_queries(31):
        client.get(address("account", account.pk))


# Editing


def edit(client, account, **changes):
    account.refresh_from_db()
    typed = {"version": account.version, "user_id": "CT01", "password_changed_on": "", "note": ""} | changes
    return client.post(address("account-edit", account.pk), typed)


def test_user_id_password_day_and_note_are_saved(client, cast):
    account = held(cast, slug="qies", ago=10)
    client.force_login(cast.carol)
    day = TODAY - timedelta(days=5)
    answer = edit(client, account, password_changed_on=day.isoformat(), note="Signs in from home.")
    assert answer.status_code == 302
    account.refresh_from_db()
    assert (account.user_id, account.password_changed_on, account.note) == ("CT01", day, "Signs in from home.")
    assert account.deadlines.get(kind="password").due_on == day + timedelta(days=60)


@pytest.mark.parametrize(
    ("field", "text"),
    [("note", "password: Winter2026!"), ("note", "SSN 123-45-6789"), ("user_id", "pw=Hunter2!!")],
)
def test_what_looks_like_a_secret_is_neither_stored_nor_shown_again(client, cast, field, text):
    account = held(cast, slug="qies", ago=10)
    client.force_login(cast.carol)
    answer = edit(client, account, **{field: text})
    assert answer.status_code == 200
    assert "This looks like" in html(answer)
    assert text not in answer.content.decode()
    account.refresh_from_db()
    assert (account.note, account.user_id) == ("", None)
    assert not AuditEvent.objects.filter(payload_contains(text)).exists()


def payload_contains(text):
    from django.db.models import Q

    return Q(reason__contains=text) | Q(subject_label__contains=text)


def test_a_harmless_word_about_a_password_is_kept(client, cast):
    account = held(cast, slug="qies", ago=10)
    client.force_login(cast.carol)
    assert edit(client, account, note="Password changed by phone").status_code == 302


def test_a_save_that_comes_second_shows_both_and_saves_when_asked_again(client, cast):
    account = held(cast, slug="qies", ago=10)
    client.force_login(cast.carol)
    stale = account.version
    edit(client, account, note="first")
    second = edit(client, account, version=stale, note="second")
    page = html(second)
    assert second.status_code == 200
    assert "Somebody else saved this account meanwhile" in page
    assert "now <strong>first</strong>, yours <strong>second</strong>" in page
    account.refresh_from_db()
    assert account.note == "first"
    shown_version = second.context["form"]["version"].value()
    assert edit(client, account, version=shown_version, note="second").status_code == 302
    account.refresh_from_db()
    assert account.note == "second"


def test_a_surface_has_no_user_id_of_its_own(client, cast):
    account = held(cast, slug="iqies", ago=10)
    client.force_login(cast.carol)
    assert "user_id" not in client.get(address("account-edit", account.pk)).context["form"].fields
    assert edit(client, account, user_id="SMUGGLED", note="x").status_code == 302
    account.refresh_from_db()
    assert (account.user_id, account.note) == (None, "x")


# Removed, lost, got back


def test_removing_ends_the_roles_and_stops_the_clocks(client, cast):
    account = held(cast, ago=10)
    client.force_login(cast.carol)
    page = client.get(address("account-remove", account.pk))
    assert "Remove your iQIES account</button>" in html(page)
    day = TODAY - timedelta(days=1)
    assert client.post(address("account-remove", account.pk), {"on": day.isoformat()}).status_code == 302
    account.refresh_from_db()
    assert (account.status, account.removed_on, account.lapses_on) == ("removed", day, None)
    assert RoleGrant.objects.known().get(account=account).valid_to == day
    after = html(client.get(address("account", account.pk)))
    assert "Removed" in after
    assert "I signed in today" not in after


def test_an_authority_that_others_sign_in_through_is_not_removed(client, cast):
    account = held(cast, slug="casper", ago=10)
    client.force_login(cast.carol)
    answer = client.post(address("account-remove", account.identity_id), {"on": TODAY.isoformat()})
    assert "It is the way in to CASPER" in html(answer)
    assert PortalAccount.objects.get(pk=account.identity_id).status == "active"


def test_a_day_in_the_future_is_refused_beside_the_field(client, cast):
    account = held(cast, ago=10)
    client.force_login(cast.carol)
    answer = client.post(address("account-remove", account.pk), {"on": (TODAY + timedelta(days=2)).isoformat()})
    assert "An account cannot have been removed in the future." in html(answer)
    account.refresh_from_db()
    assert account.status == "active"


def test_still_there_starts_a_new_cycle(client, cast):
    account = checked(cast)
    client.force_login(cast.carol)
    answer = client.post(address("account-check", account.pk) + "?from=today", {"answer": "there"})
    assert answer.url == "/o/riverside/"
    account.refresh_from_db()
    assert account.lapses_on == TODAY + timedelta(days=60)


def test_gone_ends_the_roles_and_got_back_opens_them_again(client, cast):
    account = checked(cast)
    client.force_login(cast.carol)
    client.post(address("account-check", account.pk), {"answer": "gone"})
    account.refresh_from_db()
    assert (account.status, account.loss) == ("lost", "roles_revoked")
    page = html(client.get(address("account", account.pk)))
    assert "Roles revoked" in page
    assert "It is back" in page
    client.post(address("account-regain", account.pk), {"on": TODAY.isoformat()})
    account.refresh_from_db()
    assert (account.status, account.lapses_on) == ("active", TODAY + timedelta(days=60))


@pytest.mark.parametrize("answer", ["", "maybe"])
def test_an_answer_that_is_none_changes_nothing(client, cast, answer):
    account = checked(cast)
    client.force_login(cast.carol)
    client.post(address("account-check", account.pk), {"answer": answer})
    account.refresh_from_db()
    assert account.status == "active"
    assert account.deadlines.get(kind="inactivity").check_on == TODAY


def test_an_account_that_needs_no_check_says_so(client, cast):
    account = held(cast, ago=10)
    client.force_login(cast.carol)
    answer = client.post(address("account-check", account.pk), {"answer": "gone"}, follow=True)
    assert "There is nothing to check on this account any more." in html(answer)
    account.refresh_from_db()
    assert account.status == "active"


def test_regaining_what_was_never_lost_is_refused(client, cast):
    account = held(cast, ago=10)
    client.force_login(cast.carol)
    answer = client.post(address("account-regain", account.pk), {"on": TODAY.isoformat()})
    assert "This account is not marked as lost." in html(answer)


@pytest.mark.parametrize(("who", "status"), [("henry", 302), ("carol", 302), ("audrey", 403), ("olga", 404)])
@pytest.mark.parametrize("answer", ["there", "gone"])
def test_who_may_answer_for_the_roles(client, cast, who, status, answer):
    account = checked(cast, "henry")
    client.force_login(getattr(cast, who))
    assert client.post(address("account-check", account.pk), {"answer": answer}).status_code == status
    account.refresh_from_db()
    still_open = account.deadlines.filter(kind="inactivity", closed_at=None, check_on__isnull=False).exists()
    assert still_open == (status != 302)


# The list


def everything(cast):
    """Return accounts of every standing by the slug of the filter that finds them."""
    return {
        "late": (late := held(cast, "carol", "iqies", ago=80)),
        "presumed-lapsed": late,
        "check-roles": checked(cast, "henry"),
        "unknown": held(cast, "carol", "idm", ago="unknown"),
        "week": held(cast, "alice", "idm", ago=57),
        "soon": held(cast, "carol", "casper", ago=45),
        "fine": held(cast, "alice", "iqies", ago=5),
        "lost": lost_of(cast, "olga"),
        "removed": removed_of(cast, "audrey"),
        "closed": closed_of(cast, "henry"),
    }


def lost_of(cast, person):
    account = held(cast, person, ago=75)
    record_login(scope=cast.scope("alice"), account=account, happened_on=TODAY, at=NOON)
    confirm_roles(scope=cast.scope("alice"), account=account, still_there=False, at=NOON)
    return account


def closed_of(cast, person):
    """CMSNet has closed for Oak House, and the rules have found that out."""
    account = held(cast, person, "cmsnet", ago=200)
    Deadline.objects.filter(account=account).update(muted=True)
    return account


def removed_of(cast, person):
    from accounts.services.inventory import remove_account

    account = held(cast, person, ago=5)
    return remove_account(scope=cast.scope("alice"), account=account, removed_on=TODAY, at=NOON)


@pytest.mark.parametrize("standing", [choice.slug for choice in STANDINGS])
def test_every_standing_can_be_asked_for_and_says_on_each_row_what_was_asked(client, cast, standing):
    wanted = everything(cast)[standing]
    client.force_login(cast.alice)
    rows = client.get(address("accounts"), {"standing": standing}).context["rows"]
    assert address("account", wanted.pk) in [row["cells"][0]["url"] for row in rows]
    said = {str(row["cells"][2]["words"] or row["cells"][2]["standing"].value.replace("_", "-")) for row in rows}
    expected = {"late": "presumed-lapsed", "week": "soon", "lost": "Roles revoked", "removed": "Removed"}.get(
        standing, standing
    )
    assert said == {expected}


def test_without_a_filter_all_but_the_removed_are_listed_by_last_safe_day(client, cast):
    wanted = everything(cast)
    client.force_login(cast.alice)
    answer = client.get(address("accounts"))
    listed = [row["cells"][0]["url"] for row in answer.context["rows"]]
    assert address("account", wanted["removed"].pk) not in listed
    open_ones = PortalAccount.objects.filter(organization=cast.riverside).exclude(status="removed")
    assert set(listed) == {address("account", account.pk) for account in open_ones}
    dated = [account.lapses_on for url in listed for account in open_ones if address("account", account.pk) == url]
    known = [day for day in dated if day]
    assert dated == [*sorted(known), *[None] * (len(dated) - len(known))]


def test_filters_narrow_down_and_can_be_taken_away_one_by_one(client, cast):
    held(cast, "carol", "iqies", ago=48)
    held(cast, "carol", "casper", ago=48)
    held(cast, "olga", "iqies", ago=48, facility=cast.elm)
    client.force_login(cast.alice)
    answer = client.get(address("accounts"), {"system": "iqies", "facility": cast.oak.pk})
    assert shown(answer) == ["Carol Test, iQIES"]
    chips = {chip["text"]: chip["url"] for chip in answer.context["chips"]}
    assert list(chips) == ["System: iQIES", "Facility: Oak House"]
    wider = client.get(address("accounts") + chips["Facility: Oak House"])
    assert shown(wider) == ["Carol Test, iQIES", "Olga Test, iQIES"]


@pytest.mark.parametrize(
    "query", ["standing=nonsense", "facility=abc", "system=nope", "after=forged", "before=x", "undated=1&after=y"]
)
def test_an_address_that_makes_no_sense_shows_a_list_not_an_error(client, cast, query):
    held(cast, ago=48)
    client.force_login(cast.alice)
    assert client.get(f"{address('accounts')}?{query}").status_code == 200


def test_a_key_of_another_list_is_no_key_of_this_one(client, cast):
    for number in range(51):
        factories.FacilityFactory(organization=cast.riverside, name=f"Place {number}", ccn=f"0160{number:02d}")
    held(cast, ago=48)
    client.force_login(cast.alice)
    foreign = client.get(address("facilities")).context["page"].next_url
    assert "after=" in foreign
    assert client.get(address("accounts") + foreign).status_code == 200


def test_pages_follow_each_other_without_gap_or_repeat_past_the_last_date(client, cast, monkeypatch):
    monkeypatch.setattr(account_list, "SIZE", 3)
    crowd(cast, 4, ago=30)  # four with a date at iQIES, four at HARP
    crowd(cast, 4, ago="unknown")
    client.force_login(cast.alice)
    seen, query = [], ""
    for _ in range(12):
        answer = client.get(address("accounts") + query)
        seen += [row["cells"][0]["url"] for row in answer.context["rows"]]
        query = answer.context["page"].next_url
        if not query:
            break
    assert len(seen) == len(set(seen)) == PortalAccount.objects.filter(organization=cast.riverside).count() == 16


def test_the_list_shows_nothing_of_other_facilities_or_tenants(client, cast):
    held(cast, "carol", ago=48)
    held(cast, "olga", ago=48, facility=cast.elm)
    for who, expected in (("carol", {"Carol"}), ("olga", {"Olga"}), ("henry", set())):
        client.force_login(getattr(cast, who))
        assert {row.split()[0] for row in shown(client.get(address("accounts")))} == expected
    client.force_login(cast.mallory)
    assert client.get(address("accounts")).status_code == 404
    assert shown(client.get(address("accounts", slug="hilltop"))) == []


def test_the_filter_names_only_facilities_that_the_member_reads(client, cast):
    held(cast, "carol", ago=48)
    for who, places in (("carol", [cast.oak]), ("olga", [cast.elm]), ("henry", []), ("alice", [cast.elm, cast.oak])):
        client.force_login(getattr(cast, who))
        form = client.get(address("accounts")).context["form"]
        assert list(form.fields["facility"].queryset) == places, who


def test_the_list_costs_the_same_with_two_accounts_and_with_thirty(client, cast, django_assert_num_queries):
    crowd(cast, 1)  # one person, two accounts: iQIES and the HARP account it signs in through
    client.force_login(cast.alice)
    client.get(address("accounts"))
    with django_assert_num_queries(21):
        client.get(address("accounts"))
    crowd(cast, 14)
    with django_assert_num_queries(21):
        client.get(address("accounts"))


def test_the_evidence_behind_a_date_is_graded(client, cast):
    account = held(cast, ago=48)
    client.force_login(cast.carol)
    assert "typed for somebody else" in html(client.get(address("account", account.pk)))
    client.post(address("login", account.pk))
    assert LoginEvent.objects.get(account=account, happened_on=TODAY).grade == "B"
    assert "said by the person who signed in" in html(client.get(address("account", account.pk)))
