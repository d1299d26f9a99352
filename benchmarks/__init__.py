"""The benchmarks: ``python -m benchmarks [--quick]``; what they found is in ``docs/performance.md``.

Invariants: what is compared runs in the same run, turn about; every figure is a median with its number of repeats;
answers are checked, and an error voids the sample. Targets are printed next to results and fail nothing.
"""
