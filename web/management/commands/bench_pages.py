"""`manage.py bench_pages --sizes 10000,100000`: long lists, deep pages beside first ones, the search beside a list."""

from web.benching import ScratchBench


class Command(ScratchBench):
    help = "Measure the lists of one chain, deep pages beside first ones, large beside small, and the search."
    module = "bench.paging"
