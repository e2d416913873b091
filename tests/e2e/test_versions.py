"""Logs of earlier versions: fixtures/logs/reducer_N.ndjson was recorded by the last program whose reducer was N."""

import json
import re
from pathlib import Path

import pytest
from cli import lines_of, symlog
from serving import call, receive, receive_until

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "logs").glob("reducer_*.ndjson"))
NAMES = [path.stem for path in FIXTURES]
MARK = "chorus"  # In each of them, while there are three tracks.


@pytest.fixture(params=FIXTURES, ids=NAMES)
def db(request, tmp_path):
    symlog("log", "import", request.param, "--db", tmp_path / "log")
    return tmp_path / "log"


def test_versions_there_is_one():
    assert "reducer_1" in NAMES


def test_versions_verify_compares_no_digests(db):
    verdict = symlog("verify", "--db", db)[0]
    assert re.match(r"ok: \d+ events; checkpoints: 0 proven, [1-9]\d* not comparable \(another reducer version\)\n", verdict)


def test_versions_replay(db):
    state = symlog("replay", "--at", MARK, "--state", "--json", "--db", db)[0]
    tracks = [child for child in json.loads(state)["children"] if child["node_type"] == "track"]
    assert [track["attributes"]["name"] for track in tracks] == ["Drums", "Bass", "Keys"]
    count = len(lines_of("log", "--db", db))
    assert len(lines_of("replay", "--json", "--db", db)) == count
    tracks = [line for line in lines_of("replay", "--state", "--db", db) if line.startswith("tracks[")]
    assert ['name="Kit"' in tracks[0], 'name="Bass"' in tracks[1], len(tracks)] == [True, True, 2]


def test_versions_serve_goes_on(start, db):
    state = lines_of("replay", "--state", "--db", db)
    serve = start(db=db)
    with serve.subscribe() as subscriber:
        assert len(receive(subscriber)["payload"]["ast"]["children"]) == 3
        serve.live().send("/live/track/renamed", ("i", 1), ("s", "Now"))
        receive_until(subscriber, lambda m: '"Now"' in json.dumps(m))
        assert call(subscriber, "stateAt", seq=30)["result"]["node_type"] == "project"
    assert serve.stop() == 0
    assert [line for line in state if line.startswith("tracks[0]")][0] in lines_of("replay", "--state", "--db", db)
    verdict = symlog("verify", "--db", db)[0]
    assert re.match(r"ok: .* [1-9]\d* proven, [1-9]\d* not comparable .*; snapshots: [1-9]", verdict)


def test_versions_prune(db):
    state = symlog("replay", "--state", "--db", db)[0].splitlines()[1:]
    symlog("prune", "--before", MARK, "--db", db)
    assert lines_of("log", "--db", db)[0].endswith(f'mark symlog "{MARK}"')
    now = symlog("replay", "--state", "--db", db)[0].splitlines()[1:]
    assert [line for line in now if not line.startswith("state ")] == [s for s in state if not s.startswith("state ")]
    assert symlog("verify", "--db", db)[0].startswith("ok")
