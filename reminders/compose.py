"""A letter becomes a mail: subject, text and HTML as one MIME text, the same bytes at every attempt.

The templates are rendered and their styles inlined once per process; a mail only fills in its words. That keeps
writing a digest near the cost of its MIME alone (goal 16 of the budgets).
"""

import re
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from string import Template
from typing import Final
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail.message import forbid_multi_line_headers
from django.template.loader import render_to_string
from django.utils.html import escape

from accounts import sentences
from reminders.letter import Addressee, Letter, Line, Tally

_PART: Final = re.compile(r"<!--(\w+)-->\s*(.*?)\s*<!--/\1-->", re.DOTALL)
_SECTIONS: Final = {
    "late": "LATE",
    "own": "PAST YOUR ORGANIZATION’S OWN DAY",
    "due": "COMING UP",
    "turn": "TO DO IN REQUESTS",
    "wrong": "WRONG NOW",
    "news": "NEWS ABOUT REQUESTS",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """What is stored and sent. ``message`` is the whole MIME text with line feeds."""

    to: Addressee
    subject: str
    message: str
    message_id: str

    @property
    def digest(self) -> str:
        """SHA-256 of the message, which outlives its text."""
        return sha256(self.message.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Forms:
    html: Template
    text: Template
    headings: dict[str, str]
    parts: dict[str, Template]


@lru_cache(maxsize=1)
def _forms() -> _Forms:
    inliner = css_inline.CSSInliner(keep_style_tags=False, load_remote_stylesheets=False)
    context = {"subject": "$subject"}
    html = inliner.inline(render_to_string("mail/digest.html", context).strip())
    found = dict(_PART.findall(inliner.inline(render_to_string("mail/digest_parts.html", context).strip())))
    return _Forms(
        html=Template(html),
        text=Template(render_to_string("mail/digest.txt")),
        headings={name: found[name] for name in (*_SECTIONS, "further")},
        parts={name: Template(found[name]) for name in ("row", "link", "new", "detail", "place")},
    )


def compose(letter: Letter, *, at: datetime) -> Mail:
    """Return the mail of a letter. Raises BadHeaderError (a ValueError) for an address that no header can hold."""
    to = letter.to
    subject = subject_of(letter.tally, letter.on)
    message_id = message_id_of(to)
    if letter.trial:
        subject = f"Test: {letter.trial.subject or subject}"
        message_id = letter.trial.message_id
    headers = [
        ("Subject", subject),
        ("From", settings.DEFAULT_FROM_EMAIL),
        ("To", to.address),
        ("Message-ID", message_id),
        ("Date", format_datetime(at)),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    ]
    message = _mime(headers, _text(letter, subject), _html(letter, subject))
    return Mail(to, subject, message, message_id)


def _mime(headers: list[tuple[str, str]], text: str, html: str) -> str:
    """Return a multipart/alternative of plain text and HTML as ASCII, lines at most 76 long, ended by line feeds.

    Written out here because it is always the same shape: the message classes take longer to fold its headers than
    everything else about a digest takes. Quoted-printable, so that a server without 8BITMIME may have it.
    """
    boundary = f"=_{sha256((headers[3][1] + text).encode()).hexdigest()[:40]}"  # "=_" never occurs in what is quoted
    lines = [": ".join(_header(name, value)) for name, value in headers]
    lines += ["MIME-Version: 1.0", f'Content-Type: multipart/alternative; boundary="{boundary}"', ""]
    for kind, body in (("plain", text), ("html", html)):
        lines += [f"--{boundary}", f'Content-Type: text/{kind}; charset="utf-8"']
        lines += ["Content-Transfer-Encoding: quoted-printable", "", _quoted(body)]
    return "\n".join([*lines, f"--{boundary}--", ""])


def _header(name: str, value: str) -> tuple[str, str]:
    return _checked_from(value) if name == "From" else forbid_multi_line_headers(name, value, "utf-8")


@lru_cache(maxsize=4)
def _checked_from(value: str) -> tuple[str, str]:
    return forbid_multi_line_headers("From", value, "utf-8")


def _quoted(body: str) -> str:
    return b2a_qp(body.encode(), istext=True).decode("ascii")


def message_id_of(to: Addressee) -> str:
    """Return the Message-ID of a person's digest of a day: made of both, so that it is the same whoever asks."""
    return f"<digest-{to.person_id}-{to.local_on:%Y%m%d}@{_host()}>"


def message_id_of_trial(key: str) -> str:
    """Return the Message-ID of a test mail: never that of a digest."""
    return f"<test-{key}@{_host()}>"


def _host() -> str:
    return (urlsplit(settings.SITE_URL).hostname or "localhost")[:70]


def subject_of(tally: Tally, on: date) -> str:
    """Return such as ``2 CMS logins due by Thu 3 Dec`` or ``1 CMS login late, 2 due, the first by Thu 3 Dec``."""
    noun = _noun(tally)
    counts = [(tally.late, "late"), (tally.own, "past your own day"), (tally.due, _when(tally, on))]
    said = [(number, what) for number, what in counts if number]
    findings = f"{tally.findings:,} finding{'' if tally.findings == 1 else 's'}" if tally.findings else ""
    handed = f"{tally.handed:,} request update{'' if tally.handed == 1 else 's'}" if tally.handed else ""
    if not said:
        if findings:
            return f"{findings} about CMS access{f', {handed}' if handed else ''}"
        return f"{handed} about CMS access" if handed else "Your CMS accounts"
    (number, what), *others = said
    first = f"{number:,} CMS {noun}{'' if number == 1 else 's'} {what}"
    return ", ".join(filter(None, [first, *(f"{count:,} {words}" for count, words in others), findings, handed]))


def _noun(tally: Tally) -> str:
    """Return what all of it is, ``date`` where it is not one thing: a certification is no login."""
    named = {"password": tally.passwords, "certification": tally.certifications}
    alone = [noun for noun, number in named.items() if number == tally.dates]
    if alone:
        return alone[0]
    return "date" if any(named.values()) or tally.others else "login"


def _when(tally: Tally, on: date) -> str:
    if tally.first_on is None:
        return "due"
    first = sentences.short_day(tally.first_on, on)
    return f"due by {first}" if tally.first_on == tally.last_on else f"due, the first by {first}"


def _reason(letter: Letter) -> str:
    if letter.trial:
        return "You get this mail because you asked for a test of it"
    if not letter.tally.dates and not letter.tally.findings and letter.tally.handed:
        return "You get this mail because you have a part in these requests"
    if letter.others:
        return "You get this mail because you hold these accounts or look after them"
    return "You get this mail because you hold these accounts"


def _greeting(letter: Letter) -> list[str]:
    """Return the lines before the sections: the greeting, and of a test that it is one."""
    name = letter.to.first_name.strip()
    hello = f"Hello {name}," if name else "Hello,"
    return [hello, letter.trial.note] if letter.trial else [hello]


def _sectioned(letter: Letter) -> list[tuple[str, list[Line]]]:
    named = [(name, [line for line in letter.lines if line.section == name]) for name in _SECTIONS]
    return [(name, lines) for name, lines in named if lines]


def _html(letter: Letter, subject: str) -> str:
    forms = _forms()
    pieces = []
    for name, lines in _sectioned(letter):
        pieces.append(forms.headings[name])
        pieces.extend(_html_row(forms, line) for line in lines)
    further = ""
    if letter.more:
        places = [forms.parts["place"].substitute(text=escape(text), url=escape(url)) for text, url in letter.more]
        further = "\n".join([forms.headings["further"], *places])
    return forms.html.substitute(
        subject=escape(subject),
        lead=escape(subject),
        greeting="<br>\n".join(escape(line) for line in _greeting(letter)),
        sections="\n".join(pieces),
        more=further,
        today_url=escape(letter.today_url),
        reason=escape(_reason(letter)),
        organization=escape(letter.to.organization),
    )


def _html_row(forms: _Forms, line: Line) -> str:
    return forms.parts["row"].substitute(
        sentence=escape(line.sentence),
        new=f" {forms.parts['new'].template}" if line.new else "",
        detail=forms.parts["detail"].substitute(detail=escape(line.detail)) if line.detail else "",
        link=forms.parts["link"].substitute(url=escape(line.url), opens=line.opens) if line.url else "",
    )


def _text(letter: Letter, subject: str) -> str:
    pieces = []
    for name, lines in _sectioned(letter):
        pieces.append(f"{_SECTIONS[name]}\n")
        for line in lines:
            new = " (new since the last mail)" if line.new else ""
            detail = f"  {line.detail}\n" if line.detail else ""
            url = f"  {line.url}\n" if line.url else ""
            pieces.append(f"* {line.sentence}{new}\n{detail}{url}")
    further = ""
    if letter.more:
        further = "\n".join(["\nAND FURTHER\n", *(f"* {text}\n  {url}" for text, url in letter.more), ""])
    return _forms().text.substitute(
        lead=subject,
        greeting="\n\n".join(_greeting(letter)),
        sections="\n".join(pieces),
        more=further,
        today_url=letter.today_url,
        reason=_reason(letter),
        organization=letter.to.organization,
    )
