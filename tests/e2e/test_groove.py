"""The groove box: an editor and a device that meet through symlog, and symlog as a peer of its own."""

import json
import time

import pytest
from groove_peers import COALESCE_S, Device, Editor, wait_until_equal
from groove_ports import Tap
from groove_views import (
    edit,
    edits,
    groove_node,
    levels,
    open_control,
    refusals,
    value,
    wait_for_value,
    wait_until_as,
)
from model import sysex
from model.groove import read_set_lists
from model.random_groove import random_fine_event
from model.sysex import BYE, DELTA, FULL, HELLO
from serving import call, logged, receive, receive_until, wait_until

PATCH = "t120;vol80;kick:4=Xxxx;snare:4=.x.x;hatClosed:4/2=X.x.x.x."
OTHER = "t130;vol80;kick:2+2+3=x..x..x;hatClosed:2+2+3/2=X.x.X.x.X.x.x."
HEARTBEAT_S = 3.0, 5.0
LATENESS_S = 0.5  # A machine that does other work meanwhile.
QUIET_S = 0.3  # So long nothing more comes.
MEASURED_EDITS = 100
TEMPO_EDITS = 40
FIRMWARE_BYTES = 48 << 10
CHUNK_BYTES = 64
PROGRAMS = {
    "format": 2,
    "setlists": [
        {
            "title": "Styles",
            "programs": [{"name": "Rock", "prog": "t120;kick:4=X.x."}, {"name": "Waltz", "prog": "t90;kick:3=Xxx"}],
        },
        {"title": "Song", "programs": [{"name": "Verse", "prog": "t100;snare:4=.X.X"}]},
    ],
}


@pytest.fixture
def port(tmp_path):
    """The path of a port."""
    return tmp_path / "midi"


@pytest.fixture
def tap(port):
    with Tap(port) as tap:
        yield tap


@pytest.fixture
def symlog(start, port, request):
    """Starts a serve at the port, and returns it with a subscriber to ask questions through."""

    def start_at_port(*options):
        serve = start("--midi", port, *options)
        control = open_control(serve)
        request.addfinalizer(control.close)
        return serve, control

    return start_at_port


def say_full(tap, seq=1, patch=PATCH, running=False, place=(-1, -1)):
    tap.say(sysex.full("d7", seq, running, *place, patch))


def frames_after(tap, action, seconds=QUIET_S):
    """The live-sync frames that arrive while nothing but this is done."""
    since = time.monotonic()
    action()
    time.sleep(seconds)
    return tap.heard(HELLO, FULL, DELTA, BYE, since=since)


# An editor and a device, through the hub.


def test_groove_handshake_and_steady_state_through_the_hub(symlog, port):
    with Device(port, patch=OTHER, heartbeat_s=(1, 1.5)) as device:
        serve, control = symlog()
        device.wait_for(lambda _: device.heard(HELLO), "symlog's HELLO")
        with Editor(serve, patch=PATCH) as editor:
            editor.connect()
            device.wait_for(lambda _: editor.origin in device.groove.peers, "the editor's HELLO")
            editor.wait_for(lambda _: device.origin in editor.groove.peers, "the device's FULL")
            wait_until_equal(device, editor)
            for peer, other in ((editor, device), (device, editor)) * 2:
                for event in ("play", "bpm=97", "beat=0/1/3", "vol=33", "stop", "bpm=98", "sel=1/2", "vol=34"):
                    peer.edit(event)
                    wait_until_equal(device, editor)
                edit_until_seen(peer, "lane=0/gain/-3", other, lambda lane: lane.gain == -3)
                edit_until_seen(peer, "lane=0/gain/0", other, lambda lane: lane.gain == 0)
                wait_until_equal(device, editor)
            wait_until_as(control, editor.groove)
            editor.disconnect()
            device.wait_for(lambda _: editor.origin not in device.groove.peers, "the editor's BYE")
        assert not device.refused and not editor.refused


def edit_until_seen(peer, event, other, is_seen):
    """Again, if a heartbeat undid it before it was said: who edits is not the authority."""

    def has_come():
        peer.edit(event)
        time.sleep(2 * COALESCE_S)
        return is_seen(other.groove.patch.lanes[0])

    wait_until(has_come, event)


@pytest.mark.parametrize("from_editor", [True, False], ids=["editor", "device"])
def test_groove_edits_are_reflected_quickly(symlog, port, rng, from_editor):
    """Printed, and asserted loosely."""
    with Device(port, heartbeat_s=(60, 60)) as device:
        serve, _ = symlog()
        with Editor(serve, patch=PATCH) as editor:
            editor.connect()
            device.wait_for(lambda _: editor.origin in device.groove.peers, "the editor's HELLO")
            editor.wait_for(lambda _: device.origin in editor.groove.peers, "the device's FULL")
            time.sleep(QUIET_S)  # Their first FULLs may have crossed.
            settled = time.monotonic()
            editor.say_full()
            device.wait_for(lambda _: device.heard(FULL, settled), "the editor's second FULL")
            wait_until_equal(device, editor)
            one, other = (editor, device) if from_editor else (device, editor)
            delays = []
            while len(delays) < MEASURED_EDITS:
                began = time.monotonic()
                if one.edit(random_fine_event(rng, one.groove)):
                    other.wait_for(lambda _: other.groove.state() == one.groove.state(), "the edit")
                    delays.append(other.changed_at - began)
                time.sleep(0.005)
    delays.sort()
    p50, p99 = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    print(f"from the {'editor' if from_editor else 'device'}: p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms (20)")
    assert p50 < 0.2


def test_groove_firmware_goes_through_whole_while_tempo_edits_rain(symlog, port, rng):
    firmware = bytes(rng.choices(range(0x20, 0x7F), k=FIRMWARE_BYTES))
    with Device(port, patch=PATCH, heartbeat_s=(60, 60)) as device:
        serve, control = symlog("--groove-authority")
        with Editor(serve, patch=PATCH) as editor, Editor(serve, origin="e2", patch=PATCH) as other:
            other.connect()
            editor.connect()
            device.wait_for(lambda _: editor.origin in device.groove.peers, "the editor's HELLO")
            editor.wait_for(lambda _: editor.heard(FULL), "somebody's answer")
            time.sleep(QUIET_S)  # The editor itself says nothing else any more.
            editor.say(sysex.Frame(sysex.FIRMWARE_BEGIN, str(len(firmware))))
            for number, at in enumerate(range(0, len(firmware), CHUNK_BYTES)):
                editor.say(sysex.Frame(sysex.FIRMWARE_DATA, firmware[at : at + CHUNK_BYTES].decode()))
                if number % 16 == 0:
                    edits(control, f"bpm={60 + number % 100}")
                    other.edit(f"bpm={61 + number % 100}")
            editor.say(sysex.Frame(sysex.FIRMWARE_END, ""))
            other.edit("vol=17")
            wait_for_value(control, "volume", 17)  # Its tempo has come, too.
            edits(control, "bpm=222")
            device.wait_for(lambda _: device.heard(sysex.FIRMWARE_END), "the end of the firmware")
            editor.wait_for(lambda _: len(editor.heard(sysex.ACK)) == len(firmware) // CHUNK_BYTES + 2, "every ACK")
            device.wait_for(lambda _: device.groove.bpm == 222, "what was held back")
    assert bytes(device.firmware) == firmware
    ops = [frame.op for _, frame in device.frames]
    begin, end = ops.index(sysex.FIRMWARE_BEGIN), ops.index(sysex.FIRMWARE_END)
    between = [frame for _, frame in device.frames[begin + 1 : end] if frame.op != sysex.FIRMWARE_DATA]
    assert {frame.origin for frame in between} <= {other.origin}, "what is passed on, but nothing of its own"
    assert device.stream.broken == 0 and not device.refused


def test_groove_firmware_that_ends_too_soon_holds_nothing_back_for_long(symlog, tap):
    serve, control = symlog("--groove-authority")
    tap.wait_for(HELLO)
    edits(control, f"patch={PATCH}")
    with serve.subscribe() as editor:
        editor.send(bytes(sysex.Frame(sysex.FIRMWARE_BEGIN, "1000")))
        editor.send(bytes(sysex.Frame(sysex.FIRMWARE_DATA, "half of it")))
        tap.wait_for(sysex.FIRMWARE_DATA)
        edits(control, "bpm=222")
        wait_until(lambda: any("222" in frame.text for frame in tap.heard(DELTA, FULL)), "the tempo")


def test_groove_frame_goes_unchanged_to_the_others_and_never_back(symlog, tap):
    serve, control = symlog()
    with serve.subscribe(max_queue=None) as one, serve.subscribe(max_queue=None) as other:
        for subscriber in (one, other):
            receive(subscriber)
            subscriber.send(bytes(sysex.hello("e" + str(id(subscriber)))))
        tap.wait_for(HELLO, count=3)  # symlog's own, and two.
        odd = sysex.delta("e1", 7, "bpm=0099")
        since = time.monotonic()
        one.send(bytes(odd))
        receive_until_bytes(other, bytes(odd))
        assert tap.wait_for(DELTA, since=since) == [odd]
        frames = frames_after(tap, lambda: tap.say(sysex.delta("d7", 1, "bpm=100")))
        receive_until_bytes(one, bytes(sysex.delta("d7", 1, "bpm=100")))
        assert frames == []
        wait_for_value(control, "bpm", 100)
        edits(control, "play")
        [mine] = tap.wait_for(DELTA, since=since, count=2)[1:]
        seen = receive_until_bytes(one, bytes(mine))
        assert bytes(odd) not in seen, "it came from there"


def receive_until_bytes(subscriber, wanted):
    """The binary messages up to this one."""
    found = []
    while wanted not in found:
        message = subscriber.recv(timeout=10)
        if isinstance(message, bytes):
            found.append(message)
    return found


def test_groove_port_goes_to_the_others(symlog, tap, tmp_path):
    """Two devices, no editor."""
    with Tap(tmp_path / "second") as second:
        _, control = symlog("--midi", second.path)
        tap.wait_for(HELLO), second.wait_for(HELLO)
        for one, other in ((tap, second), (second, tap)):
            frame = sysex.delta("d" + str(id(one)), 1, "bpm=88")
            assert frames_after(one, lambda one=one, frame=frame: one.say(frame)) == []
            assert frame in other.heard(DELTA)
        assert value(control, "bpm") == 88


def test_groove_ports_that_send_everything_back_do_not_oscillate(symlog, tmp_path):
    with Echo(tmp_path / "one") as one, Echo(tmp_path / "two") as two:
        serve, control = symlog("--midi", one.path, "--midi", two.path)
        with serve.subscribe(max_queue=None) as editor:
            receive(editor)
            for frame in (sysex.hello("e1"), sysex.full("e1", 1, 0, -1, -1, PATCH), sysex.delta("e1", 2, "bpm=66")):
                editor.send(bytes(frame))
            wait_for_value(control, "bpm", 66)
            edits(control, "bpm=67", "play", "lane=0/gain/3")
            time.sleep(QUIET_S)
        counts = len(one.frames), len(two.frames)
        time.sleep(QUIET_S)
        assert (len(one.frames), len(two.frames)) == counts
        assert max(counts) < 20


class Echo(Tap):
    """A MIDI loop: what comes in goes out again."""

    def _keep(self, data):
        super()._keep(data)
        self.send(data)


def test_groove_port_that_nobody_reads_costs_the_others_nothing(symlog, tap, tmp_path):
    with Unread(tmp_path / "unread") as unread:
        serve, control = symlog("--midi", unread.path)
        edits(control, f"patch={PATCH}")
        with serve.subscribe(max_queue=None) as editor:
            receive(editor)
            for number in range(100):
                editor.send(bytes(sysex.Frame(0x44, "x" * 200)))
                editor.send(bytes(sysex.delta("e1", number, f"beat=0/{number % 4}/{number % 3}")))
            tap.wait_for(DELTA, count=100)
            edits(control, "play")
            wait_until(lambda: tap.heard(DELTA)[-1].event == "play", "symlog's own")


class Unread(Tap):
    def _run(self):
        pass


# symlog as a peer.


def test_groove_peer_greets_and_answers(symlog, tap):
    _, control = symlog("--groove-authority")
    [greeting] = tap.wait_for(HELLO)
    first = tap.wait_for(FULL)[0]
    assert first.origin == greeting.origin
    edits(control, f"patch={PATCH}", "play")
    since = time.monotonic()
    tap.say(sysex.hello("d7"))
    answers = tap.wait_for(FULL, since=since)
    assert answers[-1].text.split(";")[2] == "1" and answers[-1].origin == greeting.origin
    wait_until(lambda: tap.heard(FULL, since=since)[-1].event.count("kick:4"), "the patch")


def test_groove_peer_answers_hello_without_being_the_authority(symlog, tap):
    _, control = symlog()
    tap.wait_for(HELLO)
    edits(control, f"patch={PATCH}")
    since = time.monotonic()
    tap.say(sysex.hello("d7"))
    assert "kick:4" in tap.wait_for(FULL, since=since)[0].event


def test_groove_peer_says_bye_at_exit(symlog, tap):
    serve, _ = symlog()
    [greeting] = tap.wait_for(HELLO)
    tap.say(sysex.hello("d7"))
    assert serve.stop() == 0
    [bye] = tap.wait_for(BYE)
    assert bye.origin == greeting.origin


def test_groove_peer_that_starts_again_is_another_one(symlog, tap):
    """Whoever drops duplicates by origin and number would drop what it says."""
    serve, control = symlog()
    edits(control, f"patch={PATCH}", "play")
    said = {(frame.origin, frame.seq) for frame in tap.wait_for(DELTA, FULL)}
    assert serve.stop() == 0
    since = time.monotonic()
    _, control = symlog()
    assert value(control, "running") is True, "the log goes on"
    edits(control, "stop")
    tap.wait_for(DELTA, since=since)
    assert not said & {(frame.origin, frame.seq) for frame in tap.heard(DELTA, FULL, since=since)}


def test_groove_peer_tells_its_edits(symlog, tap):
    """Fine ones as DELTA, one by one; those of lanes together, as one FULL."""
    _, control = symlog()
    tap.wait_for(HELLO)
    say_full(tap)
    wait_for_value(control, "bpm", 120)
    events = ["play", "bpm=99", "vol=50", "beat=0/0/3", "sel=2/1", "stop"]
    for number, event in enumerate(events, 1):
        edits(control, event)
        assert tap.wait_for(DELTA, count=number)[-1].event == event
        time.sleep(0.11)  # Tempo and volume are held back if they come too quickly.
    numbers = [frame.seq for frame in tap.heard(DELTA)]
    assert numbers == sorted(set(numbers))
    assert len({frame.origin for frame in tap.heard(HELLO, DELTA)}) == 1
    assert not tap.heard(FULL)
    for event in ("lane=0/gain/-3", "lane=1/enabled/0", "lane=0/sound/snare"):
        edits(control, event)
    [full] = tap.wait_for(FULL)
    assert frames_after(tap, lambda: None) == [], "one FULL for all of them"
    fields = full.text.split(";", 5)
    assert fields[2:5] == ["0", "2", "1"] and fields[5] == value(control, "patch")


def test_groove_peer_throttles_tempo(symlog, tap):
    _, control = symlog()
    tap.say(sysex.hello("d7"))
    say_full(tap)
    wait_for_value(control, "bpm", 120)
    began = time.monotonic()
    for number in range(TEMPO_EDITS):
        edits(control, f"bpm={130 + number}")
        time.sleep(0.02)
    wait_until(lambda: tap.heard(DELTA)[-1].event == f"bpm={129 + TEMPO_EDITS}", "the last one")
    seconds = time.monotonic() - began
    assert len(tap.heard(DELTA)) <= 10 * seconds + 2


def test_groove_heartbeat_until_bye(symlog, tap):
    _, control = symlog("--groove-authority")
    tap.wait_for(HELLO)
    edits(control, f"patch={PATCH}")
    time.sleep(QUIET_S)
    tap.say(sysex.hello("d7"))
    tap.wait_for(FULL, since=time.monotonic() - QUIET_S / 2)
    time.sleep(QUIET_S)
    since = time.monotonic()
    [_] = tap.wait_for(FULL, since=since)
    beat = time.monotonic()
    [_] = tap.wait_for(FULL, since=beat + 0.1)
    assert HEARTBEAT_S[0] - LATENESS_S < time.monotonic() - beat < HEARTBEAT_S[1] + LATENESS_S
    tap.say(sysex.bye("d7"))
    assert frames_after(tap, lambda: None, HEARTBEAT_S[1] + LATENESS_S) == []


def test_groove_listen_says_nothing(symlog, tap):
    _, control = symlog("--groove-listen")

    def converse():
        tap.say(sysex.hello("d7"))
        say_full(tap)
        tap.say(sysex.delta("d7", 2, "bpm=77"))
        wait_for_value(control, "bpm", 77)
        edit(control, "bpm=78")  # Whether it is allowed, or not.

    assert frames_after(tap, converse) == []


def test_groove_own_origin_and_duplicates_are_dropped(symlog, tap):
    _, control = symlog()
    own = tap.wait_for(HELLO)[0].origin
    say_full(tap)
    wait_for_value(control, "bpm", 120)
    tap.say(sysex.delta(own, 1000, "bpm=50"))
    tap.say(sysex.delta("d7", 2, "bpm=60"))
    wait_for_value(control, "bpm", 60)
    edits(control, "bpm=61")
    tap.say(sysex.delta("d7", 2, "bpm=60"))
    tap.say(sysex.delta("d7", 3, "play"))
    wait_for_value(control, "running", True)
    assert value(control, "bpm") == 61


def test_groove_full_that_changes_nothing_is_skipped(symlog, tap):
    serve, control = symlog()
    say_full(tap)
    wait_for_value(control, "bpm", 120)
    with serve.subscribe() as subscriber:
        receive(subscriber)
        for seq in (2, 3):
            say_full(tap, seq)
        tap.say(sysex.delta("d7", 4, "bpm=121"))
        messages = receive_until(subscriber, lambda message: '"bpm"' in json.dumps(message))
    assert [message for message in messages if message["type"] == "DIFF_UPDATE"] == messages[-1:]
    assert len(messages[-1]["payload"]["diff"]["changes"]) <= 2, "the tempo, and the text"


def test_groove_cable_pulled_and_plugged_again(symlog, tap):
    serve, control = symlog("--groove-authority")
    tap.wait_for(HELLO)
    edits(control, f"patch={PATCH}")
    tap.pull()
    edits(control, "bpm=66", "play")
    since = time.monotonic()
    tap.plug()
    tap.stream = sysex.FrameStream()
    tap.wait_for(HELLO, since=since)
    full = tap.wait_for(FULL, since=since)[0]
    assert full.text.split(";")[2] == "1" and "t66" in full.event.split(";")
    tap.say(sysex.delta("d7", 1, "bpm=67"))
    wait_for_value(control, "bpm", 67)


def test_groove_device_is_named_by_its_version(symlog, tap):
    _, control = symlog()
    say_full(tap)
    tap.say(sysex.Frame(sysex.VERSION, "K;0.0.23"))
    wait_until(lambda: "K" in (value(control, "device_id") or ""), "the device's id")


def test_groove_edit_is_answered_after_its_commit(symlog, tap):
    serve, control = symlog()
    say_full(tap)
    wait_for_value(control, "bpm", 120)
    edits(control, "bpm=91")
    assert any(" groove_edit " in line and "bpm=91" in line for line in logged(serve.db))


@pytest.mark.parametrize("method, params, attribute, wanted", [
    ("groove.play", {}, "running", True),
    ("groove.bpm", {"bpm": 93}, "bpm", 93),
    ("groove.vol", {"vol": 44}, "volume", 44),
])  # fmt: skip
def test_groove_methods_for_each_event(symlog, tap, method, params, attribute, wanted):
    _, control = symlog()
    say_full(tap)
    wait_for_value(control, "bpm", 120)
    response = call(control, method, **params)
    assert "error" not in response, response
    wait_for_value(control, attribute, wanted)


# Set lists.


def test_groove_edit_of_a_built_in_goes_into_a_copy(symlog, tap, tmp_path):
    file = tmp_path / "programs.json"
    file.write_text(json.dumps(PROGRAMS))
    _, control = symlog("--setlists", file)
    tap.wait_for(HELLO)
    count = len(read_set_lists(PROGRAMS))
    tap.say(sysex.hello("d7"))
    tap.say(sysex.delta("d7", 1, "sel=0/1"))
    wait_for_value(control, "bpm", 90)
    assert levels(groove_node(control)) == [[2, 1, 1]]
    since = time.monotonic()
    tap.say(sysex.delta("d7", 2, "beat=0/1/3"))
    full = tap.wait_for(FULL, since=since)[0]
    assert levels(groove_node(control)) == [[2, 3, 1]]
    assert (value(control, "set_list"), value(control, "item")) == (count, 0)
    assert full.text.split(";")[3:5] == [str(count), "0"]
    tap.say(sysex.delta("d7", 3, "sel=0/1"))
    wait_until(lambda: levels(groove_node(control)) == [[2, 1, 1]], "the built-in, as it was")
    tap.say(sysex.delta("d7", 4, f"sel={count}/0"))
    wait_until(lambda: levels(groove_node(control)) == [[2, 3, 1]], "my edit")
    before = groove_node(control)
    tap.say(sysex.delta("d7", 5, "sel=0/2"))
    wait_until(lambda: refusals(control), "no such item")
    assert groove_node(control) == before


def test_groove_selection_without_lists_moves_the_index_alone(symlog, tap):
    _, control = symlog()
    say_full(tap)
    wait_for_value(control, "bpm", 120)
    before = levels(groove_node(control))
    tap.say(sysex.delta("d7", 2, "sel=3/4"))
    wait_for_value(control, "item", 4)
    assert value(control, "set_list") == 3 and levels(groove_node(control)) == before
