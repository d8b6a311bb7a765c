"""The rows of the extract that ships with the product, as dictionaries of text."""

import csv
import gzip
from functools import cache

from facilities.extract import SHIPPED


@cache
def shipped_rows():
    """Return all rows; read once per run."""
    with gzip.open(SHIPPED, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
