"""The schema files: made by ``make schemas``, shipped with the service, read by other programs."""

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent

POLICY_SCHEMA: Final = _FOLDER / "policy.schema.json"
"""The schema of the policy file."""
CLIENTS_SCHEMA: Final = _FOLDER / "clients.schema.json"
"""The schema of the clients file."""
RECORD_SCHEMA: Final = _FOLDER / "decision-record.schema.json"
"""The schema of a line of decision records."""
SETTINGS_SCHEMA: Final = _FOLDER / "settings.schema.json"
"""The schema of the file of settings that ``--config`` names."""
