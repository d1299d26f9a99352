"""Parts of serialised messages: what protobuf puts before the bytes of a field (its Encoding guide)."""


def _long_varint(number: int) -> bytes:
    head = bytearray()
    while number >= 0x80:
        head.append(number & 0x7F | 0x80)
        number >>= 7
    head.append(number)
    return bytes(head)


SHORT = 0x4000
"""The first number of more than two bytes; the rest of one below its square, after two bytes, fits into two more."""
VARINTS = [_long_varint(number) for number in range(SHORT)]
LOW_BITS = [bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(SHORT)]
"""The lowest fourteen bits of a longer number: seven a byte, each with the mark that more follow."""


def varint(number: int) -> bytes:
    """Give a number as base 128 varint."""
    if number < SHORT:
        return VARINTS[number]
    if number < SHORT * SHORT:
        return LOW_BITS[number & SHORT - 1] + VARINTS[number >> 14]
    return _long_varint(number)


def delimited(tag: bytes, body: bytes) -> bytes:
    """Give a field that holds so many bytes; ``tag`` is its number and wire type."""
    return tag + varint(len(body)) + body
