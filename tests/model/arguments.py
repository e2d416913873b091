"""Reads OSC arguments by a signature: which tags stand for which kind, and what refuses a message.

A signature has a letter per argument: i int, f float, s text, b boolean, x blob. Those after `|`
may be missing. Arguments beyond the signature are ignored.
"""

import math
import struct


class Refused(Exception):
    """A message that changes nothing; `str()` of it is the reason that is counted."""


UNKNOWN_PATH = "unknown path"
WRONG_TYPES = "wrong types"
NOT_FINITE = "not finite"
NO_SUCH_INDEX = "no such index"


def read(signature, args):
    """Turns [(tag, value), ...] into a list of plain values, or raises Refused."""
    required, _, optional = signature.partition("|")
    if len(args) < len(required):
        raise Refused(WRONG_TYPES)
    letters = required + optional
    values = [_READERS[letter](tag, value) for letter, (tag, value) in zip(letters, args)]
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise Refused(NOT_FINITE)
    return values


def text(value):
    """Text up to its first NUL. Bytes that are not UTF-8 become one lone surrogate each, so that
    comparing texts compares their bytes."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return value.partition("\0")[0]


def _read_int(tag, value):
    if tag not in ("i", "h"):
        raise Refused(WRONG_TYPES)
    return value


def _read_float(tag, value):
    if tag not in ("f", "d", "i", "h"):
        raise Refused(WRONG_TYPES)
    if tag == "f":
        return struct.unpack("<f", struct.pack("<f", value))[0]
    return float(value)


def _read_text(tag, value):
    if tag not in ("s", "S"):
        raise Refused(WRONG_TYPES)
    return text(value)


def _read_bool(tag, value):
    if tag in ("T", "F"):
        return tag == "T"
    if tag in ("i", "h") and value in (0, 1):
        return value == 1
    raise Refused(WRONG_TYPES)


def _read_blob(tag, value):
    if tag != "b":
        raise Refused(WRONG_TYPES)
    return value


_READERS = {
    "i": _read_int,
    "f": _read_float,
    "s": _read_text,
    "b": _read_bool,
    "x": _read_blob,
}
