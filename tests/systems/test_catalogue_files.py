"""What the catalogue files may say, and how a mistake is named: file, line, place, reason."""

import shutil

import pytest

from systems.catalogue_files import FOLDER, CatalogueInvalid, read_catalogue

GOOD = """\
sources:
  - {key: O1, title: A notice, document_date: "2017-05-16", document_on: 2017-05-16}
systems:
  - slug: qies
    name: QIES
    operator: CMS
    position: 1
    cite: {fact: QIES-PURP-1, source: O1, confidence: official}
    roles:
      - {slug: individual-user, name: Individual user, cite: {fact: QIES-QUO-3, source: O1, confidence: official}}
    policies:
      - kind: inactivity
        basis: login
        limit_days: 60
        consequence: disabled
        consequence_text: The account is disabled.
        cite: {fact: QIES-INACT-3, source: O1, confidence: official}
"""


def errors_of(tmp_path, text):
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueInvalid) as caught:
        read_catalogue(tmp_path)
    return caught.value.errors


def test_a_sound_file_is_read(tmp_path):
    (tmp_path / "one.yaml").write_text(GOOD, encoding="utf-8")
    [system] = read_catalogue(tmp_path).all_of("systems")
    assert (system.slug, system.policies[0].limit_days) == ("qies", 60)


@pytest.mark.parametrize(
    ("old", "new", "line", "place", "reason"),
    [
        (
            "fact: QIES-INACT-3, source: O1, ",
            "fact: QIES-INACT-3, ",
            17,
            "systems.0.policies.0.cite.source",
            "required",
        ),
        ("fact: QIES-INACT-3, ", "", 17, "systems.0.policies.0.cite.fact", "required"),
        (", confidence: official}\n", "}\n", 8, "systems.0.cite.confidence", "required"),
        (
            "        cite: {fact: QIES-INACT-3, source: O1, confidence: official}\n",
            "",
            12,
            "systems.0.policies.0.cite",
            "required",
        ),
        (
            "QIES-INACT-3, source: O1",
            "QIES-INACT-3, source: O9",
            17,
            "systems.0.policies.0.cite.source",
            "no source 'O9'",
        ),
        ("limit_days: 60", 'limit_days: "60"', 14, "systems.0.policies.0.limit_days", "integer"),
        ("limit_days: 60", "limit_days: 0", 14, "systems.0.policies.0.limit_days", "greater than or equal to 1"),
        ("limit_days: 60", "limit_days: 60\n        limit_years: 1", 12, "systems.0.policies.0", "one length"),
        ("limit_days: 60", "limit: 60", 14, "systems.0.policies.0.limit", "not permitted"),
        ("limit_days: 60", "limit_days: 60\n        boundary: about", 15, "systems.0.policies.0.boundary", "gt"),
        ("limit_days: 60", "limit_days: 60\n        zone: Mars/Base", 15, "systems.0.policies.0.zone", "IANA"),
        (
            "    position: 1\n",
            "    position: 1\n    sign_in_via: harp\n",
            8,
            "systems.0.sign_in_via",
            "'harp' is not among",
        ),
        ("kind: inactivity", "kind: idleness", 12, "systems.0.policies.0.kind", "inactivity"),
        ("confidence: official}\n    roles", "confidence: rumour}\n    roles", 8, "systems.0.cite.confidence", "seed"),
        ("    name: QIES\n", "    name: QIES\n    name: Again\n", 6, "", "stands twice"),
        ("systems:", "systems: ]", 3, "", "not valid YAML"),
        ("name: QIES", "name: 2026-13-01", 5, "", "month must be in 1..12"),
    ],
)
def test_a_mistake_is_named_by_file_line_place_and_reason(tmp_path, old, new, line, place, reason):
    assert old in GOOD
    [error] = errors_of(tmp_path, GOOD.replace(old, new, 1))
    assert (error.file, error.line, error.place) == ("one.yaml", line, place)
    assert reason in error.reason


def test_a_limit_that_was_not_found_cannot_have_a_number(tmp_path):
    [error] = errors_of(
        tmp_path,
        GOOD.replace(
            "QIES-INACT-3, source: O1, confidence: official", "QIES-INACT-3, source: O1, confidence: not_found"
        ),
    )
    assert "not found" in error.reason


def test_two_versions_starting_on_the_same_day_are_refused(tmp_path):
    second = GOOD[GOOD.index("      - kind: inactivity") :].replace("QIES-INACT-3", "QIES-INACT-1")
    [error] = errors_of(tmp_path, GOOD + second)
    assert error.place == "systems.0.policies"
    assert "2 versions of inactivity start since ever" in error.reason
    (tmp_path / "one.yaml").write_text(
        GOOD + second.replace("limit_days: 60", "limit_days: 60\n        effective_from: 2017-06-26")
    )
    assert len(read_catalogue(tmp_path).all_of("systems")[0].policies) == 2


def test_a_slug_that_stands_in_two_files_is_refused(tmp_path):
    (tmp_path / "two.yaml").write_text(GOOD, encoding="utf-8")
    errors = errors_of(tmp_path, GOOD)
    assert {(error.file, error.place) for error in errors} == {
        (file, place) for file in ("one.yaml", "two.yaml") for place in ("systems.0.slug", "sources.0.key")
    }


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path):
    (tmp_path / "two.yaml").write_text("- a list\n", encoding="utf-8")
    (tmp_path / "three.yaml").write_bytes(b"\xff\xfe\x00")
    errors = errors_of(tmp_path, GOOD.replace("limit_days: 60", "limit_days: -1"))
    assert [error.file for error in errors] == ["one.yaml", "three.yaml", "two.yaml"]


def test_an_empty_folder_is_no_catalogue(tmp_path):
    with pytest.raises(CatalogueInvalid, match="no catalogue files"):
        read_catalogue(tmp_path)


def test_each_cited_value_of_the_real_catalogue_loses_its_source_only_with_an_error(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "copy")
    target = tmp_path / "copy" / "iqies.yaml"
    text = target.read_text(encoding="utf-8")
    before = text.index("cite: {fact: IQ-INACT-1, source: O2, ")
    target.write_text(text[:before] + text[before:].replace("source: O2, ", "", 1), encoding="utf-8")
    with pytest.raises(CatalogueInvalid) as caught:
        read_catalogue(tmp_path / "copy")
    [error] = caught.value.errors
    assert (error.file, error.place) == ("iqies.yaml", "systems.0.policies.0.cite.source")
    assert error.line == text[:before].count("\n") + 1


CITED = """\
terms:
  - {slug: qies, name: QIES, text: A site., cite: {fact: QIES-PURP-1, source: O1, confidence: official}}
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (", cite: {fact: QIES-PURP-1, source: O1, confidence: official}", "", "cites its fact and source"),
        ("cite: {", "ours: true, cite: {", "cites its fact and source"),
        ("source: O1, ", "", "required"),
        ("source: O1", "source: O9", "no source 'O9'"),
        ("name: QIES", "name: QIES, spelled_by_us: true", "goes with full_name"),
        ("name: QIES", "name: QIES, see: [casper]", "'casper' is not among the terms"),
        ("name: QIES", "name: QIES, system: casper", "'casper' is not among the systems"),
    ],
)
def test_a_word_without_a_source_or_with_a_loose_end_does_not_load(tmp_path, old, new, reason):
    (tmp_path / "sound.yaml").write_text(GOOD + CITED, encoding="utf-8")
    assert [term.slug for term in read_catalogue(tmp_path).all_of("terms")] == ["qies"]
    (tmp_path / "sound.yaml").unlink()
    assert old in CITED
    [error] = errors_of(tmp_path, GOOD + CITED.replace(old, new, 1))
    assert reason in error.reason
    assert error.place.startswith("terms.0")
