"""Writes fixtures/datagrams/ and the seeds in fixtures/fuzz/datagram/: python3 tests/make_datagrams.py

A file's name says what core's OSC reader must make of it: ok_<what>.bin is well formed, bad_<why>.bin is not. What the
reducer thinks of a well-formed one (an unknown path, an index out of range) is another matter. Always the same bytes.
"""

import random
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMMEDIATELY = 1
PACKET_BYTES_MAX = 65507
SEED_BYTES_MAX = 1000  # bigger files teach the fuzzer nothing


def main():
    corpus = {f"ok_{name}": data for name, data in good().items()}
    corpus |= {f"bad_{name}": data for name, data in bad().items()}
    write(ROOT / "fixtures" / "datagrams", corpus)
    write(ROOT / "fixtures" / "fuzz" / "datagram", {n: d for n, d in corpus.items() if len(d) <= SEED_BYTES_MAX})


def write(folder, corpus):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.bin"):
        old.unlink()
    for name, data in corpus.items():
        (folder / f"{name}.bin").write_bytes(data)


def good():
    volume = wrapped(5, "/live/track/volume", ("i", 3), ("f", 0.75))
    return {
        "renamed": wrapped(0, "/live/track/renamed", ("i", 0), ("s", "Bass")),
        "volume": volume,
        "unwrapped": message("/live/track/mute", ("i", 1), ("T", None)),
        "hello": message("/symlog/hello", ("h", 77), ("s", "live"), ("s", "0.1"), ("i", 1)),
        "heartbeat": message("/symlog/heartbeat", ("h", 77), ("h", 9)),
        "snapshot_part": wrapped(6, "/symlog/snapshot", ("h", 77), ("i", 0), ("i", 1), ("b", b"\x1f\x8b\x08")),
        "wide_wrapper": message("/live/seq", ("h", 1 << 40), ("d", 1.5e9), ("s", "/live/scene/triggered"), ("i", 2)),
        "timetag_wrapper": message("/live/seq", ("i", 1), ("t", 1), ("S", "/live/scene/triggered"), ("i", 2)),
        "every_tag": message("/a", *every_tag()),
        "no_arguments": message("/a"),
        "address_is_slash": message("/"),
        "empty_text": message("/live/track/renamed", ("i", 0), ("s", "")),
        "text_not_utf8": wrapped(1, "/live/track/renamed", ("i", 0), ("s", b"B\xffss\xc3")),
        "address_not_utf8": message(b"/\xff\x01\x7f", ("i", 0)),
        "empty_blob": message("/a", ("b", b"")),
        "blob_padded": message("/a", ("b", b"12345")),
        "unknown_path": wrapped(2, "/live/track/exploded", ("i", 0)),
        "wrong_types": wrapped(2, "/live/track/volume", ("s", "loud"), ("i", 0)),
        "too_few_arguments": wrapped(2, "/live/track/volume", ("i", 0)),
        "index_negative": wrapped(2, "/live/track/mute", ("i", -1), ("T", None)),
        "index_out_of_range": wrapped(2, "/live/track/mute", ("i", 0x7FFFFFFF), ("T", None)),
        "float_not_a_number": wrapped(2, "/live/track/volume", ("i", 0), ("f", float("nan"))),
        "float_infinite": wrapped(2, "/live/track/volume", ("i", 0), ("f", float("inf"))),
        "number_negative": wrapped(-1, "/live/track/mute", ("i", 0), ("T", None)),
        "wrapper_malformed": message("/live/seq", ("i", 2), ("s", "/live/track/mute")),
        "bundle": bundle(volume, wrapped(6, "/live/track/pan", ("i", 3), ("f", -0.5))),
        "bundle_empty": bundle(),
        "bundle_far_future": bundle(volume, timetag=0xFFFFFFFFFFFFFFFF),
        "bundle_mixed": bundle(volume, message("/live/track/mute", ("i", 1), ("T", None))),
        "bundle_nested": bundle(volume, bundle(message("/b"), bundle()), message("/c")),
        "bundle_nested_8_deep": nested(8),
        "bundle_of_many": bundle(*[message("/a")] * 500),
        "arguments_many": message("/a", *[("T", None)] * 2000),
    }


def bad():
    volume = wrapped(5, "/live/track/volume", ("i", 3), ("f", 0.75))
    header = bundle()
    noise = random.Random(9002)
    return {
        "no_bytes": b"",
        "one_byte": b"/",
        "length_odd": volume + b"\0",
        "cut_in_argument": volume[:-4],
        "cut_in_tags": volume[:16],
        "cut_in_address": volume[:8],
        "trailing_bytes": volume + bytes(4),
        "address_no_slash": padded(b"live") + padded(b","),
        "address_empty": bytes(4) + padded(b","),
        "address_no_end": b"/abcdefg",
        "address_padding": b"/a\0x" + padded(b","),
        "tags_missing": padded(b"/live/track/mute"),
        "tags_no_comma": padded(b"/a") + padded(b"i") + bytes(4),
        "tags_no_end": padded(b"/a") + b",TTT",
        "tags_padding": padded(b"/a") + b",T\0T",
        "tag_unknown": padded(b"/a") + padded(b",x") + bytes(4),
        "tag_array": padded(b"/a") + padded(b",[i]") + bytes(4),
        "tag_not_ascii": padded(b"/a") + padded(b",\xe9") + bytes(4),
        "int_missing": padded(b"/a") + padded(b",i"),
        "long_half": padded(b"/a") + padded(b",h") + bytes(4),
        "text_missing": padded(b"/a") + padded(b",s"),
        "text_no_end": padded(b"/a") + padded(b",s") + b"Bass",
        "text_padding": padded(b"/a") + padded(b",s") + b"Ba\0s",
        "blob_missing": padded(b"/a") + padded(b",b"),
        "blob_negative": padded(b"/a") + padded(b",b") + b"\xff\xff\xff\xff" + bytes(4),
        "blob_most_negative": padded(b"/a") + padded(b",b") + b"\x80\0\0\0" + bytes(4),
        "blob_too_long": padded(b"/a") + padded(b",b") + b"\0\0\0\5" + b"1234",
        "blob_huge": padded(b"/a") + padded(b",b") + b"\x7f\xff\xff\xfc" + b"1234",
        "blob_padding": padded(b"/a") + padded(b",b") + b"\0\0\0\3" + b"123x",
        "bundle_misspelled": b"#bundel\0" + struct.pack(">Q", IMMEDIATELY),
        "bundle_name_alone": b"#bundle\0",
        "bundle_timetag_half": b"#bundle\0" + bytes(4),
        "bundle_element_empty": header + bytes(4),
        "bundle_element_empty_last": header + element(message("/a")) + bytes(4),
        "bundle_element_too_long": header + b"\0\0\0\x0c" + message("/a"),
        "bundle_element_negative": header + b"\xff\xff\xff\xfc" + message("/a"),
        "bundle_element_odd": header + b"\0\0\0\x07" + message("/a"),
        "bundle_element_bad_message": bundle(message("/a"), padded(b"/a")),
        "bundle_inner_too_long": bundle(header + b"\0\0\0\x10" + message("/a")),
        "bundle_nested_9_deep": nested(9),
        "bundle_nested_3000_deep": nested(3000),
        "too_long": padded(b"/a") + padded(b",b") + struct.pack(">i", PACKET_BYTES_MAX) + bytes(PACKET_BYTES_MAX + 1),
        "noise": noise.randbytes(1500),
        "noise_aligned": noise.randbytes(1024),
        "noise_after_slash": b"/" + noise.randbytes(1023),
        "noise_longest": noise.randbytes(PACKET_BYTES_MAX),
    }


def every_tag():
    return [
        ("i", -1),
        ("f", 0.75),
        ("s", "text"),
        ("b", b"blob"),
        ("h", -(1 << 62)),
        ("t", IMMEDIATELY),
        ("d", 120.0),
        ("S", "symbol"),
        ("c", ord("c")),
        ("r", 0x01020304),
        ("m", 0x0090407F),
        ("T", None),
        ("F", None),
        ("N", None),
        ("I", None),
    ]


def wrapped(number, path, *arguments):
    return message("/live/seq", ("i", number), ("f", 0.0), ("s", path), *arguments)


def message(address, *arguments):
    tags = "," + "".join(tag for tag, _ in arguments)
    return padded(encoded(address)) + padded(encoded(tags)) + b"".join(argument(*each) for each in arguments)


def argument(tag, value):
    if tag in "sS":
        return padded(encoded(value))
    if tag == "b":
        return struct.pack(">i", len(value)) + value + bytes(-len(value) % 4)
    formats = {"i": ">i", "f": ">f", "h": ">q", "t": ">Q", "d": ">d", "c": ">i", "r": ">I", "m": ">I"}
    return struct.pack(formats[tag], value) if tag in formats else b""


def bundle(*elements, timetag=IMMEDIATELY):
    return b"#bundle\0" + struct.pack(">Q", timetag) + b"".join(map(element, elements))


def nested(depth):
    innermost = bundle()
    for _ in range(depth - 1):
        innermost = bundle(innermost)
    return innermost


def element(packet):
    return struct.pack(">I", len(packet)) + packet


def encoded(text):
    return text if isinstance(text, bytes) else text.encode()


def padded(text):
    return text + bytes(4 - len(text) % 4)


main()
