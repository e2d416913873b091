"""kill -9 at any moment: the log is whole, has all that any subscriber was told, and serve goes on from there.

The moments are drawn from $SYMLOG_SEED, which each test prints; the machine's own timing cannot be repeated.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from log_lines import KINDS
from model.generate import Generator
from model.osc import Sender
from mutation import SEED
from serving import BINARY, PATIENCE_S, call, receive, run_symlog
from websockets.exceptions import ConnectionClosed

SOAK = "SYMLOG_SOAK" in os.environ
KILLS = 1000 if SOAK else 50
KILLS_PER_LOG = 10  # Then a new log, so that checking stays quick.
START_KILLS = 200 if SOAK else 20
LOAD_S_MAX = 0.35  # From the first datagram to the end.
SUBSCRIBERS = 3
BURST, PAUSE_S = 40, 0.004  # Of the sender: about 8,000 datagrams a second, so that the queue is now long, now empty.


@pytest.fixture(scope="module")
def datagrams():
    """A snapshot and 4,000 events after it, as one run of a sender."""
    generator, sender = Generator(seed=SEED), Sender()
    return sender.encode_snapshot(generator.snapshot) + [sender.encode(event) for event in generator.events(4000)]


class Flood:
    """A sender on a thread and a port of its own. `sent` datagrams have left it."""

    def __init__(self, address, datagrams):
        self.sent = 0
        self._datagrams = datagrams
        self._stopping = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(address)
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self):
        for datagram in self._datagrams:
            try:
                self._socket.send(datagram)
            except ConnectionRefusedError:
                return  # Nobody is there any more.
            self.sent += 1
            if self.sent % BURST == 0 and self._stopping.wait(PAUSE_S):
                return

    def name(self):
        return "{}:{}".format(*self._socket.getsockname())

    def stop(self):
        self._stopping.set()
        self._thread.join(PATIENCE_S)
        self._socket.close()


class Listener:
    """A subscriber that notes every message, until serve is gone. With `marks`, it also asks for one mark after the
    other, and notes the number that each was acknowledged with."""

    def __init__(self, serve, marks=False):
        self.messages = []
        self.marked = {}  # Text -> number.
        self._open = ExitStack()
        self._subscriber = self._open.enter_context(serve.subscribe(max_queue=None))
        self.whole = receive(self._subscriber)
        self._thread = threading.Thread(target=self._mark if marks else self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        try:
            while True:
                self.messages.append(self._subscriber.recv())
        except ConnectionClosed:
            pass

    def _mark(self):
        try:
            while True:
                text = f"mark {len(self.marked)}"
                self.marked[text] = call(self._subscriber, "mark", text=text)["result"]["seq"]
        except ConnectionClosed:
            pass

    def end(self):
        """Waits until all that had arrived is noted."""
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self._open.close()


class Events:
    """A log's events from a number on, as `symlog replay` tells of them."""

    def __init__(self, db, begin):
        ended = run_symlog("replay", "--json", "--db", db, "--from", begin)
        assert ended.returncode == 0, ended.stderr
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        self.by_number = {line["event"]["seq"]: line["event"] for line in lines}
        self.head = begin - 1 + len(lines)
        assert list(self.by_number) == list(range(begin, self.head + 1)), "contiguous"
        messages = [(line["event"]["seq"], bare(message)) for line in lines for message in line["messages"]]
        self.changes = [pair for pair in messages if not is_error(pair[1])]
        self.errors = [message for _, message in messages if is_error(message)]

    def kinds(self):
        return [event["kind"] for event in self.by_number.values()]


def bare(message):
    return {key: value for key, value in message.items() if key != "seq"}


def is_error(message):
    return message["type"] == "ERROR"


def with_numbers(messages):
    """(number, message) of each. Only an event's last message bears its number: None where that did not come."""
    number, pairs = None, []
    for message in reversed(messages):
        number = message.get("seq", number)
        pairs.append((number, bare(message)))
    return pairs[::-1]


def check_told(listener, db, events):
    """A subscriber was told nothing but what is in the log, and passed over nothing."""
    seq = listener.whole["seq"]
    assert seq <= events.head
    state = run_symlog("replay", "--db", db, "--at", seq, "--state", "--json")
    assert json.loads(state.stdout) == listener.whole["payload"]["ast"]
    told = with_numbers([json.loads(message) for message in listener.messages])
    changes = [pair for pair in told if not is_error(pair[1])]
    begin = sum(number <= seq for number, _ in events.changes)
    logged = events.changes[begin : begin + len(changes)]
    assert [message for _, message in changes] == [message for _, message in logged]
    assert all(number in (None, other) for (number, _), (other, _) in zip(changes, logged))
    for _, error in told:  # Each kind of refusal is told once, and a gap is known to the feed alone.
        assert not is_error(error) or error in events.errors or "gap" in error["payload"]["error"]
    return len(told)


def check_marks(listener, events):
    for text, number in listener.marked.items():
        event = events.by_number[number]
        assert event["kind"] == KINDS["mark"] and bytes.fromhex(event["payload"]).decode() == text
    return len(listener.marked)


def check_whole(db):
    ended = run_symlog("verify", "--db", db)
    assert ended.returncode == 0 and ended.stdout.startswith("ok: "), ended


def start_again(start, db, head, *options):
    """Starts serve on a log of `head` events: it must find just those."""
    serve = start(*options, db=db)
    assert f" events={head} " in serve.lines[0]
    return serve


def flood_and_kill(serve, datagrams, load_s):
    """Kills serve under load; the listeners that it had, the last of which set marks."""
    listeners = [Listener(serve, marks=number == SUBSCRIBERS - 1) for number in range(SUBSCRIBERS)]
    flood = Flood(serve.osc, datagrams)
    time.sleep(load_s)
    assert serve.stop(signal.SIGKILL) == -signal.SIGKILL
    flood.stop()
    for listener in listeners:
        listener.end()
    return listeners


def test_crash_under_load_loses_nothing_that_was_told(start, tmp_path, datagrams, rng):
    totals, head = Counter(), 0
    for kill in range(KILLS):
        number, is_first = kill // KILLS_PER_LOG, kill % KILLS_PER_LOG == 0
        db = tmp_path / f"log{number}"
        if is_first:
            head = 0
            shutil.rmtree(tmp_path / f"log{number - 1}", ignore_errors=True)
        serve = start_again(start, db, head, "--durability", ("power", "process")[number % 2])
        listeners = flood_and_kill(serve, datagrams, rng.uniform(0, LOAD_S_MAX))
        check_whole(db)
        events = Events(db, head + 1)
        for listener in listeners[:-1]:
            totals["messages"] += check_told(listener, db, events)
        totals["marks"] += check_marks(listeners[-1], events)
        totals["events"] += events.head - head
        head = events.head
    print(f"{KILLS} kills,", ", ".join(f"{count} {what}" for what, count in totals.items()))
    assert totals["events"] > 100 * KILLS and totals["messages"] > 100 * KILLS and totals["marks"] > KILLS


def test_crash_twice_in_a_row(start, tmp_path, datagrams, rng):
    db, head = tmp_path / "log", 0
    for _ in range(5):
        serve = start_again(start, db, head)
        flood_and_kill(serve, datagrams, rng.uniform(0, LOAD_S_MAX))
        head = Events(db, head + 1).head
        serve = start_again(start, db, head)
        assert serve.stop(signal.SIGKILL) == -signal.SIGKILL
        check_whole(db)
        events = Events(db, head + 1)
        assert events.kinds()[0] == KINDS["start"] and events.head <= head + 2
        head = events.head
    start_again(start, db, head)


def kill_start(db, delay_s):
    """Starts serve and kills it at some moment of its start."""
    command = [BINARY, "serve", "--db", str(db), "--osc", "0", "--ws", "0"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay_s)
    process.kill()
    assert process.wait(PATIENCE_S) == -signal.SIGKILL


def time_of_start(start, db):
    began = time.monotonic()
    serve = start(db=db)
    seconds = time.monotonic() - began
    assert serve.stop() == 0
    return seconds


def test_crash_while_starting_on_a_log(start, tmp_path, datagrams, rng):
    db = tmp_path / "log"
    flood_and_kill(start(db=db), datagrams, LOAD_S_MAX)
    seconds = time_of_start(start, db)
    head = Events(db, 1).head
    for _ in range(START_KILLS):
        kill_start(db, rng.uniform(0, seconds))
        check_whole(db)
        events = Events(db, head + 1)
        assert events.kinds() in ([], [KINDS["start"]]), "at most its start event"
        head = events.head
    start_again(start, db, head)


def test_crash_while_making_a_log(start, tmp_path, rng):
    seconds = time_of_start(start, tmp_path / "timed")
    for kill in range(START_KILLS):
        db = tmp_path / f"log{kill}"
        kill_start(db, rng.uniform(0, seconds))
        serve = start(db=db)
        head = int(re.search(r" events=(\d+) ", serve.lines[0])[1])
        assert head <= 1, "at most the start event of the killed one"
        assert serve.stop() == 0
        check_whole(db)
        assert Events(db, 1).kinds()[head] == KINDS["start"]


def test_sigterm_under_load_loses_nothing_that_was_received(start, tmp_path, datagrams, rng):
    for number in range(5):
        serve = start(db=tmp_path / f"log{number}")
        flood = Flood(serve.osc, datagrams)
        time.sleep(rng.uniform(0.05, LOAD_S_MAX))
        sent = flood.sent
        assert serve.stop(signal.SIGTERM) == 0
        name = flood.name()
        flood.stop()
        check_whole(serve.db)
        stat = json.loads(run_symlog("stat", "--json", "--db", serve.db).stdout)
        [source] = [source for source in stat["sources"] if source["name"] == name]
        events = Events(serve.db, 1).by_number.values()
        logged = [event for event in events if event["kind"] == KINDS["osc"]]
        assert source["received"] == source["processed"] == len(logged) and source["queue_size"] == 0
        assert source["received"] + stat["kernel_drops"] >= sent > 0
        if stat["kernel_drops"] == 0:
            assert [bytes.fromhex(event["payload"]) for event in logged] == datagrams[: len(logged)]
