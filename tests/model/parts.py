"""Slices a snapshot into the messages that carry it."""

import gzip
import json

SNAPSHOT_PATH = "/symlog/snapshot"
PART_BYTES_MAX = 8 * 1024


def split_snapshot(ast, session, part_bytes=PART_BYTES_MAX):
    """The (path, args) of each part of a snapshot, not wrapped; ast is a dict or bytes of JSON."""
    source = ast if isinstance(ast, bytes) else json.dumps(ast).encode()
    packed = gzip.compress(source, mtime=0)
    slices = [packed[at : at + part_bytes] for at in range(0, len(packed), part_bytes)]
    return [
        (SNAPSHOT_PATH, [("h", session), ("i", part), ("i", len(slices)), ("b", piece)])
        for part, piece in enumerate(slices)
    ]
