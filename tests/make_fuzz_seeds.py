"""Makes the seeds in fixtures/fuzz/record, import, request, sysex, als and score: tests/make_fuzz_seeds.py

Records and import lines come from the logs in fixtures/paths, so run it again when those have changed. (The seeds of
the target datagram are made by make_datagrams.py.) Standard library only.
"""

import json
import shutil
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "e2e"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "model"))

import als_sets  # noqa: E402
import score  # noqa: E402

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
LOG_ID = bytes.fromhex("00112233445566778899aabbccddeeff")
NO_NUMBER = 2**64 - 1
U64 = 2**64


def main():
    makers = {"record": record_seeds, "import": import_seeds, "request": request_seeds, "sysex": sysex_seeds, "als": als_seeds, "score": score_seeds}
    for name, make in makers.items():
        seeds = make()
        folder = FIXTURES / "fuzz" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for seed, content in seeds.items():
            (folder / seed).write_bytes(content)


def als_seeds():
    """Small Live sets, packed and not, and what makes one bad."""
    seeds = {}
    for version in als_sets.VERSIONS:
        xml = als_sets.write_set(als_sets.random_set(version, version, tracks=1, scenes=1, returns=1)).replace("\t", "")
        seeds[f"live_{version}.xml"] = xml.encode()
        seeds[f"live_{version}.als"] = als_sets.pack(xml)
    maker = als_sets.Maker(1)
    live_set = maker.set(tracks=1, scenes=1, returns=0)
    live_set["tracks"][0]["devices"] = [device_with(maker, key) for key in ("plugin", "patch", "rack")]
    seeds["devices.xml"] = als_sets.write_set(live_set).replace("\t", "").encode()
    seeds["no_scenes.xml"] = seeds["live_12.xml"].replace(b"<Scenes>", b"<X>").replace(b"</Scenes>", b"</X>")
    rack = '<R Id="123456789012"><Branches><B Id="1"><DeviceChain><C><Devices>'
    ends = "</Devices></C></DeviceChain></B></Branches></R>"
    track = '<Tracks><T Id="1"><DeviceChain><DeviceChain><Devices>{}</Devices></DeviceChain></DeviceChain></T></Tracks>'
    empty = "<Ableton><LiveSet>{}</LiveSet></Ableton>"
    seeds["empty.xml"] = empty.format("").encode()
    for depth in (12, 20):  # the ids get too long; the tree gets too deep
        seeds[f"racks_{depth}.xml"] = empty.format(track.format(rack * depth + ends * depth)).encode()
    seeds["utf16.xml"] = ('<?xml version="1.0" encoding="UTF-16"?>' + empty.format("")).encode("utf-16")
    seeds["entity.xml"] = b'<!DOCTYPE a [<!ENTITY b "bb">]>' + empty.format("<Name Value='&b;'/>").encode()
    seeds["cut.als"] = seeds["live_12.als"][:200]
    seeds["behind.als"] = als_sets.pack(empty.format("")) + b"x"
    return seeds


def device_with(maker, key):
    """The first random device that has it."""
    while not (device := maker.device("audio", 2)).get(key):
        pass
    return device


def record_seeds():
    """Logs in the form of `log export --raw`. Checksums are 0: the target makes its own."""
    seeds = {}
    for path in sorted((FIXTURES / "paths").glob("*.log.ndjson")):
        events = [json.loads(line) for line in path.read_text().splitlines()[1:]]
        name = path.name.removesuffix(".log.ndjson") + ".bin"
        seeds[name] = LOG_ID + b"".join(record(event) for event in events)
        if path.name.startswith("snapshot"):  # and saved states of such trees, changed a little
            change = {"seq": 9, "kind": 11, "version": 1, "payload": "01"}
            changes = b"".join(record({**change, "time_ns": position}) for position in range(0, 1000, 100))
            seeds[f"changed_{name}"] = seeds[name] + changes
    seeds["gap_of_a_quoted_name.bin"] = LOG_ID + b"".join(map(record, gap_of_a_quoted_name()))
    seeds["held_numbers_without_order.bin"] = LOG_ID + b"".join(map(record, held_numbers_without_order()))
    for name, (kind, version, payload) in payloads_of_symlog().items():
        event = {"seq": 1, "kind": kind, "version": version, "payload": payload.hex()}
        seeds[f"kind_{name}.bin"] = LOG_ID + record(event)
    return seeds


def gap_of_a_quoted_name():
    """A sender that calls itself \\" loses numbers."""
    datagram = b"/live/track/added\0\0\0,is\0\0\0\0\0Bass\0\0\0\0"
    payloads = [
        (3, None, b"\1" + text('\\"')),
        (4, 0, datagram),
        (4, 5, datagram),
        (10, None, struct.pack("<Q", 4)),
    ]
    return [
        {"seq": seq, "kind": kind, "version": 1, "source": 1, "source_seq": number, "payload": payload.hex()}
        for seq, (kind, number, payload) in enumerate(payloads, 1)
    ]


def held_numbers_without_order():
    """What is held has 32-bit numbers and far greater ones; then the sender begins anew."""
    datagram = b"/live/track/added\0\0\0,is\0\0\0\0\0Bass\0\0\0\0"
    numbers = [0, 0x9D, 0x565127C55D, 0x4000000000000003]
    begin = {"kind": 3, "payload": (b"\1" + text("a")).hex()}
    events = [{**begin, "session": 1}]
    events += [{"kind": 4, "session": 1, "source_seq": number, "payload": datagram.hex()} for number in numbers]
    events += [{**begin, "session": 2}]
    return [{"seq": seq, "version": 1, "source": 1, **event} for seq, event in enumerate(events, 1)]


def record(event):
    payload = bytes.fromhex(event["payload"])
    number = event.get("source_seq")
    header = struct.pack(
        "<HHIQQQII",
        event["kind"],
        event["version"],
        event.get("source", 0),
        event.get("session", 0) % U64,
        NO_NUMBER if number is None else number % U64,
        event.get("time_ns", 0),
        len(payload),
        0,
    )
    return struct.pack("<Q", event["seq"]) + header + payload


def payloads_of_symlog():
    """Kind, version and payload of an event of each kind that core/payload.h describes."""
    name = text("127.0.0.1:50000")
    return {
        "start": (1, 1, struct.pack("<qI", 1_700_000_000_000_000_000, 1) + bytes(16) + text("symlog") + text("--db x")),
        "counters_1": (2, 1, struct.pack("<QQI", 1, 2, 1) + struct.pack("<I7Q", 1, *range(7))),
        "counters_2": (2, 2, struct.pack("<QQI", 1, 2, 1) + struct.pack("<I10Q", 1, *range(10))),
        "session_1": (3, 1, b"\1" + name),
        "session_2": (3, 2, b"\1\1" + name),
        "picture_bad_json": (5, 1, picture_with_plugin_info("{bad")),
        "picture_json": (5, 1, picture_with_plugin_info('{"vendor":"é"}')),
        "picture_far_slot": (5, 1, picture([(0, 0, 0, b""), (1, 1, 0, b""), (4, 2, 4_000_000, b"")])),
        "refused": (6, 1, struct.pack("<H", 5) + text("a child where it may not stand")),
        "checkpoint": (7, 1, struct.pack("<QI", 1, 2) + bytes(range(16))),
        "mark": (8, 1, "naïve".encode()),
        "order_settled": (9, 1, b""),
        "gave_up": (10, 1, struct.pack("<Q", 9)),
        "base": (11, 1, struct.pack("<Q", 4) + struct.pack("<IIQqQQIII", 1, 2, 3, 4, 5, 6, 7, 0, 0)),
        "lost": (12, 1, b""),
        "paused": (13, 1, b"\1"),
        "sysex_hello": (14, 1, b"\xf0\x7d\x40e\xf7"),
        "sysex_full": (14, 1, b"\xf0\x7d\x41d;1;1;0;0;t120;kick:4;zz;hat:2/2\xf7"),
        "sysex_delta": (14, 1, b"\xf0\x7d\x42e;7;beat=0/1/3\xf7"),
        "sysex_sent": (15, 1, struct.pack("<I", 1) + b"\xf0\x7d\x42s;9;play\xf7"),
        "groove_edit": (16, 1, b"patch=t99;kick:2=Xx"),
        "setlists": (17, 1, setlists()),
        "parameter": (23, 1, struct.pack("<d", 880.5) + text("lead.cutoff")),
        "parameter_of_a_processor": (23, 1, struct.pack("<d", -1e300) + text("processor.gain")),
        "player": (24, 1, struct.pack("<BII", 1, 44100, 256) + text("hw:1")),
        "heard": (25, 1, struct.pack("<QIIII", 96000, 48000, 48000, 64, 1) + bytes(range(16))),
        "processor": (26, 1, text("gain.c") + text("int x;")),
        "unknown": (999, 7, b"?"),
    }


def setlists():
    styles = text("Styles") + struct.pack("<I", 2) + text("Rock") + text("kick:4=x.x.") + text("Bad") + text("kick:")
    return struct.pack("<I", 2) + styles + text("Song") + struct.pack("<I", 1) + text("A") + text("t70;b2;hat:1")


def picture_with_plugin_info(json_text):
    """A project with a track with a device with that JSON text; the numbers are those of core/schema.h."""
    return picture([(0, 0, 0, b""), (1, 1, 0, b""), (2, 2, 0, bytes([22, 6]) + text(json_text))])


def picture(nodes):
    """Of (node type, depth, position, at most one attribute)."""
    parts = [struct.pack("<BBI", *head) + text("") + bytes([len(value) > 0]) + value for *head, value in nodes]
    return struct.pack("<I", len(parts)) + b"".join(parts)


def text(words):
    data = words.encode()
    return struct.pack("<I", len(data)) + data


def import_seeds():
    names = ["bundle", "snapshot", "text", "track_added", "unnumbered"]
    seeds = {f"{name}.ndjson": (FIXTURES / "paths" / f"{name}.log.ndjson").read_bytes() for name in names}
    line = '{{"seq":1,"time_ns":2,"kind":{},"version":1,"source":0,"session":{},"source_seq":{},"payload":"{}"}}\n'
    single = {
        "kind_by_name": line.format('"mark"', 0, "null", "68657921"),
        "kind_unknown": line.format('"nonsense"', 0, "null", ""),
        "numbers_signed": line.format(8, -1, -2, "FF"),
        "numbers_real": line.format(8, 1.5, "1e3", ""),
        "hex_odd": line.format(8, 0, "null", "abc"),
        "hex_long": line.format(8, 0, "null", "00" * 300),
        "key_unknown": '{"seq":1,"nonsense":2}\n',
        "key_twice": '{"seq":1,"seq":1}\n',
        "head_version": '{"symlog_log":2,"log_id":"00"}\n',
        "no_json": "{\n[]\n\n3\nnull\n",
    }
    return {**seeds, **{f"{name}.ndjson": words.encode() for name, words in single.items()}}


def request_seeds():
    """Origin, Host, the token, then messages, each ended by a NUL; an empty one commits the oldest mark, and answers
    the oldest question."""
    here = ["http://127.0.0.1:5173", "127.0.0.1:8765", "sesame"]
    visitors = {
        "same_host": here,
        "localhost": ["http://localhost", "LOCALHOST:8765", ""],
        "ipv6": ["http://[::1]:80", "[::1]:8765", "sesam"],
        "other_site": ["https://page.example", "rebound.example:8765", "sesame"],
        "no_origin": ["null", "", ""],
        "wishes": ["tracks[0].devices[3],scenes", "4000", "00112233445566778899aabbccddeeff"],
    }
    conversations = {
        "ping": [call("ping")],
        "query_path": [call("query", path="/tracks/0"), call("query", path="", depth=1), call("query", path=3)],
        "query_id": [call("query", id="project"), call("query", id="x", path="y"), call("query", depth=-2)],
        "stat": [call("stat"), call("digest"), call("digest", seq=2), call("digest", seq=99)],
        "mark": [call("mark", text="drop"), "", call("mark"), call("mark", text="x" * 1025)],
        "questions": [
            call("stateAt", seq=2),
            call("history", **{"from": 1, "to": 3}),
            call("prune", before=2),
            "",
            "[" + call("stateAt", seq=1) + "," + call("stateAt", seq=-1) + "]",
            "",
            "",
            call("history", **{"from": 3, "to": 1}),
        ],
        "pauses": [
            call("pauseSource", source=1),
            call("resumeSource", name="127.0.0.1:9000"),
            "",
            '{"type":"command","request_id":1,"payload":{"command":"pause_source","args":["127.0.0.1:9000"]}}',
            "",
            call("pauseSource", source=2),
        ],
        "parameters": [
            call("setParameter", id="lead.cutoff", value=880.5),
            "",
            call("getParameter", id="lead.cutoff"),
            call("setParameter", id="processor.gain", value=-6),
            "",
            call("setParameter", id="processor.gain", value=1e9),
            call("setParameter", id="none", value=1),
            call("setParameter", id="master.volume", value="loud"),
            call("getAllParameters"),
        ],
        "sound": [
            call("getAudioStatus"),
            call("getMeterFrame"),
            call("meterUpdate"),
            call("registerAudio", client_id="page", sample_rate=48000, buffer_size=128),
            call("meterUpdate", timestamp_us=5, left_peak=0.5, left_rms=1e300, right_peak=0, right_rms=-1),
            call("meterUpdate", timestamp_us=5, left_peak=0.5, left_rms=0.25, right_peak=0, right_rms=1e30),
        ],
        "batch": ["[" + call("ping") + "," + call("mark", text="a") + "," + call("mark", text="b") + "]", "", ""],
        "batch_bad": ["[]", "[1,2]", "[" + '{"jsonrpc":"2.0","method":"ping"}' + "]"],
        "ids": ['{"jsonrpc":"2.0","id":null,"method":"ping"}', '{"jsonrpc":"2.0","id":[1],"method":"ping"}'],
        "no_request": ['{"jsonrpc":"1.0"}', '{"jsonrpc":"2.0","id":1}', '{"jsonrpc":', '"jsonrpc"', "3"],
        "params": ['{"jsonrpc":"2.0","id":1,"method":"query","params":["/tracks/0"]}', call("nonsense")],
        "acknowledged": ['{"type":"hello","request_id":"é\\u0000"}', '{"payload":{"request_id":[1]}}', "{}"],
        "command": [
            '{"type":"command","request_id":1,"payload":{"command":"mark","args":["a"]}}',
            "",
            '{"type":"command","payload":{"command":"mark","args":{"text":"b"}}}',
            '{"type":"command","payload":{"command":"undo"}}',
        ],
    }
    seeds = {f"visitor_{name}.bin": visitor + [call("ping")] for name, visitor in visitors.items()}
    seeds |= {f"{name}.bin": here + messages for name, messages in conversations.items()}
    return {name: b"".join(part.encode() + b"\0" for part in parts) for name, parts in seeds.items()}


def sysex_seeds():
    patches = {
        "vector_1": "t120;kick:4=Xxxx",
        "vector_2": "t120;kick:4=Xxxx;snare:4=.x.x;hatClosed:4/2=X.x.x.x.",
        "vector_3": "t130;kick:2+2+3=x..x..x;hatClosed:2+2+3/2=X.x.X.x.X.x.x.",
        "header": "v1;t5;vol100;cd2;b4;tr3/1;rmp80/+5/4;rep=3;end=-1;kick:4",
        "endings": "cd;end=stop;end=next;end=+2;b0",
        "lane": "hat_2.a-#:2+03/2s=xXg.-.xxxx@-3~!",
        "euclid": "36:8(3,8,-1);x:4/6(2,3);y:3(0,1)",
        "others": "what;t100;kick:1;q=7/x;volume;hat:1;last",
        "bad": "t120;kick:4/5",
    }
    played = [
        b"\xf1" + setlists(),
        b"\xf2\x03\0" + text("ws:1"),
        b"\x80\x40e1",
        b"\x81\x41d;1;1;-1;-1;t120;vol80;b2;kick:4=Xxxx;snare:4=.x.x",
        b"\x80\x42e1;1;beat=1/2/3",
        b"\x80\x42e1;2;bpm=999",
        b"sel=0/0",
        b"lane=0/sub/3",
        b"lane=0/groups/2+2+3",
        b"patch=zz;a:1;b:2/2",
        b"\x81\x41d;2;0;2;0;t90;b:2/2;c:1;a:1=g",
        b"\x80\x03K;0.0.23",
        b"\x80\x21firmware",
        b"\x80\x43e1",
    ]
    bad = [
        b"\xf0\x7d\x40",
        b"\x80\x41d;1;2;0;0;t120",
        b"\x80\x42e1;x;play",
        b"\x80\x42e1;3;beat=9/0/1",
        b"\x80\x42e1;3;lane=0/sub/5",
        b"\xf0\x7e\x01\xf7",
        b"nonsense",
    ]
    seeds = {f"patch_{name}.bin": b"p" + words.encode() for name, words in patches.items()}
    seeds |= {f"part_{number}.bin": part for number, part in enumerate(played[2:] + bad)}
    lists = {"played": played, "bad": played[3:4] + bad, "moved": played[3:4] + played[9:11] + played[3:4]}
    return {**seeds, **{f"{name}.bin": b"\xff".join(parts) for name, parts in lists.items()}}


def score_seeds():
    """Scores; and what symlog and symlog-eval say to each other (the head of each: tools/eval/eval_wire.h)."""
    programs = {
        "notes": [("note", 60, 20160, 10000, 0), ("rest", 10080), ("note", 61, 1, 1, 0x15), ("note", 61, 1, 1, 0x21)],
        "loops": [("loop", 3, [("stack", [("transpose", -12, [("note", 60, 5, 9000, 3)]), ("rest", 7)])])],
        "levels": [("dynamics", 65535, 2000, 40320), ("swing", 5000), ("quantize", 5040, 10000), ("note", 1, 10080, 5000, 0)],
        "euclid": [("euclid", 5, 16, 2, 2, 36, 10000, 5040)],
        "many": [("loop", 100000, [("loop", 100000, [("rest", 1)])])],
    }
    scores = {name: score.encode([(name.encode(), [program])]) for name, program in programs.items()}
    scores["tracks"] = score.encode([(b"a", []), (b"b", list(programs.values())[:3])])
    scores["cut"] = scores["tracks"][:-3]
    seeds = {f"score_{name}.bin": b"s" + payload for name, payload in scores.items()}
    magic = struct.pack("<IB", 0x5645534C, 1)
    fault = text("main") + text("there is no note") + struct.pack("<II", 3, 9)
    payload = struct.pack("<I", len(scores["notes"])) + scores["notes"]
    seeds["answer_score.bin"] = b"a" + magic + b"\x01" + text("hi") + b"\x01" + fault + payload
    seeds["answer_fault.bin"] = b"a" + magic + b"\x02" + text("") + b"\x00" + fault
    buffers = text("a") + text("let x = 1;") + text("b") + text("track('a', Drums.kick())")
    seeds["request.bin"] = b"r" + magic + struct.pack("<BQB", 2, 7, 2) + buffers
    return seeds


def call(method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


if __name__ == "__main__":
    main()
