"""The country database that serves: loaded at the start, and again when its file changes or a reload is asked for.

Invariant: a file that cannot be used leaves the database in place that serves, and every lookup sees one database
whole. The file is read into memory first, so truncating or overwriting it cannot harm the process.
"""

import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from server.files.file_changes import FileChanges
from server.geo.country_table import GeoDatabaseError
from server.geo.ip_location import IpLocator, open_locator
from targeting.places.geo import IpLocation

OLD_AFTER_DAYS: Final = 180
_DAY_S: Final = 86_400
_LOG = logging.getLogger(__name__)


class LocationSource(IpLocator, Protocol):
    """Locations that can be loaded again while the service runs."""

    def age_s(self) -> float:
        """Return the seconds since the data was built; NaN if it does not say."""

    def reload(self) -> None:
        """Load the data again; data that cannot be used changes nothing."""

    def reload_if_changed(self) -> None:
        """Load the data again if it has changed."""


class LocationDatabase:
    """A ``LocationSource`` on the file at ``path``, or on the bundled table if ``path`` is empty.

    Raises ``GeoDatabaseError`` when the first load fails. Load and check from one thread only; look up from any.
    """

    def __init__(self, path: str, clock_s: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock_s = clock_s
        self._changes = FileChanges([path] if path else [])
        self._current = open_locator(path)
        self._warn_if_old()

    def locate(self, ip_text: str) -> IpLocation:
        """Return the location of an address; unknown for malformed, private, special and unlisted ones."""
        return self._current.locate(ip_text)

    def age_s(self) -> float:
        """Return the seconds since the database was built; NaN if it does not say."""
        built_at_s = self._current.built_at_s
        return max(0.0, self._clock_s() - built_at_s) if built_at_s else float("nan")

    def reload(self) -> None:
        """Read the file again, and log the result in one line. A bad file is refused and the current one stays."""
        if not self._path:
            return
        self._changes.note_loaded()
        try:
            self._current = open_locator(self._path)
        except GeoDatabaseError as error:
            _LOG.error("country database refused, the current one stays: %s", error)
            return
        _LOG.info("country database reloaded, %.0f days old", self.age_s() / _DAY_S)
        self._warn_if_old()

    def reload_if_changed(self) -> None:
        """Reload a file that has changed since it was loaded and not since the last call: a copy takes its time."""
        if self._changes.have_settled():
            self.reload()

    def _warn_if_old(self) -> None:
        if remedy := age_remedy(self._path, self.age_s()):
            _LOG.warning("country database is %.0f days old: %s", self.age_s() / _DAY_S, remedy)


def age_remedy(path: str, age_s: float) -> str:
    """Return what to do about a database of this age; empty if it is recent or does not say when it was built."""
    if not age_s > OLD_AFTER_DAYS * _DAY_S:
        return ""
    return "replace the file" if path else "set ADTARGETING_GEO_DB to a recent file in MaxMind format"
