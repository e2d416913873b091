"""A damaged log: `verify` names the first bad event, whatever LMDB does, and `--repair` saves every other.

Damage is drawn from $SYMLOG_SEED, which each test prints.
"""

import json
import os
import random
import shutil

import damage
import pytest
from cli import imported, lines_of, symlog
from log_lines import LogLines
from serving import run_symlog

SOAK = "SYMLOG_SOAK" in os.environ
SEED = int(os.environ.get("SYMLOG_SEED", "1"))
ROUNDS = 40 if SOAK else 3
EVENTS = 6000
BIG_EVENT = 3000  # its payload is a blob
LOST = 12  # the kind of a tombstone


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(folder of a whole log, its exported events by number)"""
    folder = tmp_path_factory.mktemp("whole")
    lines = LogLines()
    lines.start(wall_ns=0)
    lines.session()
    lines.osc("/live/track/added", ("i", 0), ("s", "Drums"))
    while len(lines.events) < EVENTS:
        number = len(lines.events) + 1
        if number == BIG_EVENT:
            lines.mark("x" * 9000)
        else:
            lines.osc("/live/track/renamed", ("i", 0), ("s", f"{number:060}"), seconds=number)
    # Small commits leave old pages in the file, as serve's do.
    symlog("log", "import", lines.write(folder / "whole.ndjson"), "--db", folder / "log", "--batch", "50")
    return folder / "log", exported(folder / "log")


def exported(db):
    events = map(json.loads, lines_of("log", "export", "-", "--db", db)[1:])
    return {event["seq"]: event for event in events}


def damaged(whole, tmp_path, harm, seed):
    db = tmp_path / "damaged"
    shutil.rmtree(db, ignore_errors=True)
    shutil.copytree(whole[0], db)
    pages = damage.Pages(db)
    harm(pages, random.Random(seed))
    pages.write()
    return db


@pytest.mark.parametrize("harm", damage.ALL, ids=lambda harm: harm.__name__)
def test_repair_saves_every_good_event(whole, tmp_path, harm):
    for seed in range(SEED, SEED + ROUNDS):
        print(f"SYMLOG_SEED={seed}")
        db, saved = damaged(whole, tmp_path, harm, seed), tmp_path / "saved"
        shutil.rmtree(saved, ignore_errors=True)
        before = (db / "data.mdb").read_bytes()
        output, _ = symlog("verify", "--db", db, "--repair", saved)
        assert (db / "data.mdb").read_bytes() == before, "the damaged log stays as it is"
        events = exported(saved)
        assert list(events) == list(range(1, len(events) + 1)), "contiguous"
        assert "\nok: " in output
        lost = [seq for seq, event in events.items() if event["kind"] == LOST and event != whole[1].get(seq)]
        assert all(event == whole[1][seq] for seq, event in events.items() if seq not in set(lost))
        assert not lost or f"lost {len(lost)}, first event {lost[0]}" in output
        check_cost(harm, lost, len(events))


def check_cost(harm, lost, count):
    """What may be lost stood on what was damaged, and nowhere else."""
    if harm is not damage.truncate:
        assert count == EVENTS or harm is damage.scatter_noise
    if harm in (damage.swap_pages, damage.zero_branches, damage.zero_metas):
        assert not lost
    limits = {damage.flip_bits: 20, damage.swap_records: 2, damage.zero_pages: 3 * 40, damage.noise_pages: 3 * 40}
    assert len(lost) <= limits.get(harm, EVENTS)


def first_missing(db):
    """The first number that reading one after the other does not give."""
    ended = run_symlog("log", "--db", db)
    numbers = [int(line.split()[0]) for line in ended.stdout.splitlines()]
    return len(numbers) + 1 if numbers == list(range(1, len(numbers) + 1)) else None


@pytest.mark.parametrize("harm", [damage.flip_bits, damage.swap_records], ids=lambda harm: harm.__name__)
def test_verify_names_the_first_bad_event_by_checksum(whole, tmp_path, harm):
    for seed in range(SEED, SEED + ROUNDS):
        db = damaged(whole, tmp_path, harm, seed)
        first = first_missing(db)
        if first > EVENTS:
            continue  # Only pages that are no longer used were hit.
        output, _ = symlog("verify", "--db", db, status=1)
        assert f"damaged, first at event {first} " in output


@pytest.mark.parametrize("harm", [damage.zero_pages, damage.noise_pages], ids=lambda harm: harm.__name__)
def test_verify_names_the_first_bad_event_by_crash(whole, tmp_path, harm):
    is_named = 0
    for seed in range(SEED, SEED + 4 * ROUNDS):
        db = damaged(whole, tmp_path, harm, seed)
        ended = run_symlog("verify", "--db", db)
        if ended.returncode == 0:
            continue  # Only pages that are no longer used were hit.
        said = ended.stdout + ended.stderr
        first = int(said.split("first at event ")[1].split()[0].rstrip(":;"))
        if "cannot be opened" in said:  # The last page was hit; LMDB does not get to any other.
            shutil.rmtree(tmp_path / "saved", ignore_errors=True)
            assert f"first event {first}" in symlog("verify", "--db", db, "--repair", tmp_path / "saved")[0]
            continue
        pages = damage.Pages(whole[0])
        bad = damage.Pages(db)
        hit = [number for number in pages.of_events() if pages.page(number) != bad.page(number)]
        starts = [min(seq for seq, *_ in pages.records(number)) for number in hit]
        assert first in starts, "it names the first event of a page that was hit"
        is_named += 1
    assert is_named > 0


@pytest.mark.parametrize("harm", damage.ALL, ids=lambda harm: harm.__name__)
def test_damage_ends_every_command_with_a_word(whole, tmp_path, harm):
    for seed in range(SEED, SEED + ROUNDS):
        print(f"SYMLOG_SEED={seed}")
        for words in (["stat"], ["log"], ["replay", "--state"], ["log", "export", "-"], ["watch", "--once"]):
            ended = run_symlog(*words, "--db", damaged(whole, tmp_path, harm, seed))
            assert ended.returncode in (0, 1), f"{words} {ended.stderr}"
            assert ended.returncode == 0 or "symlog" in ended.stderr.splitlines()[-1]
            assert "mdb.c" not in ended.stderr, "LMDB's own words mean nothing to people"


def test_damage_ends_serve_with_a_word(whole, tmp_path):
    for harm in (damage.truncate, damage.zero_free_list):
        db = damaged(whole, tmp_path, harm, SEED)
        ended = run_symlog("serve", "--db", db, "--osc", "0", "--ws", "0")
        assert ended.returncode == 1 and "symlog verify" in ended.stderr


def test_verify_sees_a_tree_that_ends_too_early(whole, tmp_path):
    db = damaged(whole, tmp_path, damage.swap_last_leaf, SEED)
    ended = run_symlog("verify", "--db", db)
    assert ended.returncode == 1 and "not ok: damaged, first at event " in ended.stdout


def test_verify_sees_a_damaged_list_of_free_pages(whole, tmp_path):
    db = damaged(whole, tmp_path, damage.zero_free_list, SEED)
    _, errors = symlog("verify", "--db", db, status=1)
    assert "every event is whole, but LMDB's list of free pages is not" in errors
    symlog("verify", "--db", db, "--repair", tmp_path / "saved")
    assert exported(tmp_path / "saved") == whole[1]


def test_verify_of_an_empty_file(tmp_path):
    (tmp_path / "data.mdb").touch()
    assert "data.mdb is empty" in symlog("verify", "--db", tmp_path, status=1)[1]


def test_repair_of_a_pruned_log_loses_nothing_that_was_pruned(whole, tmp_path):
    db, saved = tmp_path / "damaged", tmp_path / "saved"
    shutil.copytree(whole[0], db)
    symlog("prune", "--before", "4000", "--db", db)
    kept = exported(db)
    pages = damage.Pages(db)
    for number in pages.of_events():  # What LMDB has not used again is as if it had.
        if max(seq for seq, *_ in pages.records(number)) < 4000:
            pages.set_page(number, bytes(damage.PAGE_BYTES))
    damage.zero_metas(pages, None)
    pages.write()
    output, _ = symlog("verify", "--db", db, "--repair", saved)
    assert "lost" not in output
    assert exported(saved) == kept


def test_repair_of_a_whole_log_is_a_copy(whole, tmp_path):
    output, _ = symlog("verify", "--db", whole[0], "--repair", tmp_path / "saved")
    assert "lost" not in output
    assert exported(tmp_path / "saved") == whole[1]


def test_repair_refuses_a_folder_with_a_log(whole, tmp_path):
    for folder in [whole[0], imported(tmp_path, LogLines())[1]]:
        _, errors = symlog("verify", "--db", whole[0], "--repair", folder, status=1)
        assert "holds a log already" in errors
    assert exported(whole[0]) == whole[1]


def test_repair_of_no_log(tmp_path):
    _, errors = symlog("verify", "--db", tmp_path / "none", "--repair", tmp_path / "saved", status=1)
    assert "no log" in errors and not (tmp_path / "saved").exists()
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "data.mdb").write_bytes(bytes(range(256)) * 100)
    _, errors = symlog("verify", "--db", tmp_path / "noise", "--repair", tmp_path / "saved", status=1)
    assert "nothing can be saved" in errors and not (tmp_path / "saved").exists()


def test_checkpoints_after_a_loss_are_not_comparable(tmp_path):
    lines = LogLines()
    lines.start(wall_ns=0)
    lines.session()
    lines.osc("/live/track/added", ("i", 0), ("s", "Drums"))
    db = imported(tmp_path, lines, "plain")
    digests = dict(line.split() for line in lines_of("replay", *db, "--digests", "1"))
    version = json.loads(symlog("stat", *db, "--json")[0])["reducer_version"]
    lines.checkpoint(3, digests["3"], version)
    lines.mark("to be damaged")
    lines.checkpoint(3, digests["3"], version)
    lines.checkpoint(5, "1" * 32, version)
    db = imported(tmp_path, lines)
    data = tmp_path / "log" / "data.mdb"
    data.write_bytes(data.read_bytes().replace(b"to be damaged", b"TO BE DAMAGED"))
    output, _ = symlog("verify", *db, "--repair", tmp_path / "saved")
    assert "lost 1, first event 5" in output
    verdict = "ok: 7 events, 1 of them lost, first event 5; checkpoints: 2 proven, 1 not comparable after a loss\n"
    assert output.endswith(verdict)
    assert symlog("verify", "--db", tmp_path / "saved")[0] == verdict
