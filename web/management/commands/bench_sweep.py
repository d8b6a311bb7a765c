"""`manage.py bench_sweep --sizes 10000,100000`: the nightly sweep beside hand-written SQL, in scratch databases."""

from web.benching import ScratchBench


class Command(ScratchBench):
    help = "Measure the sweep beside hand-written SQL that writes the same rows; the database of the settings stays."
    module = "bench.sweeping"
