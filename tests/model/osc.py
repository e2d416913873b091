"""Turns (path, typed arguments) into datagrams, by an OSC library that the server does not share.

Needs the package `python-osc`. Arguments are (tag, value) pairs with the tags i h f d s b T F N.
"""

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from .parts import PART_BYTES_MAX, split_snapshot

SEQ_PATH = "/live/seq"


def encode_message(path, args):
    """The datagram of one plain message."""
    return _build_message(path, args).dgram


def encode_bundle(messages, time=IMMEDIATELY):
    """The datagram of a bundle of [(path, args), ...]; time is seconds since the epoch."""
    builder = OscBundleBuilder(time)
    for path, args in messages:
        builder.add_content(_build_message(path, args))
    return builder.build().dgram


def wrap(seq, path, args, timestamp=0.0):
    """A message inside /live/seq, itself as (path, args): what today's sender sends."""
    return SEQ_PATH, [("i", seq), ("f", timestamp), ("s", path), *args]


class Sender:
    """Numbers what it encodes, from 0, as one run of a sender does."""

    def __init__(self, session=1, next_seq=0):
        self.session = session
        self.next_seq = next_seq

    def encode(self, event, timestamp=0.0):
        """The wrapped datagram of an event: [(path, args)], or several for a bundle."""
        wrapped = [self._wrap_next(path, args, timestamp) for path, args in event]
        return encode_message(*wrapped[0]) if len(wrapped) == 1 else encode_bundle(wrapped)

    def encode_bundle(self, event, timestamp=0.0):
        """The same as a bundle, be it of one message."""
        return encode_bundle([self._wrap_next(path, args, timestamp) for path, args in event])

    def encode_hello(self, name="model", version="1", protocol=1):
        """The unwrapped datagram that opens the session."""
        args = [("h", self.session), ("s", name), ("s", version), ("i", protocol)]
        return encode_message("/symlog/hello", args)

    def encode_heartbeat(self):
        """The unwrapped datagram that tells which number comes next."""
        return encode_message("/symlog/heartbeat", [("h", self.session), ("h", self.next_seq)])

    def encode_snapshot(self, ast, timestamp=0.0, part_bytes=PART_BYTES_MAX):
        """The wrapped datagrams of a snapshot, consecutive."""
        parts = split_snapshot(ast, self.session, part_bytes)
        return [self.encode([part], timestamp) for part in parts]

    def _wrap_next(self, path, args, timestamp):
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        return wrap(seq, path, args, timestamp)


def _build_message(path, args):
    builder = OscMessageBuilder(path)
    for tag, value in args:
        builder.add_arg(value, tag)
    return builder.build()
