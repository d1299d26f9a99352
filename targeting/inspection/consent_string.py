"""A TC string in which one vendor has consent for everything, to ask what consent would change.

The format is "TC String Format" of the IAB's "Consent string and vendor list formats v2".
"""

from base64 import urlsafe_b64encode

_CREATED_DS = 17_000_000_000
"""In 2023: before strings had to disclose vendors, and after TCF 2.2."""
_CMP_ID = 28
"""An id that was issued; others make a string invalid."""
_POLICY_VERSION = 4
_VENDOR_LIST_VERSION = 1
_ENGLISH = 4 << 6 | 13
_ALL_PURPOSES = (1 << 24) - 1
_ALL_FEATURES = (1 << 12) - 1


def consenting_string(vendor: int) -> str:
    """Return a TC string with consent to all purposes and special features for one vendor, 1 to 65535."""
    fields = (
        (2, 6), (_CREATED_DS, 36), (_CREATED_DS, 36), (_CMP_ID, 12), (1, 12), (1, 6), (_ENGLISH, 12),
        (_VENDOR_LIST_VERSION, 12), (_POLICY_VERSION, 6), (1, 1), (0, 1), (_ALL_FEATURES, 12), (_ALL_PURPOSES, 24),
        (_ALL_PURPOSES, 24), (0, 1), (_ENGLISH, 12),
        # One vendor consent, as a range; no vendor's legitimate interest, and no publisher restriction.
        (vendor, 16), (1, 1), (1, 12), (0, 1), (vendor, 16), (0, 16), (0, 1), (0, 12),
    )  # fmt: skip
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    bits += "0" * (-len(bits) % 8)
    return urlsafe_b64encode(int(bits, 2).to_bytes(len(bits) // 8, "big")).rstrip(b"=").decode("ascii")
