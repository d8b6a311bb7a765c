"""Takes a whole name apart: "Example, Ada", "Ada Example", "Ada van Example, RN". Pure."""

import re
from typing import Final

_SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv"})
_CREDENTIALS: Final = frozenset({
    "rn", "lpn", "lvn", "cna", "md", "do", "np", "pa", "fnp", "pt", "ot", "otr", "slp", "msw", "lcsw", "lsw", "bsn",
    "msn", "dnp", "phd", "nha", "lnha", "rd", "cota", "pta", "rac", "ract", "racct", "rhit", "mba", "mha", "aprn",
    "crnp", "adn", "bs", "ms", "ma", "cdm", "dpt", "pharmd", "rph", "don", "mds",
})  # fmt: skip
_PARTICLES: Final = frozenset({"van", "von", "der", "den", "de", "del", "della", "la", "le", "du", "da", "dos", "di",
                               "bin", "ibn", "al", "el", "st", "saint", "ter", "ten"})  # fmt: skip

# What people write into the cells of a name where there is nobody, or beside one.
_NOBODY: Final = frozenset({
    "", "na", "none", "null", "nil", "tbd", "tba", "tbh", "unknown", "vacant", "open", "position", "vacancy",
    "unfilled", "same", "sameasabove", "seeabove", "asabove", "ditto", "newhire", "tobehired", "tobedetermined",
})  # fmt: skip
_REMARKS: Final = frozenset({
    "terminated", "term", "termed", "left", "resigned", "retired", "loa", "fmla", "leave", "inactive", "disabled",
    "deceased", "former", "removed", "revoked", "locked", "pending", "vacant", "position", "gone", "quit",
    "transferred", "moved", "suspended", "deactivated", "deleted", "expired",
})  # fmt: skip
_UNFILLED: Final = frozenset({"vacant", "vacancy", "unfilled", "position", "tbd", "tba", "tbh", "open", "newhire",
                              "tobehired", "tobedetermined"})  # fmt: skip
_MARK: Final = re.compile(r"[(\[{]|\s[-–—*:/]")  # without one nothing is said aside: most names have none
_OTHERS: Final = re.compile(r"[^a-z]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_ASIDE: Final = re.compile(r"[(\[{]([^)\]}]*)[)\]}]?|\s[-–—*:/]+\s*(.*)$")


def no_name(first: str, last: str) -> str:
    """Return why these cells name nobody for certain: "N/A", "vacant", "Henry (terminated)"; empty where they do."""
    words = [_OTHERS.sub("", each.lower()) if each.isascii() else each for each in (first, last)]
    if (
        all(word in _NOBODY for word in words)
        or {"n/a", "#n/a"} & {first.lower(), last.lower()}
        or is_unfilled(f"{first} {last}")
    ):
        return "this is nobody's name"
    return remark_in(first) or remark_in(last)


def is_unfilled(name: str) -> bool:
    """Return whether a whole name says that there is nobody yet: "VACANT", "Open Position (RN)", "to be hired"."""
    words = _WORD.findall(without_remark(name).lower())
    together = "".join(words)
    return together != "open" and bool(words) and (_UNFILLED.issuperset(words) or together in _UNFILLED)


def without_remark(name: str) -> str:
    """Return a name without what stands in brackets or behind a dash."""
    return _ASIDE.sub(" ", f"{name} ").strip() if _MARK.search(name) else name.strip()


def remark_in(name: str) -> str:
    """Return what is wrong with a name that holds a remark: "Henry Test - LOA"; empty for one that does not."""
    for match in _ASIDE.finditer(f"{name} ") if _MARK.search(name) else ():
        aside = (match[1] or match[2] or "").strip()
        if _REMARKS & set(re.findall(r"[a-z]+", aside.lower())):
            return f"the name holds a remark, “{aside[:30]}”: it belongs into a column of its own"
    return ""


def split_name(text: str, *, last_first: bool = False) -> tuple[str, str] | None:
    """Return (first, last), or None where they cannot be told apart.

    ``last_first``: the title of the column says so; a comma says it too. Letters behind a name (RN, MD) are
    dropped, Jr. stays with the last name.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    suffix = ""
    while len(parts) > 1 and _only(parts[-1], _CREDENTIALS | _SUFFIXES):
        gone = parts.pop()
        suffix = gone if _only(gone, _SUFFIXES) else suffix
    if len(parts) > 2 or not parts:
        return None
    if len(parts) == 2:
        last, first = parts[0], _without_credentials(parts[1], keep=1)
    else:
        words = _without_credentials(parts[0]).split()
        if len(words) > 2 and _bare(words[-1]) in _SUFFIXES:
            suffix = words.pop()
        if len(words) < 2:
            return None
        first, last = _by_order(words, last_first)
    return (first, f"{last} {suffix}".strip()) if first and last else None


def _by_order(words: list[str], last_first: bool) -> tuple[str, str]:
    if last_first:
        cut = next((place + 1 for place, word in enumerate(words[:-1]) if _bare(word) not in _PARTICLES), 1)
        return " ".join(words[cut:]), " ".join(words[:cut])
    cut = len(words) - 1
    while cut > 1 and _bare(words[cut - 1]) in _PARTICLES:
        cut -= 1
    return " ".join(words[:cut]), " ".join(words[cut:])


def _without_credentials(text: str, *, keep: int = 2) -> str:
    words = text.split()
    while (
        len(words) > keep
        and words[-1].isupper()
        and _bare(words[-1]) in _CREDENTIALS
        and (keep == 1 or not text.isupper())
    ):
        words.pop()
    return " ".join(words)


def _only(text: str, wanted: frozenset[str]) -> bool:
    words = re.findall(r"[^\s/;&]+", text)
    return bool(words) and all(_bare(word) in wanted for word in words)


def _bare(word: str) -> str:
    return re.sub(r"[^a-z]", "", word.lower())
