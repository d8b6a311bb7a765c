"""`manage.py bench_pages --sizes 10000,100000`: the long lists, deep pages beside first ones, in scratch databases."""

from web.benching import ScratchBench


class Command(ScratchBench):
    help = "Measure the lists of accounts and people of one chain: deep pages beside first ones, large beside small."
    module = "bench.paging"
