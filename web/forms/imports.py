"""Forms of an import: the upload, and what its columns are taken for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from django import forms
from django.conf import settings
from django.http import QueryDict

from audit.secrets import found_secret
from imports.columns import column_names
from imports.mappings import MappingRefused, mapping_name
from imports.opening import FileRefused, Held
from systems.models import System
from web.forms.shown import show_instead

LONGEST_PASTE: Final = 2_000_000  # characters
PASTED: Final = "Pasted table"
_ELSEWHERE: Final = "The person who runs the server can import it there."


class UploadForm(forms.Form):
    """A file or a pasted table. What holds a secret is refused and not shown again."""

    file = forms.FileField(
        label="File",
        required=False,
        help_text="A list as the program exports it, or your own: .xlsx or .csv, up to 10 MB.",
        widget=forms.FileInput({"accept": ".xlsx,.csv,.tsv,.txt,.gz,.zip"}),
        error_messages={"empty": "The file is empty.", "missing": "No file arrived. Please choose it again."},
    )
    system = forms.ChoiceField(
        label="System",
        required=False,
        help_text="The system that the whole list is about. Where the list has a column for it, that column counts.",
    )
    pasted = forms.CharField(
        label="Or paste a table",
        required=False,
        strip=False,
        help_text="Select the cells in the spreadsheet, the titles too, copy them and paste them here.",
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, arrived: int = 0, has_system: bool = False, **kwargs: Any) -> None:
        """``arrived``: bytes of the whole request; a file beyond the cap is not taken in at all.

        ``has_system``: whether a list of this kind may be about one system.
        """
        super().__init__(*args, **kwargs)
        self.arrived = arrived
        if has_system:
            choices: Any = self.fields["system"]
            choices.choices = system_choices()
        else:
            del self.fields["system"]

    def clean(self) -> dict[str, Any]:
        """Want exactly one of the two."""
        cleaned = super().clean() or self.cleaned_data
        file, pasted = cleaned.get("file"), cleaned.get("pasted") or ""
        if self.arrived > settings.FILE_UPLOAD_MAX_MEMORY_SIZE and not file:
            self.add_error("file", f"The file is larger than 10 MB. {_ELSEWHERE}")
        elif len(pasted) > LONGEST_PASTE:
            self.add_error("pasted", f"The table has more than {LONGEST_PASTE:,} characters. Choose it as a file.")
        elif file and pasted.strip():
            self.add_error(None, "Choose a file or paste a table, not both.")
        elif not file and not pasted.strip() and not self.errors:
            self.add_error(None, "Choose a file or paste a table.")
        if found_secret(pasted[:LONGEST_PASTE]):
            show_instead(self, "pasted", "")
        return cleaned

    @property
    def held(self) -> Held:
        """What was sent, still in memory."""
        file = self.cleaned_data["file"]
        if file:
            return Held(file.name, file.read())
        return Held(PASTED, self.cleaned_data["pasted"].encode("utf-8", "replace"))

    def refuse(self, refused: FileRefused) -> None:
        """Say why the list was not taken, and where; pasted text stays, unless it holds a secret."""
        place = [f"line {refused.line}"] if refused.line else []
        place += [f"column “{refused.column[:40]}”"] if refused.column and refused.column not in refused.message else []
        where = ", ".join(place)
        if refused.code == "secret":
            show_instead(self, "pasted", "")
        message = refused.message + (f" {_ELSEWHERE}" if refused.code == "too_big" else "")
        name = "file" if self.cleaned_data.get("file") else "pasted"
        self.add_error(name, f"{where[0].upper()}{where[1:]}: {message}" if where else message)


class ReadAs(NamedTuple):
    """How a list is to be read from now on, and the name to keep that under; ``wrong`` says what cannot be so."""

    columns: dict[str, str]
    system: str = ""
    save_as: str = ""
    wrong: str = ""


def system_choices() -> list[tuple[str, str]]:
    """Return the systems of the catalogue, and none of them. One query."""
    systems = System.objects.current().order_by("position", "slug").values_list("slug", "name")
    return [("", "The list has a column for it"), *systems]


def read_as(data: QueryDict, header: Sequence[str], fields: Mapping[str, str], *, has_system: bool) -> ReadAs:
    """Return how a person wants a list to be read: field -> name of its column, empty for none."""
    columns, wrong = _chosen_columns(data, header, fields)
    system = data.get("system", "") if has_system else ""
    if system and system not in dict(system_choices()):
        wrong = wrong or "Choose a system of the list."
    save_as = data.get("save_as", "").strip()
    try:
        save_as = mapping_name(save_as) if save_as else ""
    except MappingRefused as exc:
        secret = exc.code == "secret"
        wrong = wrong or ("The name looks like a secret. Choose another one." if secret else exc.message)
        save_as = "" if secret else save_as  # a secret is not shown again
    return ReadAs(columns, system, save_as, wrong)


def _chosen_columns(data: QueryDict, header: Sequence[str], fields: Mapping[str, str]) -> tuple[dict[str, str], str]:
    chosen = dict.fromkeys(fields, "")
    for position, name in enumerate(column_names(header)):
        field = data.get(f"column-{position}", "")
        if field not in chosen:
            continue
        if chosen[field]:
            called = fields[field][:1].lower() + fields[field][1:]
            return {}, f"“{chosen[field]}” and “{name}” cannot both be the {called}. Choose one of them."
        chosen[field] = name
    return chosen, ""
