"""What passes from one to another in a request without a day of its own: told once, in the next mail, and to whom."""

import re
from datetime import timedelta
from types import SimpleNamespace as Fake

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import AccountRefused
from accounts.hand_over_words import Handed, detail
from accounts.models import HandOver, RequestStep
from accounts.services.requests import deciding, ending, submitting, undoing
from accounts.services.requests.taking_over import hand_down, take_over
from facilities.access import Scope
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders import handed, letters
from reminders.models import Digest, Reminder
from reminders.services.plan_handed import plan_handed, would_be_told_of_hand_overs
from staff.models import Absence, Deputy, Employment
from tests import factories
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import read, text
from tests.reminders.making import DAY, administrator, started
from tests.reminders.test_tick import ask as tick
from tests.reminders.test_tick import everything
from tests.requests.asking import cms_did, drafted, submitted, with_harp
from tests.requests.test_carrying import did

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
HOUR = timedelta(hours=1)


@pytest.fixture
def riverside(cast, settings, tmp_path):
    """The cast, with Riverside's reminders started; mails land in a folder."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    cast.folder = tmp_path
    # so that Carol, who reads Oak House's people, reads her name
    factories.EmploymentFactory(facility=cast.oak, person=cast.people["alice"])
    return started(cast)


def mails(cast, name):
    """Return (subject, text as one line) of somebody's mails in the folder that tell of requests."""
    found = []
    for file in sorted(cast.folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns):  # names are not in order
        for raw in re.split(rb"^-{79}$", file.read_bytes(), flags=re.MULTILINE):
            mail = read(raw.lstrip())
            if mail["To"] == f"{name}@example.org" and "request update" in mail["Subject"]:
                found.append((mail["Subject"], " ".join(text(mail).split())))
    return found


def said(cast, name):
    return mails(cast, name)[-1][1] if mails(cast, name) else ""


def decide(cast, request, approve=True, reason="", at=NOON):
    [request] = deciding.decide(scope=cast.scope("alice"), requests=[request], approve=approve, reason=reason, at=at)
    return request


def test_an_approved_request_whose_next_step_has_no_day_is_told_to_whose_turn_it_is_once(riverside):
    request = decide(riverside, submitted(riverside))
    step = request.steps.get(state="open")
    assert (step.key_in_list, step.actor, step.due_on) == ("officials-first", "facility", None)
    mine = {"organization": riverside.riverside, "person": riverside.people["carol"].pk, "at": NOON}
    assert would_be_told_of_hand_overs(**mine) == [HandOver.objects.get().pk], "a test digest shows it beforehand"
    tick(NOON)
    assert would_be_told_of_hand_overs(**mine) == []
    [(subject, mail)] = mails(riverside, "carol")
    assert subject == "1 request update about CMS access"
    assert f"TO DO IN REQUESTS * {step.title}: Henry Test’s request (New account, iQIES at Oak House)." in mail
    assert "Alice Test approved it on Fri 20 Nov. It is your turn now. Record on the request" in mail
    assert f"/o/riverside/requests/{request.pk}/" in mail
    assert "you have a part in these requests" in mail
    assert mails(riverside, "henry") == [], "it is not his turn"
    before = everything()
    answer, well = tick(NOON + HOUR)
    assert well
    assert everything() == before, "a repeated run writes its own row only"
    assert answer["sweeps"]["reminders"]["planned"] == 0
    did(riverside, request, "officials-first", at=NOON + HOUR)
    tick(NOON + DAY)
    assert len(mails(riverside, "carol")) == 1
    assert "A colleague recorded the step before on Fri 20 Nov. It is your turn now." in said(riverside, "henry"), (
        "he reads of no colleague"
    )


def test_dark_days_give_one_mail_with_what_is_still_true(riverside):
    request = decide(riverside, submitted(riverside))
    did(riverside, request, "officials-first")
    did(riverside, request, "request-role", by="henry")
    deciding.comment(scope=riverside.scope("alice"), request=request, text="Which unit is she on?", at=NOON)
    ending.fail(scope=riverside.scope("alice"), request=request, reason="HARP was down.", at=NOON + DAY)
    tick(NOON + 3 * DAY)
    assert mails(riverside, "henry")[0][0] == "1 request update about CMS access", "his step is over"
    assert "The request for you (New account, iQIES at Oak House) did not work out." in said(riverside, "henry")
    [(subject, mail)] = mails(riverside, "carol")
    assert subject == "2 request updates about CMS access"
    assert "Alice Test wrote about Henry Test’s request (New account, iQIES at Oak House). “Which unit" in mail
    assert "did not work out. Alice Test, Sat 21 Nov: “HARP was down.” It can be tried again" in mail
    assert HandOver.objects.filter(taken_at=None).count() == 0
    tick(NOON + 4 * DAY)
    assert (len(mails(riverside, "henry")), len(mails(riverside, "carol")), mails(riverside, "alice")) == (1, 1, [])


@pytest.mark.parametrize("what", ["rejected", "sent-back", "withdrawn", "done", "undone", "comment"])
def test_each_outcome_is_told_to_who_asked_and_to_nobody_who_did_it(riverside, what):
    alice, request = riverside.scope("alice"), submitted(riverside)
    if what == "rejected":
        decide(riverside, request, approve=False, reason="Not needed there.")
        words = "was rejected. Alice Test, Fri 20 Nov: “Not needed there.”"
    elif what == "sent-back":
        deciding.send_back(scope=alice, request=request, question="From which day?", at=NOON)
        words = "was sent back to you: something is missing. Alice Test, Fri 20 Nov: “From which day?” It is decided"
    elif what == "withdrawn":
        submitting.withdraw(scope=alice, request=request, reason="She goes to Elm.", at=NOON)
        words = "was withdrawn. Alice Test, Fri 20 Nov: “She goes to Elm.”"
    elif what == "comment":
        deciding.comment(scope=alice, request=request, text="Is it for MDS?", at=NOON)
        words = "Alice Test wrote about Henry Test’s request (New account, iQIES at Oak House). “Is it for MDS?”"
    else:
        request = decide(riverside, request)
        proof = {"effective_on": TODAY, "proof": "note", "proof_text": "Seen.", "cms_side": cms_did(request)}
        ending.finish(scope=alice, request=request, **proof, at=NOON)
        words = "was carried out. Alice Test, Fri 20 Nov. It holds from Fri 20 Nov."
        if what == "undone":
            undoing.undo(scope=alice, request=request, reason="The wrong Henry.", at=NOON)
            words = "is being carried out again: that it was done was taken back. Alice Test, Fri 20 Nov: “The wrong"
    tick(NOON)
    assert words in said(riverside, "carol")
    assert bool(mails(riverside, "henry")) == (what in ("rejected", "withdrawn", "done", "undone"))
    news = Reminder.objects.filter(hand_over__isnull=False, state="in_digest").exclude(hand_over__what="turn")
    assert set(news.values_list("hand_over__what", "recipient__first_name")) == {
        (what, "Carol"), *([(what, "Henry")] if mails(riverside, "henry") else [])
    }, "not Alice, whose act it was, nor what is not true any more"  # fmt: skip


def test_who_is_away_hears_and_her_deputy_too_and_for_who_left_the_next_in_line(riverside):
    fay = administrator(riverside, "fay", riverside.oak)
    olga, carol = riverside.people["olga"], riverside.people["carol"]
    stands = {"organization": riverside.riverside, "person": carol, "recorded_at": NOON, "recorded_by": "x"}
    Deputy.objects.create(**stands, deputy=olga, valid_from=TODAY)
    request = submitted(riverside)
    deciding.send_back(scope=riverside.scope("alice"), request=request, question="From which day?", at=NOON)
    tick(NOON)
    assert [len(mails(riverside, name)) for name in ("carol", "olga", "fay")] == [1, 0, 0]
    Absence.objects.create(**stands, valid_from=TODAY + DAY, valid_to=TODAY + 2 * DAY)
    deciding.comment(scope=riverside.scope("alice"), request=request, text="Ask the unit.", at=NOON + DAY)
    tick(NOON + DAY)
    assert "“Ask the unit.”" in said(riverside, "carol")
    assert (
        "* A colleague wrote about Henry Test’s request (New account, iQIES at Oak House)."
        " You stand in for Carol Test. You cannot open it here: ask an administrator of Oak"
    ) in said(riverside, "olga"), "who may not open it reads neither the name nor what was said"
    Employment.objects.filter(person=carol).update(valid_to=TODAY + DAY)
    with pytest.raises(AccountRefused, match="Say why"):
        submitting.withdraw(scope=riverside.scope("alice"), request=request, reason="", at=NOON + 2 * DAY)
    submitting.withdraw(scope=riverside.scope("alice"), request=request, reason="It is late.", at=NOON + 2 * DAY)
    other = drafted(riverside, at=NOON)
    assert other.requester_person == carol
    with_harp(riverside, "henry")
    other = submitting.submit(scope=riverside.scope("carol"), requests=[other], at=NOON + 2 * DAY)[0]
    decide(riverside, other, approve=False, reason="She has left.", at=NOON + 2 * DAY)
    tick(NOON + 2 * DAY)
    assert (len(mails(riverside, "carol")), len(mails(riverside, "olga"))) == (2, 1)
    assert "was rejected. Carol Test, who asked, no longer works here." in said(riverside, "fay")
    assert "was withdrawn. Carol Test, who asked, no longer works here. Alice Test, Sun 22 Nov: “It is late.”" in said(
        riverside, "fay"
    ), "sent back it was hers to complete"
    Membership.objects.filter(user=fay.user).update(ended_at=NOON)
    deciding.comment(scope=riverside.scope("henry"), request=other, text="And now?", at=NOON + 3 * DAY)
    tick(NOON + 3 * DAY)
    assert "Henry Test wrote about" in said(riverside, "alice"), "nobody administers Oak House: the organization's"
    assert len(mails(riverside, "fay")) == 1


def test_what_a_leaver_asked_for_is_told_once_to_the_next_in_line_until_somebody_takes_it_over(riverside):
    fay = administrator(riverside, "fay", riverside.oak)
    request = decide(riverside, submitted(riverside))
    other = submitted(riverside, person="olga")
    tick(NOON)
    Membership.objects.filter(user=riverside.carol).update(ended_at=NOON)
    tick(NOON + DAY)
    [(subject, mail)] = mails(riverside, "fay")
    assert "2 request updates" in subject
    assert "Take over Olga Test’s request (New account, iQIES at Oak House), or withdraw it." in mail
    assert mail.count("Carol Test, who asked, can no longer sign in here.") == 2
    assert mails(riverside, "alice") == []
    before = everything()
    tick(NOON + DAY + HOUR)
    assert everything() == before
    deciding.comment(scope=riverside.scope("alice"), request=other, text="And now?", at=NOON + DAY)
    plan_handed(at=NOON + DAY + HOUR)
    heard = Reminder.objects.filter(hand_over__what="comment").values_list("recipient__first_name", flat=True)
    assert list(heard) == ["Fay"], "Carol works here and asks no more"
    take_over(scope=Scope.of(fay.user, riverside.riverside), request=request, at=NOON + DAY)
    Employment.objects.filter(person=fay).update(valid_to=TODAY)
    factories.EmploymentFactory(person=fay, facility=riverside.oak, valid_from=TODAY - DAY, valid_to=TODAY + DAY)
    tick(NOON + 2 * DAY)
    assert "See Henry Test’s request (New account, iQIES at Oak House) through, or withdraw it and ask" in said(
        riverside, "alice"
    )
    assert "Fay Test, who asked, no longer works here. It was taken over once already." in said(riverside, "alice")
    assert other.hand_overs.filter(what="left").count() == 1


def test_what_was_handed_over_before_the_start_is_told_to_nobody_and_a_step_with_a_day_by_its_deadline(riverside):
    riverside.riverside.reminders_started_at = NOON + HOUR
    riverside.riverside.save()
    request = decide(riverside, submitted(riverside))
    tick(NOON + 2 * HOUR)
    assert HandOver.objects.get().taken_at == NOON + 2 * HOUR
    assert not Reminder.objects.filter(hand_over__isnull=False).exists()
    did(riverside, request, "officials-first")
    did(riverside, request, "request-role", by="henry")
    steps = [row.step.key_in_list for row in HandOver.objects.order_by("pk")]
    assert steps == ["officials-first", "request-role"], "what comes next has a day"


def test_a_hand_over_hangs_a_reminder_on_itself_alone_and_once(riverside):
    decide(riverside, submitted(riverside))
    tick(NOON)
    row = Reminder.objects.get(hand_over__isnull=False)
    assert Digest.objects.get(person=row.recipient) == row.digest
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reminder.objects.update(hand_over=None)


def test_many_are_shown_up_to_a_number_and_counted_beyond(riverside):
    requests = []
    for number in range(20):
        person = factories.PersonFactory(organization=riverside.riverside, first_name=f"P{number}")
        riverside.people[f"p{number}"] = person
        requests.append(submitted(riverside, person=f"p{number}"))
    deciding.decide(scope=riverside.scope("alice"), requests=requests, approve=False, reason="Not now.", at=NOON)
    tick(NOON)
    [(subject, mail)] = mails(riverside, "carol")
    assert subject == "20 request updates about CMS access"
    assert mail.count("was rejected.") == 15
    assert "5 more about requests: Oak House" in mail


def test_undoing_and_trying_again_hand_the_turn_over_anew(riverside):
    alice, request = riverside.scope("alice"), decide(riverside, submitted(riverside))
    turns = request.hand_overs.filter(what="turn", step__key_in_list="officials-first")
    proof = {"effective_on": TODAY, "proof": "note", "proof_text": "Seen.", "cms_side": cms_did(request)}
    ending.finish(scope=alice, request=request, **proof, at=NOON)
    undoing.undo(scope=alice, request=request, reason="The wrong Henry.", at=NOON + HOUR)
    assert turns.count() == 2
    ending.fail(scope=alice, request=request, reason="HARP was down.", at=NOON + HOUR)
    ending.retry(scope=alice, request=request, at=NOON + 2 * HOUR)
    assert turns.count() == 3
    tick(NOON + 2 * HOUR)
    assert said(riverside, "carol").count("It is to do since Fri 20 Nov. It is your turn now.") == 1


def test_who_sent_it_had_no_turn():
    told = {"what": "turn", "request": "Removal", "system": "iQIES", "facility": "Oak House", "person": "Henry Test"}
    sent = Handed(**told, asker="Carol Test", on=TODAY, since_on=TODAY, turn="Henry Test", by="a colleague", act="sent")
    assert detail(sent).startswith("A colleague sent it on Fri 20 Nov. Henry Test has the turn now.")


def test_what_is_planned_is_theirs_to_hear_also_for_stand_ins_and_writers_until_they_read_no_more(riverside):
    olga, alice = riverside.people["olga"], riverside.scope("alice")
    request = decide(riverside, submitted(riverside))
    account = factories.AccountFactory(person=olga)
    factories.GrantFactory(account=account, facility=riverside.oak, role__slug="provider-security-official")
    here = factories.MembershipFactory(
        user=riverside.olga, organization=riverside.riverside, facility=riverside.oak, role=Role.COORDINATOR
    )
    deputy = factories.PersonFactory(organization=riverside.riverside, email="dora@example.org")
    stands = {"organization": riverside.riverside, "person": olga, "recorded_at": NOON, "recorded_by": "x"}
    Deputy.objects.create(**stands, deputy=deputy, valid_from=TODAY)
    Absence.objects.create(**stands, valid_from=TODAY, valid_to=TODAY + DAY)
    step = request.steps.filter(due_on=None).exclude(state="open").first()
    RequestStep.objects.filter(pk=step.pk).update(state="open", actor="official")
    row = {"organization": riverside.riverside, "request": request, "at": NOON}
    HandOver.objects.create(**row, step=step, what="turn")
    deciding.comment(scope=riverside.scope("olga"), request=request, text="For both units?", at=NOON)
    deciding.comment(scope=alice, request=request, text="For one.", at=NOON)
    plan_handed(at=NOON)
    planned = Reminder.objects.filter(hand_over__isnull=False)
    told = planned.values_list("recipient__first_name", "hand_over__what")
    assert sorted(told.filter(recipient__in=[olga, deputy])) == sorted(
        [(deputy.first_name, "turn"), ("Olga", "comment"), ("Olga", "turn")]
    )
    assert not planned.exclude(handed.truthful(TODAY)).exists()
    here.ended_at = NOON
    here.save()
    assert set(planned.exclude(handed.truthful(TODAY)).values_list("recipient", "hand_over__what")) == {
        (olga.pk, "comment")
    }
    deciding.comment(scope=alice, request=request, text="As it is.", at=NOON + HOUR)
    plan_handed(at=NOON + HOUR)
    assert planned.filter(recipient=olga, hand_over__what="comment").count() == 1


def test_who_left_before_the_start_is_told_to_nobody_and_afterwards_once_somebody_is_there_to_hear(riverside):
    house, alice = riverside.riverside, riverside.people["alice"]
    house.reminders_started_at = None
    house.save()
    submitted(riverside)
    other = submitted(riverside, by="olga", facility=riverside.elm, person="olga")
    seats = Membership.objects.filter(organization=house)
    seats.filter(user=riverside.carol).update(ended_at=NOON)
    assert (hand_down(at=NOON), hand_down(at=NOON)) == (1, 0)
    house.reminders_started_at = NOON + HOUR
    house.save()
    mine = {"organization": house, "person": alice.pk}
    assert would_be_told_of_hand_overs(**mine, at=NOON + HOUR) == []
    assert plan_handed(at=NOON + HOUR) == 0
    assert HandOver.objects.get().taken_at
    seats.filter(user=riverside.olga).update(ended_at=NOON)
    seats.filter(user=riverside.alice).update(ended_at=NOON)
    assert (hand_down(at=NOON + 2 * HOUR), plan_handed(at=NOON + 2 * HOUR)) == (1, 0)
    seats.filter(user=riverside.alice).update(ended_at=None)
    assert (plan_handed(at=NOON + DAY), plan_handed(at=NOON + DAY)) == (1, 0)
    assert Reminder.objects.get(hand_over__isnull=False).hand_over.request == other


def test_room_goes_to_what_is_to_do_then_to_findings_then_to_news():
    def handed_of(what):
        return Fake(hand_over=Fake(what=what))

    news = Fake(shown=[handed_of("turn"), handed_of("sent-back"), *[handed_of("done")] * 10])
    gathered = Fake(handed=Fake(news={1: news}), wrong=Fake(wrong={1: Fake(shown=[(1, False)] * 4)}))
    rooms = [letters._rooms(Fake(person_id=1), gathered, room) for room in (0, 1, 5, 20)]
    assert rooms == [(0, 0), (0, 1), (3, 2), (4, 16)]
    assert letters._rooms(Fake(person_id=2), gathered, 3) == (0, 3)
