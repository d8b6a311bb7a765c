"""What the columns of CMS's provider lists are called through the years, and which list a file is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from imports.reading import header_key

# Field -> titles as header_key() gives them, the most telling first. Five names of the CCN column are CMS's own.
TITLES: Final[Mapping[str, tuple[str, ...]]] = {
    "ccn": (
        "cmscertificationnumberccn",
        "cmscertificationnumber",
        "federalprovidernumber",
        "ccn",
        "providernumber",
        "medicareprovidernumber",
        "providerid",
        "facilityid",
        "prvdrnum",
        "providerccn",
        "facilityccn",
        "hospitalccn",
        "rndrngprvdrccn",
        "ccnnumber",
        "cmsprovidernumber",
        "cmscertificationno",
        "certificationnumber",
        "provnum",
        "oscarnumber",
    ),
    "name": (
        "nursinghomeprovidername",
        "providername",
        "facilityname",
        "hospitalname",
        "ascname",
        "agencyname",
        "doingbusinessasname",
        "organizationname",
        "facname",
        "provname",
        "hospname",
        "rndrngprvdrorgname",
        "legalbusinessname",
        "facility",
    ),
    "address": (
        "provideraddress",
        "addressline1",
        "address1",
        "address",
        "streetaddress",
        "street",
        "stadr",
        "rndrngprvdrst",
    ),
    "address_2": ("addressline2", "address2"),
    "address_3": ("addressline3", "address3"),
    "city": ("providercity", "citytown", "city", "cityname", "rndrngprvdrcity"),
    "state": ("providerstate", "facilitystate", "state", "statecd", "statecode", "rndrngprvdrstateabrvtn"),
    "zip_code": ("providerzipcode", "facilityzipcode", "zipcode", "zip", "zipcd", "zip5", "rndrngprvdrzip5"),
    "phone": ("providerphonenumber", "telephonenumber", "phonenumber", "phone", "phnenum"),
    "subtype": ("hospitaltype", "providertype", "transplantprogramtype", "practicelocationtype"),
    "row_type": ("providertypetext",),
    "location_type": ("practicelocationtype",),
    "vintage": ("processingdate",),
    "source": ("sourcedataset",),
}
_COMMON_TITLES: Final = ("providerid", "facilityid")  # CMS's for the CCN, and everybody's for IDs of their own

# The first whose titles all occur names the list; more telling ones first.
_SIGNATURES: Final = (
    ("snf-enrollments", ("nursinghomeprovidername", "enrollmentid")),
    ("nursing-homes", ("numberofcertifiedbeds",)),
    ("hospitals", ("hospitaltype", "emergencyservices")),
    ("home-health", ("offersnursingcareservices",)),
    ("dialysis", ("ofdialysisstations",)),
    ("transplant-programs", ("transplantprogramtype",)),
    ("surgical-centers", ("asc9rate",)),
    ("surgical-centers", ("asc9footnote",)),
    ("surgical-centers", ("ascname", "providerid")),
    ("surgical-centers", ("facilityid", "npi", "year")),
)
# Lists whose columns look alike tell themselves apart by CMS's file names.
_FILE_NAMES: Final = (
    ("snf-enrollments", r"snf_?enrollments"),
    ("home-health-enrollments", r"(hha|home_?health_?agency)_?enrollments"),
    ("hospice-enrollments", r"hospice_?enrollments"),
    ("hospital-enrollments", r"hospital_?enrollments"),
    ("rural-health-clinics", r"(rhc|rural_?health_?clinic)_?enrollments"),
    ("health-centers", r"(fqhc|federally_?qualified_?health_?center)_?enrollments"),
    ("rehabilitation", r"inpatient_?rehabilitation|\birf"),
    ("long-term-care-hospitals", r"long[_-]?term_?care_?hospital|\bltch"),
    ("hospices", r"hospice"),
    ("home-health", r"\bhh_?provider|home_?health"),
    ("dialysis", r"dialysis|dfc_?facility"),
    ("nursing-homes", r"nh_?provider_?info"),
    ("hospitals", r"hospital_?(general_?information|data)"),
    ("surgical-centers", r"\basc_?facility|ambulatory_?surg"),
)
_ROW_TYPES: Final = (
    ("SWING-BED", "swing-beds"),
    ("SKILLED NURSING", "snf-enrollments"),
    ("HOME HEALTH", "home-health-enrollments"),
    ("HOSPICE", "hospice-enrollments"),
    ("RURAL HEALTH", "rural-health-clinics"),
    ("FEDERALLY QUALIFIED", "health-centers"),
    ("HOSPITAL", "hospital-enrollments"),
)
_MONTH: Final = re.compile(
    r"(?<![a-z])(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)[._-]?(20[0-9][0-9])(?![0-9])",
    re.IGNORECASE,
)
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAY: Final = re.compile(r"(?<![0-9])(20[0-9][0-9])[._-]?(0[1-9]|1[0-2])[._-]?(0[1-9]|[12][0-9]|3[01])(?![0-9])")
_YEAR: Final = re.compile(r"(?<![0-9])(20[0-9][0-9])(?:[._-](0[1-9]|1[0-2]))?(?![0-9])")


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the known fields in a header; several for a field whose first may be blank in a row."""

    positions: Mapping[str, tuple[int, ...]]
    titles: tuple[str, ...]

    def title(self, field: str) -> str:
        """Return the file's own title of a field's first column, empty if it has none."""
        found = self.positions.get(field)
        return self.titles[found[0]] if found else ""


def find_columns(header: list[str]) -> Columns:
    """Return which columns hold which field: names fall back on further columns, other fields have one.

    Of a title that stands twice the CCN has all columns, so that a row in which they differ can be told.
    """
    places: dict[str, list[int]] = {}
    for place, title in enumerate(header):
        places.setdefault(header_key(title), []).append(place)
    positions: dict[str, tuple[int, ...]] = {}
    for field, titles in TITLES.items():
        found = [places[title] for title in titles if title in places]
        if found and field == "name":
            positions[field] = tuple(place for each in found for place in each)
        elif found:
            positions[field] = tuple(found[0]) if field == "ccn" else (found[0][0],)
    return Columns(positions, tuple(header))


def has_ccn_column(header: list[str]) -> bool:
    """Whether a header has a column that CMS uses for the CCN."""
    return "ccn" in find_columns(header).positions


def has_common_title(title: str) -> bool:
    """Whether a CCN column's title is one that other data use for other IDs."""
    return header_key(title) in _COMMON_TITLES


def dataset_of(header: list[str], file: str) -> str:
    """Return the key of the data set (facilities/data/datasets.csv) by columns, else by file name, else "other"."""
    keys = {header_key(title) for title in header}
    for dataset, wanted in _SIGNATURES:
        if keys.issuperset(wanted):
            return dataset
    name = re.split(r"[/\\]", file)[-1].lower().replace(" ", "_")
    return next((dataset for dataset, pattern in _FILE_NAMES if re.search(pattern, name)), "other")


def dataset_of_row(dataset: str, row_type: str) -> str:
    """Return the data set of one row of an enrollment list, which says itself what kind of provider it holds."""
    said = row_type.upper()
    return next((key for words, key in _ROW_TYPES if words in said), dataset) if said else dataset


def vintage_of_file(file: str) -> str:
    """Return how old a list is by its name or its archive's: "2026-07-31", "2026-07", "2026" or empty."""
    *archives, name = re.split(r"[/\\]", file)
    for part in (name, *(archive for archive in archives if archive.lower().endswith(".zip"))):
        if match := _DAY.search(part):
            return "-".join(match.groups())
        if match := _MONTH.search(part):
            return f"{match[2]}-{_MONTHS.index(match[1][:3].lower()) + 1:02d}"
        if match := _YEAR.search(part):
            return "-".join(filter(None, match.groups()))
    return ""
