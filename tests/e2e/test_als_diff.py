"""`symlog diff`: two saves of a set, what an edit of it costs, and git, which asks for it."""

import copy
import json
import os
import re
import shutil
import subprocess

import als_edits
import als_sets
import pytest
from cli import SYMLOG, lines_of, symlog
from model.client import Subscriber
from model.shape import differences
from serving import receive, wait_until

EDITS, ROUNDS = 1000, 50
POSITIONS = {"index", "track_index", "scene_index"}


def save(path, live_set):
    live_set["noise"] += 1  # No two saves are alike in what does not matter.
    path.write_bytes(als_sets.als_bytes(live_set))
    return path


def tree_of(path):
    return json.loads(symlog("import-als", path, "--json")[0])


def changes_of(*paths):
    return json.loads(symlog("diff", *paths, "--json")[0])["payload"]["diff"]["changes"]


def is_only_pushed(change):
    return change["type"] == "modified" and change["new_value"].keys() <= POSITIONS


def said(lines):
    """Without the headings."""
    return [line for line in lines if not is_heading(line)]


def is_heading(line):
    kinds = "Track|Device|Chain|Clip|Arrangement clip|Slot|Mixer|Scene|Parameter|Automation|Locator|File"
    return re.fullmatch(rf' *(?:{kinds})(?: "(?:[^"\\]|\\.)*"| \d+)?', line) is not None


@pytest.fixture
def pair(tmp_path):
    """Writes two saves and gives their paths."""

    def write(old, new):
        new["noise"] += 1
        return save(tmp_path / "old.als", old), save(tmp_path / "new.als", new)

    return write


def small_set(version=12):
    return als_sets.random_set(3, version, tracks=3, scenes=3, returns=1)


def edited(edit, version=12):
    old = small_set(version)
    new = copy.deepcopy(old)
    edit(new)
    return old, new


@pytest.mark.parametrize("version", [9, 10, 11, 12])
def test_als_diff_of_the_same_set_saved_again_is_empty(pair, version):
    old, new = pair(*edited(lambda _: None, version))
    assert old.read_bytes() != new.read_bytes()
    assert lines_of("diff", old, new) == []
    assert changes_of(old, new) == []
    assert lines_of("diff", old, new, "--stat") == ["0 added, 0 removed, 0 moved, 0 changed"]


def test_als_diff_of_a_rename_is_one_line(pair):
    old, new = pair(*edited(lambda it: it["tracks"][0].update(name="Drums")))
    name = json.dumps(small_set()["tracks"][0]["name"], ensure_ascii=False)
    assert lines_of("diff", old, new) == ['Track "Drums"', f'  Name: {name} -> "Drums"']
    [change] = changes_of(old, new)
    assert change["type"] == "modified" and change["new_value"] == {"name": "Drums"}


def test_als_diff_of_a_track_that_went_to_the_front_is_one_move(pair):
    old, new = pair(*edited(lambda it: it["tracks"].insert(0, it["tracks"].pop(3))))
    [line] = lines_of("diff", old, new)
    assert line.endswith(": moved from place 4 to 1")
    assert all(is_only_pushed(change) for change in changes_of(old, new))


def test_als_diff_of_a_device_that_went_to_the_front_leaves_the_others(pair):
    old = small_set()
    maker = als_sets.Maker(1)
    old["tracks"][0]["devices"] = [maker.device("audio", 3) for _ in range(5)]
    new = copy.deepcopy(old)
    new["tracks"][0]["devices"].insert(0, new["tracks"][0]["devices"].pop())
    old, new = pair(old, new)
    assert len(said(lines_of("diff", old, new))) == 1
    assert [c["node_type"] for c in changes_of(old, new) if c["type"] == "removed"] == ["device"]


def test_als_diff_of_a_scene_with_empty_slots_is_one_line(pair):
    def add_scene(it):
        scene = als_sets.Maker(9).scene() | {"id": 5000, "name": "Bridge"}
        it["scenes"].insert(1, scene)
        for track in [*it["tracks"], it["master"]]:
            track["slots"][5000] = {"has_stop": True, "clip": None}

    old, new = pair(*edited(add_scene))
    assert lines_of("diff", old, new) == ['+ Scene "Bridge"']


def test_als_diff_of_a_mute_is_told_once(pair):
    def mute(it):
        it["tracks"][0]["is_muted"] = not it["tracks"][0]["is_muted"]

    old, new = pair(*edited(mute))
    assert len(said(lines_of("diff", old, new))) == 1


def test_als_diff_of_random_edits_leads_from_the_old_tree_to_the_new(start, tmp_path, rng):
    """And is never longer than the edits, as als_edits counts them."""
    digests = Digests(start())
    maker = als_sets.Maker(rng.random(), 12)
    live_set = maker.set(tracks=6, scenes=5)
    first = old = save(tmp_path / "0.als", live_set)
    trees = {old: tree_of(old)}
    whole = als_edits.Editor(live_set, maker)
    for number in range(1, ROUNDS + 1):
        editor = als_edits.Editor(live_set, maker)
        for _ in range(EDITS // ROUNDS):
            editor.edit()
        whole.lines, whole.entries = whole.lines + editor.lines, whole.entries + editor.entries
        new = save(tmp_path / f"{number}.als", live_set)
        trees[new] = tree_of(new)
        check_diff(old, new, trees, editor, digests)
        old = new
    check_diff(first, old, trees, whole, digests)


class Digests:
    """Asks a serve for the content digest of a tree: each becomes its picture."""

    def __init__(self, serve):
        self.serve = serve
        self.live = serve.live()
        self.pictures = 0

    def of(self, ast):
        for datagram in self.live.sender.encode_snapshot(ast):
            self.live.send_bytes(datagram)
        self.pictures += 1
        wait_until(lambda: self.serve.count("^picture") >= self.pictures, "the snapshot")
        with self.serve.subscribe() as subscriber:
            return receive(subscriber)["payload"]["ast"]["hash"]


def check_diff(old, new, trees, editor, digests):
    mirror = Subscriber()
    mirror.receive({"type": "FULL_AST", "payload": {"ast": trees[old]}})
    changes = changes_of(old, new)
    mirror.apply_changes(changes)
    assert list(differences(mirror.ast, trees[new], ids=True)) == []
    assert digests.of(mirror.ast) == digests.of(trees[new])
    told = [change for change in changes if not is_only_pushed(change)]
    assert len(told) <= editor.entries, (editor.done, told)
    lines = said(lines_of("diff", old, new))
    assert len(lines) <= editor.lines, (editor.done, lines)


PLUGIN = """<Ableton><LiveSet><Tracks><MidiTrack Id="1"><DeviceChain><DeviceChain><Devices><PluginDevice Id="1">
<ParameterList><PluginFloatParameter Id="0"><ParameterName Value="Mix&#10;+ Track"/><ParameterValue>
<Manual Value="{}"/><AutomationTarget Id="7"/></ParameterValue></PluginFloatParameter></ParameterList></PluginDevice>
</Devices></DeviceChain></DeviceChain></MidiTrack></Tracks></LiveSet></Ableton>"""


def test_als_diff_has_a_line_for_a_parameter_whatever_its_name(tmp_path):
    old, new = tmp_path / "old.xml", tmp_path / "new.xml"
    old.write_text(PLUGIN.format(0.5))
    new.write_text(PLUGIN.format(1))
    assert lines_of("diff", old, new) == ["Track 1", '  Device "PluginDevice"', "    Mix\\n+ Track: 0.5 -> 1.0"]


def test_als_diff_refuses_what_is_no_set_and_says_which(tmp_path, pair):
    old, _ = pair(*edited(lambda _: None))
    junk = tmp_path / "junk.als"
    junk.write_bytes(b"junk\n")
    assert symlog("diff", old, junk, status=1)[1] == f"symlog diff: {junk}: neither gzip nor XML\n"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_als_diff_is_gits_diff_of_sets(tmp_path):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def git(*words):
        command = ["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    live_set = small_set()
    song = tmp_path / "Song.als"
    git("init", "--quiet")
    git("config", "diff.als.command", f"'{SYMLOG}' diff")
    (tmp_path / ".gitattributes").write_text("*.als diff=als\n")
    save(song, live_set)
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    live_set["tempo"] = 123.0
    save(song, live_set)
    assert re.fullmatch(r"symlog diff Song\.als\nTempo: [\d.]+ -> 123\.0\n", git("diff"))
    git("commit", "--quiet", "--all", "--message", "faster")
    assert "Tempo: " in git("show", "--ext-diff")
    song.unlink()
    assert '- Track "' in git("diff")
    git("rm", "--quiet", "Song.als")
    git("commit", "--quiet", "--message", "gone")
    assert "symlog diff Song.als" in git("show", "--ext-diff")
    check_git_goes_on(git, song, live_set)


def check_git_goes_on(git, song, live_set):
    """Past sets that were renamed, are broken, or not merged yet."""
    other, broken = song.with_name("Other.als"), song.with_name("A.als")
    save(song, live_set)
    broken.write_bytes(b"junk")
    git("add", "--all")
    git("commit", "--quiet", "--message", "again")
    git("mv", "Song.als", "Other.als")
    broken.write_bytes(b"more junk")
    junk, renamed = git("diff", "HEAD").split("symlog diff Song.als")
    assert re.fullmatch(r"symlog diff A\.als\ncannot be compared: .*: neither gzip nor XML\n", junk)
    assert renamed == " -> Other.als\n"
    git("commit", "--quiet", "--all", "--message", "renamed")
    for branch, tempo in (("slow", 60.0), ("fast", 200.0)):
        git("checkout", "--quiet", "-b", branch, "HEAD" if branch == "slow" else "slow~1")
        live_set["tempo"] = tempo
        save(other, live_set)
        git("commit", "--quiet", "--all", "--message", branch)
    with pytest.raises(subprocess.CalledProcessError):
        git("merge", "--quiet", "slow")
    assert git("diff", "--cached") == "symlog diff Other.als\nnot merged yet\n"
