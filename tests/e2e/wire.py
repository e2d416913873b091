"""A WebSocket subscriber without a library: it can be cut off after any byte, stop reading, and keeps texts as bytes."""

import base64
import json
import os
import re
import socket

from serving import PATIENCE_S

TEXT, CLOSE, CONTINUATION = 1, 8, 0
_BETWEEN = re.compile(rb',(?=\{"type":"(?:DIFF_UPDATE|live_event|ERROR|SEQ)")')  # In a text, quotes are escaped.


class Wire:
    """A connection with a query such as `?from=1&log=…`; `take` gives the messages so far, as bytes."""

    def __init__(self, serve, query=""):
        self.socket = socket.create_connection(serve.ws, timeout=PATIENCE_S)
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        self.socket.sendall(f"GET /{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{upgrade}\r\n".encode())
        self._bytes = bytearray()
        self._parts = []  # Of the message that is not whole yet.
        self.closing = None  # Code and reason, once the server has closed.
        while b"\r\n\r\n" not in self._bytes:
            assert self.read(), "it was cut off in the handshake"
        status, _, rest = bytes(self._bytes).partition(b"\r\n\r\n")
        assert b" 101 " in status.splitlines()[0], status
        self._bytes = bytearray(rest)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self, most=1 << 20):
        """Reads what is there, and waits for it; returns how many bytes: 0 at the end."""
        try:
            received = self.socket.recv(most)
        except ConnectionError:
            received = b""
        self._bytes += received
        return len(received)

    def frames(self):
        """The whole text frames so far."""
        at, found = 0, []
        while (frame := self._frame_at(at)) is not None:
            at, is_last, opcode, payload = frame
            if opcode == CLOSE:
                self.closing = int.from_bytes(payload[:2], "big"), payload[2:].decode()
            elif opcode in (TEXT, CONTINUATION):
                self._parts.append(payload)
                if is_last:
                    found.append(b"".join(self._parts))
                    self._parts.clear()
        del self._bytes[:at]
        return found

    def _frame_at(self, at):
        data = self._bytes
        if at + 2 > len(data):
            return None
        first, length = data[at], data[at + 1]
        size = at + 2 + {126: 2, 127: 8}.get(length, 0)
        if size > len(data):
            return None
        if length >= 126:
            length = int.from_bytes(data[at + 2 : size], "big")
        if size + length > len(data):
            return None
        return size + length, bool(first & 128), first & 15, bytes(data[size : size + length])

    def take(self):
        """The whole messages so far, those of arrays one by one."""
        return [message for frame in self.frames() for message in split(frame)]

    def read_through(self, seq):
        """The messages up to the one with this number or a later one."""
        messages = self.take()  # Some may have come with the handshake.
        while not messages or seq_of(messages[-1]) < seq:
            assert self.read(), f"closed before {seq}: {self.closing}"
            messages += self.take()
        return messages


def split(frame):
    """The messages in a frame, byte for byte: it is one, or an array of them."""
    return _BETWEEN.split(frame[1:-1]) if frame[:1] == b"[" else [frame]


def seq_of(message):
    """The log's number that a message bears, or 0: it stands at its end, but in FULL_AST."""
    if message.startswith(b'{"type":"FULL_AST"'):
        return json.loads(message)["seq"]
    _, found, number = message[-40:].rpartition(b'},"seq":')
    if not found and message.startswith(b'{"type":"SEQ"'):
        return json.loads(message)["seq"]
    return int(number.rstrip(b"}")) if found else 0


def confirmed(messages):
    """Those up to the last that bears a number: what follows it is sent again after a cut."""
    kept = len(messages)
    while kept and seq_of(messages[kept - 1]) == 0:
        kept -= 1
    return messages[:kept]
