"""Reads datagrams as the rules say, written without the program's reader, to know which ones must be refused.

OSC 1.0, with type tags required, zero padding, nothing after the last argument, no empty bundle element, and bundles at
most eight deep; and of Live's wrapper: its arguments right, and in a bundle around each message, numbered on, or none.
"""

import struct

BYTES_MAX, DEPTH_MAX = 65507, 8
NUMBERS = {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q", "c": ">i", "r": ">i", "m": ">i"}
CONSTANTS = {"T": True, "F": False, "N": None, "I": None}
WRAPPER = "/live/seq"
NUMBER_COUNT = 2**32


class Malformed(Exception):
    """A datagram that is refused whole."""


def read_datagram(data):
    """The messages (path, [(tag, value), ...]) of a datagram, wrappers taken off."""
    messages, numbers = [], []
    for path, args in _read_packet(data, depth=1):
        if path == WRAPPER:
            number, path, args = _unwrap(args)
            numbers.append(number)
        messages.append((path, args))
    if numbers and len(numbers) < len(messages):
        raise Malformed("mixed")
    for before, number in zip(numbers, numbers[1:]):
        if number != before + 1 and (before, number) != (NUMBER_COUNT - 1, 0):
            raise Malformed("not consecutive")
    return messages


def is_well_formed(data):
    try:
        read_datagram(data)
    except Malformed:
        return False
    return True


def is_bundle(data):
    return data[:1] == b"#"


def _read_packet(data, depth):
    if not data or len(data) % 4 or len(data) > BYTES_MAX or depth > DEPTH_MAX + 1:
        raise Malformed("length or depth")
    if not is_bundle(data):
        return [_read_message(data)]
    if data[:8] != b"#bundle\0" or len(data) < 16 or depth > DEPTH_MAX:
        raise Malformed("bundle")
    messages, at = [], 16
    while at < len(data):
        [size] = struct.unpack_from(">I", data, at)
        begin, at = at + 4, at + 4 + size
        if size == 0 or at > len(data):
            raise Malformed("element")
        messages += _read_packet(data[begin:at], depth + 1)
    return messages


def _read_message(data):
    path, at = _read_text(data, 0)
    tags, at = _read_text(data, at)
    if path[:1] != "/" or tags[:1] != ",":
        raise Malformed("path or tags")
    args = []
    for tag in tags[1:]:
        value, at = _read_argument(tag, data, at)
        args.append((tag, value))
    if at != len(data):
        raise Malformed("trailing bytes")
    return path, args


def _read_argument(tag, data, at):
    """The value, and where the next one begins."""
    if tag in CONSTANTS:
        return CONSTANTS[tag], at
    if tag in ("s", "S"):
        return _read_text(data, at)
    if tag in NUMBERS:
        end = at + struct.calcsize(NUMBERS[tag])
        if end > len(data):
            raise Malformed("argument")
        return struct.unpack_from(NUMBERS[tag], data, at)[0], end
    if tag == "b":
        return _read_blob(data, at)
    raise Malformed("tag")


def _read_text(data, at):
    end = data.find(b"\0", at)
    following = (end // 4 + 1) * 4
    if end < at or any(data[end:following]):
        raise Malformed("text")
    return data[at:end].decode("utf-8", "surrogateescape"), following


def _read_blob(data, at):
    if at + 4 > len(data):
        raise Malformed("blob")
    [size] = struct.unpack_from(">i", data, at)
    begin, end = at + 4, at + 4 + size
    following = (end + 3) // 4 * 4
    if size < 0 or following > len(data) or any(data[end:following]):
        raise Malformed("blob")
    return data[begin:end], following


def _unwrap(args):
    tags = "".join(tag for tag, _ in args[:3])
    if len(tags) < 3 or tags[0] not in "ih" or tags[1] not in "fdht" or tags[2] not in "sS":
        raise Malformed("wrapper")
    number = args[0][1]
    return number % NUMBER_COUNT if number < 0 else number, args[2][1], args[3:]
