"""Write the schema files. Run in a checkout, since the descriptions come from ``docs``: ``make schemas``."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from server.schemas.clients_schema import clients_schema
from server.schemas.files import CLIENTS_SCHEMA, POLICY_SCHEMA, RECORD_SCHEMA, SETTINGS_SCHEMA
from server.schemas.record_schema import record_schema
from server.schemas.settings_schema import settings_schema
from targeting.policy.json_schema import policy_schema

_DOCS: Final = Path(__file__).parents[2] / "docs"
_LINK: Final = re.compile(r"\[([^]]*)]\([^)]*\)")


def documents() -> Mapping[Path, str]:
    """Return the text of every schema file."""
    schemas = {
        POLICY_SCHEMA: policy_schema(_keys(_DOCS / "policy.md")),
        CLIENTS_SCHEMA: clients_schema(),
        RECORD_SCHEMA: record_schema(),
        SETTINGS_SCHEMA: settings_schema(_settings(_DOCS / "operate.md")),
    }
    return {path: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for path, schema in schemas.items()}


def _keys(page: Path) -> Mapping[tuple[str, str], str]:
    """Return what each key of a policy decides: the last cell of its row, by table and name."""
    meanings, table = {}, ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            table = line[3:].strip("`[]") if "[" in line else ""
        elif line.startswith("| `"):
            name, *_, meaning = _cells(line)
            meanings[table, name] = meaning
    return meanings


def _settings(page: Path) -> Mapping[str, str]:
    rows = [
        _cells(line) for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `ADTARGETING_")
    ]
    return {name: meaning for name, *_, meaning in rows}


def _cells(row: str) -> list[str]:
    cells = [
        _LINK.sub(r"\1", cell).strip().replace("`", "")
        for cell in row.strip().strip("|").replace("| |", "|  |").split(" | ")
    ]
    return [cell.replace("\\|", "|") for cell in cells]


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
