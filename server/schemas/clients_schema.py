"""The JSON Schema (draft 2020-12) of the clients file.

Invariant: it refuses no file that ``load_clients`` accepts.
"""

from server.security.clients_file import DIGEST_PATTERN, MOST_CREDENTIALS, NAME_PATTERN, SAN_PATTERN
from server.security.roles import Role
from targeting.policy.json_schema import DIALECT, Json


def clients_schema() -> Json:
    """Return the schema of the clients file."""
    return {
        "$schema": DIALECT,
        "title": "adtargeting clients",
        "type": "object",
        "properties": {"clients": {"type": "array", "minItems": 1, "items": _client()}},
        "required": ["clients"],
        "additionalProperties": False,
    }


def _client() -> Json:
    return {
        "type": "object",
        "properties": {
            "name": {
                "type": "string",
                "pattern": f"^{NAME_PATTERN}$",
                "description": "the client's name, as audit log and history show it",
            },
            "roles": {
                "type": "array",
                "minItems": 1,
                "items": {"enum": [role.value for role in Role]},
                "description": "what the client may call",
            },
            "token_sha256": _credentials(DIGEST_PATTERN, "SHA-256 of its bearer tokens; see adtargeting token new"),
            "san": _credentials(SAN_PATTERN, "URIs or DNS names of its certificates"),
        },
        "required": ["name", "roles"],
        "anyOf": [{"required": ["token_sha256"]}, {"required": ["san"]}],
        "additionalProperties": False,
    }


def _credentials(pattern: str, description: str) -> Json:
    items = {"type": "string", "pattern": f"^({pattern})$"}
    return {"type": "array", "maxItems": MOST_CREDENTIALS, "items": items, "description": description}
