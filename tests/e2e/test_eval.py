"""The language: what each word of it gives, against SymphonyScript's own results and the seed's examples."""

import json
from pathlib import Path

import pytest

from cli import symlog
from notes_of import BEAT, clip_notes, evaluate, notes_of, printed_of

SONGS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "songs"

ORACLE = json.loads((Path(__file__).resolve().parents[2] / "fixtures/symphonyscript.json").read_text())

# In the words of the API; fixtures/symphonyscript.json has what SymphonyScript gave for each.
PROGRAMS = {
    "mel": "Clip.melody().note('C4','8n').note('E4','8n').staccato().note('G4','4n.').commit().rest('8t').note('Bb3',0.75).commit()",
    "loop": "Clip.melody().loop(4, b => b.note('E2','8n').note('G2','16n').commit().rest('16n'))",
    "chord": "Clip.melody().chord(['C4','E4','G4'],'2n').commit()",
    "drums": "Clip.drums().kick().commit().rest('8n').snare().commit().hat().commit()",
    "euc": "Clip.drums().euclidean({hits:5,steps:16,note:'kick',rotation:2,repeat:2})",
    "tempo": "Clip.melody().note('C4','1n').commit().tempo(90,{duration:'1n',curve:'linear'}).note('D4','1n').commit()",
    "swing": "Clip.melody().swing(0.5).note('C4','8n').note('D4','8n').note('E4','8n').note('F4','8n').commit()",
    "tie": "Clip.melody().note('C4','4n').tie('start').note('C4','4n').tie('end').commit()",
    "stack": "Clip.melody().stack(b => b.note('C4','2n').note('E4','4n').commit()).note('G4','4n').commit()",
    "transpose": "Clip.melody().transpose(3).note('C4','4n').commit()",
    "arp": "Clip.melody().arpeggio(['C4','E4','G4'],'8n',{pattern:'upDown'})",
    "cresc": "Clip.melody().crescendo('1n',{from:0.2,to:1})" + ".note('C4','4n')" * 4 + ".commit()",
}
NATURALS = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11)))
RAMP_S = 2.301456579614247  # four beats from 120 to 90 bpm, as SymphonyScript has it


def pitch_of(name):
    return NATURALS[name[0]] + {"#": 1, "b": -1}.get(name[1], 0) + 12 * (int(name[-1]) + 1)


def ticks_of(name, seconds):
    beats = seconds * 2
    if name == "tempo" and seconds > 2:
        assert abs(seconds - 2 - RAMP_S) < 1e-9
        beats = 8
    return round(beats * BEAT)


def wanted_of(name):
    wanted = []
    for event in ORACLE[name]["events"]:
        if event["kind"] != "note":
            continue
        start = ticks_of(name, event["startSeconds"])
        end = ticks_of(name, event["startSeconds"] + event["durationSeconds"])
        payload = event["payload"]
        wanted.append(("a", start, end - start, pitch_of(payload["pitch"]), payload["velocity"]))
    return wanted


def test_eval_knows_every_program_of_the_oracle():
    assert set(PROGRAMS) == set(ORACLE) - {"euclid"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_eval_oracle_program(name):
    assert notes_of(f"track('a', t => t.clip({PROGRAMS[name]}))") == wanted_of(name)


def test_eval_oracle_euclid():
    """Every pattern, as one track each."""
    code = ""
    for key in ORACLE["euclid"]:
        hits, steps = key.split(",")
        code += f"track('{key}', t => t.clip(Drums.euclidean({steps}, {hits})));\n"
    found = {}
    for track, start, length, pitch, _ in notes_of(code):
        assert (length, pitch) == (BEAT // 4, 24)
        found.setdefault(track, set()).add(start // (BEAT // 4))
    for key, pattern in ORACLE["euclid"].items():
        assert found.get(key, set()) == {i for i, step in enumerate(pattern) if step == "x"}, key


def test_eval_oracle_euclid_of_several_notes():
    """The builder's own pattern is core's."""
    patterns = {key: pattern for key, pattern in ORACLE["euclid"].items() if "x" in pattern}
    code = ""
    for key in patterns:
        hits, steps = key.split(",")
        code += f"track('{key}', t => t.clip(Clip.melody().euclidean({{hits:{hits}, steps:{steps}, notes:['C4','D4']}})));\n"
    found = {}
    for track, start, _, pitch, _ in notes_of(code):
        found.setdefault(track, []).append((start // (BEAT // 4), pitch))
    for key, pattern in patterns.items():
        hits = [i for i, step in enumerate(pattern) if step == "x"]
        assert found[key] == [(at, 60 + 2 * (n % 2)) for n, at in enumerate(hits)], key


SEED_2_DRUMS = """
  track('drums', t => t
    .clip(Drums.euclidean(16, 5))
  )
"""
SEED_2_BASS = """
  track('bass', t => t
    .clip(Clip.melody().note('E2', '8n').loop(8))
  )
"""
SEED_11 = """
  Session.create()
    .track('lead', t => t.clip(
      Clip.melody()
        .note('{}4', '8n')
        .note('{}4', '8n')
        .note('{}4', '8n')
        .loop(4)
    ))
"""
FIVE_IN_16 = [i for i, step in enumerate(ORACLE["euclid"]["5,16"]) if step == "x"]


def test_eval_seed_drums():
    assert notes_of(SEED_2_DRUMS) == [("drums", i * BEAT // 4, BEAT // 4, 24, 127) for i in FIVE_IN_16]


def test_eval_seed_bass():
    assert notes_of(SEED_2_BASS) == [("bass", i * BEAT // 2, BEAT // 2, 40, 127) for i in range(8)]


@pytest.mark.parametrize("letters,pitches", [("CEG", [60, 64, 67]), ("DFA", [62, 65, 69])])
def test_eval_seed_lead(letters, pitches):
    wanted = [("lead", i * BEAT // 2, BEAT // 2, pitches[i % 3], 127) for i in range(12)]
    assert notes_of(SEED_11.format(*letters)) == wanted


def test_eval_seed_file():
    """Block 2 as a file: imports, a session, its texts; play and stop are left to whoever runs it."""
    code = f"""import {{ LiveSession }} from "symphonyscript/live";
const live = new LiveSession({{ bpm: 130, quantize: 'beat' }});
live.play();
live.eval(`{SEED_2_DRUMS}`);
live.eval(`{SEED_2_BASS}`);
live.stop("drums");
live.stop();
"""
    answer = evaluate(("song.js", code))
    assert answer["score"]["bpm"] == 130
    assert answer["score"]["quantize"] == 1
    assert [track["name"] for track in answer["score"]["tracks"]] == ["drums", "bass"]
    assert "live.play()" in answer["printed"]


@pytest.mark.parametrize("clip,wanted", [
    ("Clip.create().note(60).note('G9', 1.5)", [(0, 1, "C4"), (1, 1.5, "G9")]),
    ("Clip.keys().chord('Am7', 3, '2n')", [(0, 2, "A3"), (0, 2, "C4"), (0, 2, "E4"), (0, 2, "G4")]),
    ("Clip.strings().chord(['C4', 'Eb4'])", [(0, 1, "C4"), (0, 1, "D#4")]),
    ("Clip.wind().scale('C4', 'pentatonic', '16n')", [(i / 4, 0.25, n) for i, n in enumerate(["C4", "D4", "E4", "G4", "A4", "C5"])]),
    ("Clip.melody().scale('A', 'minor', 3).degree(1).degree(3, '8n').degree(8).degree(0)",
     [(0, 1, "A3"), (1, 0.5, "C4"), (1.5, 1, "A4"), (2.5, 1, "G3")]),
    ("Clip.melody().arpeggio(['E4','C4'], '8n', {octaves: 2, pattern: 'down', gate: 0.5})",
     [(i / 2, 0.25, n) for i, n in enumerate(["E5", "C5", "E4", "C4"])]),
    ("Clip.melody().arpeggio('C', '4n', {pattern: 'downUp'})", [(i, 1, n) for i, n in enumerate(["G4", "E4", "C4", "E4"])]),
    ("Clip.melody().arpeggio('C', '4n', {pattern: 'converge'})", [(i, 1, n) for i, n in enumerate(["C4", "G4", "E4"])]),
    ("Clip.melody().arpeggio('C', '4n', {pattern: 'diverge'})", [(i, 1, n) for i, n in enumerate(["E4", "G4", "C4"])]),
    ("Clip.melody().rest('2n.').note('C4', '8t')", [(3, 1 / 3, "C4")]),
    ("Clip.melody().key('G', 'major').note('F4').note('F#4').note('Fb4')", [(0, 1, "F#4"), (1, 1, "F#4"), (2, 1, "E4")]),
    ("Clip.melody().key('C', 'minor').note('E4').note('B4').note('D4')", [(0, 1, "D#4"), (1, 1, "A#4"), (2, 1, "D4")]),
    ("Clip.melody().octave(5).note('C4').octaveUp().note('C4').octaveDown(2).note('C4').transpose(-1).note('C4')",
     [(0, 1, "C5"), (1, 1, "C6"), (2, 1, "C4"), (3, 1, "B3")]),
    ("Clip.melody().transpose(12).loop(2, b => b.note('C4')).stack(b => b.note('C4').transpose(1).note('C4')).chord(['C4','E4'])",
     [(0, 1, "C5"), (1, 1, "C5"), (2, 1, "C5"), (2, 1, "C#5"), (3, 1, "C5"), (3, 1, "E5")]),
    ("Clip.melody().transpose(60).note('C6').note('C4')", [(1, 1, "C9")]),
    ("Clip.melody().note('C4').note('D4').loop(2).note('E4')", [(i, 1, n) for i, n in enumerate(["C4", "D4", "C4", "D4", "E4"])]),
    ("Clip.melody().play(riff).transpose(12).play(riff)", [(0, 1, "C4"), (1, 1, "C5")]),
    ("Clip.melody().loop(2, riff)", [(0, 1, "C4"), (1, 1, "C4")]),
    ("Clip.drums().hit('tom2').kick().snare().hat().openHat().crash().ride().clap().tom().tom(3).rim()",
     [(i / 4, 0.25, n) for i, n in enumerate(["A1", "C1", "D1", "F#1", "A#1", "C#2", "D#2", "D#1", "C2", "G1", "C#1"])]),
    ("Drums.kick('4n').snare()", [(0, 1, "C1"), (1, 0.25, "D1")]),
    ("Drums.euclidean(4, 1, {rotation: 1, note: 'snare', duration: '8n', repeat: 2})", [(0.5, 0.5, "D1"), (2.5, 0.5, "D1")]),
    ("Clip.melody().transpose(2).euclidean({hits: 1, steps: 2, note: 'C4'})", [(0, 0.25, "D4")]),
    ("Clip.melody().note('C4').staccato().note('C4').legato().note('C4').tenuto().note('C4').marcato()",
     [(0, 0.5, "C4"), (1, 1.05, "C4"), (2, 1, "C4"), (3, 0.8, "C4")]),
    ("Clip.melody().quantize('4n').rest(0.2).note('C4', 0.5).quantize('4n', {strength: 0.5}).rest(0.4).note('D4')",
     [(0, 0.5, "C4"), (1.05, 1, "D4")]),
    ("Clip.melody().play(Clip.melody().swing(1).note('C4','8n').note('D4','8n')).note('C4','8n').note('D4','8n')",
     [(0, 0.5, "C4"), (0.75, 0.5, "D4"), (1, 0.5, "C4"), (1.5, 0.5, "D4")]),
    ("Clip.melody().timeSignature('7/8').timeSignature(3, 4).tempo(90).note('C4')", [(0, 1, "C4")]),
])  # fmt: skip
def test_eval_word(clip, wanted):
    found = clip_notes(clip, "const riff = Clip.melody().note('C4')")
    assert [note for *_, note in found] == [note for *_, note in wanted]
    assert [note[:2] for note in found] == [pytest.approx(note[:2], abs=1 / BEAT) for note in wanted]


@pytest.mark.parametrize("clip,wanted", [
    ("note('C4').velocity(0.5).note('C4').accent().note('C4').velocity(0.5).accent().note('C4').velocity(0.5).marcato()", [64, 127, 76, 83]),
    ("decrescendo('2n', {from: 1, to: 0}).note('C4').note('C4').note('C4')", [127, 64, 1]),
    ("velocityRamp(0.5, '4n', {from: 1}).note('C4').velocityRamp(1, '2n').note('C4').note('C4').note('C4')", [127, 64, 95, 127]),
    ("arpeggio('C', '8n', {velocity: 0.5})", [64, 64, 64]),
    ("euclidean({hits: 2, steps: 4, note: 'kick', velocity: 0.5})", [64, 64]),
])  # fmt: skip
def test_eval_velocity(clip, wanted):
    assert [note[4] for note in notes_of(f"track('a', t => t.clip(Clip.melody().{clip}))")] == wanted


def test_eval_clip_is_not_changed_by_what_is_made_of_it():
    code = """const riff = Clip.melody().note('C4');
      const high = riff.transpose(12).note('C4'), short = riff.staccato(), low = riff.transpose(-12).note('C4');
      for (const [name, clip] of Object.entries({ riff, high, short, low })) track(name, t => t.clip(clip));"""
    found = [(track, start // BEAT, length, pitch) for track, start, length, pitch, _ in notes_of(code)]
    half = BEAT // 2
    assert found == [("riff", 0, BEAT, 60), ("high", 0, BEAT, 60), ("high", 1, BEAT, 72), ("short", 0, half, 60),
                     ("low", 0, BEAT, 60), ("low", 1, BEAT, 48)]  # fmt: skip


def test_eval_session_and_track():
    code = """Session.create().tempo(99).timeSignature('6/8')
      .track('a', t => t.instrument('sine', {gain: 0.5}).effect('delay', {time: '8n'}).effect('room').channel(3)
        .clip(Clip.melody('first').note('C4')).clip(Clip.drums().kick()))"""
    score = evaluate(("main", code), code_seq=123456789012, quantize=0)["score"]
    assert score == {
        "code_seq": 123456789012, "quantize": 0, "replaces": True, "buffer": "main", "bpm": 99.0, "signature": (6, 8),
        "tracks": [{
            "name": "a", "channel": 3, "instrument": "sine", "params": '{"gain":0.5}',
            "effects": [("delay", '{"time":"8n"}'), ("room", "")], "clips": ["first", "Drums"],
        }],
    }  # fmt: skip


def test_eval_track_alone_replaces_nothing_else():
    score = evaluate(("main", "track('a', t => {}); track('b', t => {}); track('a', Clip.drums().kick())"))["score"]
    assert not score["replaces"]
    assert [(track["name"], track["clips"]) for track in score["tracks"]] == [("a", ["Drums"]), ("b", [])]


def test_eval_earlier_buffers_are_in_scope():
    """Their definitions, not their tracks; names may be defined anew; one that fails now is left out, and said so."""
    buffers = [
        ("helpers", "const root = 'C4'; let n = 1; function riff(m = root) { return Clip.melody().note(m).loop(n); }\ntrack('x', riff())"),
        ("broken", "let n = 3;\nnotThere();"),
        ("syntax", "let n = ;"),
        ("more", "n = 2; var root = 'D4'; class Riff { static clip() { return riff(); } }"),
        ("main", "const root = 'E4';\ntrack('a', Riff.clip());\ntrack('b', riff(root))"),
    ]
    answer = evaluate(*buffers)
    assert [track["name"] for track in answer["score"]["tracks"]] == ["a", "b"]
    assert sorted((fault["buffer"], fault["line"]) for fault in answer["skipped"]) == [("broken", 2), ("syntax", 1)]


def test_eval_error_inside_an_earlier_buffer_says_so():
    fault = evaluate(("helpers", "\nfunction riff() { return nothing.there }"), ("main", "let a = 1;\nriff()"))["fault"]
    assert "in the buffer helpers, line 2" in fault["message"]
    assert fault["line"] == 0


def test_eval_modules():
    code = """import { Clip as C,
  track } from 'symphonyscript';
import * as all from "symphonyscript-live"
import 'symphonyscript/live';
export const clip = C.melody().note('C4');
export default clip;
  all.track('a', t => t.clip(clip));
export { clip };"""
    assert notes_of(code) == [("a", 0, BEAT, 60, 127)]


def test_eval_printed():
    assert printed_of("console.log('a', 1, {b: [2]}, undefined)").splitlines() == ['a 1 {"b":[2]} undefined']


def test_eval_chance_comes_again():
    code = "track('a', t => t.clip(Clip.melody().velocityRamp(Math.random(), '1n', {from: random()}).note('C4', random() + 1)))"
    first = notes_of(code)
    assert notes_of(code) == first
    assert notes_of(code + " ") != first
    assert notes_of(code, "--name", "other") != first
    seeded = "random.seed(4);" + code
    assert notes_of(seeded) == notes_of(seeded + " ") != first


def test_eval_arpeggio_at_random_comes_again():
    code = "track('a', t => t.clip(Clip.melody().arpeggio('Cmaj9', '8n', {pattern: 'random', octaves: 2, seed: 5})))"
    pitches = [note[3] for note in notes_of(code)]
    assert pitches == [note[3] for note in notes_of(code + " ")] != sorted(pitches)
    assert sorted(pitches) == [60, 64, 67, 71, 72, 74, 76, 79, 83, 86]


def test_eval_many_notes():
    code = "let c = Clip.melody(); for (let i = 0; i < 20000; i++) c = c.note(40 + i % 40, '16n'); track('a', t => t.clip(c))"
    assert len(notes_of(code)) == 20000


def test_eval_lines_for_people(tmp_path):
    file = tmp_path / "song.js"
    file.write_text("track('bass', t => t.clip(Clip.melody().note('E2', '8n')))")
    assert symlog("eval", file, "--notes")[0] == "bass             0.000  E2     0.500  127\n"


@pytest.mark.parametrize("song", sorted(SONGS.glob("*.js")), ids=lambda path: path.name)
def test_songs_say_something_of_each_track(song):
    """What people are given to listen to: drums, a bass, and more."""
    lines = [line.split() for line in symlog("eval", "--notes", song)[0].splitlines()]
    tracks = {line[0] for line in lines}
    assert {"drums", "bass"} <= tracks and len(tracks) > 3
