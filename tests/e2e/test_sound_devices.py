"""serve --sound and its devices: how soon, how loud, at which rates, and what happens when something dies."""

import array
import json
import math
import os
import random
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest
from serving import BINARY, PATIENCE_S, call, logged, receive_until, run_symlog, wait_until
from sound_of import Rendered, compare, heard_of, late_share, peaks_of, proof_of, rms_of
from sound_session import OPENING, children_of, sound_process, words_of

IS_SOAK = "SYMLOG_SOAK" in os.environ
PT_TLS = 7
SILENCE_FRAMES = 960
LOOKED_FOR_S = 10  # How often a device is looked for.
MAGNITUDES = 0x7FFFFFFF7FFFFFFF  # Of left and right: silence may be negative.
PLAIN = "{detune: 0, vibrato: 0, sub: 0, drive: 0, width: 0, envelope: 0, sustain: 1, attack: 0.001}"
STEADY = f"track('tone', t => t.instrument('lead', {PLAIN}).clip(Clip.melody().note('C6', 4000)))"


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
    proof = proof_of(serve.db)
    assert proof["ok"] and proof["proven_s"] > 4, proof
    capture = listener.stop()
    comparison = compare(capture, Rendered(serve.db, jack.folder), heard_of(serve.db)[-2:])
    assert len(comparison.same) == 2, str(comparison)


def sound_begins(capture):
    """The frames at which sound begins after SILENCE_FRAMES or more."""
    samples = array.array("Q", capture.data)
    begins, silent = [], 0
    for frame, sample in enumerate(samples):
        if sample & MAGNITUDES == 0:
            silent += 1
        else:
            if silent >= SILENCE_FRAMES:
                begins.append(frame)
            silent = 0
    return begins


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def test_a_device_that_cannot_do_the_rate_is_not_found_again(jack, start):
    """It is there, and another rate than its own is no reason to begin anew."""
    serve = start("--sound", "--rate", 44100, popen={"env": jack.environment})
    serve.wait_for("^sound device=none .*44100 Hz")
    time.sleep(LOOKED_FOR_S + 2)
    assert serve.count("^sound device=") == 1, serve.lines


def test_one_that_hangs_is_replaced(sounding):
    serve = sounding()
    with control_of(serve) as control:
        begin_steady(control)
        wait_until(lambda: heard_count(serve) >= 2, "it is heard")
        hung = sound_process(serve)
        os.kill(hung, signal.SIGSTOP)
        serve.wait_for(r'^sound ended reason="it said nothing for 5 s"')
        wait_until(lambda: sound_process(serve) not in (None, hung), "another one")
        count = heard_count(serve)
        wait_until(lambda: heard_count(serve) >= count + 2, "it is heard again")
    assert serve.stop() == 0
    proof = proof_of(serve.db)
    assert proof["status"] == 0 and proof["wrong"] == [], proof


LONG = "track('a', t => t.instrument('pad').effect('reverb', {decay: 20, mix: 1}).clip(Clip.keys().chord('Cm7', 4, '4n')))"


def test_what_rang_on_does_not_ring_in_the_next_run(jack, start):
    """Until it has a mark a run is silent, and nobody says that he heard it."""
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
            receive_for(control, 0.05 + 0.02 * rng.random())
            set_parameter(control, "master.volume", 0)
            receive_for(control, 0.07 + 0.02 * rng.random())
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


@pytest.mark.parametrize("rate, period", [(48000, 64), (48000, 1024), (44100, 256)])
def test_other_rates_and_blocks(make_jack, start, tmp_path, rate, period):
    jack = make_jack(rate=rate, period=period)
    listener = jack.listen()
    serve = start("--sound", popen={"env": jack.environment})
    serve.wait_for(rf'^sound device="JACK.*rate={rate}')
    listener.wait_for_ports()
    with control_of(serve) as control:
        assert "result" in call(control, "eval", code=OPENING)
        assert "result" in call(control, "play", quantize="off")
        for step in range(10):
            set_parameter(control, "bass.cutoff", 300 + 100 * step)
            receive_for(control, 0.4)
    assert serve.stop() == 0
    capture = listener.stop()
    heard, proof = heard_of(serve.db), proof_of(serve.db)
    comparison = compare(capture, Rendered(serve.db, tmp_path), heard)
    marks, late = late_share(serve.db)
    summary = f"{rate} Hz, {period} frames: {comparison}; {late} of {marks} marks late; proof {proof}; xruns {capture.xruns}"
    print(summary)
    assert proof["ok"] and proof["wrong"] == [] and {one.rate for one in heard} == {rate}, summary
    assert len(comparison.same) >= 2 and len(comparison.other) <= capture.xruns, summary


def quiet_environment(folder, alsa):
    """No JACK, no PulseAudio, and an ALSA that has what the words of its configuration say."""
    (folder / "asound.conf").write_text(alsa)
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "ALSA_CONFIG_PATH": str(folder / "asound.conf")}
    return {**os.environ, **home, "JACK_DEFAULT_SERVER": "nobody", "JACK_NO_START_SERVER": "1"}


def own_lines(serve):
    """What it says besides who comes and goes."""
    usual = ("log ", "listening ", "subscriber ", "stopped ")
    return [line for line in serve.lines if not line.startswith(usual)]


def test_without_a_device_all_else_goes_on(start, tmp_path):
    serve = start("--sound", popen={"env": quiet_environment(tmp_path, "pcm.nobody { type hw card 77 }")})
    serve.wait_for("^sound device=none ")
    with control_of(serve) as control:
        begin_steady(control)
        wait_until(lambda: heard_count(serve) >= 3, "three seconds")
        receive_for(control, 0.1)
        receive_until(control, lambda m: m.get("method") == "meterUpdate" and m["params"]["left_peak"] > 0.1)
        status = call(control, "getAudioStatus")["result"]["status"]
    assert serve.stop() == 0
    [said] = own_lines(serve)
    assert 'reason="there is no sound device"' in said
    assert status["phase"] == "degraded" and status["diagnostic"]["code"] == "no_device", status
    proof = proof_of(serve.db)
    assert proof["ok"], proof


def test_libraries_that_die_of_the_configuration_are_left_alone(start, tmp_path):
    """PortAudio aborts where ALSA has no configuration at all."""
    empty = tmp_path / "asound.conf"
    empty.write_text("")
    environment = {**quiet_environment(tmp_path, ""), "ALSA_CONFIG_PATH": str(empty)}
    serve = start("--sound", popen={"env": environment})
    serve.wait_for("^sound device=none ")
    with control_of(serve) as control:
        begin_steady(control)
        wait_until(lambda: heard_count(serve) >= 2, "two seconds")
    assert serve.stop() == 0


def test_alsa(start, tmp_path):
    """Its file device has no clock: it takes whatever it is given."""
    tape = tmp_path / "tape.raw"
    words = f'pcm.!default {{ type file file "{tape}" format raw slave.pcm {{ type null }} }}'
    serve = start("--sound", popen={"env": quiet_environment(tmp_path, words)})
    serve.wait_for('^sound device="ALSA: default"')
    with control_of(serve) as control:
        begin_steady(control)
        wait_until(lambda: heard_count(serve) >= 2, "it is heard")
        status = call(control, "getAudioStatus")["result"]["status"]
    assert serve.stop() == 0
    assert status["phase"] == "runningOutputOnly", status
    print(own_lines(serve), status, tape.stat().st_size, proof_of(serve.db))
    assert tape.stat().st_size > 0


@pytest.fixture
def pulse(tmp_path_factory):
    """A PulseAudio of the test's own, with a sink that goes nowhere: the environment in which it is found."""
    for program in ("pulseaudio", "parec"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: tools/setup installs it")
    folder = tmp_path_factory.mktemp("p")
    environment = quiet_environment(folder, "pcm.!default { type pulse }")
    sink = "module-null-sink sink_name=sym rate=48000 channels=2 format=float32le"
    words = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-L", sink]
    with (folder / "pulse.out").open("wb") as out:
        server = subprocess.Popen(
            ["pulseaudio", *words, "-L", "module-native-protocol-unix"], env=environment, stdout=out, stderr=out
        )
    wait_until(lambda: (folder / "pulse" / "native").exists(), "PulseAudio")
    yield environment
    server.terminate()
    server.wait(PATIENCE_S)


def test_pulseaudio(pulse, start, tmp_path):
    tape = tmp_path / "tape.raw"
    with tape.open("wb") as out:
        words = ["-d", "sym.monitor", "--format=float32le", "--rate=48000", "--channels=2", "--raw", "--latency-msec=20"]
        recorder = subprocess.Popen(["parec", *words], env=pulse, stdout=out)
    serve = start("--sound", popen={"env": pulse})
    serve.wait_for('^sound device="ALSA: default"')
    with control_of(serve) as control:
        begin_steady(control)
        wait_until(lambda: heard_count(serve) >= 4, "it is heard")
        receive_for(control, 1)
        status = call(control, "getAudioStatus")["result"]["status"]
    assert serve.stop() == 0
    recorder.terminate()
    recorder.wait(PATIENCE_S)
    proof = proof_of(serve.db)
    data = tape.read_bytes()
    data = data[: len(data) // 8 * 8]
    peaks, wanted = peaks_of(data), peaks_of(Rendered(serve.db, tmp_path).data)
    print(own_lines(serve), status, len(data) / 8 / 48000, "s", peaks, wanted, proof)
    assert proof["ok"], proof
    assert abs(decibels(peaks[0], wanted[0])) < 0.1 and abs(decibels(peaks[1], wanted[1])) < 0.1


def render_thread(pid):
    """Its id: the thread is called "sound"."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text() == "sound\n":
            return int(task.name)
    raise AssertionError("no thread renders")


def starve(thread, seconds):
    """It gets a processor only when a loop that never ends leaves it one. Returns how long it did not."""
    begun = time.monotonic()
    processors, policy, param = os.sched_getaffinity(thread), os.sched_getscheduler(thread), os.sched_getparam(thread)
    one = {max(processors)}
    greedy = subprocess.Popen(["sh", "-c", "while :; do :; done"], preexec_fn=lambda: os.sched_setaffinity(0, one))
    try:
        os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
        os.sched_setaffinity(thread, one)
        time.sleep(seconds)
    finally:
        os.sched_setaffinity(thread, processors)
        os.sched_setscheduler(thread, policy, param)
        greedy.kill()
        greedy.wait()
    return time.monotonic() - begun


def test_what_comes_too_late_is_silence_and_the_rest_in_step(sounding, jack, tmp_path):
    serve = sounding()
    with control_of(serve) as control:
        assert "result" in call(control, "eval", code=OPENING)
        assert "result" in call(control, "play", quantize="off")
        wait_until(lambda: heard_count(serve) >= 2, "two seconds")
        thread = render_thread(sound_process(serve))
        starved_s = 0
        for seconds in (0.2, 0.05, 0.4):
            starved_s += starve(thread, seconds)
            receive_for(control, 0.7)
        before = heard_count(serve)
        wait_until(lambda: heard_count(serve) >= before + 2, "two more")
        counts = call(control, "getAudioStatus")["result"]["status"]["counts"]
    assert serve.stop() == 0
    capture = jack.listeners[0].stop()
    comparison = compare(capture, Rendered(serve.db, tmp_path), heard_of(serve.db))
    proof = proof_of(serve.db)
    summary = f"{comparison}; {starved_s:.3f} s starved; {counts}; proof {proof}; xruns {capture.xruns}"
    print(summary)
    assert counts["underruns"] > 0 and comparison.silenced, summary
    if "asan" not in BINARY:  # That one is slow to render what it missed.
        assert counts["missed_frames"] < 1.2 * starved_s * capture.rate, summary
    assert len(comparison.other) <= capture.xruns and comparison.placings <= 1 + capture.xruns, summary
    assert len(comparison.same) >= 3 and proof["ok"] and proof["wrong"] == [], summary


def thread_local_bytes(program):
    """What of each thread's stack goes to the program's own variables, as its ELF file says."""
    data = Path(program).read_bytes()
    (table,), (size, count) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", data, table + size * i) for i in range(count)]
    return sum(header[6] for header in headers if header[0] == PT_TLS)


def test_threads_of_others_keep_their_stacks():
    """JACK's have 512 KiB, in which its callbacks, PortAudio's and a processor must find room."""
    assert thread_local_bytes(os.environ.get("SYMLOG_ASAN_BIN", BINARY)) < 300 << 10
    if "asan" not in BINARY:
        assert thread_local_bytes(BINARY) < 16 << 10
