"""serve --sound on a sound card: what JACK's other clients hear is what the log's events give, sample for sample."""

import os

import pytest
from sound_of import Rendered, compare, heard_of, late_share, proof_of
from sound_session import SECONDS, Session

IS_SOAK = "SYMLOG_SOAK" in os.environ
ASAN_BINARY = os.environ.get("SYMLOG_ASAN_BIN")
SAME_OF_A_MINUTE = 40  # Others may have been lost by a crash, or by JACK.


def play_session(serve, jack, turns, kill_turns):
    """Turns of a session, some with a crash; then all is stopped. Gives what was captured."""
    with serve.subscribe(max_queue=None) as control:
        session = Session(serve, control)
        for turn in range(turns):
            session.play(kill_at=29.3 if turn in kill_turns else None)
        session.result("stop", quantize="off")
        session.play_nothing(2)
        status = session.result("getAudioStatus")["status"]
    assert serve.stop() == 0, serve.lines
    return jack.listeners[0].stop(), status, len(session.kills)


def check_session(serve, jack, tmp_path, turns, kill_turns):
    capture, status, kills = play_session(serve, jack, turns, kill_turns)
    heard = heard_of(serve.db)
    proof = proof_of(serve.db)
    rendered = Rendered(serve.db, tmp_path)
    comparison = compare(capture, rendered, heard)
    marks, late = late_share(serve.db)
    summary = (
        f"{comparison}; {turns * SECONDS} s, {len(heard)} heard; {kills} crashes; proof {proof}; {late} of {marks} marks late; "
        f"JACK's xruns {capture.xruns}, listener lost {capture.lost}; {status['counts']}; {rendered.summary}"
    )
    print(summary)
    assert proof["status"] == 0 and proof["ok"] and proof["wrong"] == [], summary
    assert capture.lost == 0, summary
    assert len(comparison.other) <= capture.xruns, summary  # In each JACK itself has lost a period.
    assert len(comparison.same) >= SAME_OF_A_MINUTE * turns, summary
    assert comparison.placings <= 1 + kills + capture.xruns, summary
    assert late < marks / 2, summary
    return summary


def test_what_is_heard_is_what_the_log_gives(sounding, jack, tmp_path):
    serve = sounding()
    check_session(serve, jack, tmp_path, 1, {0})
    if ASAN_BINARY:
        assert proof_of(serve.db, ASAN_BINARY) == proof_of(serve.db)


@pytest.mark.skipif(not IS_SOAK, reason="takes ten minutes: SYMLOG_SOAK=1")
def test_ten_minutes_with_two_crashes(sounding, jack, tmp_path):
    check_session(sounding(), jack, tmp_path, 10, {3, 7})
