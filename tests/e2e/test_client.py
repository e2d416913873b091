"""tools/client in Node, against a real serve: the examples of its users' old library, and what a page would do."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from serving import call, run_symlog

ROOT = Path(__file__).parents[2]
TICKS = 20160  # A beat.
WS = Path("/usr/share/nodejs/ws")  # Debian's node-ws

VISION = """
import { LiveSession } from "symphonyscript/live";
const live = new LiveSession({ bpm: 120, url: process.env.SERVE });
live.play();
live.eval(`
  track('drums', t => t
    .clip(Drums.euclidean(16, 5))
  )
`);
await live.eval(`
  track('bass', t => t
    .clip(Clip.melody().note('E2', '8n').loop(8))
  )
`);
await live.ready;
console.log(JSON.stringify(live.getSession()));
await new Promise((resolve) => setTimeout(resolve, 4100));
live.stop("drums");
await live.stop();
console.log(JSON.stringify(live.getSession()));
live.close();
"""

QUANTIZE = """
import { LiveSession } from "symphonyscript/live";
const live = new LiveSession({ url: process.env.SERVE });
await live.ready;
for (const mode of ["bar", "beat", "off"]) {
  await live.setQuantize(mode);
  console.log(JSON.stringify(live.getSession().quantize));
}
live.close();
"""

ERRORS = """
import { LiveSession } from "symphonyscript-live";
const live = new LiveSession({ url: process.env.SERVE });
const heard = [];
live.on("error", (err) => heard.push(err.message));
const code = "track('x', t =>\\n  t.clip(Clip.melody().note('H9', '8n')))";
const result = await live.eval(code);
if (!result.success) {
  console.log(JSON.stringify(result.error));
}
console.log(JSON.stringify(heard));
live.close();
"""

WATCH = """
import { writeFile } from "node:fs/promises";
import { LiveSession } from "symphonyscript-live";
const live = new LiveSession({ bpm: 120, url: process.env.SERVE });
await writeFile("./song.js", "track('song', t => t.clip(Clip.keys().note('C4', '4n')))");
const changed = new Promise((resolve) => live.on("session", (session) => session?.tracks.length && resolve(session)));
await live.watch("./song.js");
console.log(JSON.stringify(await changed));
await live.unwatch("./song.js");
live.close();
"""

MINIMAL = """
import { LiveSession } from "symphonyscript-live";
import { Clip, Session } from "symphonyscript";
const live = new LiveSession({ bpm: 120, backend: "webaudio", quantize: "bar", url: process.env.SERVE });
await live.eval(`
  Session.create()
    .track('lead', t => t.clip(
      Clip.melody()
        .note('C4', '8n')
        .note('E4', '8n')
        .note('G4', '8n')
        .loop(4)
    ))
`);
live.play();
const later = await live.eval(`
  Session.create()
    .track('lead', t => t.clip(
      Clip.melody()
        .note('D4', '8n')
        .note('F4', '8n')
        .note('A4', '8n')
        .loop(4)
    ))
`);
console.log(JSON.stringify(later));
const same = await live.eval(
  Session.create().track("lead", (t) =>
    t.clip(Clip.melody().note("D4", "8n").note("F4", "8n").note("A4", "8n").loop(4))));
console.log(JSON.stringify(same.changed));
await new Promise((resolve) => setTimeout(resolve, 4100));
await live.stop();
live.close();
"""


ODD_PATH = """
import { mkdir, writeFile } from "node:fs/promises";
import { LiveSession } from "symphonyscript-live";
const live = new LiveSession({ url: process.env.SERVE });
await mkdir("./50% ready #1");
await writeFile("./50% ready #1/ä song.js", "track('song', t => t.clip(Clip.keys().note('C4', '4n')))");
const changed = new Promise((resolve) => live.on("session", (session) => session?.tracks.length && resolve(session)));
await live.watch("./50% ready #1/ä song.js");
console.log(JSON.stringify((await changed).tracks.length));
live.close();
"""

CLOSED = """
import { LiveSession } from "symphonyscript-live";
const live = new LiveSession({ url: process.env.SERVE });
await live.ready;
const closed = new Promise((resolve) => live.on("close", resolve));
live.close();
await closed;
const said = await live.play().then(() => "played", (error) => error.message);
console.log(JSON.stringify(said));
"""


PARAMETERS = """
import { LiveSession } from "symphonyscript-live";
const live = new LiveSession({ url: process.env.SERVE });
const heard = new Promise((resolve) => live.on("parameterChanged", resolve));
await live.setParameter("lead.cutoff", 880.5);
console.log(JSON.stringify(await heard));
console.log(JSON.stringify(await live.getParameter("lead.cutoff")));
const every = await live.getAllParameters();
console.log(JSON.stringify(every.find((each) => each.id === "lead.cutoff")));
console.log(JSON.stringify([await live.getMeterFrame(), (await live.getAudioStatus()).phase]));
const code = await live.setParameter("lead.none", 1).then(() => 0, (error) => error.code);
console.log(JSON.stringify(code));
live.close();
"""


@pytest.fixture
def run(serve, tmp_path):
    """Runs a module in Node; what it prints, line by line, as JSON."""
    assert WS.is_dir(), "tools/setup test installs it"
    modules = tmp_path / "node_modules"
    modules.mkdir()
    for name in ("symphonyscript", "symphonyscript-live", "symlog-client"):
        (modules / name).symlink_to(ROOT / "tools/client")
    (modules / "ws").symlink_to(WS)

    def run_module(text):
        module = tmp_path / "example.mjs"
        module.write_text(text)
        environment = {**os.environ, "SERVE": "ws://{}:{}".format(*serve.ws)}
        command = ["node", "--preserve-symlinks", "--preserve-symlinks-main", str(module)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run_module


def cycle(db, name):
    """The notes of a track, once: (beat, pitch, length), from the log alone."""
    done = run_symlog("replay", "--db", db, "--notes", "--json", "--to-frame", 10**9)
    assert done.returncode == 0, done.stderr
    notes = [note for note in map(json.loads, done.stdout.splitlines()) if note["track"] == name]
    ends = {note["id"]: note["tick"] for note in notes if not note["on"]}
    voice = notes[-1]["id"].split(".")[0] + "."
    starts = [note for note in notes if note["on"] and note["id"].startswith(voice)]
    first, found = starts[0]["tick"], []
    for note in starts:
        found.append(((note["tick"] - first) / TICKS, note["pitch"], (ends[note["id"]] - note["tick"]) / TICKS))
    return found


def test_the_vision(run, serve):
    playing, stopped = run(VISION)
    assert playing["tempo"] == 120 and playing["isPlaying"]
    assert [(track["name"], track["note_count"]) for track in playing["tracks"]] == [("drums", 5), ("bass", 8)]
    assert [track["length"] for track in playing["tracks"]] == [4, 4]
    assert not stopped["isPlaying"]
    assert cycle(serve.db, "drums")[:5] == [(beat, 24, 0.25) for beat in (0, 0.75, 1.5, 2.25, 3)]
    assert cycle(serve.db, "bass")[:8] == [(beat / 2, 40, 0.5) for beat in range(8)]


def test_quantize(run):
    assert run(QUANTIZE) == ["bar", "beat", "off"]


def test_errors_keep_the_previous_state(run, serve):
    error, heard = run(ERRORS)
    assert "H9" in error["message"] and error["line"] == 2
    assert heard == [error["message"]]
    with serve.subscribe() as socket:
        assert "error" in call(socket, "query", path="sessions[0].code_tracks[0]")


def test_parameters(run):
    heard, value, described, sound, code = run(PARAMETERS)
    assert heard == {"id": "lead.cutoff", "value": 880.5} and value == 880.5
    assert described["value"] == 880.5 and described["unit"] == "Hz" and described["group"] == "lead"
    assert sound == [None, "disabled"] and code == -32000


def test_watching_a_file(run):
    (session,) = run(WATCH)
    assert [track["name"] for track in session["tracks"]] == ["song"]


def test_watching_a_file_of_an_odd_path(run):
    assert run(ODD_PATH) == [1]


def test_a_call_after_the_end_fails(run):
    assert run(CLOSED) == ["the connection was closed"]


def test_the_minimal_setup(run, serve):
    later, same = run(MINIMAL)
    assert later["success"] and later["changed"] == ["lead"]
    assert same == [], "what the builders write down is the same music"
    assert cycle(serve.db, "lead")[:6] == [(i / 2, pitch, 0.5) for i, pitch in enumerate([62, 65, 69] * 2)]
