"""Each path of the wire format, and what else a sender may do: the fixtures of fixtures/paths/, played and replayed.

With UPDATE_FIXTURES=1 playing one writes its log and what replay must print anew.
"""

import difflib
import json
import os

import pytest
from model.tree import RULES
from path_fixtures import (
    EXPECTED,
    FOLDER,
    INPUT,
    LOG,
    NAMES,
    expected_messages,
    import_log,
    messages_of,
    path_of,
    play,
    read_steps,
    replayed,
    told_messages,
    write_anew,
)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def test_fixture_played_tells_what_it_must(name, start, tmp_path):
    serve = start()
    played = play(serve, read_steps(name))
    if "UPDATE_FIXTURES" in os.environ:
        assert serve.stop() == 0
        write_anew(name, played, serve.db, tmp_path / "imported")
    expected, found = expected_messages(name), told_messages(played)
    if found != expected:
        pytest.fail(difference(pretty(expected), pretty(found)), pytrace=False)


def test_fixture_replayed_prints_what_it_must(name, tmp_path):
    import_log(name, tmp_path / "imported")
    expected, found = path_of(name, EXPECTED).read_text(), replayed(tmp_path / "imported")
    if found != expected:
        pytest.fail(difference(lines_of(expected), lines_of(found)) or "they differ in white space", pytrace=False)


def test_fixtures_have_every_path():
    paths = {path for name in NAMES for step in read_steps(name) if "path" in step for path, _ in messages_of(step)}
    assert RULES.keys() - paths == {"/symlog/snapshot"}, "which inputs have as a picture"
    assert any("snapshot" in step for name in NAMES for step in read_steps(name))


def test_fixtures_are_complete():
    wanted = {name + suffix for name in NAMES for suffix in (INPUT, LOG, EXPECTED)}
    assert {path.name for path in FOLDER.iterdir()} == wanted


# A difference that can be read: JSON with a line for each value.


def lines_of(expected):
    """The lines of an `.expected`, those with JSON written out."""
    lines = []
    for line in expected.split("\n"):
        lines += pretty(json.loads(line)) if line.startswith("{") else [line]
    return lines


def pretty(value):
    return json.dumps(value, indent=1, ensure_ascii=False).split("\n")


def difference(expected, found):
    return "\n".join(difflib.unified_diff(expected, found, "expected", "found", lineterm="", n=6))
