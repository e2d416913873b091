"""Fixtures of the end-to-end tests."""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # For the package `model`.

import serving  # noqa: E402
from jack import Jack  # noqa: E402
from mutation import SEED  # noqa: E402
from serving import Serve  # noqa: E402


@pytest.fixture
def start(tmp_path):
    """Starts `symlog serve` with options, by default on the test's own log; all are stopped at the end, in order."""
    started = []

    def start_serve(*options, db=tmp_path / "log", **how):
        started.append(Serve(db, *options, **how))
        return started[-1]

    yield start_serve
    for serve in started:
        if serve.process.returncode is None:
            assert serve.stop() == 0, serve.lines


@pytest.fixture
def serve(start):
    """A `symlog serve` without options."""
    return start()


@pytest.fixture
def watched(monkeypatch):
    """The program of this test is the one that watches its own memory, where there is one."""
    monkeypatch.setattr(serving, "BINARY", os.environ.get("SYMLOG_ASAN_BIN", serving.BINARY))


@pytest.fixture
def rng():
    """The same for the same $SYMLOG_SEED."""
    print(f"SYMLOG_SEED={SEED}")
    return random.Random(SEED)


@pytest.fixture
def make_jack(tmp_path_factory):
    """Starts servers; all are stopped at the end, after serve was, if this fixture is asked for before it."""
    made = []

    def make(**how):
        made.append(Jack(tmp_path_factory.mktemp("jack"), **how))
        return made[-1]

    yield make
    for jack in made:
        jack.stop()


@pytest.fixture
def jack(make_jack):
    return make_jack()


@pytest.fixture
def sounding(jack, start):
    """A `serve --sound` on the test's JACK; its listener hears it."""
    jack.listen()

    def begin(*options, popen=None, **how):
        serve = start("--sound", *options, popen={"env": jack.environment, **(popen or {})}, **how)
        serve.wait_for(r'^sound device="JACK')
        jack.listeners[0].wait_for_ports()
        return serve

    return begin
