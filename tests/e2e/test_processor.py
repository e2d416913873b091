"""serve --with-audio FILE.c: a tone goes into JACK's input ports, through the processor, and is heard at its outputs."""

import array
import json
import math
import time
from pathlib import Path

import pytest
from serving import call, logged, wait_until
from sound_of import proof_of
from sound_session import sound_process

PROCESSORS = Path(__file__).resolve().parent.parent.parent / "tools" / "symlog" / "processors"
TONE_PEAK = 0.5
BLOCK = 256

HEAD = """
#include "symlog_processor.h"
static void process(void *state, const float *const in[2], float *const out[2], int frames,
                    const float *const *values, const symlog_transport *transport)
{
    for (int i = 0; i < frames; i++)
        for (int side = 0; side < 2; side++)
"""
TAIL = """
}
const symlog_processor_description symlog_processor = {.abi = SYMLOG_PROCESSOR_ABI, .process = process};
"""
HALF = HEAD + "out[side][i] = in[side][i] * 0.5f;" + TAIL
CRASH = HEAD + "*(volatile int *)8 = i;" + TAIL
LOOP = HEAD + "for (volatile int j = 0;; j++) continue;" + TAIL
NAN = HEAD + "out[side][i] = (in[side][i] - in[side][i]) / (in[side][i] - in[side][i]);" + TAIL


@pytest.fixture
def processed(jack, start, tmp_path):
    """A `serve --with-audio` with the file; a tone is its input."""
    jack.listen(feed="sine")

    def begin(source, is_good=True):
        file = tmp_path / "mine.c"
        if source is not None:
            file.write_text(source)
        serve = start("--with-audio", file, popen={"env": jack.environment})
        serve.wait_for(r'^sound device="JACK.* input=yes')
        if is_good:
            serve.wait_for(r"^processor runs=mine\.c")
        jack.listeners[0].wait_for_ports(4)
        return serve, file

    return begin


def meters_for(control, seconds):
    """The peaks of the left channel."""
    peaks, until = [], time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            message = json.loads(control.recv(timeout=left))
        except TimeoutError:
            break
        if message.get("method") == "meterUpdate":
            peaks.append((message["params"]["left_peak"], message["params"]["left_rms"]))
    return peaks


def decibels(value):
    return 20 * math.log10(value) if value > 0 else -200


def wait_for_level(control, decibel):
    """Until half a second of meters reads so, within 0.1 dB."""

    def reads():
        peaks = meters_for(control, 0.5)
        return len(peaks) > 20 and all(abs(decibels(peak) - decibel) < 0.1 for peak, _ in peaks)

    wait_until(reads, f"{decibel} dB")


def test_gain_turns_a_tone(processed):
    serve, _ = processed((PROCESSORS / "gain.c").read_text())
    with serve.subscribe(max_queue=None) as control:
        assert call(control, "ping")
        wait_for_level(control, decibels(TONE_PEAK))
        for peak, rms in meters_for(control, 1):
            assert abs(decibels(peak) - decibels(TONE_PEAK)) < 0.1
            assert abs(decibels(rms) - decibels(TONE_PEAK / math.sqrt(2))) < 0.1
        assert call(control, "setParameter", id="processor.gain", value=-12)["result"] == {}
        wait_for_level(control, decibels(TONE_PEAK) - 12)
        listed = call(control, "getAllParameters")["result"]["parameters"]
        gain = next(one for one in listed if one["id"] == "processor.gain")
        assert (gain["value"], gain["default"], gain["min"], gain["max"], gain["unit"]) == (-12, 0, -60, 12, "dB")
        call(control, "setParameter", id="processor.gain", value=1000)  # Out of its range: no event.
    assert serve.stop() == 0
    assert sum(" parameter " in line for line in logged(serve.db)) == 1
    assert any(" processor " in line and "mine.c" in line for line in logged(serve.db))


def test_saved_while_it_sounds_it_leaves_no_gap_and_no_step(processed, jack):
    serve, file = processed((PROCESSORS / "gain.c").read_text())
    with serve.subscribe(max_queue=None) as control:
        assert call(control, "ping")
        wait_for_level(control, decibels(TONE_PEAK))
        begun = time.monotonic_ns()
        file.write_text(HALF)
        wait_until(lambda: serve.count(r"^processor runs=") == 2, "the other one runs")
        wait_for_level(control, decibels(TONE_PEAK / 2))
        file.write_text((PROCESSORS / "gain.c").read_text())
        wait_until(lambda: serve.count(r"^processor runs=") == 3, "the first one runs again")
        wait_for_level(control, decibels(TONE_PEAK))
        ended = time.monotonic_ns()
    assert serve.stop() == 0
    capture = jack.listeners[0].stop()
    first, last = capture.frame_at(begun), capture.frame_at(ended)
    samples = array.array("f", capture.part(first, last - first))[0::2]
    assert max(samples) > 0.99 * TONE_PEAK and min(samples) < -0.99 * TONE_PEAK
    before = samples[: capture.rate // 20]
    own = max(abs(b - a) for a, b in zip(before, before[1:]))
    steps = [(abs(b - a), at) for at, (a, b) in enumerate(zip(samples, samples[1:]))]
    assert max(steps)[0] <= own * 1.05, (max(steps), own)
    silent = longest = 0
    for sample in samples:
        silent = silent + 1 if sample == 0 else 0
        longest = max(longest, silent)
    assert longest <= BLOCK, longest


@pytest.mark.parametrize(
    "source, reason",
    [(CRASH, "the processor crashed"), (LOOP, "the processor does not return")],
    ids=["crash", "loop"],
)
def test_what_ends_the_process_is_left_out(processed, source, reason):
    serve, file = processed(HALF)
    with serve.subscribe(max_queue=None) as control:
        assert "result" in call(control, "eval", code="track('t', t => t.clip(Clip.melody().note('C4', '4n')))")
        assert "result" in call(control, "play")
        wait_for_level_of_tone(control)
        first = sound_process(serve)
        file.write_text(source)
        wait_until(lambda: serve.count(rf'^sound ended reason="{reason}"') == 1, reason)
        wait_until(lambda: sound_process(serve) not in (None, first), "another process")
        wait_until(lambda: call(control, "getAudioStatus")["result"]["status"]["phase"].startswith("running"), "it runs")
        time.sleep(1)
        assert serve.count(r"^sound ended") == 1, serve.lines
        assert call(control, "getAudioStatus")["result"]["status"]["diagnostic"]["code"] == "processor_left_out"
        file.write_text(HALF)
        wait_until(lambda: serve.count(r"^processor runs=") >= 2, "mended")
        wait_for_level_of_tone(control)
    assert serve.stop() == 0
    assert any(" refused " in line and reason in line for line in logged(serve.db))
    proof = proof_of(serve.db)
    assert proof["wrong"] == [] and proof["proven_s"] > 1, proof


def wait_for_level_of_tone(control):
    """At least what the tone alone would give, halved."""

    def reads():
        peaks = meters_for(control, 0.5)
        return len(peaks) > 20 and all(peak > 0.9 * TONE_PEAK / 2 for peak, _ in peaks)

    wait_until(reads, "the tone")


def test_what_is_no_sound_is_muted(processed):
    serve, file = processed(HALF)
    with serve.subscribe(max_queue=None) as control:
        assert call(control, "ping")
        wait_for_level(control, decibels(TONE_PEAK / 2))
        first = sound_process(serve)
        file.write_text(NAN)
        serve.wait_for(r"mine\.c gave NaN in the left channel")
        wait_until(lambda: all(peak == 0 for peak, _ in meters_for(control, 0.3)), "silence")
        assert sound_process(serve) == first
        file.write_text(HALF)
        wait_for_level(control, decibels(TONE_PEAK / 2))
    assert serve.stop() == 0


def test_errors_leave_what_sounds(processed):
    serve, file = processed(HALF)
    with serve.subscribe(max_queue=None) as control:
        assert call(control, "ping")
        wait_for_level(control, decibels(TONE_PEAK / 2))
        file.write_text(HALF.replace("0.5f;", "0.5f * nothing;"))
        serve.wait_for(r"mine\.c:\d+:\d+: error:")
        wait_for_level(control, decibels(TONE_PEAK / 2))
    assert serve.stop() == 0


def test_a_file_that_comes_later(processed):
    serve, file = processed(None, is_good=False)
    serve.wait_for(r"mine\.c.*no such file")
    with serve.subscribe(max_queue=None) as control:
        assert call(control, "ping")
        file.write_text(HALF)
        serve.wait_for(r"^processor runs=mine\.c")
        wait_for_level(control, decibels(TONE_PEAK / 2))
    assert serve.stop() == 0


def test_without_a_processor_the_input_is_heard(jack, start):
    jack.listen(feed="sine")
    serve = start("--with-audio", popen={"env": jack.environment})
    serve.wait_for(r'^sound device="JACK.* input=yes')
    jack.listeners[0].wait_for_ports(4)
    with serve.subscribe(max_queue=None) as control:
        assert call(control, "ping")
        wait_for_level(control, decibels(TONE_PEAK))
        status = call(control, "getAudioStatus")["result"]["status"]
        assert status["phase"] == "runningFullDuplex"
    assert serve.stop() == 0
