"""Parts of serialised messages: what protobuf puts before the bytes of a field (its Encoding guide)."""


def _long_varint(number: int) -> bytes:
    head = bytearray()
    while number >= 0x80:
        head.append(number & 0x7F | 0x80)
        number >>= 7
    head.append(number)
    return bytes(head)


_VARINTS = [_long_varint(number) for number in range(0x4000)]
# The lowest fourteen bits of a longer number: seven a byte, each with the mark that more follow.
_LOW_BITS = [bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(0x4000)]


def varint(number: int) -> bytes:
    """Give a number as base 128 varint."""
    if number < 0x4000:
        return _VARINTS[number]
    if number < 0x1000_0000:
        return _LOW_BITS[number & 0x3FFF] + _VARINTS[number >> 14]
    return _long_varint(number)


def delimited(tag: bytes, body: bytes) -> bytes:
    """Give a field that holds so many bytes; ``tag`` is its number and wire type."""
    return tag + varint(len(body)) + body
