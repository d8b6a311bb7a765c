"""`manage.py bench_recompute --sizes 10000,100000`: a changed rule followed, beside hand-written SQL."""

from web.benching import ScratchBench


class Command(ScratchBench):
    help = "Measure how a shorter limit is followed beside hand-written SQL that writes the same rows, on scratch data."
    module = "bench.recomputing"
