"""What gRPC prints by itself; it reads that when it is imported, so this is imported before.

A service has gRPC print its errors. A command that calls one has it print nothing: the command's own line says what
failed, with the remedy.
"""

import os

_NAME = "GRPC_VERBOSITY"
_IS_CHOSEN = _NAME in os.environ

os.environ.setdefault(_NAME, "ERROR")


def silence_grpc() -> None:
    """Have gRPC print nothing, unless the environment has chosen something else."""
    if not _IS_CHOSEN:
        os.environ[_NAME] = "NONE"
