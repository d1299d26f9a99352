"""The links that the operator configures: other places to choose, the privacy statement, the sign-in.

Read once at the start; a page never follows them.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Final

import msgspec

from server.settings import PREFIX, SettingsError

BUILT_IN: Final = Path(__file__).with_name("links.toml")
_SETTING: Final = f"{PREFIX}WEB_LINKS"

Url = Annotated[str, msgspec.Meta(pattern="^https?://", max_length=2048)]
Language = Annotated[str, msgspec.Meta(pattern="^(en|es|fr|de)$")]
Urls = Annotated[dict[Language, Url], msgspec.Meta(min_length=1)]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another place to choose. ``where`` is a country's code, or ``EU``; ``url`` has an address by language."""

    where: str
    name: str
    url: Urls

    def url_in(self, language: str) -> str:
        """Return the address in this language, else the first."""
        return self.url.get(language) or next(iter(self.url.values()))


class Links(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything outside of the pages that they link to."""

    places: tuple[Place, ...] = ()
    statement: Url | None = None
    sign_in: Url | None = None


def read_links(path: str) -> Links:
    """Read the file of links, or the built-in one. Raises ``SettingsError``."""
    try:
        given = tomllib.loads((Path(path) if path else BUILT_IN).read_text(encoding="utf-8"))
        return msgspec.convert(given, Links)
    except OSError as problem:
        raise SettingsError(f"{_SETTING}: cannot read the file: {problem.strerror}") from None
    except ValueError as problem:
        raise SettingsError(f"{_SETTING}: not a file of links: {problem}") from None
