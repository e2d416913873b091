"""Logs as records and as digests: exported, imported, replayed by the program and by core alone."""

import json
import struct
import subprocess
from pathlib import Path

import pytest
from log_lines import KINDS
from serving import BINARY
from tally import EMULATORS, ROOT

BOOT_ID = slice(12, 28)  # In a start event's payload.


def run(*command, stdin=None):
    """Runs a command to its end and returns what it printed, as bytes."""
    words = list(map(str, command))
    ended = subprocess.run(words, stdin=stdin, capture_output=True, timeout=120, cwd=ROOT, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


def export(db, path, *options):
    run(BINARY, "log", "export", *options, path, "--db", db)
    return path


def digests(db, every, binary=BINARY):
    """Number -> state digest."""
    return read_digests(run(binary, "replay", "--digests", every, "--db", db))


def read_digests(printed):
    return {int(number): digest for number, digest in (line.split() for line in printed.decode().splitlines())}


def core_digests(folder, records, every):
    """The same from core alone; skipped where that CPU's program was not built."""
    above = Path(BINARY).resolve().parents[1]  # build.zig puts the programs for tests there or below test/.
    names = [root / folder / name for root in (above, above / "test") for name in ("digest", "digest.wasm")]
    program = next(filter(Path.is_file, names), None)
    if program is None:
        pytest.skip("needs zig build test-binaries")
    with records.open("rb") as stdin:
        return read_digests(run(*EMULATORS.get(folder.split("-")[0], []), program, every, stdin=stdin))


def import_events(folder, head, events, batch=1024):
    lines = folder / "events.ndjson"
    lines.write_text("".join(json.dumps(line) + "\n" for line in [head, *events]))
    run(BINARY, "log", "import", lines, "--batch", batch, "--db", folder / "log")
    return folder / "log"


def read_records(data):
    """The head and the events of an exported log, from its raw records."""
    head, events, at = {"symlog_log": 1, "log_id": data[:16].hex()}, [], 16
    while at < len(data):
        seq, kind, version, source, session, source_seq, time_ns, length, _ = struct.unpack_from("<QHHIQQQII", data, at)
        at += 48
        number = None if source_seq == 2**64 - 1 else source_seq
        event = {"seq": seq, "kind": kind, "version": version, "source": source, "session": session}
        event |= {"source_seq": number, "time_ns": time_ns, "payload": data[at : at + length].hex()}
        events.append(event)
        at += length
    return head, events


def forget_machine(events):
    """Which machine it was is nobody's business."""
    for event in events:
        if event["kind"] == KINDS["start"]:
            payload = bytearray.fromhex(event["payload"])
            payload[BOOT_ID] = bytes(16)
            event["payload"] = payload.hex()
