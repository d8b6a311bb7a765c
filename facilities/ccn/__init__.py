"""CMS Certification Numbers and ZIP codes: forms, tables, normalising. Pure: no database, no clock.

Source: CMS State Operations Manual chapter 2, section 2779 and following; the measured figures in the docstrings
come from the lists that CMS publishes on data.cms.gov.
"""

from facilities.ccn.forms import Number, parse
from facilities.ccn.normalize import Kind, Reading, read_ccn, read_state
from facilities.ccn.tables import (
    dataset_titles,
    expected_types,
    state_names,
    type_descriptions,
)
from facilities.ccn.zips import Zip, ZipKind, read_zip, state_of_zip

__all__ = [
    "Kind",
    "Number",
    "Reading",
    "Zip",
    "ZipKind",
    "dataset_titles",
    "expected_types",
    "parse",
    "read_ccn",
    "read_state",
    "read_zip",
    "state_names",
    "state_of_zip",
    "type_descriptions",
]
