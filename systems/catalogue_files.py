"""From the YAML files of a folder to one checked catalogue, or to a list of what is wrong and where."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from systems.catalogue_schema import CatalogueFile, PolicyEntry, cites_of

FOLDER: Final = Path(__file__).parent / "catalogue"
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class CatalogueError:
    """One mistake: file name, line (1-based, None where there is none), place inside the file, reason."""

    file: str
    line: int | None
    place: str
    reason: str

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {self.place + ': ' if self.place else ''}{self.reason}"

    def as_dict(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "place": self.place, "reason": self.reason}


class CatalogueInvalid(Exception):  # noqa: N818  (a verdict on the files)
    """The catalogue cannot be loaded; `errors` lists every mistake found."""

    def __init__(self, errors: list[CatalogueError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that obeys the schema, with its YAML tree for line numbers."""

    name: str
    tree: yaml.Node
    content: CatalogueFile

    def error(self, place: Place, reason: str) -> CatalogueError:
        return CatalogueError(self.name, _line_of(self.tree, place), _spell(place), reason)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All files together, checked against each other."""

    files: list[ReadFile] = field(default_factory=list)

    def all_of(self, name: str) -> list[Any]:
        """Return the entries of one top-level list over all files, such as ``systems``."""
        return [entry for file in self.files for entry in getattr(file.content, name)]


class _OnceLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader (in C where the wheel has it) that refuses a key standing twice; YAML itself keeps the last."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as exc:  # a day that is in no calendar, a number that is too long for one
            raise yaml.constructor.ConstructorError(
                None, None, f"{str(node.value)[:40]!r}: {exc}", node.start_mark
            ) from exc

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_catalogue(folder: Path = FOLDER) -> Catalogue:
    """Read every `*.yaml` of the folder. Raises CatalogueInvalid with all mistakes of all files."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise CatalogueInvalid([CatalogueError(str(folder), None, "", "no catalogue files (*.yaml) here")])
    files: list[ReadFile] = []
    errors: list[CatalogueError] = []
    for path in paths:
        try:
            files.append(read_file(path))
        except CatalogueInvalid as exc:
            errors += exc.errors
    if not errors:
        catalogue = Catalogue(files)
        errors = [*_repeated(catalogue), *_dangling(catalogue), *_clashing_versions(catalogue)]
        if not errors:
            return catalogue
    raise CatalogueInvalid(errors)


def read_file(path: Path) -> ReadFile:
    """Read one file by itself, not held against the others. Raises CatalogueInvalid with all its mistakes."""
    try:
        text = path.read_text(encoding="utf-8")
        loader = _OnceLoader(text)
        try:
            tree = loader.get_single_node()
            data = loader.construct_document(tree) if tree else None
        finally:
            loader.dispose()
    except (OSError, UnicodeDecodeError) as exc:
        raise CatalogueInvalid([CatalogueError(path.name, None, "", f"cannot be read: {exc}")]) from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        reason = getattr(exc, "problem", None) or str(exc)
        line = mark.line + 1 if mark else None
        raise CatalogueInvalid([CatalogueError(path.name, line, "", f"not valid YAML: {reason}")]) from exc
    if not isinstance(data, dict):
        raise CatalogueInvalid([CatalogueError(path.name, None, "", "a catalogue file is a mapping of lists")])
    try:
        return ReadFile(path.name, tree, CatalogueFile.model_validate(data))
    except ValidationError as exc:
        raise CatalogueInvalid(
            [
                CatalogueError(path.name, _line_of(tree, found["loc"]), _spell(found["loc"]), found["msg"])
                for found in exc.errors()
            ]
        ) from exc


def _repeated(catalogue: Catalogue) -> Iterator[CatalogueError]:
    keys = {"sources": "key", "systems": "slug", "streams": "slug", "contacts": "key", "milestones": "key"}
    keys["terms"] = "slug"
    for name, key in keys.items():
        counts = Counter(getattr(entry, key) for entry in catalogue.all_of(name))
        for file in catalogue.files:
            for number, entry in enumerate(getattr(file.content, name)):
                if counts[getattr(entry, key)] > 1:
                    yield file.error(
                        (name, number, key), f"{getattr(entry, key)!r} stands {counts[getattr(entry, key)]} times"
                    )
    for file in catalogue.files:
        shared: dict[str, list[object]] = {
            "policies": [(entry.kind, entry.cite.fact) for entry in file.content.policies],
            "notes": [(entry.topic, entry.cite.fact) for entry in file.content.notes],
        }
        yield from _standing_twice(file, (), shared)
    for file, number, system in _systems(catalogue):
        lists: dict[str, list[object]] = {
            "addresses": [entry.url for entry in system.addresses],
            "roles": [entry.slug for entry in system.roles],
            "policies": [(entry.kind, entry.cite.fact) for entry in system.policies],
            "quotas": [entry.cite.fact for entry in system.quotas],
            "prerequisites": [(entry.request_kind, entry.cite.fact) for entry in system.prerequisites],
            "phrases": [entry.cite.fact for entry in system.phrases],
            "notes": [(entry.topic, entry.cite.fact) for entry in system.notes],
        }
        for kind, steps in system.steps.items():
            lists[f"steps.{kind}"] = [step.key for step in steps]
        yield from _standing_twice(file, ("systems", number), lists)


def _standing_twice(file: ReadFile, place: Place, lists: dict[str, list[object]]) -> Iterator[CatalogueError]:
    for name, values in lists.items():
        for value, count in Counter(values).items():
            if count > 1:
                yield file.error((*place, name), f"{value!r} stands {count} times")


def _dangling(catalogue: Catalogue) -> Iterator[CatalogueError]:
    """Names that point at nothing: sources, systems, streams, roles."""
    sources = {entry.key for entry in catalogue.all_of("sources")}
    systems = {entry.slug for entry in catalogue.all_of("systems")}
    streams = {entry.slug for entry in catalogue.all_of("streams")}
    terms = {entry.slug for entry in catalogue.all_of("terms")}
    for file in catalogue.files:
        for place, cite in cites_of(file.content):
            for key in [cite.source, *cite.sources]:
                if key not in sources:
                    yield file.error((*place, "source"), f"there is no source {key!r}")
        yield from _unknown(file, "systems", systems, _system_names(file))
        yield from _unknown(file, "streams", streams, _stream_names(file))
        yield from _unknown(file, "terms", terms, _term_names(file))
    for file, number, system in _systems(catalogue):
        roles = {role.slug for role in system.roles}
        named = [(("roles", at, "approved_by"), role.approved_by) for at, role in enumerate(system.roles)]
        named += [(("quotas", at, "role"), quota.role) for at, quota in enumerate(system.quotas)]
        for place, role in named:
            if role is not None and role not in roles:
                yield file.error(("systems", number, *place), f"{system.slug} has no role {role!r}")


def _unknown(
    file: ReadFile, what: str, known: set[str], named: Iterable[tuple[Place, str | None]]
) -> Iterator[CatalogueError]:
    for place, name in named:
        if name is not None and name not in known:
            yield file.error(place, f"{name!r} is not among the {what}")


def _system_names(file: ReadFile) -> Iterator[tuple[Place, str | None]]:
    for number, system in enumerate(file.content.systems):
        yield ("systems", number, "sign_in_via"), system.sign_in_via
        yield ("systems", number, "successor"), system.successor
        for at, entry in enumerate(system.prerequisites):
            yield ("systems", number, "prerequisites", at, "needs_system"), entry.needs_system
    for number, path in enumerate(file.content.paths):
        yield from ((("paths", number, "systems"), name) for name in path.systems)
        yield ("paths", number, "replaced_by"), path.replaced_by
    for number, contact in enumerate(file.content.contacts):
        yield from ((("contacts", number, "systems"), name) for name in contact.systems)
    for number, milestone in enumerate(file.content.milestones):
        yield from ((("milestones", number, "systems"), name) for name in milestone.systems)
    for number, term in enumerate(file.content.terms):
        yield ("terms", number, "system"), term.system


def _stream_names(file: ReadFile) -> Iterator[tuple[Place, str | None]]:
    for number, system in enumerate(file.content.systems):
        for at, quota in enumerate(system.quotas):
            yield ("systems", number, "quotas", at, "stream"), quota.stream
        for at, role in enumerate(system.roles):
            for group, ability in enumerate(role.abilities):
                place = ("systems", number, "roles", at, "abilities", group, "streams")
                yield from ((place, name) for name in ability.streams)
    for number, path in enumerate(file.content.paths):
        yield ("paths", number, "stream"), path.stream
    for number, milestone in enumerate(file.content.milestones):
        yield ("milestones", number, "stream"), milestone.stream
    for number, term in enumerate(file.content.terms):
        yield ("terms", number, "stream"), term.stream


def _term_names(file: ReadFile) -> Iterator[tuple[Place, str | None]]:
    for number, term in enumerate(file.content.terms):
        yield from ((("terms", number, "see"), name) for name in term.see)


def _clashing_versions(catalogue: Catalogue) -> Iterator[CatalogueError]:
    """Two versions of one rule that start on the same day leave no answer which one is in force."""
    for file in catalogue.files:
        groups: list[tuple[Place, list[PolicyEntry]]] = [(("policies",), file.content.policies)]
        groups += [(("systems", at, "policies"), entry.policies) for at, entry in enumerate(file.content.systems)]
        for place, policies in groups:
            starts = Counter((policy.kind, policy.effective_from) for policy in policies if policy.sets_clock)
            for (kind, start), count in starts.items():
                if count > 1:
                    yield file.error(place, f"{count} versions of {kind} start {start or 'since ever'}; only one may")


def _systems(catalogue: Catalogue) -> Iterator[tuple[ReadFile, int, Any]]:
    for file in catalogue.files:
        for number, system in enumerate(file.content.systems):
            yield file, number, system


def _line_of(tree: yaml.Node | None, place: Place) -> int | None:
    """Return the line of a place in the tree, or of the innermost part of it that exists."""
    line = tree.start_mark.line + 1 if tree else None
    for step in place:
        if isinstance(tree, yaml.MappingNode):
            found = [(key, value) for key, value in tree.value if key.value == str(step)]
            if not found:
                break
            line, tree = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(tree, yaml.SequenceNode) and isinstance(step, int) and step < len(tree.value):
            tree = tree.value[step]
            line = tree.start_mark.line + 1
        else:
            break
    return line


def _spell(place: Place) -> str:
    """Write a place as people point at it: ``systems.0.policies.2.cite``."""
    return ".".join(str(step) for step in place)
