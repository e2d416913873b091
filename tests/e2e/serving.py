"""`symlog serve` as its users have it: a process, OSC sent to it by python-osc, subscribers by websockets.

The program is $SYMLOG_BIN, or the one that `zig build` left.
"""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from model.osc import Sender, encode_message
from websockets.sync.client import connect

BINARY = os.environ.get("SYMLOG_BIN") or str(Path(__file__).parents[2] / "zig-out" / "bin" / "symlog")
PATIENCE_S = 20  # Of a wait that ends much earlier when all is well.


def run_symlog(*arguments):
    """Runs a command to its end."""
    command = [BINARY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def logged(db, *options):
    """The lines of `symlog log`."""
    ended = run_symlog("log", "--db", db, *options)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def wait_until(condition, what, patience_s=PATIENCE_S):
    """Waits for a true value of `condition` and returns it."""
    deadline = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)
    return value


class Serve:
    """A running `symlog serve`. Everything that it prints is in `lines`. `prefix` is a command that runs it."""

    def __init__(self, db, *options, popen=None, prefix=()):
        command = [*map(str, prefix), BINARY, "serve", "--db", str(db), "--osc", "0", "--ws", "0", *map(str, options)]
        self.db = db
        self.lines = []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **(popen or {}),
        )
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()
        self.osc = self._address(r"^listening osc=([\d.]+):(\d+)$")
        self.ws = self._address(r"^listening ws=([\d.]+):(\d+)$")

    def _read_lines(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def _address(self, pattern):
        host, port = self.wait_for(pattern).groups()
        return host, int(port)

    def wait_for(self, pattern):
        """The first line that matches, once there is one."""

        def find():
            is_over = not self._reader.is_alive()  # Before looking: then there will be no more lines.
            found = filter(None, (re.search(pattern, line) for line in list(self.lines)))
            match = next(found, None)
            assert match or not is_over, f"it ended: {self.lines}"
            return match

        return wait_until(find, pattern)

    def count(self, pattern):
        return sum(bool(re.search(pattern, line)) for line in list(self.lines))

    def subscribe(self, query="", **options):
        """A WebSocket connection; `with` closes it."""
        options = {"max_size": None, "open_timeout": PATIENCE_S, "compression": None, **options}
        return connect(f"ws://{self.ws[0]}:{self.ws[1]}/{query}", **options)

    def live(self):
        return Live(self.osc)

    def stop(self, number=signal.SIGINT):
        """Sends the signal and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status


class Live:
    """A sender of numbered OSC, on a socket of its own."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(address)
        self.sender = Sender()

    @property
    def name(self):
        return "{}:{}".format(*self.socket.getsockname())

    def send(self, path, *args):
        """One event; args are (tag, value)."""
        self.send_bytes(self.sender.encode([(path, list(args))]))

    def send_bundle(self, *messages):
        self.send_bytes(self.sender.encode([(path, list(args)) for path, *args in messages]))

    def send_plain(self, path, *args):
        """Without a number."""
        self.send_bytes(encode_message(path, list(args)))

    def send_bytes(self, datagram):
        self.socket.send(datagram)

    def lose(self, count):
        """Numbers that never arrive."""
        self.sender.next_seq += count


def line(t, path, *args):
    """A line that `symlog send` plays: a message, and when, in seconds."""
    return {"t": t, "path": path, "args": list(args)}


def write_lines(file, lines):
    with file.open("w") as out:
        out.writelines(json.dumps(one) + "\n" for one in lines)


def send_lines(file, address, speed=1):
    """`symlog send`, to its end."""
    command = [BINARY, "send", str(file), "--to", "{}:{}".format(*address), "--speed", str(speed)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def receive(subscriber):
    return json.loads(subscriber.recv(timeout=PATIENCE_S))


def receive_until(subscriber, is_wanted):
    """All messages up to the first wanted one."""
    messages = []
    while not messages or not is_wanted(messages[-1]):
        messages.append(receive(subscriber))
    return messages


def say(subscriber, message):
    """Sends it (JSON, unless it is a text already) and returns the next message."""
    subscriber.send(message if isinstance(message, str) else json.dumps(message))
    return receive(subscriber)


_ids = itertools.count(1)


def call(subscriber, method, **params):
    """A JSON-RPC call; passes over what the feed sends meanwhile and returns the response."""
    request = {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params}
    subscriber.send(json.dumps(request))
    response = receive_until(subscriber, lambda message: "jsonrpc" in message and "method" not in message)[-1]
    assert response["id"] == request["id"] and response["jsonrpc"] == "2.0", response
    return response


def query(subscriber, **params):
    return call(subscriber, "query", **params)["result"]
