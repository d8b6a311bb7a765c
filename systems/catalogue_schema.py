"""What a catalogue file may say. A value that cites no fact and no source does not get past this schema."""

from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from systems.models import (
    Ability,
    AddressStatus,
    Boundary,
    Confidence,
    Consequence,
    ContactPoint,
    Document,
    Milestone,
    Note,
    Policy,
    PolicyKind,
    Prerequisite,
    RequestKind,
    Step,
    Stream,
)
from systems.policy import EASTERN
from systems.provider_types import ProviderType

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
FactId = Annotated[str, StringConstraints(pattern=r"^[A-Z]+(-[A-Z]+)*-[0-9]+$", max_length=24)]
SourceKey = Annotated[str, StringConstraints(pattern=r"^([A-Z][0-9]+|NF)$")]
Positive = Annotated[int, Field(ge=1, le=3660)]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone")
    return name


def _web_address(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("an address starts with https://")
    return url


Zone = Annotated[str, AfterValidator(_known_zone)]
Url = Annotated[str, AfterValidator(_web_address)]


class Entry(BaseModel):
    """Base of everything in a file: unknown keys are mistakes, numbers are not guessed from text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Cite(Entry):
    """Where a value comes from: the fact's ID, the main source's key, how far it may be trusted."""

    fact: FactId
    source: SourceKey
    confidence: Annotated[Confidence, Field(strict=False)]
    also: list[FactId] = []
    sources: list[SourceKey] = []


class Cited(Entry):
    cite: Cite


class SourceEntry(Entry):
    key: SourceKey
    title: Text
    url: Url | Literal[""] = ""
    document_date: Text
    document_on: date | None = None


class AddressEntry(Cited):
    url: Url
    status: Annotated[AddressStatus, Field(strict=False)]
    note: str = ""


class AbilityEntry(Cited):
    """Abilities stated by one fact, for the named streams; no streams = whatever the stream."""

    streams: list[Slug] = []
    may: list[Annotated[Ability, Field(strict=False)]] = []
    may_not: list[Annotated[Ability, Field(strict=False)]] = []

    @model_validator(mode="after")
    def _says_something_once(self) -> Self:
        if not self.may and not self.may_not:
            raise ValueError("name at least one ability under may or may_not")
        if set(self.may) & set(self.may_not):
            raise ValueError("an ability stands under both may and may_not")
        return self


class RoleEntry(Cited):
    slug: Slug
    name: Text
    description: str = ""
    privileged: bool = False
    approved_by: Slug | None = None
    approval_note: str = ""
    vendor_allowed: bool = True
    vendor_only: bool = False
    requestable_from: date | None = None
    usable_from: date | None = None
    usable_until: date | None = None
    abilities: list[AbilityEntry] = []


class PolicyEntry(Cited):
    """One dated version of a rule; its key is the cited fact. No limit = looked for and not found."""

    kind: Annotated[PolicyKind, Field(strict=False)]
    basis: Annotated[Policy.Basis, Field(strict=False)]
    limit_days: Positive | None = None
    limit_hours: Positive | None = None
    limit_minutes: Positive | None = None
    limit_years: Positive | None = None
    limit_tries: Positive | None = None
    boundary: Annotated[Boundary, Field(strict=False)] = Boundary.MORE_THAN
    zone: Zone = EASTERN
    consequence: Annotated[Consequence, Field(strict=False)]
    consequence_text: Text
    cure: str = ""
    warning_days: list[Positive] = []
    effective_from: date | None = None
    effective_to: date | None = None
    start_note: str = ""
    start_confidence: Annotated[Confidence, Field(strict=False)] | None = None
    applies_to: str = ""
    applied: bool = True

    @property
    def sets_clock(self) -> bool:
        """Whether this version is part of a chain of dates."""
        return self.applied and (self.limit_days is not None or self.limit_years is not None)

    @model_validator(mode="after")
    def _limits_and_dates_fit(self) -> Self:
        lengths = [self.limit_days, self.limit_hours, self.limit_minutes, self.limit_years]
        if sum(length is not None for length in lengths) > 1:
            raise ValueError("a policy has one length: days, hours, minutes or years")
        has_limit = any(length is not None for length in [*lengths, self.limit_tries])
        if has_limit and self.cite.confidence == Confidence.NOT_FOUND:
            raise ValueError("a limit that was not found cannot have a number")
        if self.effective_from and self.effective_to and self.effective_from > self.effective_to:
            raise ValueError("effective_to lies before effective_from")
        return self


class QuotaEntry(Cited):
    counts: Text
    role: Slug | None = None
    stream: Slug | None = None
    provider_type: Annotated[ProviderType, Field(strict=False)] | Literal[""] = ""
    least: Positive | None = None
    most: Positive | None = None
    recommended: bool = False
    note: str = ""
    cure: str = ""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.least is None and self.most is None and not self.note:
            raise ValueError("a quota names least, most, or in its note how many")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("least lies above most")
        if (self.most is None) != (self.cure == ""):
            raise ValueError("most and cure come together: what to do where all are taken")
        return self


class PrerequisiteEntry(Cited):
    request_kind: Annotated[RequestKind, Field(strict=False)] = RequestKind.REGISTER
    needs: Annotated[Prerequisite.Needs, Field(strict=False)]
    needs_system: Slug | None = None
    text: Text
    exception: str = ""
    until_on: date | None = None

    @model_validator(mode="after")
    def _account_names_its_system(self) -> Self:
        if self.needs == Prerequisite.Needs.ACCOUNT and self.needs_system is None:
            raise ValueError("needs: account also names needs_system")
        return self


class StepEntry(Cited):
    key: Slug
    title: Text
    text: Text
    actor: Annotated[Step.Actor, Field(strict=False)] = Step.Actor.HOLDER
    duration: Positive | None = None
    unit: Annotated[Step.Unit, Field(strict=False)] | Literal[""] = ""
    after: Slug | Literal[""] = ""
    together: Slug | Literal[""] = ""
    cure_for: Slug | Literal[""] = ""
    stage: str = Field(default="", max_length=60)
    takes: str = Field(default="", max_length=40)
    only_if: Annotated[Step.OnlyIf, Field(strict=False)] | Literal[""] = ""
    provider_type: Annotated[ProviderType, Field(strict=False)] | Literal[""] = ""
    effective_from: date | None = None
    effective_to: date | None = None

    @model_validator(mode="after")
    def _duration_has_unit(self) -> Self:
        if (self.duration is None) != (self.unit == ""):
            raise ValueError("duration and unit come together")
        if self.takes and self.duration is not None:
            raise ValueError("takes is for what has no number; it does not go with a duration")
        return self


class PhraseEntry(Cited):
    form: Text
    field: Text
    text: Text
    use_when: Text


class NoteEntry(Cited):
    topic: Annotated[Note.Topic, Field(strict=False)]
    text: Text


class SystemEntry(Cited):
    """A system with all that hangs on it. `steps` maps a kind of request to its steps in order."""

    slug: Slug
    name: Text
    full_name: str = ""
    operator: Text
    purpose: str = ""
    sign_in_via: Slug | None = None
    counts_at_authority: bool = False
    successor: Slug | None = None
    position: int = Field(ge=0, le=999)
    addresses: list[AddressEntry] = []
    roles: list[RoleEntry] = Field(min_length=1)  # every account is tied to a facility by a grant
    policies: list[PolicyEntry] = []
    quotas: list[QuotaEntry] = []
    prerequisites: list[PrerequisiteEntry] = []
    steps: dict[Annotated[RequestKind, Field(strict=False)], list[StepEntry]] = {}
    phrases: list[PhraseEntry] = []
    notes: list[NoteEntry] = []

    @model_validator(mode="after")
    def _steps_name_each_other(self) -> Self:
        for kind, steps in self.steps.items():
            keys = {step.key for step in steps}
            groups = {step.together for step in steps} - {""}
            for step in steps:
                if step.after and step.after not in keys - {step.key}:
                    raise ValueError(f"steps.{kind.value}.{step.key}: after names no other step of this list")
                if step.cure_for and step.cure_for not in (keys - {step.key}) | groups:
                    raise ValueError(f"steps.{kind.value}.{step.key}: cure_for names no step and no group of this list")
        return self


class StreamEntry(Cited):
    slug: Slug
    name: Text
    group: Annotated[Stream.Group, Field(strict=False)]


class PathEntry(Cited):
    stream: Slug
    provider_types: list[Annotated[ProviderType, Field(strict=False)]] = Field(min_length=1)
    systems: list[Slug] = Field(min_length=1)
    from_on: date | None = None
    until_on: date | None = None
    new_records_until_on: date | None = None
    until_note: str = ""
    replaced_by: Slug | None = None


class ContactPointEntry(Entry):
    """A number or address; `cite` only where it comes from elsewhere than its contact."""

    kind: Annotated[ContactPoint.Kind, Field(strict=False)]
    value: Text
    note: str = ""
    current: bool = True
    cite: Cite | None = None


def _weekdays(text: str) -> str:
    if not text or list(text) != sorted(set(text)) or not set(text) <= set("1234567"):
        raise ValueError("weekdays are ISO numbers in order, such as '12345'")
    return text


def _clock(text: str) -> str:
    time.fromisoformat(text)
    return text


class HoursEntry(Entry):
    weekdays: Annotated[str, AfterValidator(_weekdays)]
    opens: Annotated[str, AfterValidator(_clock)]
    closes: Annotated[str, AfterValidator(_clock)]
    zone: Zone
    note: str = ""


class ContactEntry(Cited):
    key: Annotated[str, StringConstraints(pattern=r"^[A-Z]+(-[A-Z]+)*-[0-9]+$", max_length=24)]
    name: Text
    helps_with: Text
    systems: list[Slug] = []
    hours: HoursEntry | None = None
    points: list[ContactPointEntry] = Field(min_length=1)


class MilestoneEntry(Cited):
    key: Annotated[str, StringConstraints(pattern=r"^LIFE-[0-9]+[a-z]?$")]
    happened_on: date | None = None
    precision: Annotated[Milestone.Precision, Field(strict=False)] = Milestone.Precision.DAY
    time_note: str = ""
    text: Text
    systems: list[Slug] = []
    stream: Slug | None = None

    @model_validator(mode="after")
    def _dated_or_unknown(self) -> Self:
        if (self.happened_on is None) != (self.precision == Milestone.Precision.UNKNOWN):
            raise ValueError("a milestone has a date, or precision: unknown")
        return self


class DocumentEntry(Cited):
    slug: Slug
    version: Text
    kind: Annotated[Document.Kind, Field(strict=False)]
    title: Text
    in_force_from: date
    date_note: str = ""


class TermEntry(Entry):
    """A word explained: cited, or ours. `see` names other terms; the text's first sentence stands alone as a hint."""

    slug: Slug
    name: Text
    full_name: str = ""
    spelled_by_us: bool = False  # no source prints `full_name`
    aliases: list[Text] = []
    text: Text
    system: Slug | None = None
    stream: Slug | None = None
    see: list[Slug] = []
    ours: bool = False
    cite: Cite | None = None

    @model_validator(mode="after")
    def _cited_or_ours(self) -> Self:
        if self.ours == (self.cite is not None):
            raise ValueError("a term cites its fact and source, or says ours: true")
        if self.spelled_by_us and not self.full_name:
            raise ValueError("spelled_by_us goes with full_name")
        return self


class CatalogueFile(Entry):
    """One file; what it holds is a matter of taste, the loader joins all files."""

    sources: list[SourceEntry] = []
    systems: list[SystemEntry] = []
    policies: list[PolicyEntry] = []  # rules that belong to no single system
    streams: list[StreamEntry] = []
    paths: list[PathEntry] = []
    contacts: list[ContactEntry] = []
    milestones: list[MilestoneEntry] = []
    documents: list[DocumentEntry] = []
    notes: list[NoteEntry] = []  # what holds for all systems
    terms: list[TermEntry] = []


def cites_of(entry: BaseModel, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Cite]]:
    """Yield (place in the file, citation) of an entry and of everything inside it."""
    if isinstance(entry, Cite):
        yield place, entry
        return
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        branches: list[tuple[tuple[str | int, ...], object]] = [((name,), value)]
        if isinstance(value, dict):
            branches = [
                ((name, str(key), number), item) for key, items in value.items() for number, item in enumerate(items)
            ]
        elif isinstance(value, list):
            branches = [((name, number), item) for number, item in enumerate(value)]
        for step, item in branches:
            if isinstance(item, BaseModel):
                yield from cites_of(item, (*place, *step))
