"""The schema files: made by ``make schemas``, shipped with the service, read by editors only."""

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent

POLICY_SCHEMA: Final = _FOLDER / "policy.schema.json"
"""The schema of the policy file."""
SETTINGS_SCHEMA: Final = _FOLDER / "settings.schema.json"
"""The schema of the file of settings that ``--config`` names."""
