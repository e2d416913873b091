"""What the fault tests share: tools that make faults, and what must hold after each of them."""

import json
import os
import shutil
import subprocess
import threading
from contextlib import ExitStack

import pytest
from serving import PATIENCE_S, call, receive, run_symlog
from websockets.exceptions import ConnectionClosed

ALLOWED = set(filter(None, os.environ.get("SYMLOG_ALLOW_SKIP", "").split(",")))


def need(name, is_there, why):
    """A fault that cannot be made here is a failure, unless $SYMLOG_ALLOW_SKIP (names with commas) has its name."""
    if is_there:
        return
    if name in ALLOWED:
        pytest.skip(f"{name}: {why}")
    pytest.fail(f"{name}: {why}; SYMLOG_ALLOW_SKIP={name} passes over it")


def strace(*arguments):
    """A prefix that runs a command under strace. strace is the grandchild: the child is the command itself."""
    need("strace", shutil.which("strace") is not None, "strace is not installed")
    probe = subprocess.run(["strace", "-D", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False)
    need("strace", probe.returncode == 0, f"this machine does not let strace trace: {probe.stderr.decode()}")
    return ["strace", "-D", "-f", "-qq", *arguments]


def inject(calls, fault, trace_file="/dev/null"):
    return strace("-o", trace_file, "-e", f"trace={calls}", "-e", f"inject={calls}:{fault}")


class Marks:
    """Sets one mark after the other on a thread, and notes the number that each was acknowledged with."""

    def __init__(self, serve, text="mark"):
        self.acknowledged = {}  # text -> number
        self._text = text
        self._open = ExitStack()
        self._subscriber = self._open.enter_context(serve.subscribe())
        receive(self._subscriber)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._stopping.is_set():
                text = f"{self._text} {len(self.acknowledged)}"
                response = call(self._subscriber, "mark", text=text)
                self.acknowledged[text] = response["result"]["seq"]
        except (ConnectionClosed, KeyError, TimeoutError):
            pass  # serve is gone, as it should be, or has said that it cannot.

    def stop(self):
        self._stopping.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self._open.close()


def exported(db):
    """The log's events by number."""
    ended = run_symlog("log", "export", "-", "--db", db)
    assert ended.returncode == 0, ended.stderr
    events = map(json.loads, ended.stdout.splitlines()[1:])
    return {event["seq"]: event for event in events}


def check_kept(db, *marks):
    """The log is whole, and holds every mark that was acknowledged. Returns its events."""
    verdict = run_symlog("verify", "--db", db)
    assert verdict.returncode == 0 and verdict.stdout.startswith("ok: "), verdict
    events = exported(db)
    assert list(events) == list(range(1, len(events) + 1)), "contiguous"
    for one in marks:
        for text, number in one.acknowledged.items():
            assert events[number]["kind"] == 8 and bytes.fromhex(events[number]["payload"]).decode() == text
    return events


def stat(db):
    ended = run_symlog("stat", "--db", db, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
