"""A client that may read the metrics, and nothing else: its token, and the clients file that lists it."""

from server.security.tokens import digest_of

TOKEN = "adt_" + "x" * 43
CLIENTS = f"""
[[clients]]
name = "reads-metrics"
roles = ["metrics"]
token_sha256 = ["{digest_of(TOKEN.encode()).hex()}"]
"""
