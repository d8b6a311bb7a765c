"""Goals of the benchmarks: a measured value against the gate that fails a run and the target to aim for."""

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results" / "latest.json"
LARGE = 100_000  # accounts from which ratios say more than the fixed cost of a few dozen statements
WIDE = 3.0  # how much wider the gates on times are on a busy machine (--wide)
MEGABYTE = 1 << 20
BEYOND = 40  # statements: SQLite writes a slice for every so many parameters, PostgreSQL one for 500 rows
ROW = 1_800  # bytes of peak memory a row: 1,980 before rows were packed
PER_REQUEST = 20.0  # milliseconds: far above what it takes anywhere, far below a query for each request


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the answer. ``op``: how the value has to stand to the gate; a target only where one is set."""

    n: int | str
    name: str
    value: float
    gate: float
    op: str = "<="
    target: float | None = None
    engine: str = ""
    size: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the gate holds."""
        return self.value <= self.gate if self.op == "<=" else self.value == self.gate

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"value": round(self.value, 4), "ok": self.ok}


def of_sweep(found: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return goals 1 to 4, 7 and 8 for one engine and size, and that both write the same rows."""
    engine = found["engine"]
    median = {name: statistics.median(seconds) for name, seconds in found["times"].items()}
    slack = WIDE if wide else 1.0
    common: dict[str, Any] = {"engine": engine, "size": size}
    goals = [
        Goal("counts", "rows that differ from the reference's in number", _differing(found), 0, "==", **common),
        Goal(
            "rows",
            "parts of the ledger that differ from the reference's",
            0 if found["equal"] else 1,
            0,
            "==",
            **common,
        ),
        Goal(3, "same day again: rows written", found["rows_again"], 0, "==", **common),
        Goal(8, "sweep reads the login events", found["reads_of_logins"], 0, "==", **common),
        Goal(6, "rules of the same facilities again: rows written", found["rules"]["rows_again"], 0, "==", **common),
    ]
    if size >= LARGE:
        new, again = median["product"] / median["reference"], median["product_again"] / median["reference_again"]
        goals += [
            Goal(1, "sweep, new day : reference", new, 2.0 * slack, target=1.5, **common),
            Goal(3, "same day again : reference's second run", again, 2.0 * slack, target=1.5, **common),
            Goal(4, "same day again : own first run", median["product_again"] / median["product"], 0.8 * slack,
                 target=0.6, **common),
        ]  # fmt: skip
    else:
        beyond = 1000 * (median["product"] - 1.5 * median["reference"])
        goals.append(Goal(2, "sweep, new day, beyond 1.5 x reference (ms)", beyond, 30 * slack, **common))
    if found["memory_growth"] is not None:
        grown = found["memory_growth"] / MEGABYTE
        goals.append(Goal(7, "growth of peak memory in the sweep (MB)", grown, 32, target=16, **common))
    return goals


def of_recomputation(found: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return goal 22 for one engine and size: a shorter limit of the most used system, followed to the last row."""
    median = {name: statistics.median(seconds) for name, seconds in found["times"].items()}
    slack = WIDE if wide else 1.0
    common: dict[str, Any] = {"engine": found["engine"], "size": size}
    goals = [
        Goal("rows", "a changed rule: tables that differ from the reference's", 0 if found["equal"] else 1, 0, "==",
             **common),
        Goal(22, "a changed rule followed again: rows written", found["rows_again"], 0, "==", **common),
    ]  # fmt: skip
    if size >= LARGE:
        ratio = median["product"] / median["reference"]
        goals.append(Goal(22, "a changed rule followed : reference", ratio, 2.0 * slack, target=1.5, **common))
    else:
        beyond = 1000 * (median["product"] - 1.5 * median["reference"])
        goals.append(Goal(22, "a changed rule, beyond 1.5 x reference (ms)", beyond, 100 * slack, **common))
    if found["memory_growth"] is not None:
        grown = found["memory_growth"] / MEGABYTE
        goals.append(Goal(22, "growth of peak memory in the recomputation (MB)", grown, 32, target=16, **common))
    return goals


def of_roster(found: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return goals 19 and 20 for one engine and number of rows, and the memory of an import."""
    median = {name: statistics.median(seconds) for name, seconds in found["times"].items() if seconds}
    slack = WIDE if wide else 1.0
    common: dict[str, Any] = {"engine": found["engine"], "size": size}
    goals = [
        Goal(20, "the same roster again: tables written", found["rows_again"], 0, "==", **common),
        Goal(20, "the same roster again : own time for all new", median["same"] / median["new"], 0.6 * slack,
             target=0.4, **common),
    ]  # fmt: skip
    if found["equal"] is not None:
        goals += [
            Goal("rows", "a roster: tables that differ from the reference's", 0 if found["equal"] else 1, 0, "==",
                 **common),
            Goal(19, "a new roster : COPY + MERGE", median["new"] / median["reference"], 5.0 * slack, target=3.0,
                 **common),
        ]  # fmt: skip
    if found["memory_growth"] is not None:
        goals += [
            Goal(19, "growth of peak memory in an import (MB)", found["memory_growth"] / MEGABYTE, 300, **common),
            Goal(
                19, "growth of peak memory with each row (bytes)", found["memory_per_row"], ROW, target=1_000, **common
            ),
        ]
    return goals


def of_feed(found: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return goal 21 for one engine and number of logins, and the memory of such an import."""
    median = {name: statistics.median(seconds) for name, seconds in found["times"].items() if seconds}
    common: dict[str, Any] = {"engine": found["engine"], "size": size}
    goals = [Goal(21, "the same logins again: tables written", found["rows_again"], 0, "==", **common)]
    if found["equal"] is not None:
        goals += [
            Goal("rows", "a day's logins: tables that differ from the reference's", 0 if found["equal"] else 1, 0, "==",
                 **common),
            Goal(21, "a day's logins : COPY + UPDATE", median["product"] / median["reference"],
                 2.0 * (WIDE if wide else 1), target=1.5, **common),
        ]  # fmt: skip
    if found["memory_growth"] is not None:
        grown = found["memory_growth"] / MEGABYTE
        goals.append(Goal(21, "growth of peak memory in a day's logins (MB)", grown, 300, **common))
    return goals


def of_storage(few: list[float], many: list[float], size: int, engine: str, *, wide: bool) -> Goal:
    """Return goal 5: the sweep with ten times as much stored and as much due."""
    ratio = statistics.median(many) / statistics.median(few)
    return Goal(5, "ten times stored, as many due : a tenth stored", ratio, 1.5 * (WIDE if wide else 1), target=1.2,
                engine=engine, size=size)  # fmt: skip


def of_rules(by_size: dict[int, dict[str, Any]], engine: str, *, wide: bool) -> Goal:
    """Return goal 6: the rules where as many facilities changed, in the largest database : in the next smaller one."""
    few, many = (statistics.median(by_size[size]["seconds"]) for size in sorted(by_size)[-2:])
    return Goal(6, "rules of as many changed facilities, largest : next smaller", many / few,
                2.0 * (WIDE if wide else 1), target=1.5, engine=engine, size=max(by_size))  # fmt: skip


def of_pages(found: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return goal 12 for one engine and size: a page in the middle of each list beside its first page (p95)."""
    slack = WIDE if wide else 1.0
    common: dict[str, Any] = {"engine": found["engine"], "size": size}
    goals = [Goal("rows", "pages that were not full", found["not_full"], 0, "==", **common)]
    for name, seconds in found["pages"].items():
        ratio = p95(seconds["deep"]) / p95(seconds["first"])
        goals.append(Goal(12, f"{name}: page in the middle : page 1", ratio, 1.3 * slack, target=1.1, **common))
    return goals


def of_page_growth(few: dict[str, Any], many: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return goal 13: the first page of each list, at the largest size : at the smallest (p95)."""
    slack = WIDE if wide else 1.0
    return [
        Goal(13, f"{name}: page 1, largest : smallest", p95(many["pages"][name]["first"]) / p95(seconds["first"]),
             1.6 * slack, target=1.3, engine=many["engine"], size=size)
        for name, seconds in few["pages"].items()
    ]  # fmt: skip


def of_bundles(found: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return what deciding a bundle of 500 requests costs beside one of 50, and that each is one act with all items."""
    common: dict[str, Any] = {"engine": found["engine"], "size": size}
    few, many = found["bundles"]["50"], found["bundles"]["500"]
    times = [statistics.median(each["seconds"]) for each in (few, many)]
    slack = WIDE if wide else 1.0
    return [
        Goal("counts", "bundles decided: events, items, approvals that are too many or too few",
             few["wrong"] + many["wrong"], 0, "==", **common),
        Goal("bundle", "statements for 500 decided, beyond 1.3 x those for 50",
             many["queries"] - 1.3 * few["queries"], BEYOND, **common),
        Goal("bundle", "time of 500 decided : ten times that of 50", times[1] / (10 * times[0]), 1.2 * slack, **common),
        Goal("bundle", "milliseconds for each of 500 decided", 1000 * times[1] / 500, PER_REQUEST * slack, **common),
    ]  # fmt: skip


def of_searches(found: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return goal 15 for one engine and size: each kind of search beside the first page of accounts (p95)."""
    common: dict[str, Any] = {"engine": found["engine"], "size": size}
    goals = [Goal("rows", "searches that found nobody", found["nothing_found"], 0, "==", **common)]
    for kind, seconds in found["searches"].items():
        ratio = p95(seconds["search"]) / p95(seconds["list"])
        name = f"search by {kind} : first page of accounts"
        goals.append(Goal(15, name, ratio, 3.0 * (WIDE if wide else 1), target=1.5, **common))
    return goals


def of_stand_ins(found: dict[str, Any], size: int, *, wide: bool) -> list[Goal]:
    """Return goals 10, 11 and 14: a list page beside constants and a string, the figures beside a string (p95)."""
    slack, common = WIDE if wide else 1.0, {"engine": found["engine"], "size": size}
    time = {turn: p95(seconds) for turn, seconds in found["beside"].items()}
    return [
        Goal(10, "accounts, page 1 : the same page from constants", time["list"] / time["constants"], 3.0 * slack,
             target=2.0, **common),
        Goal(11, "accounts, page 1 : a string", time["list"] / time["string"], 25.0 * slack, target=12.0, **common),
        Goal(14, "figures of all facilities : a string", time["figures"] / time["string"], 5.0 * slack, target=3.0,
             **common),
    ]  # fmt: skip


def p95(seconds: list[float]) -> float:
    """Return the value that 95 of 100 stay below."""
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]


def _differing(found: dict[str, Any]) -> int:
    return sum(abs(count - found["rows_by_hand"][part]) for part, count in found["rows"].items())


def document(goals: list[Goal], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer: machine, goals, and what was measured."""
    return {"machine": machine(), "goals": [goal.as_dict() for goal in goals], "runs": runs}


def save(answer: dict[str, Any]) -> Path:
    """Write the answer to the file of the latest results and return its path."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(answer, indent=2) + "\n")
    return RESULTS


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": None if load is None else round(load, 2),
    }


def line(goal: Goal) -> str:
    """Return the goal as one line for people."""
    where = " ".join(text for text in (goal.engine, f"{goal.size:,}" if goal.size else "") if text)
    aim = f", target {goal.target:g}" if goal.target is not None else ""
    verdict = "ok " if goal.ok else "NOT"
    return f"{verdict} {goal.n!s:>6}  {where:<20} {goal.name}: {goal.value:.3g} ({goal.op} {goal.gate:g}{aim})"
