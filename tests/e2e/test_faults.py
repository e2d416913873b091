"""Faults of the disk, the kernel and the clock, made for the real program. After each: what was acknowledged is kept,
the log is whole, and serve goes on or says why not.

SIGKILL is in test_crash.py, damage at rest in test_repair.py, power cuts in test_power_cut.py. A fault that cannot be
made on this machine fails, unless $SYMLOG_ALLOW_SKIP names it: strace, namespace, faketime.
"""

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import damage
import pytest
from faults import Marks, check_kept, exported, inject, need, stat, strace
from serving import BINARY, PATIENCE_S, Live, Serve, call, receive, wait_until

SOAK = "SYMLOG_SOAK" in os.environ
SEED = int(os.environ.get("SYMLOG_SEED", "1"))
ROUNDS = 20 if SOAK else 2
MAP_PAGES = (1 << 40) // damage.PAGE_BYTES


def wait_for_end(serve):
    """serve ends by itself, with status 1, having said why in one line."""
    assert serve.process.wait(PATIENCE_S) == 1, serve.lines
    serve.stop()
    return serve.lines[-1]


def check_goes_on(start, db):
    """The next serve takes the log up where it ended."""
    before = exported(db)
    serve = start(db=db)
    assert f" events={len(before)} " in serve.lines[0]
    marks = Marks(serve)
    wait_until(lambda: len(marks.acknowledged) > 5, "marks")
    marks.stop()
    assert serve.stop() == 0
    after = check_kept(db, marks)
    assert all(after[seq] == event for seq, event in before.items())


# The disk refuses.


@pytest.mark.parametrize(
    ("calls", "error", "words"),
    [
        ("fdatasync", "EIO", "Input/output error"),
        ("pwrite64", "EIO", "Input/output error"),
        ("pwrite64", "ENOSPC", "No space left on device"),
        ("pwrite64,writev", "ENOSPC", "No space left on device"),
    ],
)
def test_a_write_that_fails_is_final_and_loses_nothing_acknowledged(start, tmp_path, calls, error, words):
    moments = random.Random(SEED)
    for round_ in range(ROUNDS):
        db = tmp_path / f"log{round_}"
        # "N+": a disk that is full stays so; one failed flush must be enough, whatever later ones say.
        when = moments.randint(20, 200)
        fault = f"error={error}:when={when}" + ("+" if error == "ENOSPC" else "")
        print(f"SYMLOG_SEED={SEED} {calls} {fault}")
        serve = start(db=db, prefix=inject(calls, fault))
        marks = Marks(serve)
        said = wait_for_end(serve)
        marks.stop()
        assert words in said, said
        assert marks.acknowledged
        check_kept(db, marks)
        check_goes_on(start, db)


def test_serve_does_not_start_where_the_disk_refuses(tmp_path):
    command = [BINARY, "serve", "--db", str(tmp_path / "log"), "--osc", "0", "--ws", "0"]
    prefix = inject("fdatasync", "error=EIO:when=1+")
    ended = subprocess.run([*prefix, *command], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 1 and "Input/output error" in ended.stdout + ended.stderr


class SmallDisk:
    """A file system of 2 MB in memory, which only what runs with `prefix` sees."""

    def __init__(self, folder):
        self.folder = folder
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
        script = 'mount -t tmpfs -o size=2m,mode=700 none "$0" && echo ready && exec sleep 1000'
        self._holder = subprocess.Popen([*command, script, str(folder)], stdout=subprocess.PIPE)
        self.is_there = self._holder.stdout.readline() == b"ready\n"
        self.prefix = ["nsenter", "--preserve-credentials", "--user", "--mount", "-t", str(self._holder.pid)]

    def copy_out(self, to):
        """What stands on it, to a folder that all see."""
        to.mkdir()
        shutil.copy(f"/proc/{self._holder.pid}/root{self.folder}/log/data.mdb", to / "data.mdb")

    def close(self):
        self._holder.kill()
        self._holder.wait()
        self._holder.stdout.close()


@pytest.fixture
def small_disk(tmp_path):
    (tmp_path / "disk").mkdir()
    tools = all(map(shutil.which, ["unshare", "nsenter", "mount"]))
    need("namespace", tools, "unshare, nsenter or mount is missing")
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.close()


def test_a_full_disk_is_final_and_loses_nothing_acknowledged(small_disk, start, tmp_path):
    need("namespace", small_disk.is_there, "this machine lets nobody mount in a namespace of his own")
    serve = start(db=small_disk.folder / "log", prefix=small_disk.prefix)
    marks = Marks(serve, "x" * 900)
    said = wait_for_end(serve)
    marks.stop()
    assert "No space left on device" in said, said
    assert len(marks.acknowledged) > 100
    small_disk.copy_out(tmp_path / "copy")
    check_kept(tmp_path / "copy", marks)
    check_goes_on(start, tmp_path / "copy")


def test_a_full_map_is_final_and_loses_nothing_acknowledged(start, tmp_path):
    """LMDB is told that nearly all of its map is used; the file has a hole of that size."""
    db = tmp_path / "log"
    first = start(db=db)
    assert first.stop() == 0
    pages = damage.Pages(db)
    pages.set_last_page(MAP_PAGES - 40)
    pages.write()
    serve = start(db=db)
    marks = Marks(serve, "x" * 900)
    said = wait_for_end(serve)
    marks.stop()
    assert "MDB_MAP_FULL" in said, said
    assert marks.acknowledged
    check_kept(db, marks)


# Processes stop and die.


def reader_pids(db):
    """The processes that have a place in LMDB's table of readers: their number at 56, from 128 on 64 bytes for each,
    of which 8 are a transaction and the next 4 the process."""
    table = (Path(db) / "lock.mdb").read_bytes()
    (count,) = struct.unpack_from("<I", table, 56)
    return {struct.unpack_from("<I", table, 128 + 64 * place + 8)[0] for place in range(count)}


@pytest.fixture
def follow():
    """Starts `symlog log --follow` on a log, which then has a place among its readers."""
    started = []

    def start_follower(db):
        follower = subprocess.Popen([BINARY, "log", "--db", db, "--follow"], stdout=subprocess.PIPE)
        started.append(follower)
        follower.stdout.readline()
        assert follower.pid in reader_pids(db), "it reads"
        return follower

    yield start_follower
    for follower in started:
        follower.kill()
        follower.communicate()


def test_a_killed_reader_gives_its_place_back(start, follow, tmp_path):
    serve = start(db=tmp_path / "log")
    alive = follow(serve.db)  # With nobody there LMDB would begin a new table.
    dead = set()
    for _ in range(5):
        follower = follow(serve.db)
        follower.kill()
        follower.wait()
        dead.add(follower.pid)
    assert dead <= reader_pids(serve.db), "they had no time to give their places back"
    if SOAK:  # serve looks every 30 s
        wait_until(lambda: not dead & reader_pids(serve.db), "their places are free", 60)
    assert serve.stop() == 0
    again = start(db=serve.db)  # and when it starts
    assert not dead & reader_pids(serve.db) and alive.pid in reader_pids(serve.db)
    assert again.stop() == 0
    check_kept(serve.db)


def flood(live, count):
    """A track's name, changed `count` times; as fast as a socket takes it, with breath for the receiver."""
    for number in range(count):
        live.send("/live/track/renamed", ("i", 0), ("s", f"name {number}"))
        if number % 50 == 49:
            time.sleep(0.002)


def test_a_stopped_subscriber_costs_the_others_nothing(start, tmp_path):
    serve = start(db=tmp_path / "log")
    client = "import sys; from websockets.sync.client import connect; c = connect(sys.argv[1]); print(c.recv()[:9], flush=True)"
    url = "ws://{}:{}".format(*serve.ws)
    script = f"{client}\nimport time\nwhile True: c.recv()"
    stopped = subprocess.Popen([sys.executable, "-c", script, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert stopped.stdout.readline(), "it has the whole project"
    stopped.send_signal(signal.SIGSTOP)
    live, count = serve.live(), 100_000 if SOAK else 10_000
    live.send("/live/track/added", ("i", 0), ("s", "track"))
    try:
        with serve.subscribe(max_queue=None) as subscriber:
            receive(subscriber)
            flood(live, count)
            last = f"name {count - 1}"
            seqs = []
            while True:
                message = receive(subscriber)
                if "seq" in message:
                    seqs.append(message["seq"])
                if last in json.dumps(message):
                    break
            assert seqs == sorted(seqs)
            assert call(subscriber, "stat")["result"]["kernel_drops"] == 0
    finally:
        stopped.kill()  # SIGKILL ends also what is stopped.
        stopped.communicate()
    assert serve.stop() == 0
    check_kept(serve.db)


def one_source(db):
    [source] = [source for source in stat(db)["sources"] if source["name"].startswith("127.")]
    return source


def place_of_call(tmp_path, call, word):
    """The how-many-th such system call of a serve has that word among its arguments."""
    trace = tmp_path / "calls"
    serve = Serve(tmp_path / "probed", prefix=strace("-o", trace, "-e", f"trace={call}"))
    assert serve.stop() == 0
    calls = [line for line in trace.read_text().splitlines() if f"{call}(" in line]
    return 1 + next(place for place, line in enumerate(calls) if word in line)


def test_a_stopped_serve_knows_what_the_kernel_dropped(start, tmp_path):
    """The receive buffer stays as small as the system's default: asking for more is made to do nothing."""
    place = place_of_call(tmp_path, "setsockopt", "SO_RCVBUFFORCE")
    serve = start(db=tmp_path / "log", prefix=inject("setsockopt", f"retval=0:when={place}"))
    live = Live(serve.osc)
    live.send("/live/track/added", ("i", 0), ("s", "track"))
    wait_until(lambda: any(event["kind"] == 4 for event in exported(serve.db).values()), "the first event")
    serve.process.send_signal(signal.SIGSTOP)
    for number in range(20_000):
        live.send("/live/track/volume", ("i", 0), ("f", number / 20_000))
    serve.process.send_signal(signal.SIGCONT)

    def is_settled():
        live.send("/live/track/volume", ("i", 0), ("f", 0.5))  # Only with a next one the kernel tells of its drops.
        drops = stat(serve.db)["kernel_drops"]
        return drops > 0 and one_source(serve.db)["gap_size_total"] == drops

    wait_until(is_settled, "every dropped datagram is in a gap")
    source = one_source(serve.db)
    assert source.get("late", 0) == 0, "nothing came late, and nothing was applied late"
    assert serve.stop() == 0
    numbers = [event["source_seq"] for event in check_kept(serve.db).values() if event["kind"] == 4]
    assert numbers == sorted(set(numbers)), "in the sender's order, each once"
    missing = numbers[-1] + 1 - len(numbers)
    final = stat(serve.db)
    print(f"{final['kernel_drops']} dropped of {numbers[-1] + 1}, {one_source(serve.db)['gaps']} gaps")
    assert missing == final["kernel_drops"] == one_source(serve.db)["gap_size_total"]


# The clock jumps.


def faked_clock(clock):
    """A prefix under which the wall clock, and no other, shows what the file `clock` says."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    need("faketime", bool(found), "faketime is not installed")
    return [
        "env",
        f"LD_PRELOAD={found[0]}",
        f"FAKETIME_TIMESTAMP_FILE={clock}",
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ]


def test_a_wall_clock_that_jumps_moves_nothing(start, tmp_path):
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    prefix = faked_clock(clock)
    shown = subprocess.run([*prefix, "date", "+%s"], capture_output=True, text=True, check=True)
    assert abs(int(shown.stdout) - time.time()) < 5
    serve = Serve(tmp_path / "log", prefix=prefix)
    live, marks = serve.live(), Marks(serve)
    live.send("/live/track/added", ("i", 0), ("s", "track"))
    began = time.monotonic()
    for jump in ["+3600", "-3600", "+86400", "-7200", "+0"]:
        clock.write_text(jump + "\n")
        flood(live, 500)
        time.sleep(0.1)
    seconds = time.monotonic() - began
    marks.stop()
    assert serve.stop() == 0
    events = check_kept(tmp_path / "log", marks).values()
    times = [event["time_ns"] for event in events if event["kind"] == 4]
    assert len(times) == 2501 and times == sorted(times)
    assert seconds * 0.8e9 < times[-1] - times[0] < seconds * 1.2e9
    source = one_source(tmp_path / "log")
    assert source["gaps"] == 0 and source["gap_size_total"] == 0


def test_a_wall_clock_that_jumped_while_serve_was_down_is_told_by_its_start(start, tmp_path):
    clock = tmp_path / "clock"
    walls = []
    for jump in ["+86400", "-86400", "+0"]:
        clock.write_text(jump + "\n")
        assert Serve(tmp_path / "log", prefix=faked_clock(clock)).stop() == 0
    for event in check_kept(tmp_path / "log").values():
        if event["kind"] == 1:
            walls.append(struct.unpack_from("<q", bytes.fromhex(event["payload"]))[0] / 1e9 - time.time())
    assert [round(wall / 86400) for wall in walls] == [1, -1, 0]
