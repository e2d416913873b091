"""What goes wrong in live code: a sentence, line and column; and what code must not do, and does not."""

import os
import subprocess
import time

import pytest

from cli import symlog
from notes_of import BEAT, error_of, evaluate, notes_of

TRACK = "track('a', t => t.clip({}))"


def clip(words):
    return TRACK.format("Clip.melody()\n  ." + words)


@pytest.mark.parametrize("code,message,line,column", [
    ("let a = 1;\nlet b = (;", "Unexpected token ';'", 2, 10),
    ("let a = 1; foo bar\nb", "Unexpected identifier 'bar'", 1, 16),
    ("track('a', t => t.clip(", "Unexpected end of script", 1, 24),
    ("\n\n  missing()", "Can't find variable: missing", 3, 10),
    ("throw new Error('mine')", "mine", 1, 16),
    ("throw 'a text'", "a text", 0, 0),
    ("null.x", "null is not an object (evaluating 'null.x')", 1, 5),
    ("function f() { f() }\nf()", "Maximum call stack size exceeded.", 1, 17),
    (clip("note('H4')"), 'note: there is no note "H4"; write C4, F#3 or Bb5 (C0 to G9)', 2, 8),
    (clip("note('G#9')"), 'note: there is no note "G#9"; write C4, F#3 or Bb5 (C0 to G9)', 2, 8),
    (clip("note('C4', -1)"), "note: a duration cannot be negative (-1)", 2, 8),
    (clip("note('C4', 0)"), "note: a note needs a duration above 0", 2, 8),
    (clip("note('C4', '3n')"), "note: there is no duration \"3n\"; write '4n', '8n.', '16t' or a number of beats", 2, 8),
    (clip("note('C4', NaN)"), "note: there is no duration NaN; write '4n', '8n.', '16t' or a number of beats", 2, 8),
    (clip("rest(-0.5)"), "rest: a duration cannot be negative (-0.5)", 2, 8),
    (clip("rest(1e9)"), "rest: a duration is at most 53000 beats", 2, 8),
    (clip("chord('Hm')"), "chord: there is no chord \"Hm\"; write 'C', 'F#m7', 'Bbmaj9' or a list of notes", 2, 9),
    (clip("chord(['C4', 'X'])"), 'chord: there is no note "X"; write C4, F#3 or Bb5 (C0 to G9)', 2, 9),
    (clip("scale('C', 'sad')"), "scale: there is no scale \"sad\"; write 'major', 'minor', 'dorian', 'pentatonic' …", 2, 9),
    (clip("degree(1)"), "degree: scale('C', 'minor') comes before it", 2, 10),
    (clip("key('H', 'major')"), 'key: there is no key "H" major', 2, 7),
    (clip("key('G#', 'major')"), 'key: there is no key "G#" major', 2, 7),
    (clip("arpeggio('C', '8n', {pattern: 'sideways'})"),
     'arpeggio: there is no pattern "sideways"; there are up down upDown downUp converge diverge random', 2, 12),
    (clip("staccato()"), "staccato() follows a note, chord or drum", 2, 12),
    (clip("note('C4').velocity(2)"), "velocity is a number from 0 to 1, not 2", 2, 23),
    (clip("note('C4').tie('middle')"), "tie is 'start', 'continue' or 'end', not \"middle\"", 2, 18),
    (clip("loop(0)"), "loop: how often is a whole number from 1 to 1000000, not 0", 2, 8),
    (clip("loop(2, b => { b.note('C4') })"), "loop: the function must return the clip, as b => b.note(…) does", 2, 8),
    (clip("stack('C4')"), 'stack wants a function or a clip, not "C4"', 2, 9),
    (clip("euclidean({hits: 5, steps: 4, note: 'C4'})"), "euclidean: hits is a whole number from 0 to 4, not 5", 2, 13),
    (clip("euclidean({hits: 1, steps: 300})"), "euclidean: steps is a whole number from 1 to 256, not 300", 2, 13),
    (clip("hit('cowbell')"),
     'hit: there is no drum "cowbell"; there are kick snare hat openhat crash ride tom1 tom2 tom3 clap rim', 2, 7),
    (clip("tempo(0)"), "tempo is a number from 1 to 1000, not 0", 2, 9),
    (clip("timeSignature('4/5')"), "timeSignature: there is no time signature \"4/5\"; write '4/4', '7/8' …", 2, 17),
    (clip("swing(3)"), "swing is a number from 0 to 1, not 3", 2, 9),
    (clip("transpose(1.5)"), "transpose: semitones is a whole number from -127 to 127, not 1.5", 2, 13),
    (clip("octave(11)"), "octave is a whole number from 0 to 9, not 11", 2, 10),
    ("let c = Clip.melody().note('C4');\nfor (let i = 0; i < 40; i++) c = Clip.melody().loop(2, c);", "loop: nested more than 32 deep", 2, 52),
    ("let c = Clip.melody();\nfor (;;) c = c.rest(1).play(c);", "a clip has at most 1048576 steps", 2, 0),
    ("track('', t => t)", "track: the track's name has 1 to 255 letters", 1, 6),
    ("track('a', 5)", 'track wants a function: track("a", t => t.clip(…)), not 5', 1, 6),
    ("track('a', t => t.clip('C4'))", 'clip wants a clip, such as Clip.melody().note(…), not "C4"', 1, 23),
    ("track('a', t => t.channel(17))", "channel is a whole number from 1 to 16, not 17", 1, 26),
    ("track('a', t => t.instrument('x', 5))", "instrument: the parameters is an object, not 5", 1, 29),
    ("Session.create().tempo('fast')", 'tempo is a number from 1 to 1000, not "fast"', 1, 23),
    ("const live = new LiveSession({bpm: 120});\nlive.eval(`\n  let a = 1;\n  track('x', 5)`)",
     'track wants a function: track("x", t => t.clip(…)), not 5', 4, 8),
    ("new LiveSession().evalFile('/etc/passwd')",
     "live.evalFile: code cannot read files; symlog eval FILE and symlog serve --watch FILE do", 1, 27),
    ("import { Clop } from 'symphonyscript'", 'symphonyscript has no "Clop"', 1, 1),
    ("let a;\nimport fs from 'fs'", 'there is no module "fs" here; there is "symphonyscript"', 2, 1),
    ("track('a', t => t.clip(Clip.melody().loop(1000000, b => b.loop(1000, c => c.note('C4')))))",
     "the track a: a track that is too long", 0, 0),
])  # fmt: skip
def test_eval_error(code, message, line, column):
    found = error_of(code)
    assert found[0] == message
    assert found[1] == line
    assert found[2] == column or (column == 0 and line > 0)


def test_eval_error_for_people(tmp_path):
    file = tmp_path / "song.js"
    file.write_text("let a = 1;\n  missing()")
    assert symlog("eval", file, "--notes", status=1) == ("", "symlog eval: song.js:2:10: Can't find variable: missing\n")


def test_eval_silent_euclids_are_bounded():
    """They have no notes, which are counted; their steps are."""
    euclid = "euclidean({hits: 0, steps: 256, repeat: 1000000, duration: 0.0002})"
    begun = time.monotonic()
    assert error_of(f"track('a', t => t.clip(Clip.drums().{euclid}))")[0] == "the track a: loops that repeat too much"
    assert time.monotonic() - begun < 0.5


@pytest.mark.parametrize("code,message", [
    ("for (;;);", "took longer than 2 s: is there a loop without end?"),
    ("let i = 0; (async () => { for (;;) await i++ })()", "took longer than 2 s: is there a loop without end?"),
    ("/(a+)+$/.test('a'.repeat(99) + 'b'); for (;;);", "took longer than 2 s: is there a loop without end?"),
    ("let s = 'x'; for (;;) s += s + 1", None),
    ("new Array(1e8) + ''", "used more than 256 MB"),
    ("'x'.repeat(1e9).split('')", "used more than 256 MB"),
    ("const q = []; for (;;) q.push(new Array(1000).fill(1))", "used more than 256 MB"),
    ("const q = []; for (;;) q.push(new ArrayBuffer(1e7), new Uint8Array(1e7).fill(1))", None),
])  # fmt: skip
def test_eval_is_bounded(code, message):
    begun = time.monotonic()
    found, line, _ = error_of(code)
    assert time.monotonic() - begun < 4
    assert found == message or (message is None and (line == 1 or found.startswith(("used more", "Out of"))))


def test_eval_big_source(tmp_path):
    file = tmp_path / "big.js"
    file.write_text("//" + "x" * 10_000_000)
    assert error_of(str(file))[0] == "the code has 10000002 bytes; 1 MiB is the most"


def test_eval_source_of_a_mebibyte(tmp_path):
    file = tmp_path / "big.js"
    file.write_text("track('a', t => t.clip(Drums.kick()));//".ljust(1 << 20, "x"))
    assert notes_of(str(file)) == [("a", 0, BEAT // 4, 24, 127)]


def test_eval_no_text(tmp_path):
    file = tmp_path / "zero.js"
    file.write_bytes(b"let a = 1;\0")
    assert error_of(str(file))[0] == "there is a NUL in the text: is it code?"
    file.write_bytes(b"track('\xff', t => t.clip(Clip.drums().kick()))")
    assert error_of(str(file))[0] == "the text is not UTF-8"


@pytest.mark.parametrize("name", ["a\\0b", "\\ud800", "\\udc00\\ud800", "a\\ud83d"])
def test_a_name_that_is_no_text(name):
    assert error_of(TRACK.format("Clip.drums().kick()").replace("'a'", f"'{name}'"))[0] == "track: the track's name holds what is no letter"
    assert notes_of(TRACK.format("Clip.drums().kick()").replace("'a'", "'\\ud83d\\ude00'"))


def test_eval_no_file():
    assert "missing.js cannot be read: No such file" in symlog("eval", "missing.js", "--notes", status=1)[1]


def test_eval_without_its_process():
    message = error_of("1", environment={"SYMLOG_EVAL": "/nowhere/symlog-eval"})[0]
    assert message == "there is no symlog-eval at /nowhere/symlog-eval: build symlog again"


@pytest.mark.parametrize("process", ["/bin/true", "/bin/cat", "/usr/bin/yes"])
def test_eval_believes_no_other_process(process):
    error_of("1", environment={"SYMLOG_EVAL": process})


def test_eval_typescript(tmp_path):
    file = tmp_path / "song.ts"
    file.write_text(
        "import { LiveSession } from 'symphonyscript/live';\n"
        "interface Riff { root: string }\n\n"
        "const riff: Riff = { root: 'C4' };\n"
        "track('a', (t: any) => t.clip(Clip.melody().note(riff.root as string)));\n"
    )
    assert notes_of(str(file)) == [("a", 0, BEAT, 60, 127)]
    file.write_text("type A = string;\n\nconst a: A = 'H4';\n\nfunction f(): void {\n  Clip.melody().note(a as A) }\nf();\n")
    assert error_of(str(file))[1:] == (6, 17)
    file.write_text("let a: number = 1;\nlet b: = 2;\n")
    assert error_of(str(file)) == ('Unexpected "="', 2, 8)


def test_eval_typescript_without_esbuild(tmp_path):
    file = tmp_path / "song.ts"
    file.write_text("let a: number = 1;")
    message = error_of(str(file), environment={"PATH": str(tmp_path)})[0]
    assert message.startswith("TypeScript wants esbuild, which is not installed: install it")


GONE = ["Date", "Intl", "WebAssembly", "Atomics", "SharedArrayBuffer", "WeakRef", "FinalizationRegistry", "require", "process",
        "fetch", "XMLHttpRequest", "WebSocket", "setTimeout", "setInterval", "queueMicrotask", "importScripts", "Worker",
        "performance", "host", "made", "print", "load", "readFile", "$vm", "ShadowRealm", "structuredClone", "Deno", "module"]  # fmt: skip


def test_eval_nothing_of_the_machine_is_there():
    code = f"""const all = [globalThis, Function('return this')(), (0, eval)('this'), track.constructor('return this')()];
    for (const name of {GONE}) for (const one of all) if (name in one) throw new Error(name);
    if (new Set(all).size !== 1) throw new Error('another realm');"""
    assert notes_of(code) == []


@pytest.mark.parametrize("code", [
    "import('fs').then(() => track('out', Drums.kick()))",
    "import('/etc/passwd').then(() => track('out', Drums.kick()))",
    "try { new Function('return import(\"fs\")')().then(() => track('out', Drums.kick())) } catch {}",
    "try { eval('import \"fs\"'); track('out', Drums.kick()) } catch {}",
    "try { new (track.constructor)('return process')(); track('out', Drums.kick()) } catch {}",
    "let t; track('x', one => { t = one }); try { new t.constructor({}, {}); track('out', Drums.kick()) } catch {}",
    "try { new (Clip.melody().constructor)({}, {}, null, 9, 0, null); track('out', Drums.kick()) } catch {}",
    "try { track.caller(); track('out', Drums.kick()) } catch {}",
    "try { track.arguments; track('out', Drums.kick()) } catch {}",
    "try { Clip.melody = 1; 'use strict'; if (Clip.melody === 1) track('out', Drums.kick()) } catch {}",
    "const p = Object.getPrototypeOf(Clip.melody()); p.note = () => 1; if (Clip.melody().note('C4') === 1) track('out', Drums.kick())",
    "for (const k of Object.getOwnPropertyNames(Clip.melody())) track('out', Drums.kick())",
])  # fmt: skip
def test_eval_escape_leads_nowhere(code):
    answer = evaluate(("main", code))
    assert "out" not in [track["name"] for track in answer["score"]["tracks"]]


TRICKS = [
    "Array.prototype.push = Array.prototype.map = Array.prototype[Symbol.iterator] = () => { throw new Error('tricked') };",
    "Object.defineProperty(Array.prototype, '0', { set() { throw new Error('tricked') }, get() { return 'X' } });",
    "for (let i = 0; i < 300; i++) Object.defineProperty(Object.prototype, i, { set() { throw new Error('tricked') } });",
    "for (const k of ['used', 'tape', 'length', 'name', 'from', 'to', 'shift', 'swing', 'C9', 'sad', 'track'])"
    " try { Object.defineProperty(Object.prototype, k, { get() { return 77 }, set() { throw new Error('tricked') } }) } catch {}",
    "Math.round = Math.floor = Number.isInteger = Array.isArray = Reflect.apply = Object.freeze = () => { throw new Error('tricked') };",
    "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw new Error('tricked') };",
    "Float64Array = ArrayBuffer = Error = String = Symbol = Object = Function = Reflect = undefined;",
    "const T = Object.getPrototypeOf(Float64Array); for (const k of ['length', 'buffer', 'byteLength', 'set', 'subarray'])"
    " Object.defineProperty(T.prototype, k, { get() { throw new Error('tricked') } });",
    "Object.defineProperty(Float64Array, Symbol.species, { value: function () { throw new Error('tricked') } });",
    "String.prototype.charCodeAt = String.prototype.toString = () => { throw new Error('tricked') };",
    "String.prototype[Symbol.iterator] = () => { throw new Error('tricked') }; JSON.stringify = () => 'tricked';",
    "Error.prepareStackTrace = () => 'tricked'; Error.stackTraceLimit = 0;",
    "try { Object.setPrototypeOf(globalThis, new Proxy({}, { get() { return 'tricked' } })) } catch {}",
]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_eval_trick_changes_nothing_of_the_builder(trick):
    code = """track('a', t => t.instrument('sine', {gain: 1}).effect('room').channel(2).clip(
      Clip.melody().note('C4', '8n').staccato().chord(['C4', 'E4'], '4n').chord('Am', 4, '8t').rest('16n.')
        .loop(2, b => b.note('D4').velocity(0.5)).stack(b => b.note('E4').note('G4')).transpose(2).euclidean({hits: 2, steps: 5, note: 'C4'})
        .arpeggio(['C4', 'E4'], '8n', {pattern: 'upDown'}).scale('C4', 'blues', '16n').crescendo('1n').swing(0.5).timeSignature('3/4')
        .key('G', 'major').note('F4').play(Drums.euclidean(8, 3)).loop(2)));"""
    plain = evaluate(("main", "random.seed(1);\n" + code))["score"]
    assert evaluate(("main", trick + "\n" + code))["score"] == plain
    assert notes_of(trick + "\n" + code) == notes_of(code)


def test_eval_trick_in_an_earlier_buffer_does_not_hide_errors():
    answer = evaluate(("tricks", TRICKS[0] + TRICKS[4]), ("main", "\nClip.melody().note('H4')"))
    assert (answer["fault"]["line"], answer["fault"]["column"]) == (2, 19)


def test_eval_leaves_no_process_and_no_file(tmp_path):
    """Bombs, side by side; then nothing of them is left."""
    codes = ["for (;;);", "new Array(1e8) + ''", "function f() { f() } f()", "track('a', Drums.kick())"] * 2
    jobs = [subprocess.Popen([os.environ["SYMLOG_BIN"], "eval", code, "--notes"], cwd=tmp_path, stdout=-3, stderr=-3) for code in codes]
    assert [job.wait(20) for job in jobs] == [1, 1, 1, 0] * 2
    assert list(tmp_path.iterdir()) == []
    left = subprocess.run(["ps", "-eo", "ppid,comm"], capture_output=True, text=True, check=True).stdout
    assert not [line for line in left.splitlines() if line.split()[0] in {"1", *(str(job.pid) for job in jobs)} and "symlog-eval" in line]
