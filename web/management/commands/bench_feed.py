"""`manage.py bench_feed --events 50000`: a day's logins from a list, beside COPY and UPDATE."""

from web.benching import ScratchBench


class Command(ScratchBench):
    help = "Measure a day's logins from a list beside COPY + UPDATE that write the same rows, on scratch databases."
    module = "bench.feeding"
    counted = ("--events", "logins of the list, one run per number")
