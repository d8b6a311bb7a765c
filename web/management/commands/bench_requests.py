"""`manage.py bench_requests --sizes 10000,100000`: lists of requests, deep beside first; bundles decided at once."""

from web.benching import ScratchBench


class Command(ScratchBench):
    help = "Measure the lists of requests of one organization, large beside small, and bundles decided in one act."
    module = "bench.requesting"
    counted = ("--sizes", "requests stored, one run per number")
