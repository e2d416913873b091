"""serve --with-audio FILE.c whose file does what it must not: what is said, and that the next save runs."""

import os
import re

import pytest
from jack import jack_server
from serving import call, wait_until
from sound_of import events_of, heard_of

PLAIN = """
#include "symlog_processor.h"
#include <stdlib.h>
#include <string.h>
#define BYTES(frames) (sizeof(float) * (size_t)(frames))
static int blocks;
static void *init(double rate) { (void)rate; return &blocks; }
static void destroy(void *state) { (void)state; /*destroy*/ }
static void process(void *state, const float *const in[2], float *const out[2], int frames,
                    const float *const *values, const symlog_transport *transport)
{
    (void)state; (void)values; (void)transport;
    if (blocks++ > 20) { /*process*/ }
    memcpy(out[0], in[0], BYTES(frames));
    memcpy(out[1], in[1], BYTES(frames));
}
const symlog_processor_description symlog_processor = {
    .abi = SYMLOG_PROCESSOR_ABI, .init = init, .destroy = destroy, .process = process,
};
"""
WITHOUT_END = 'for (;;) __asm__ volatile("");'


@pytest.fixture
def processed(start, tmp_path):
    """A serve with a processor that runs; its file."""
    with jack_server(tmp_path) as jack:
        file = tmp_path / "mine.c"
        file.write_text(PLAIN)
        serve = start("--with-audio", file, popen={"env": jack.environment})
        serve.wait_for("^processor runs=mine.c")
        yield serve, file
        serve.stop()


def save(file, **parts):
    """With code in some of its places; in one go, as editors do."""
    text = PLAIN
    for name, code in parts.items():
        text = text.replace(f"/*{name}*/", code)
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def refusals(serve):
    return [payload.decode(errors="replace") for _, payload in events_of(serve.db, "refused")]


@pytest.mark.parametrize("name", ["folder", "fifo", "missing/mine.c"])
def test_what_is_no_file_leaves_the_music_alone(start, tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with jack_server(tmp_path) as jack:
        serve = start("--with-audio", tmp_path / name, popen={"env": jack.environment})
        serve.wait_for("^refused what=processor .*begin with another file")
        with serve.subscribe(max_queue=None) as control:
            assert call(control, "eval", code="track('a', t => t.clip(Clip.melody().note('C4').loop(8)))")["result"]
            call(control, "play")
            wait_until(lambda: len(heard_of(serve.db)) >= 2, "it is heard")
        assert serve.stop() == 0
        assert serve.count("^sound ended") == 0, serve.lines


def test_one_that_exits_is_left_out(processed):
    serve, file = processed
    save(file, process="exit(3);")
    serve.wait_for(r'^sound ended reason="the processor ended the process, with status 3"')
    wait_until(lambda: serve.count("^sound device=") == 2, "it is there again")
    save(file)
    wait_until(lambda: serve.count("^processor runs=") == 3, "the mended one runs")
    assert serve.count("^sound ended") == 1, serve.lines
    assert any(re.search("ended the process", each) for each in refusals(serve))


def test_one_that_calls_itself_for_ever_is_left_out(processed):
    """Its stack is full: what tells of the crash has another."""
    serve, file = processed
    itself = "process(state, in, out, frames, values, transport)"
    save(file, process=f"volatile char room[4096]; room[0] = 1; {itself}; room[1] = room[0];")
    wait_until(lambda: "crashed" in "".join(refusals(serve)), "it is told")
    save(file)
    wait_until(lambda: serve.count("^processor runs=") == 3, "the next save runs")


def test_what_was_mended_while_the_sound_was_down_runs(processed):
    serve, file = processed
    save(file, process="abort();")
    serve.wait_for(r'^sound ended reason="the processor crashed"')
    save(file)
    wait_until(lambda: serve.count("^processor runs=") == 3, "the mended one runs")
    assert serve.count("^sound ended") == 1, serve.lines


def test_a_destroy_that_does_not_return_is_ended(processed):
    serve, file = processed
    save(file, destroy=WITHOUT_END)
    wait_until(lambda: serve.count("^processor runs=") == 2, "it runs")
    save(file)
    serve.wait_for(r'^sound ended reason="the processor does not return"')
    wait_until(lambda: serve.count("^sound device=") == 2, "it is there again")
