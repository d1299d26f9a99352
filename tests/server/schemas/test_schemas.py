"""The schema files are up to date, describe every key, and agree with the code that reads the files."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from server.schemas.files import POLICY_SCHEMA, RECORD_SCHEMA, SETTINGS_SCHEMA
from server.schemas.generate import documents
from server.settings import SettingsError, read_settings

SETTINGS = jsonschema.Draft202012Validator(json.loads(SETTINGS_SCHEMA.read_text(encoding="utf-8")))
SCHEMAS = [POLICY_SCHEMA, SETTINGS_SCHEMA]


@pytest.mark.parametrize("path", [*SCHEMAS, RECORD_SCHEMA], ids=lambda path: path.name)
def test_a_file_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == documents()[path], "run: make schemas"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_every_key_is_described(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    undescribed = [key for key, below in keys(schema) if "properties" not in below and not below.get("description")]
    assert not undescribed


def keys(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every key of a schema with its own."""
    found = []
    for name, below in schema.get("properties", {}).items():
        inner = keys(below) + keys(below.get("items", {}))
        found += inner or [(name, below)]
    return found


def accepted(tmp_path: Path, text: str) -> bool:
    """Whether the code accepts a file of settings."""
    path = tmp_path / "settings.toml"
    path.write_text(text)
    try:
        read_settings({}, path)
    except SettingsError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADTARGETING_DECISION_BUDGET_MS", 25),
        ("ADTARGETING_MAX_INFLIGHT", "64"),
        ("ADTARGETING_GRPC_ADDRESS", "127.0.0.1:50051"),
        ("ADTARGETING_DATA_DIR", "data"),
        ("ADTARGETING_LOG_LEVEL", "DEBUG"),
        ("ADTARGETING_PROCESSES", "auto"),
        ("ADTARGETING_PROCESSES", "2"),
        ("ADTARGETING_PROCESSES", 2),
    ],
)
def test_a_valid_setting_is_accepted_by_both(name: str, value: object, tmp_path: Path) -> None:
    assert accepted(tmp_path, f"{name} = {json.dumps(value)}\n")
    assert SETTINGS.is_valid({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADTARGETING_COLOUR", "red"),
        ("ADTARGETING_DECISION_BUDGET_MS", 0),
        ("ADTARGETING_DECISION_BUDGET_MS", "soon"),
        ("ADTARGETING_DECISION_BUDGET_MS", 1.5),
        ("ADTARGETING_GRPC_ADDRESS", 50051),
        ("ADTARGETING_LOG_LEVEL", "LOUD"),
        ("ADTARGETING_PROCESSES", 0),
        ("ADTARGETING_PROCESSES", 65),
        ("ADTARGETING_PROCESSES", 1.5),
        ("ADTARGETING_PROCESSES", True),
        ("ADTARGETING_PROCESSES", "two"),
    ],
)
def test_an_invalid_setting_is_refused_by_both(name: str, value: object, tmp_path: Path) -> None:
    assert not accepted(tmp_path, f"{name} = {json.dumps(value)}\n")
    assert not SETTINGS.is_valid({name: value})
