"""Power cuts: whatever part of the writes since the last flush is on the disk, the log is whole, and holds every event
whose commit had returned.

The writes of a real serve are recorded, and cut off at moments drawn from $SYMLOG_SEED, which is printed.
"""

import os
import random
import re
import shutil

import disk
import pytest
from faults import Marks, strace
from serving import Serve, run_symlog, wait_until

SOAK = "SYMLOG_SOAK" in os.environ
SEED = int(os.environ.get("SYMLOG_SEED", "1"))
CUTS = 3000 if SOAK else 60
MARKS = 150


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """What a serve wrote that recorded a track's names, marks and big marks."""
    folder = tmp_path_factory.mktemp("recorded")
    trace = folder / "trace"
    paths = [folder / "log" / name for name in ("data.mdb", "new/data.mdb")]
    serve = Serve(folder / "log", prefix=strace(*disk.options(trace, *paths)))
    live, marks = serve.live(), Marks(serve, "x" * 1000)
    live.send("/live/track/added", ("i", 0), ("s", "track"))
    number = 0
    while len(marks.acknowledged) < MARKS:
        live.send("/live/track/renamed", ("i", 0), ("s", f"name {number}"))
        number += 1
        count = len(marks.acknowledged)
        wait_until(lambda count=count: len(marks.acknowledged) > count, "a mark")
    marks.stop()
    assert serve.stop() == 0
    steps = disk.read_steps(trace)
    image = bytearray()
    for step in steps:
        disk.put(image, step.offset, step.data)
    assert image == (folder / "log" / "data.mdb").read_bytes(), "every write was seen"
    assert [step.is_rename for step in steps].count(True) == 1
    return steps


def moments_of(steps, count, moments):
    """Places among the steps from which on the file has its name; before that there is no log."""
    begin = next(place for place, step in enumerate(steps) if step.is_rename)
    return [moments.randrange(begin, len(steps)) for _ in range(count)]


def events_in(image, folder):
    """How many events the log in this file has; None if it is no log yet. Anything wrong with it fails."""
    folder.mkdir(exist_ok=True)
    (folder / "data.mdb").write_bytes(image)
    ended = run_symlog("verify", "--db", folder)
    if ended.returncode == 1 and "there is no log" in ended.stderr:
        return None
    assert ended.returncode == 0, ended
    return int(re.match(r"ok: (\d+) events", ended.stdout)[1])


def test_a_power_cut_loses_nothing_committed(steps, tmp_path):
    print(f"SYMLOG_SEED={SEED}")
    moments = random.Random(SEED)
    folder = tmp_path / "log"
    cuts = moments_of(steps, CUTS, moments)
    committed, seen = None, set()
    for place, durable, pending in disk.images(steps):
        if place > 0 and steps[place - 1].data and steps[place - 1].is_flush:
            committed = events_in(durable, folder)  # The meta page is written: the commit returns.
        for _ in range(cuts.count(place)):
            found = events_in(disk.after_cut(durable, pending, moments), folder)
            assert (found or 0) >= (committed or 0)
            seen.add((found, committed))
    assert committed >= MARKS
    assert any(found != before for found, before in seen), "some cuts fell between the writing and the return"


def test_a_log_goes_on_after_a_power_cut(steps, start, tmp_path):
    moments = random.Random(SEED)
    for cut in moments_of(steps, 30 if SOAK else 4, moments):
        image = next(
            disk.after_cut(durable, pending, moments) for place, durable, pending in disk.images(steps) if place == cut
        )
        folder = tmp_path / f"cut{cut}"
        shutil.rmtree(folder, ignore_errors=True)
        before = events_in(image, folder) or 0
        serve = start(db=folder)
        assert f" events={before} " in serve.lines[0]
        marks = Marks(serve)
        wait_until(lambda marks=marks: len(marks.acknowledged) > 3, "marks")
        marks.stop()
        assert serve.stop() == 0
        assert events_in((folder / "data.mdb").read_bytes(), folder) > before + 3
