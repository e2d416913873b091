"""Fixtures of the end-to-end tests."""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # For the package `model`.

import serving  # noqa: E402
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
