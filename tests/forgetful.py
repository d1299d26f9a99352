"""What takes the place of the record of who holds what, to switch shares off."""


class Forgetful(dict[str, int]):
    """Knows of no client how much it holds."""

    def get(self, key: str, default: int = 0) -> int:  # type: ignore[override]  # as it is called
        return default
