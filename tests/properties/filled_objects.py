"""Objects of a bid request, filled by the tables of OpenRTB, with marks wherever a value could hide.

Marks are in extensions, in unknown names, below allowed names, and in values of another type than a field's: in
everything that is not a field of the specification with its type.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from targeting.openrtb.schema import OBJECTS, element_of
from tests.targeting.openrtb.preparing import Json

_DEPTH: Final = 5
_VALUES: Final[Mapping[str, Any]] = {"str": "v", "int": 1, "float": 1.5}


class Filler:
    """Fills objects; ``mark`` is the text that must not occur in the output."""

    def __init__(self, random: Random, mark: str, *, in_type: bool) -> None:
        self._random = random
        self._mark = mark
        self._in_type = in_type

    def filled(self, name: str, depth: int = 0) -> Json:
        """Return an object with some of its fields, and with marks in all other members."""
        fields = {
            field: self._value(kind, depth + 1)
            for field, kind in OBJECTS[name].items()
            if field != "ext" and self._random.random() < (0.5 if element_of(kind) in _VALUES else 0.35)
        }
        return {**fields, "ext": self.extension(), "newfield": [self._mark], "ifa": self._mark, "eids": [self._eid()]}

    def extension(self) -> Json:
        """Return an extension with embeddings, ids, a user, a device, and what looks like allowed members."""
        hidden = {"x": self._mark}
        return {
            "aa": {"embedding": [0.5, self._mark], "ver": "1"},
            "x": self._mark,
            "eids": [self._eid()],
            "user": {"id": self._mark},
            "device": {"ifa": self._mark},
            "ifa": self._mark,
            "schain": {"complete": 1, "nodes": [{"asi": "v", "ext": hidden, "x": self._mark}], "ver": hidden, **hidden},
            "omidpn": hidden,
            "omidpv": [self._mark],
            "segtax": {"x": self._mark},
        }

    def impression_extension(self) -> Json:
        """Return what may hide below the allowed names of an impression's extension."""
        hidden: Json = {"x": self._mark}
        return self.extension() | {
            "gpid": self._random.choice((hidden, [self._mark], [hidden], "/1/slot")),
            "tid": self._random.choice((hidden, [self._mark], "t")),
            "data": {"pbadslot": hidden, "slot": [self._mark], "adserver": {"name": hidden, "adslot": "v", **hidden}},
            "skadn": {"versions": [hidden, "4.0"], "sourceapp": hidden, "skadnetlist": {**hidden, "max": 1}, **hidden},
            "ae": self._mark,
        }

    def _eid(self) -> Json:
        return {"source": "id.example.com", "uids": [{"id": self._mark}], "ext": {"x": self._mark}}

    def _value(self, kind: str, depth: int) -> Any:
        element = element_of(kind)
        if not self._in_type and self._random.random() < 0.1:
            return self._of_another_type(kind)
        if element in OBJECTS:
            value: Any = self.filled(element, depth) if depth < _DEPTH else {}
        else:
            value = _VALUES[element]
        return [value] if kind.startswith("[") else value

    def _of_another_type(self, kind: str) -> Any:
        hidden = {"x": self._mark}
        if kind.startswith("["):
            return self._random.choice((None, hidden, self._mark, [[self._mark]], [[hidden]]))
        if element_of(kind) in OBJECTS:
            return self._random.choice((None, [], [hidden], self._mark))
        if kind == "str":
            return self._random.choice((None, hidden, [self._mark]))
        return self._random.choice((None, hidden, [hidden], self._mark))
