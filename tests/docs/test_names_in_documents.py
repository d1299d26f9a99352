"""Every path, symbol, test, command, setting and metric that a document names exists in the code."""

import ast
import re
import shlex
from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path

import pytest

from server.cli.command import Parser
from server.cli.commands import COMMANDS
from server.cli.main import shared_options
from server.metrics.metrics import Metrics
from server.settings import PREFIX, Settings, secret_files
from tests.docs.documents import DOCUMENTS, ROOT, blocks, code_spans, name_of, prose_of, text_of

PATH = re.compile(r"(?:\.ci|benchmarks|deploy|docs|proto|server|targeting|tests)/[\w./-]*")
SYMBOL = re.compile(r"([\w/]+\.py):(\w+)")
TARGETS = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
SETTINGS = {f"{PREFIX}{each.name.upper()}" for each in fields(Settings)} | secret_files().keys()
TEST_CODE = "\n".join(path.read_text() for path in ROOT.glob("tests/**/*.py"))

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


def metrics() -> set[str]:
    """Return the names of all metrics, as Prometheus shows them."""
    return {name for names in Metrics().registry._collector_to_names.values() for name in names}


def symbols(module: Path) -> set[str]:
    """Return what a module defines at its top level."""
    found: set[str] = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        found.update(target.id for target in targets if isinstance(target, ast.Name))
    return found


def command_lines(document: Path) -> list[list[str]]:
    """Return the command lines of `adtargeting` in a document, the name of the program left out."""
    lines = "\n".join(blocks(text_of(document), "sh")).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in [*lines, *code_spans(document)] if "adtargeting " in line]
    return [line[1:] for line in words if line and Path(line[0]).name == "adtargeting"]


@every_document
def test_paths(document: Path) -> None:
    for span in code_spans(document):
        if PATH.fullmatch(span) and "NNNN" not in span:
            assert (ROOT / span).exists(), span


@every_document
def test_links(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)", prose_of(document)):
        if "://" not in link:
            assert (document.parent / link).exists(), link


@every_document
def test_symbols(document: Path) -> None:
    for module, symbol in SYMBOL.findall(prose_of(document)):
        assert symbol in symbols(ROOT / module), f"{module}:{symbol}"


@every_document
def test_tests(document: Path) -> None:
    for name in re.findall(r"`(test_\w+)`", prose_of(document)):
        assert f"def {name}(" in TEST_CODE, name


@every_document
def test_make_targets(document: Path) -> None:
    for line in [*code_spans(document), *"\n".join(blocks(text_of(document), "sh")).splitlines()]:
        if named := re.match(r"make ([\w-]+)", line):
            assert named[1] in TARGETS, line


@every_document
def test_commands_and_their_options(document: Path) -> None:
    for name, *rest in command_lines(document):
        if name.startswith("-"):
            assert name in {"--version", "--help"}, name
            continue
        assert name in COMMANDS, name
        parser: ArgumentParser = Parser(add_help=True, parents=[shared_options()], allow_abbrev=False)
        COMMANDS[name].load().add_arguments(parser)
        options = {option for action in parser._actions for option in action.option_strings}
        for option in re.findall(r"--[\w-]+", " ".join(rest)):
            assert option in options, f"{name} {option}"


@every_document
def test_settings(document: Path) -> None:
    for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", text_of(document)):
        assert name in SETTINGS, name


@every_document
def test_metrics(document: Path) -> None:
    known = metrics()
    for name in re.findall(r"\badtargeting_[a-z_]+\b", text_of(document)):
        assert name in known, name


@every_document
def test_decisions(document: Path) -> None:
    for number in re.findall(r"\bADR (\d+)", prose_of(document)):
        assert list(ROOT.glob(f"docs/adr/{int(number):04}-*.md")), number


def test_a_name_that_does_not_exist_is_found(tmp_path: Path) -> None:
    document = tmp_path / "wrong.md"
    document.write_text("`server/nothing.py`, `adtargeting fly`, `ADTARGETING_NOTHING`, adtargeting_nothing, ADR 999\n")
    for check in (test_paths, test_commands_and_their_options, test_settings, test_metrics, test_decisions):
        with pytest.raises(AssertionError):
            check(document)
