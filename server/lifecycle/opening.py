"""Things that are open for a time, and hold others: what was opened is closed again when the rest cannot be."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Opening(ABC):
    """A context manager, open inside its block. ``close`` may be called for what is half open, and more than once."""

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def open(self) -> None:
        """Open everything. Raises the typed errors of the parts; what was opened is then closed by ``close``."""

    @abstractmethod
    def close(self) -> None:
        """Close whatever is open."""
