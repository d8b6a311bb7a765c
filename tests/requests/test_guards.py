"""What stands against a request, and what to do instead; each guard with its twin that passes."""

from datetime import date, timedelta

import pytest

from accounts.errors import AccountRefused
from accounts.models import PortalAccount, RoleGrant
from accounts.policy.request_guards import user_id_flaw
from accounts.policy.requesting import Kind
from accounts.services.requests.carrying import record_outcome
from accounts.services.requests.deciding import decide
from accounts.services.requests.drafting import as_request, draft
from accounts.services.requests.ending import fail, finish
from accounts.services.requests.guards import guards_of
from accounts.services.requests.planning import plan_steps
from accounts.services.requests.submitting import change, submit
from accounts.services.sign_in_facts import state_identity
from facilities.access import NotAllowed
from staff.models import Person
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON, TODAY, Cast
from tests.requests.asking import ask, drafted, submitted, with_harp


def _account(cast: Cast, system: str, person: str = "henry", **given: object) -> PortalAccount:
    return factories.AccountFactory(
        organization=cast.riverside, person=cast.people[person], system=System.objects.get(slug=system), **given
    )


def _hold(cast: Cast, account: PortalAccount, role: str, place=None) -> None:
    factories.GrantFactory(
        organization=cast.riverside,
        account=account,
        facility=place or cast.oak,
        role=SystemRole.objects.get(system=account.system, slug=role),
        valid_from=date(2026, 1, 5),
    )


def _codes(request, *, blocking: bool | None = None) -> set[str]:
    found = guards_of([type(request).objects.select_related("system", "facility", "role").get(pk=request.pk)], NOON)
    return {guard.code for guard in found[request.pk] if blocking in (None, guard.blocks)}


def test_harp_with_its_second_factor_comes_before_iqies(cast):
    request = drafted(cast)
    assert _codes(request, blocking=True) == {"prerequisite"}
    with pytest.raises(AccountRefused, match="no working HARP account, and that comes first. Ask for HARP"):
        submit(scope=cast.scope("carol"), requests=[request], at=NOON)
    harp = _account(cast, "harp")
    assert _codes(request, blocking=True) == {"second_factor_unknown"}
    state = {"scope": cast.scope("henry"), "account": harp, "since": None, "at": NOON}
    harp = state_identity(**state, version=1, proofing="done", factor="none")
    assert _codes(request, blocking=True) == {"second_factor"}
    harp = state_identity(**state, version=2, proofing="manual", factor="app")
    assert _codes(request, blocking=True) == {"proofing"}
    with pytest.raises(AccountRefused, match="Somebody else saved"):
        state_identity(**state, version=2, proofing="done", factor="app")
    state_identity(**state, version=3, proofing="done", factor="app")
    assert _codes(request, blocking=True) == set()


def test_cmsnet_came_before_qies_and_takes_two_people_only(cast):
    asked = {"system": "qies", "role": "individual-user", "still_needed_reason": "Old records are corrected."}
    qies = drafted(cast, **asked)
    assert "prerequisite" not in _codes(qies), "no stream needs CMSNet any more"
    cmsnet = drafted(cast, system="cmsnet", role="individual-user", still_needed_reason="As above.")
    for name in ("carol", "alice"):
        _hold(cast, _account(cast, "cmsnet", name), "individual-user")
        _hold(cast, _account(cast, "qies", name), "individual-user")
    assert _codes(cmsnet, blocking=True) == {"quota"}, "R-23 refuses the third"
    assert _codes(qies, blocking=True) == set(), "R-24 only says how the third is asked for"
    assert "quota" in _codes(qies)
    leaves = PortalAccount.objects.get(person=cast.people["alice"], system__slug="cmsnet")
    removal = ask(cast, system="cmsnet", kind="removal", role="", person="alice", account=leaves)
    comes = ask(cast, system="cmsnet", role="individual-user", still_needed_reason="She takes over.")
    cmsnet.delete()
    both = draft(scope=cast.scope("alice"), asks=[removal, comes], at=NOON)
    assert _codes(both[1], blocking=True) == set(), "Alice makes room for her successor in the same bundle"
    [quota] = [each for each in guards_of(both, NOON)[both[1].pk] if each.code == "quota"]
    assert quota.cure == "The removal asked for together with it makes room: carry that out first."


def test_a_role_that_was_wanted_until_a_day_is_not_asked_back_after_it(cast):
    account = _account(cast, "iqies", status="lost", loss="inactive", lost_at=NOON)
    role = SystemRole.objects.get(system__slug="iqies", slug="provider-assessment-viewer")
    given = {"organization": cast.riverside, "account": account, "facility": cast.oak, "role": role}
    grant = factories.GrantFactory(**given, valid_from=date(2026, 1, 5), valid_to=TODAY, temporary=True)
    wish = ask(cast, kind="reactivation", account=account, role=role.slug, grant=grant)
    back = as_request(cast.scope("carol"), wish, cast.people["carol"])
    back.pk = -1
    assert guards_of([back], NOON)[-1] == [], "its last day is today"
    RoleGrant.objects.filter(pk=grant.pk).update(valid_to=TODAY - timedelta(days=1))
    [guard] = guards_of([back], NOON)[-1]
    assert (guard.code, guard.blocks, guard.rule) == ("over", True, "R-54")
    assert "Ask for the role as a new one" in guard.cure


def test_what_is_wanted_until_a_day_that_has_passed_is_neither_asked_for_nor_sent(cast):
    with_harp(cast, "henry")
    with pytest.raises(AccountRefused, match="“Only until” is Thu 19 Nov 2026, and that day has passed") as refused:
        drafted(cast, wanted_until=TODAY - timedelta(days=1))
    assert refused.value.field == "wanted_until"
    request = drafted(cast, wanted_until=TODAY)
    assert _codes(request, blocking=True) == set(), "today is its last day"
    with pytest.raises(AccountRefused, match="“Only until” is 20 Nov 2026, and that day has passed. Change the req"):
        submit(scope=cast.scope("carol"), requests=[request], at=NOON + timedelta(days=1))
    [sent] = submit(scope=cast.scope("carol"), requests=[request], at=NOON)
    again = ask(cast, wanted_until=TODAY)
    with pytest.raises(AccountRefused, match="that day has passed") as refused:
        change(scope=cast.scope("carol"), request=sent, ask=again, version=sent.version, at=NOON + timedelta(days=1))
    assert refused.value.field == "wanted_until"


def test_what_is_asked_for_already_counts_into_the_quota_and_each_quota_says_its_own_way_out(cast):
    cmsnet = {"system": "cmsnet", "role": "individual-user", "still_needed_reason": "Staffing data."}
    _hold(cast, _account(cast, "cmsnet", "alice"), "individual-user")
    asks = [ask(cast, person=name, **cmsnet) for name in ("henry", "carol")]
    bundle = draft(scope=cast.scope("alice"), asks=asks, at=NOON)
    found = guards_of(bundle, NOON)
    first, second = ([guard.code for guard in found[row.pk] if guard.blocks] for row in bundle)
    assert (first, second) == ([], ["quota"]), "two are free for one only"
    with pytest.raises(AccountRefused, match="1 of 2 accounts that CMSNet allows, and 1 more is asked for already"):
        submit(scope=cast.scope("alice"), requests=bundle, at=NOON)
    submit(scope=cast.scope("alice"), requests=bundle[:1], at=NOON, unapproved_reason="Nobody else is here yet.")
    assert _codes(bundle[1], blocking=True) == {"quota"}, "Henry's is under way"
    assert "quota" not in _codes(bundle[0]), "and comes first"
    epoc = {"system": "qies", "still_needed_reason": "Old plans.", "by": "alice"}
    cures = {}
    for role, most in (("individual-user", 2), ("epoc-user", 4)):
        for number in range(most):
            person = factories.PersonFactory(organization=cast.riverside, first_name=f"{role}{number}")
            account = factories.AccountFactory(
                organization=cast.riverside, person=person, system=System.objects.get(slug="qies")
            )
            _hold(cast, account, role)
        request = drafted(cast, role=role, **epoc)
        [quota] = [guard for guard in guards_of([request], NOON)[request.pk] if guard.code == "quota"]
        cures[quota.fact] = quota.cure
    assert "account maintenance request form" in cures["QIES-QUO-3"]
    assert "Have one of the ePOC accounts removed first" in cures["QIES-QUO-4"]


def test_nobody_counts_as_the_official_of_the_own_request_and_casper_goes_alone(cast):
    with_harp(cast, "henry")
    eqrs = _account(cast, "eqrs")
    _hold(cast, eqrs, "security-official")
    asked = {"system": "eqrs", "role": "end-user", "kind": "additional-role"}
    request = drafted(cast, account=eqrs, **asked)
    [guard] = [each for each in guards_of([request], NOON)[request.pk] if each.code == "no_official"]
    assert "is the only Security Official of Oak House on EQRS, and nobody approves the own request" in guard.message
    _hold(cast, _account(cast, "eqrs", "carol"), "security-official")
    assert "no_official" not in _codes(request)
    _hold(cast, _account(cast, "iqies"), "provider-security-official")
    [own] = submit(scope=cast.scope("carol"), requests=[drafted(cast, kind="additional-role")], at=NOON)
    keys = set(own.steps.values_list("key_in_list", flat=True))
    assert {"second-official", "wait-second-official"} <= keys, "she does not wait for herself"
    assert not {"officials-first", "wait-new-official", "wait"} & keys, "a first official is there already"
    [guard] = [each for each in guards_of([own], NOON)[own.pk] if each.code == "no_official"]
    assert "whether one may approve the own request was not found" in guard.message
    casper = _account(cast, "casper")
    _hold(cast, casper, "individual-user")
    gone = drafted(cast, kind="removal", system="casper", role="", account=casper)
    assert "casper_only" in _codes(gone, blocking=False)
    assert "casper_only" not in _codes(drafted(cast, kind="removal", system="eqrs", role="", account=eqrs))


def test_a_ccn_is_asked_for_where_the_system_asks_for_it(cast):
    lodge = factories.FacilityFactory(organization=cast.riverside, ccn=None, licensed_only=True, state="TX")
    with_harp(cast, "henry")
    for system, role in (("cmsnet", "individual-user"), ("iqies", "provider-assessment-viewer")):
        request = drafted(cast, by="alice", facility=lodge, system=system, role=role, still_needed_reason="Old data.")
        [guard] = [each for each in guards_of([request], NOON)[request.pk] if each.code == "licensed_only"]
        assert (guard.rule, guard.blocks) == ("R-30", False)
        assert "A licensed-only facility has no CCN" in guard.message
        assert "licensed_only" not in _codes(drafted(cast, system=system, role=role, still_needed_reason="Old data."))


def test_a_closed_system_offers_its_successor_first(cast):
    request = drafted(cast, system="qies", role="individual-user")
    found = guards_of([request], NOON)[request.pk]
    [closed] = [guard for guard in found if guard.code == "closed"]
    assert closed.blocks
    assert "Ask for iQIES instead, or say why it is still needed here." in closed.cure


def test_vendors_people_who_left_and_doubles(cast):
    with_harp(cast, "henry")
    official = drafted(cast, role="provider-security-official")
    assert _codes(official, blocking=True) == set()
    Person.objects.filter(pk=cast.people["henry"].pk).update(affiliation="vendor")
    assert _codes(official, blocking=True) == {"vendor_official"}
    assert "vendor_per_ccn" in _codes(drafted(cast, role="pbj-submitter-vendor"), blocking=False)
    provider = drafted(cast, role="pbj-submitter-provider")
    assert ("vendor_role" in _codes(provider), _codes(provider, blocking=True)) == (True, set()), "advice: our reading"
    Person.objects.filter(pk=cast.people["henry"].pk).update(affiliation="employee")
    assert "vendor_role" in _codes(drafted(cast, role="pbj-submitter-vendor"), blocking=False)
    assert "vendor_role" not in _codes(provider)
    [sent] = submit(scope=cast.scope("carol"), requests=[drafted(cast)], at=NOON)
    again = drafted(cast)
    assert _codes(again, blocking=True) == {"running"}
    iqies = _account(cast, "iqies")
    _hold(cast, iqies, "provider-assessment-viewer", cast.oak)
    assert "held" in _codes(again)
    cast.people["henry"].employments.update(valid_to=date(2026, 11, 1))
    assert "left" in _codes(again, blocking=True)
    for kind in sorted(set(Kind) - {"new-account", "additional-role", "role-change"}):
        asked = ask(cast, kind=kind, role="", account=iqies, grant=iqies.grants.get())
        kept = as_request(cast.scope("carol"), asked, cast.people["carol"])
        kept.pk = -1
        found = {guard.code for guard in guards_of([kept], NOON)[-1] if guard.blocks}
        assert ("left" in found) is (kind not in {"removal", "forgotten-id", "contact-change"}), kind
    assert sent.pk != again.pk


def test_harp_mail_and_user_id(cast):
    request = drafted(cast, system="harp", role="individual-user")
    assert _codes(request) == {"user_id"}
    Person.objects.filter(pk=cast.people["henry"].pk).update(email="henry@gmail.com")
    assert _codes(request, blocking=True) == {"personal_email"}
    Person.objects.exclude(pk=cast.people["henry"].pk).update(email="")
    assert _codes(request, blocking=True) == set(), "two providers and no domain of their own"
    factories.FacilityFactory(organization=cast.riverside)
    assert _codes(request, blocking=True) == {"personal_email"}
    Person.objects.filter(pk=cast.people["henry"].pk).update(email="")
    assert _codes(request, blocking=True) == {"no_email"}
    _account(cast, "idm")
    assert "known_identity" in _codes(request)
    assert "Oak House" in user_id_flaw("oakhouse_mds", ("Oak House", "Elm"))
    assert user_id_flaw("a&b", ()) != user_id_flaw("henry.test", ("Oak House",)) == ""


def test_ps_and_r_takes_two_people(cast):
    _account(cast, "idm")
    account = _account(cast, "psr")
    _hold(cast, account, "security-official")
    request = drafted(cast, system="psr", role="end-user", kind="additional-role")
    assert "two_people" in _codes(request, blocking=True)
    other = _account(cast, "psr", "carol")
    _hold(cast, other, "end-user")
    assert "two_people" not in _codes(request)
    keys = [step.key_in_list for step in plan_steps([request], TODAY)]
    assert ("second-official" in keys, "official-first" in keys) == (True, False), "the organization is registered"


def test_licensed_only_facilities_ask_with_the_states_words(cast):
    lodge = factories.FacilityFactory(organization=cast.riverside, ccn=None, licensed_only=True, state="TX")
    request = drafted(cast, by="alice", facility=lodge, system="qies", role="individual-user")
    assert "licensed_only" in _codes(request, blocking=False)


def test_many_requests_take_no_more_queries(cast, django_assert_max_num_queries):
    with_harp(cast, "henry")
    many = [drafted(cast, by="alice", facility=place) for place in (cast.oak, cast.elm) for _ in range(5)]
    with django_assert_max_num_queries(30):
        found = guards_of(many, NOON)
    assert len(found) == 10
    assert NOON.date() == TODAY


def test_removing_another_role_of_the_account_is_not_the_same_and_what_failed_is_asked_for_anew(cast):
    """Of two roles each may go by a request of its own; a request that did not work stands in nobody's way."""
    account = _account(cast, "iqies")
    roles = ("provider-assessment-viewer", "provider-assessment-coordinator")
    grants = [
        factories.GrantFactory(
            organization=cast.riverside,
            account=account,
            facility=cast.oak,
            role=SystemRole.objects.get(system=account.system, slug=slug),
            valid_from=date(2026, 1, 5),
        )
        for slug in roles
    ]
    asks = [{"kind": "removal", "role": "", "account": account, "grant": grant} for grant in grants]
    first = submitted(cast, **asks[0])
    assert "running" not in _codes(drafted(cast, **asks[1]))
    again = drafted(cast, **asks[0])
    assert "running" in _codes(again, blocking=True)
    with pytest.raises(AccountRefused, match="twice"):
        submit(scope=cast.scope("carol"), requests=[drafted(cast, **asks[1]), drafted(cast, **asks[1])], at=NOON)
    fail(scope=cast.scope("carol"), request=first, reason="The help desk has no such account.", at=NOON)
    assert "running" not in _codes(again)


def test_who_may_not_ask_at_every_place_of_an_account_has_only_roles_removed(cast):
    account = _account(cast, "iqies")
    for place in (cast.oak, cast.elm):
        _hold(cast, account, "provider-assessment-viewer", place)
    whole = {"kind": "removal", "role": "", "account": account}
    with pytest.raises(NotAllowed):
        drafted(cast, **whole)
    assert drafted(cast, **whole, grant=account.grants.get(facility=cast.oak)).grant is not None
    assert drafted(cast, by="alice", **whole).grant is None


def test_what_the_harp_request_said_of_its_second_factor_lets_iqies_be_asked_for(cast):
    """Nobody has to say on another page what the steps and the finish said already."""
    request = drafted(cast, system="harp", role="individual-user")
    [harp] = submit(scope=cast.scope("carol"), requests=[request], at=NOON)
    [harp] = decide(scope=cast.scope("alice"), requests=[harp], approve=True, at=NOON)
    while step := harp.steps.filter(state="open").exclude(actor="approver").order_by("position").first():
        record_outcome(scope=cast.scope("henry"), step=step, worked=True, on=TODAY, at=NOON)
    assert "prerequisite" in _codes(drafted(cast))
    finish(
        scope=cast.scope("henry"), request=harp, effective_on=TODAY, proof="note", proof_text="Signed in.",
        user_id="HTEST1", factor="app", at=NOON,
    )  # fmt: skip
    account = PortalAccount.objects.get(person=cast.people["henry"], system__slug="harp")
    assert (account.proofing, account.second_factor, account.second_factor_on) == ("done", "app", TODAY)
    assert _codes(drafted(cast), blocking=True) == set()
