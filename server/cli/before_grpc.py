"""Imported before gRPC, which reads its verbosity when it is imported: only errors of its own are printed.

A failed handshake is reported by the line of the command, with the remedy.
"""

import os

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
