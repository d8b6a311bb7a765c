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


def of_storage(few: list[float], many: list[float], size: int, engine: str, *, wide: bool) -> Goal:
    """Return goal 5: the sweep with ten times as much stored and as much due."""
    ratio = statistics.median(many) / statistics.median(few)
    return Goal(5, "ten times stored, as many due : a tenth stored", ratio, 1.5 * (WIDE if wide else 1), target=1.2,
                engine=engine, size=size)  # fmt: skip


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
