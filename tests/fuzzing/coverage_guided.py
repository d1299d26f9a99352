"""One target under atheris: ``python -m tests.fuzzing.coverage_guided TARGET SECONDS``; libFuzzer ends the process."""

import sys
from importlib import import_module
from pathlib import Path

FOUND = Path(".fuzz")
LONGEST = 4096
_INSTRUMENTED = ["targeting", "server"]


def fuzz(name: str, seconds: str) -> None:
    """Fuzz from the corpus of the target, and keep what is new in ``.fuzz/corpus``."""
    atheris = import_module("atheris")
    # Only modules that are imported inside are instrumented: ours, not the libraries.
    with atheris.instrument_imports(include=_INSTRUMENTED):
        targets = import_module("tests.fuzzing.targets")
    corpus = FOUND / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={FOUND}/{name}-", "-timeout=20"]
    atheris.Setup([name, *options, str(corpus), str(targets.CORPORA / name)], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(*sys.argv[1:])
