"""The fuzzing targets on their corpora, on damaged copies of them, and on anything; and that they see a fault."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.signals.cookies import Cookies
from tests.fuzzing.__main__ import fuzz_with_mutations
from tests.fuzzing.certificate_seeds import certificates
from tests.fuzzing.mutation import mutated
from tests.fuzzing.targets import CORPORA, TARGETS, seeds

NAMES = st.sampled_from(sorted(TARGETS))


def test_every_target_has_a_small_corpus_and_every_corpus_a_target() -> None:
    assert {path.name for path in CORPORA.iterdir()} == set(TARGETS)
    assert all(3 <= len(seeds(name)) <= 24 for name in TARGETS)
    assert max(len(seed) for name in TARGETS for seed in seeds(name)) <= 4096


def test_the_corpus_of_certificates_is_what_its_script_makes() -> None:
    assert all((CORPORA / "certificate" / name).read_bytes() == der for name, der in certificates())


@pytest.mark.parametrize("name", TARGETS)
def test_a_corpus_raises_nothing(name: str) -> None:
    for seed in seeds(name):
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_copies_raise_nothing(name: str) -> None:
    chance, corpus = Random(name), seeds(name)
    for _ in range(150):
        TARGETS[name](mutated(chance.choice(corpus), chance))


@given(NAMES, st.binary(max_size=200))
def test_no_bytes_raise_anything(name: str, data: bytes) -> None:
    TARGETS[name](data)


def _raise_key_error(*_: object) -> None:
    raise KeyError


def _allowing(header: str) -> Cookies:
    """Cookies that the last value decides, as a careless parser reads them."""
    return Cookies(opt_out=header.rpartition("TOptOut=")[2][:1] not in {"0", ""})


@pytest.mark.parametrize(
    ("name", "parser", "faulty"),
    [
        pytest.param("us_privacy", "signal_targets.read_us_privacy", _raise_key_error, id="another exception"),
        pytest.param("cookie_header", "signal_targets.read_cookies", _allowing, id="a lost opt-out"),
        pytest.param("weight", "gate_targets._least_weight", lambda *_: 1 << 20, id="a message that weighs too little"),
        pytest.param("host_and_origin", "gate_targets._status_against", lambda *_: None, id="every name let in"),
        pytest.param("certificate", "file_targets.facts_of", _raise_key_error, id="a certificate that raises"),
        pytest.param("redis_reply", "store_targets.read_slots", _raise_key_error, id="a reply that raises"),
        pytest.param("web_form", "page_targets.read_recorded", _raise_key_error, id="a form that raises"),
    ],
)
def test_a_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, name: str, parser: str, faulty: Callable[..., object]
) -> None:
    monkeypatch.setattr(f"tests.fuzzing.{parser}", faulty)
    monkeypatch.chdir(str(tmp_path))
    with pytest.raises((KeyError, AssertionError)):
        fuzz_with_mutations(name, seconds=10)
