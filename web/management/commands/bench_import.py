"""`manage.py bench_import --rows 100000`: a roster imported, beside COPY and MERGE."""

from web.benching import ScratchBench


class Command(ScratchBench):
    help = "Measure the import of a roster beside COPY + MERGE that write the same rows, on scratch databases."
    module = "bench.importing"
    counted = ("--rows", "rows of the file, one run per number")
