"""serve --sound on a sound card: what JACK's other clients hear is what the log's events give, sample for sample."""

import array
import json
import math
import os
import random
import signal
import time

import pytest
from jack import Jack
from serving import PATIENCE_S, call, logged, receive_until, run_symlog, wait_until
from sound_of import Rendered, compare, heard_of, late_share, peaks_of, proof_of, rms_of
from sound_session import SECONDS, Session, children_of, sound_process, words_of

IS_SOAK = "SYMLOG_SOAK" in os.environ
ASAN_BINARY = os.environ.get("SYMLOG_ASAN_BIN")
SILENCE_FRAMES = 960
LOOKED_FOR_S = 10  # How often a device is looked for.
PLAIN = "{detune: 0, vibrato: 0, sub: 0, drive: 0, width: 0, envelope: 0, sustain: 1, attack: 0.001}"
STEADY = f"track('tone', t => t.instrument('lead', {PLAIN}).clip(Clip.melody().note('C6', 4000)))"


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


def play_session(serve, jack, turns, kill_turns):
    """Turns of a session, some with a crash; then all is stopped. Gives what was captured."""
    with control_of(serve) as control:
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
    assert not comparison.other, summary
    assert len(comparison.same) >= 40 * turns, summary
    assert comparison.placings <= 1 + kills + capture.xruns, summary
    assert late < marks / 2, summary
    return summary


def test_what_is_heard_is_what_the_log_gives(sounding, jack, tmp_path):
    serve = sounding()
    check_session(serve, jack, tmp_path, 1, {0})
    if ASAN_BINARY:
        assert proof_of(serve.db, ASAN_BINARY) == proof_of(serve.db)


def alive(pids):
    return [pid for pid in pids if any(words_of(pid))]  # One that waits for its parent has no words left.


def wait_until_gone(pids):
    """A process of serve's that outlives it would go on sounding."""
    begun = time.monotonic()
    wait_until(lambda: not alive(pids), "all are gone")
    assert time.monotonic() - begun < 1


def begin_steady(control, code=STEADY):
    """A tone that does not change, and goes on and on."""
    assert "result" in call(control, "eval", code=code)
    assert "result" in call(control, "play", quantize="off")


def control_of(serve):
    """A subscriber that may look away: what is told meanwhile waits in its own memory."""
    return serve.subscribe(max_queue=None)


def set_parameter(control, name, value):
    control.send(json.dumps({"jsonrpc": "2.0", "method": "setParameter", "params": {"id": name, "value": value}}))


def receive_for(control, seconds):
    """All that is told meanwhile."""
    messages, until = [], time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            messages.append(json.loads(control.recv(timeout=left)))
        except TimeoutError:
            break
    return messages


def heard_count(serve):
    return sum(" heard " in line for line in logged(serve.db))


def test_music_begins_before_the_sound_does(jack, start):
    """Marks of the timer's player come while the sound process opens its device."""
    serve = start("--sound", popen={"env": jack.environment})
    with control_of(serve) as control:
        begin_steady(control)
        for step in range(8):
            set_parameter(control, "lead.cutoff", 500 + 100 * step)
            time.sleep(0.02)
    wait_until(lambda: heard_count(serve) >= 2, "two seconds were heard")
    assert serve.stop() == 0, serve.lines
    proof = proof_of(serve.db)
    assert proof["status"] == 0 and proof["wrong"] == [], proof


def test_killed_it_leaves_nobody_behind(sounding):
    serve = sounding()
    with control_of(serve) as control:
        begin_steady(control)
        time.sleep(0.5)
        family = children_of(serve.process.pid)
        assert sound_process(serve) in family
    serve.stop(signal.SIGKILL)
    wait_until_gone(family)


def test_ctrl_c_ends_all_and_the_log_is_whole(sounding, tmp_path):
    serve = sounding(popen={"start_new_session": True})
    with control_of(serve) as control:
        begin_steady(control)
        wait_until(lambda: heard_count(serve) >= 2, "two seconds")
        family = children_of(serve.process.pid)
        os.killpg(serve.process.pid, signal.SIGINT)
        begun = time.monotonic()
        assert serve.process.wait(PATIENCE_S) == 0
        assert time.monotonic() - begun < 2, serve.lines
    wait_until_gone(family)
    assert not serve.count("signal"), serve.lines
    assert run_symlog("verify", "--db", serve.db).returncode == 0
    assert proof_of(serve.db)["ok"]


def test_the_sound_server_dies_and_comes_back(sounding, jack):
    serve = sounding()
    with control_of(serve) as control:
        begin_steady(control)
        wait_until(lambda: heard_count(serve) >= 1, "a second")
        jack.kill()
        serve.wait_for("^sound device=none ")
        before = heard_count(serve)
        wait_until(lambda: heard_count(serve) >= before + 2, "it goes on")
        receive_until(control, lambda message: message.get("method") == "meterUpdate")
        assert call(control, "getAudioStatus")["result"]["status"]["phase"] == "degraded"
        jack.start()
        listener = jack.listen("again")
        wait_until(lambda: serve.count('^sound device="JACK') >= 2, "it finds it", 4 * PATIENCE_S)
        listener.wait_for_ports()
        again = heard_count(serve)
        wait_until(lambda: heard_count(serve) >= again + 2, "it goes on there")
        assert call(control, "getAudioStatus")["result"]["status"]["phase"] == "runningOutputOnly"
    assert serve.stop() == 0
    print(*serve.lines, sep="\n")
    proof = proof_of(serve.db)
    assert proof["ok"] and proof["proven_s"] > 4, proof
    capture = listener.stop()
    comparison = compare(capture, Rendered(serve.db, jack.folder), heard_of(serve.db)[-2:])
    assert len(comparison.same) == 2, str(comparison)


def test_a_device_that_cannot_do_the_rate_is_not_found_again(jack, start):
    """It is there, and another rate than its own is no reason to begin anew."""
    serve = start("--sound", "--rate", 44100, popen={"env": jack.environment})
    serve.wait_for("^sound device=none .*44100 Hz")
    time.sleep(LOOKED_FOR_S + 2)
    assert serve.count("^sound device=") == 1, serve.lines


LONG = "track('a', t => t.instrument('pad').effect('reverb', {decay: 20, mix: 1}).clip(Clip.keys().chord('Cm7', 4, '4n')))"


def test_what_rang_on_does_not_ring_in_the_next_run(jack, start):
    """Until it has a mark a run is silent: its first second is proven, with the silence in it."""
    first = start("--sound", popen={"env": jack.environment})
    first.wait_for(r'^sound device="JACK')
    with control_of(first) as control:
        begin_steady(control, LONG)
        wait_until(lambda: heard_count(first) >= 2, "the first run is heard")
        assert "result" in call(control, "stop", quantize="off")
    assert first.stop() == 0
    count = heard_count(first)
    second = start("--sound", db=first.db, popen={"env": jack.environment})
    second.wait_for(r'^sound device="JACK')
    with control_of(second) as control:
        time.sleep(0.5)
        assert "result" in call(control, "play", quantize="off")
        wait_until(lambda: heard_count(second) >= count + 2, "the second run is heard")
    assert second.stop() == 0
    proof = proof_of(second.db)
    assert proof["status"] == 0 and proof["wrong"] == [] and proof["unproven_s"]["unknown"] == 0, proof


def sound_begins(capture):
    """The frames at which sound begins after SILENCE_FRAMES or more."""
    samples = array.array("Q", capture.data)
    begins, silent = [], 0
    for frame, sample in enumerate(samples):
        if sample == 0:
            silent += 1
        else:
            if silent >= SILENCE_FRAMES:
                begins.append(frame)
            silent = 0
    return begins


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def test_a_parameter_is_heard_soon(sounding, jack):
    """From sending it over the WebSocket to the first frame at the port that is another one."""
    serve = sounding()
    changes, rng, sent = 500 if IS_SOAK else 60, random.Random(1), []
    with control_of(serve) as control:
        begin_steady(control)
        set_parameter(control, "master.volume", 0)
        receive_for(control, 1)
        for _ in range(changes):
            sent.append(time.monotonic_ns())
            set_parameter(control, "master.volume", 1)
            receive_for(control, 0.06 + 0.03 * rng.random())
            set_parameter(control, "master.volume", 0)
            receive_for(control, 0.12 + 0.03 * rng.random())
        if IS_SOAK:
            for step in range(60 * 60):
                set_parameter(control, "master.volume", 0.5 + 0.4 * (step % 60) / 60)
                receive_for(control, 1 / 60)
    assert serve.stop() == 0
    capture = jack.listeners[0].stop()
    heard = [capture.ns_of(frame) for frame in sound_begins(capture)]
    latencies = []
    for at in sent:
        first = next((ns for ns in heard if ns > at), None)
        if first is not None:
            latencies.append((first - at) / 1e6)
    marks, late = late_share(serve.db)
    figures = ", ".join(f"p{share} {percentile(latencies, share / 100):.1f} ms" for share in (1, 50, 90, 99))
    summary = f"latency of {len(latencies)} changes: {figures}; {late} of {marks} marks late; xruns {capture.xruns}"
    print(summary)
    assert len(heard) >= changes and len(latencies) == changes, summary
    assert percentile(latencies, 0.5) < 60, summary
    proof = proof_of(serve.db)
    assert proof["ok"], (summary, proof)


def decibels(value, of):
    return 20 * math.log10(value / of)


def test_meters_tell_what_is_heard(sounding, jack):
    serve = sounding()
    with control_of(serve) as control:
        begin_steady(control)
        receive_for(control, 3)
        begun = time.monotonic_ns()
        meters = [m["params"] for m in receive_for(control, 5) if m.get("method") == "meterUpdate"]
        ended = time.monotonic_ns()
    assert serve.stop() == 0
    capture = jack.listeners[0].stop()
    first, last = capture.frame_at(begun), capture.frame_at(ended)
    part = capture.part(first, last - first)
    rate = len(meters) * 1e9 / (ended - begun)
    stamps = [m["timestamp_us"] for m in meters]
    steps_ms = [(b - a) / 1000 for a, b in zip(stamps, stamps[1:])]
    away = {}
    for side, peak, rms in zip(("left", "right"), peaks_of(part), rms_of(part)):
        away[f"{side} peak"] = max(abs(decibels(m[f"{side}_peak"], peak)) for m in meters)
        away[f"{side} rms"] = abs(decibels(math.hypot(*(m[f"{side}_rms"] for m in meters)) / len(meters) ** 0.5, rms))
    summary = (
        f"{rate:.2f} meters a second, {min(steps_ms):.1f} to {max(steps_ms):.1f} ms apart; "
        f"{', '.join(f'{name} {value:.3f} dB away' for name, value in away.items())}; {meters[-1]}"
    )
    print(summary)
    assert 58 <= rate <= 62, summary
    assert max(away.values()) < 0.1, summary
    assert [track["name"] for track in meters[-1]["tracks"]] == ["tone"], summary
