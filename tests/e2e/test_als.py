"""Live sets: what `symlog import-als` reads of them, beside a second reader, and what is refused."""

import gzip
import json
import os
import re
from pathlib import Path

import als_reader
import als_sets
import pytest
from cli import lines_of, symlog
from model.shape import differences

# Real sets, which are not the project's to pass on; in a fresh clone there are none.
REAL = Path(os.environ.get("SYMLOG_ALS") or Path(__file__).parents[3] / "shared" / "als")
REFUSED = ("empty.als", "junk.als")
COUNTED = ("tracks", "scenes", "devices", "parameters", "clips", "notes", "points", "locators")
REAL_SETS = [path for path in sorted(REAL.glob("**/*.als")) if path.name not in REFUSED]


def check_tree(path):
    """Says a line of the table: what there is to count."""
    root = als_reader.load(path)
    ast = json.loads(symlog("import-als", path, "--json")[0])
    counted = als_reader.counts(root)
    assert als_reader.counts_of_tree(ast) == counted
    assert list(differences(als_reader.tree(root), ast)) == []
    print(f"{path.name:45}", *(f"{name} {counted[name]:>6}" for name in COUNTED))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("version", [9, 10, 11, 12])
def test_als_of_a_made_set_is_read_as_another_reader_reads_it(tmp_path, version, seed):
    path = tmp_path / "Song.als"
    path.write_bytes(als_sets.als_bytes(als_sets.random_set(seed, version)))
    check_tree(path)


def test_als_of_a_made_set_is_the_same_for_the_same_seed():
    first, second = (als_sets.als_bytes(als_sets.random_set(5, 11)) for _ in range(2))
    assert first == second


@pytest.mark.skipif(not REAL_SETS, reason="no real sets are here ($SYMLOG_ALS)")
@pytest.mark.parametrize("path", REAL_SETS, ids=lambda path: path.name)
def test_als_of_a_real_set_is_read_as_another_reader_reads_it(path):
    check_tree(path)


@pytest.mark.skipif(not (REAL / "als-parser").exists(), reason="no real sets are here ($SYMLOG_ALS)")
def test_als_of_two_real_saves_differs_by_what_was_done():
    old, new = sorted((REAL / "als-parser").glob("*.als"), key=lambda path: len(path.name), reverse=True)
    assert lines_of("diff", old, new) == ["Tempo: 120.0 -> 199.990005"]


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.skipif(not (REAL / "dawtool").exists(), reason="no real sets are here ($SYMLOG_ALS)")
def test_als_that_is_no_set_is_refused_like_the_made_one(name):
    reason = {"empty.als": "the file is empty", "junk.als": "neither gzip nor XML"}[name]
    path = REAL / "dawtool" / name
    assert symlog("import-als", path, status=1)[1] == f"symlog import-als: {path}: {reason}\n"


# Other forms of the same.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_als_as_plain_xml_gives_the_same_tree(tmp_path, encoding):
    xml = als_sets.write_set(als_sets.random_set(1, 12))
    packed, plain = tmp_path / "Song.als", tmp_path / "Song.xml"
    packed.write_bytes(als_sets.pack(xml))
    plain.write_bytes(xml.replace("UTF-8", encoding.upper().removesuffix("-SIG")).encode(encoding))
    assert symlog("import-als", plain, "--json") == symlog("import-als", packed, "--json")


def test_als_with_ids_that_are_there_twice_keeps_both(tmp_path):
    live_set = als_sets.random_set(1, 12, tracks=4)
    for track in live_set["tracks"]:
        track["id"] = 7
    path = tmp_path / "Song.als"
    path.write_bytes(als_sets.als_bytes(live_set))
    check_tree(path)


def test_als_with_racks_in_racks_gives_short_ids(tmp_path):
    live_set = als_sets.random_set(1, 12, tracks=1)
    maker = als_sets.Maker(1)
    holder = live_set["tracks"][0]
    for _ in range(9):
        rack = maker.device("audio", depth=3) | {"tag": als_sets.RACKS["audio"][0], "rack": als_sets.RACKS["audio"]}
        rack |= {"parameters": [], "plugin": None, "patch": None, "id": 10**12, "chains": [maker.chain("audio", 3)]}
        rack["chains"][0] |= {"id": 10**12, "devices": []}
        holder["devices"] = [rack]
        holder = rack["chains"][0]
    path = tmp_path / "Song.als"
    path.write_bytes(als_sets.als_bytes(live_set))
    check_tree(path)


# What is refused.

SET = "<Ableton><LiveSet>{}</LiveSet></Ableton>"
BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>' + SET.format("<Name Value='&c;'/>")
DOCTYPE = "a document type definition, which no Live set has"


def racks(depth):
    """Devices in chains in devices."""
    opened = '<AudioEffectGroupDevice Id="1"><Branches><B Id="1"><DeviceChain><C><Devices>' * depth
    closed = "</Devices></C></DeviceChain></B></Branches></AudioEffectGroupDevice>" * depth
    return f'<Tracks><T Id="1"><DeviceChain><DeviceChain><Devices>{opened}{closed}</Devices></DeviceChain></DeviceChain></T></Tracks>'


def locators(count):
    return "<Locators><Locators>" + "<L/>" * count + "</Locators></Locators>"


def packed(xml):
    return gzip.compress(xml.encode(), mtime=0)


def cut_in_the_crc():
    return packed(SET.format(""))[:-4]


BAD = {
    "empty": (b"", "the file is empty"),
    "junk": (b"junk\n", "neither gzip nor XML"),
    "gzip_cut": (als_sets.als_bytes(als_sets.random_set(1))[:2000], r"the gzip is cut off after \d+ bytes of XML"),
    "gzip_cut_in_the_end": (cut_in_the_crc(), r"the gzip is cut off after \d+ bytes of XML"),
    "gzip_damaged": (packed("junk")[:-8] + bytes(8), "the gzip is damaged: incorrect data check"),
    "gzip_of_nothing": (packed(""), "no valid XML at line 1, column 0: no element found"),
    "gzip_with_more_behind": (packed(SET.format("")) + b"x", "1 bytes behind the end of the gzip"),
    "gzip_of_junk": (packed("junk"), r"no valid XML at line 1, column 0: .+"),
    "xml_cut": (packed("<Ableton><LiveSet>"), r"no valid XML at line 1, column 18: no element found"),
    "xml_mismatched": (packed("<Ableton><LiveSet></Ableton>"), "no valid XML at line 1, column 20: mismatched tag"),
    "xml_no_set": (packed("<Ableton><Song/></Ableton>"), "XML, but no Live set: no Ableton/LiveSet in it"),
    "xml_of_others": (packed("<html/>"), "XML, but no Live set: no Ableton/LiveSet in it"),
    "xml_bomb": (packed(BOMB), DOCTYPE),
    "xml_doctype": (packed('<!DOCTYPE a SYSTEM "file:///etc/passwd">' + SET.format("")), DOCTYPE),
    "xml_deep": (packed(SET.format("<a>" * 3000 + "</a>" * 3000)), "elements nested more than 1024 deep"),
    "xml_deep_racks": (packed(SET.format(racks(40))), "racks nested too deep"),
    "xml_tag_without_end": (packed("<Ableton><LiveSet a='" + "x" * (17 << 20)), "a tag of more than 16 MiB"),
    "xml_many_nodes": (packed(SET.format(locators(1 << 20))), "more than 1048576 nodes"),
    "xml_deep_open": (packed("<a>" * 100_000), "elements nested more than 1024 deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_als_that_is_bad_is_refused_with_its_reason(tmp_path, name):
    data, reason = BAD[name]
    path = tmp_path / "Bad.als"
    path.write_bytes(data)
    output, errors = symlog("import-als", path, status=1)
    assert output == ""
    assert re.fullmatch(f"symlog import-als: {path}: {reason}\n", errors)


def test_als_that_is_bad_leaves_the_log_as_it_was(tmp_path):
    good, bad, db = tmp_path / "Good.als", tmp_path / "Bad.als", ["--db", tmp_path / "log"]
    good.write_bytes(als_sets.als_bytes(als_sets.random_set(1)))
    bad.write_bytes(BAD["xml_cut"][0])
    symlog("import-als", good, *db)
    before = symlog("replay", *db, "--state", "--json")
    symlog("import-als", bad, *db, status=1)
    assert symlog("replay", *db, "--state", "--json") == before


def test_als_of_a_folder_or_of_nothing_is_refused(tmp_path):
    assert symlog("import-als", tmp_path, status=1)[1] == f"symlog import-als: {tmp_path}: not a file\n"
    missing = tmp_path / "None.als"
    assert symlog("import-als", missing, status=1)[1] == f"symlog import-als: {missing}: No such file or directory\n"
