"""What nobody should send: it is refused and counted, told once per kind, never answered, and costs others nothing.

The program is $SYMLOG_ASAN_BIN where there is one, so that a read beyond a datagram's end is seen. What must be refused
is known from osc_reader.py, and what the reducer then refuses from the model. $SYMLOG_SEED draws the mutations.
"""

import base64
import errno
import json
import os
import random
import re
import socket
import struct
import time
from collections import Counter
from pathlib import Path

import pytest
import serving
from model.arguments import NO_SUCH_INDEX, NOT_FINITE, UNKNOWN_PATH, WRONG_TYPES
from model.generate import Generator
from model.osc import SEQ_PATH, Sender, encode_bundle, encode_message, wrap
from model.tree import Tree
from osc_reader import BYTES_MAX, is_bundle, is_well_formed, read_datagram
from serving import PATIENCE_S, call, receive, receive_until, run_symlog, say, wait_until
from websockets.exceptions import ConnectionClosed

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datagrams"
SOAK = "SYMLOG_SOAK" in os.environ
SEED = int(os.environ.get("SYMLOG_SEED", "1"))
MUTATIONS = 400_000 if SOAK else 20_000
TEXTS = 5000 if SOAK else 400
BURST, PAUSE_S = 40, 0.004  # So that nothing is dropped, and each count can be exact.
SILENCE_S = 0.2
DATAGRAM_FAULTS = 13  # Kinds of malformed datagrams that serve tells apart.
REFUSALS = {
    UNKNOWN_PATH: "unknown path",
    WRONG_TYPES: "wrong types",
    NOT_FINITE: "not a finite number",
    NO_SUCH_INDEX: "no such index",
}
HTTP_ERRORS = (400, 401, 403, 404, 405, 413, 414, 426, 431, 500, 501)


@pytest.fixture
def serve(start, monkeypatch):
    """The program that watches its own memory. That it ends with status 0 is checked at the end of each test."""
    monkeypatch.setattr(serving, "BINARY", os.environ.get("SYMLOG_ASAN_BIN", serving.BINARY))
    return start()


@pytest.fixture
def rng():
    print(f"SYMLOG_SEED={SEED}")
    return random.Random(SEED)


def is_good(serve, live):
    """A datagram still has its effect, and a subscriber is told of it."""
    with serve.subscribe() as subscriber:
        receive(subscriber)
        live.send("/live/track/added", ("i", 0), ("s", "still here"))
        receive_until(subscriber, lambda message: "still here" in json.dumps(message))
    return True


# Datagrams.


def fixtures():
    """Name -> datagram. One of them is longer than a datagram can be."""
    found = {path.stem: path.read_bytes() for path in sorted(FIXTURES.glob("*.bin"))}
    assert len(found) > 50
    return {name: data for name, data in found.items() if len(data) <= BYTES_MAX}


def more():
    """What cannot be a file's matter, or has to do with numbers and indexes."""
    mute = ("/live/track/mute", [("i", 0), ("T", True)])
    return {
        "bad_wrapper_empty": encode_message(SEQ_PATH, []),
        "bad_wrapper_half": encode_message(SEQ_PATH, [("i", 1), ("f", 0.0)]),
        "bad_wrapper_types": encode_message(SEQ_PATH, [("s", "1"), ("f", 0.0), ("s", mute[0])]),
        "bad_bundle_mixed": encode_bundle([wrap(500, *mute), mute]),
        "bad_bundle_mixed_late": encode_bundle([mute, wrap(500, *mute)]),
        "bad_bundle_numbers": encode_bundle([wrap(500, *mute), wrap(502, *mute)]),
        "bad_bundle_same_number": encode_bundle([wrap(500, *mute), wrap(500, *mute)]),
        "bad_longest": b"/" * BYTES_MAX,
        "ok_longest": encode_message("/a", [("b", bytes(65492))]),
        "ok_wrapper_in_wrapper": encode_message(*wrap(501, *wrap(1, *mute))),
        "ok_index_huge": encode_message(*wrap(502, "/live/track/mute", [("h", 2**63 - 1), ("T", True)])),
        "ok_index_most_negative": encode_message(*wrap(503, "/live/scene/removed", [("h", -(2**63))])),
        "ok_parameter_beyond": encode_message(*wrap(504, "/live/device/param", [("i", 0)] * 2 + [("i", 4096), ("f", 1.0)])),
        "ok_bundle_index": encode_bundle([wrap(505, *mute), wrap(506, "/live/track/mute", [("i", 99), ("F", False)])]),
        "ok_bundle_of_types": encode_bundle([wrap(507, *mute), wrap(508, "/live/track/mute", [("s", "?"), ("T", True)])]),
    }


def mutate(rng, datagrams):
    """One of them with something done to it, once or up to four times."""
    data = bytearray(rng.choice(datagrams))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        word = at // 4 * 4
        match rng.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(data):
                data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, ord(","), ord("/"), ord("#"), rng.randrange(256)))
            case 2:
                del data[at:]
            case 3:
                del data[word:]
            case 4:
                data[word:word] = rng.randbytes(4)
            case 5:
                del data[word : word + 4 * rng.randint(1, 3)]
            case 6:
                data[word : word + 4] = struct.pack(">i", rng.choice((0, 1, 4, 8, -1, -4, 2**31 - 1, -(2**31), 65504)))
            case 7:
                other = rng.choice(datagrams)
                data[word:] = other[rng.randrange(len(other) // 4 + 1) * 4 :]
    return bytes(data[:BYTES_MAX])


def send_all(live, datagrams):
    for number, datagram in enumerate(datagrams, 1):
        live.send_bytes(datagram)
        if number % BURST == 0 or len(datagram) > 8000:
            time.sleep(PAUSE_S)


def counted(serve, sent):
    """The totals of all sources, once they tell of everything sent; nothing may have been lost on the way."""

    def find():
        with serve.subscribe() as subscriber:
            receive(subscriber)
            stat = call(subscriber, "stat")["result"]
        totals = Counter()
        for source in stat["sources"]:
            refused = source.pop("refused")
            totals.update({name: value for name, value in source.items() if isinstance(value, int)})
            totals.update({REFUSED + reason: count for reason, count in refused.items()})
        totals["parse_errors"] += stat["refused_unnamed"]
        totals["received"] += stat["refused_unnamed"]
        assert stat["kernel_drops"] == totals["dropped"] == 0
        return totals["received"] == sent and totals["queue_size"] == 0 and totals

    return wait_until(find, f"{sent} datagrams counted", patience_s=10 * PATIENCE_S)


REFUSED = "refused: "  # Before a reason, among the totals.


def log_events(serve):
    lines = run_symlog("log", "--json", "--db", serve.db).stdout.splitlines()
    return [json.loads(line) for line in lines]


def refusals_of_model(events, snapshot=None):
    """Reason -> count of what the reducer must have refused, by the model."""
    tree, refused = Tree(), Counter()
    for event in events:
        kind, source, payload = event["kind"], event["source"], bytes.fromhex(event["payload"])
        if kind == 5:
            assert tree.load_snapshot(snapshot, source) is None
        elif kind == 4 and is_bundle(payload):
            before = tree.refusals[NO_SUCH_INDEX]
            reason = tree.apply_bundle(read_datagram(payload), source)
            refused[REFUSED + "bundle refused"] += reason is not None
            refused[REFUSED + "no such index"] += tree.refusals[NO_SUCH_INDEX] - before if reason is None else 0
        elif kind == 4:
            [(path, args)] = read_datagram(payload)
            reason = tree.apply(path, args, source)
            refused[REFUSED + REFUSALS.get(reason, "")] += reason is not None
    return {reason: count for reason, count in refused.items() if count}


def check_log(events, datagrams):
    """The log has the well-formed ones, in order; how many exact duplicates are not in it."""
    logged = [bytes.fromhex(event["payload"]) for event in events if event["kind"] == 4]
    good = iter(datagrams)
    missing = 0
    for payload in logged:
        for datagram in good:
            if datagram == payload:
                break
            missing += 1
        else:
            raise AssertionError(f"not sent, or not in this order: {payload}")
    return missing + sum(1 for _ in good)


def check_answered_nothing(*senders):
    for live in senders:
        live.socket.settimeout(SILENCE_S)
        with pytest.raises(TimeoutError):
            live.socket.recv(1)


def check_counts(totals, events, datagrams, snapshot=None):
    good = [datagram for datagram in datagrams if is_well_formed(datagram)]
    assert totals["parse_errors"] == len(datagrams) - len(good)
    assert totals["duplicates"] == check_log(events, good)
    assert totals["processed"] == len(good) - totals["duplicates"]
    refused = {name: count for name, count in totals.items() if name.startswith(REFUSED)}
    assert refused == refusals_of_model(events, snapshot)
    return len(good)


def reasons_told(serve, what):
    """The reasons of the refusals of a kind of thing that serve printed."""
    return [match[1] for match in (re.search(rf"^refused what={what}.* reason=\"(.*)\"", line) for line in serve.lines) if match]


def test_malformed_reader_agrees_with_the_names():
    """bad_ is what OSC forbids, and ok_ the rest, of which some break the rules of the wrapper."""
    of_wrapper = {"ok_wrapper_malformed", "ok_bundle_mixed", "ok_bundle_nested"}
    for name, data in (fixtures() | more()).items():
        assert is_well_formed(data) == (name.startswith("ok_") and name not in of_wrapper), name


def test_malformed_datagrams_are_counted_by_kind(serve):
    datagrams = [*fixtures().values(), *more().values()]
    live = serve.live()
    first = live.sender.encode([("/live/track/added", [("i", 0), ("s", "first")])])
    send_all(live, [first, *datagrams, *datagrams])
    totals = counted(serve, 1 + 2 * len(datagrams))
    check_counts(totals, log_events(serve), [first, *datagrams, *datagrams])
    told = reasons_told(serve, "datagram")
    kinds = {re.search("not taken: (.*) \\(more", reason)[1] for reason in told}
    assert len(kinds) == len(told) == DATAGRAM_FAULTS
    check_answered_nothing(live)
    assert is_good(serve, live)


def test_malformed_datagrams_of_strangers_are_counted(serve):
    """Someone of whom nothing good has come is no source."""
    bad = [data for data in (fixtures() | more()).values() if not is_well_formed(data)]
    live = serve.live()
    send_all(live, bad)
    assert counted(serve, len(bad))["parse_errors"] == len(bad)
    assert not any(event["kind"] in (3, 4) for event in log_events(serve))
    check_answered_nothing(live)
    assert is_good(serve, live)


def test_malformed_mutations(serve, rng):
    generator, live, plain = Generator(seed=SEED), serve.live(), Sender()
    snapshot = live.sender.encode_snapshot(generator.snapshot)
    send_all(live, snapshot)
    seeds = [plain.encode(event) for event in generator.events(300)]
    seeds += [data for name, data in fixtures().items() if name.startswith("ok_") and name != "ok_snapshot_part"]
    mutations = [mutate(rng, seeds) for _ in range(MUTATIONS)]
    wait_until(lambda: serve.count("^picture "), "the picture")
    send_all(live, mutations)
    totals = counted(serve, len(snapshot) + len(mutations))
    good = check_counts(totals, log_events(serve), [*snapshot, *mutations], generator.snapshot)
    print(f"{len(mutations)} mutations, {good - len(snapshot)} of them well formed;", dict(totals))
    assert MUTATIONS / 10 < good < MUTATIONS * 9 / 10
    told = reasons_told(serve, "datagram")
    assert len(told) == len(set(told)) <= DATAGRAM_FAULTS
    check_answered_nothing(live)
    assert is_good(serve, live)


def test_malformed_snapshots(serve, rng):
    """Parts that are cut, damaged, doubled or missing: whatever becomes of them, what follows is applied."""
    for number in range(100):
        generator, live = Generator(seed=number, tracks=2, scenes=2), serve.live()
        parts = live.sender.encode_snapshot(generator.snapshot, part_bytes=400)
        rng.shuffle(parts) if number % 4 == 0 else None
        at = rng.randrange(len(parts))
        parts[at : at + 1] = [[], [mutate(rng, parts)], [parts[at], mutate(rng, [parts[at]])]][number % 3]
        send_all(live, parts)
        live.send("/live/transport/tempo", ("f", 100.0 + number))
        check_answered_nothing(live) if number % 20 == 0 else None
    assert is_good(serve, serve.live())


# Subscribers.


@pytest.fixture
def calm(serve):
    """A subscriber that does nothing wrong."""
    with serve.subscribe(max_queue=None) as subscriber:
        receive(subscriber)
        yield subscriber


def check_calm(serve, calm):
    """It is served, quickly, and so is a newcomer."""
    live = serve.live()
    live.send("/live/track/added", ("i", 0), ("s", "calm"))
    began = time.monotonic()
    receive_until(calm, lambda message: message["type"] == "DIFF_UPDATE")
    assert time.monotonic() - began < 2
    with serve.subscribe() as newcomer:
        assert receive(newcomer)["type"] == "FULL_AST"
        assert call(newcomer, "ping")["result"] == {"pong": True}
    assert run_symlog("verify", "--db", serve.db).returncode == 0


def random_value(rng, depth=3):
    """Something that JSON can say."""
    choices = [None, True, -1, 0.5, 1e308, 2**63 - 1, -(2**63), "", "2.0", "mark", "\0", "\ud800", "低音", "x" * 300]
    if depth and rng.random() < 0.4:
        count = rng.randrange(4)
        values = [random_value(rng, depth - 1) for _ in range(count)]
        keys = ("jsonrpc", "id", "method", "params", "type", "payload", "text", "path")
        return values if rng.random() < 0.5 else dict(zip(rng.sample(keys, count), values))
    return rng.choice(choices)


def random_request(rng):
    request = {
        "jsonrpc": rng.choice(("2.0", "2.0", "2.0", "1.0", 2, None)),
        "id": rng.choice((1, "a", None, 0.5, True, [], {}, 2**62)),
        "method": rng.choice(("ping", "query", "stat", "digest", "mark", "", "nope", "\0", 7, None)),
        "params": random_value(rng),
    }
    for key in list(request):
        if rng.random() < 0.15:
            del request[key]
    if rng.random() < 0.3:
        request["params"] = {rng.choice(("id", "path", "depth", "text", "seq")): random_value(rng) for _ in range(2)}
    return [request] * rng.randrange(4) if rng.random() < 0.1 else request


def random_text(rng):
    text = json.dumps(rng.choice((random_request, random_request, random_value))(rng), ensure_ascii=rng.random() < 0.8)
    text = text.encode("utf-8", "replace").decode()
    match rng.randrange(6):
        case 0:
            return text[: rng.randrange(len(text) + 1)]
        case 1:
            at = rng.randrange(len(text) + 1)
            return text[:at] + chr(rng.choice((0, 34, 92, 93, 125, 0xFFFD, 0x10FFFF, rng.randrange(32, 0xD800)))) + text[at:]
        case 2:
            return "".join(chr(rng.randrange(0xD800)) for _ in range(rng.randrange(200)))
    return text


def test_malformed_texts(serve, calm, rng):
    depths = ["[" * 30000, '{"a":' * 12000, "[" * 2000 + "]" * 2000, '{"jsonrpc":"2.0","id":' + "9" * 4000 + "}"]
    with serve.subscribe(max_queue=None) as subscriber:
        receive(subscriber)
        for text in [*depths, *(random_text(rng) for _ in range(TEXTS))]:
            subscriber.send(text)
        subscriber.send('{"jsonrpc":"2.0","id":"the last","method":"ping"}')
        answers = receive_until(subscriber, lambda message: isinstance(message, dict) and message.get("id") == "the last")
    assert len(answers) > TEXTS / 3
    check_calm(serve, calm)


def test_malformed_binary_messages(serve, calm, rng):
    with serve.subscribe(max_queue=None) as subscriber:
        receive(subscriber)
        for _ in range(TEXTS):
            subscriber.send(rng.randbytes(rng.randrange(1, 400)))
            assert receive(subscriber)["type"] == "ERROR"
    check_calm(serve, calm)


def test_malformed_message_too_long_is_said(serve, calm):
    for length, code in ((64 << 10, None), ((64 << 10) + 1, 1009), (8 << 20, 1009)):
        with serve.subscribe() as subscriber:
            receive(subscriber)
            try:
                assert say(subscriber, "x" * length)["type"] == "ERROR" and code is None
            except ConnectionClosed as closed:
                assert closed.rcvd is None or closed.rcvd.code == code
    check_calm(serve, calm)


def connection(serve):
    return socket.create_connection(serve.ws, timeout=PATIENCE_S)


def exchange(made, data):
    """Sends bytes and nothing more, and returns all that comes back until the other side closes too."""
    answer = b""
    try:
        made.sendall(data)
        made.shutdown(socket.SHUT_WR)
        while more := made.recv(1 << 16):
            answer += more
    except ConnectionError:
        pass  # Closed while we still spoke.
    except OSError as problem:
        assert problem.errno == errno.ENOTCONN, problem
    return answer


def request(*lines):
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def upgrade(*more, host="127.0.0.1", protocol="websocket", key=base64.b64encode(bytes(16)).decode()):
    """A WebSocket handshake; without a header where it is None."""
    headers = {"Host": host, "Upgrade": protocol, "Connection": "Upgrade"}
    headers |= {"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}
    given = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return request("GET / HTTP/1.1", *given, *more)


def frame(opcode, payload, length=None, flags=0x80, mask=0x80):
    """A client's frame; `length` is what it says of itself."""
    length = len(payload) if length is None else length
    size = struct.pack(">B", mask | length) if length < 126 else struct.pack(">BQ", mask | 127, length)
    return bytes([flags | opcode]) + size + (bytes(4) if mask else b"") + payload


def test_malformed_frames(serve, calm, rng):
    """Raw bytes after a right handshake."""
    bad = [
        frame(1, b"x", length=2**62),
        frame(1, b"x", length=2**63 + 1),
        frame(2, b"x" * 1000, length=2**32),
        frame(3, b"reserved"),
        frame(11, b"reserved"),
        frame(1, b"not masked", mask=0),
        frame(1, b"reserved bits", flags=0xF0),
        frame(0, b"continues nothing"),
        frame(1, b"a", flags=0) + frame(1, b"begins again"),
        frame(9, b"ping too long" * 20),
        frame(9, b"ping in parts", flags=0),
        frame(8, b"\x03"),
        frame(8, b"\xff\xff" + b"\xff" * 40),
        frame(1, b"\xff\xfe no UTF-8"),
        frame(1, b"", flags=0) * 5000,
        frame(10, b"nobody asked") * 2000,
    ]
    bad += [rng.randbytes(rng.randrange(1, 2000)) for _ in range(TEXTS // 2)]
    for data in bad:
        with connection(serve) as made:
            made.sendall(upgrade())
            assert made.recv(12) == b"HTTP/1.1 101"
            exchange(made, data)
    check_calm(serve, calm)


def test_malformed_requests(serve, calm, rng):
    long, host = "x" * 20000, "Host: 127.0.0.1"
    bad = [
        request("GET / HTTP/1.1", host),
        request("GET /../../etc/passwd HTTP/1.1", host),
        request("POST / HTTP/1.1", host, "Content-Length: 5", "", "hello"),
        request("POST / HTTP/1.1", host, "Content-Length: -1"),
        request("POST / HTTP/1.1", host, "Transfer-Encoding: chunked", "", "FFFFFFFFFFFFFFFFF", ""),
        request("DELETE * HTTP/9.9"),
        request("\xff\xfe\x00\x01"),
        request("GET"),
        request("", ""),
        request(f"GET /{long} HTTP/1.1", host),
        request(f"{long} / HTTP/1.1"),
        upgrade(f"X-Long: {long}"),
        upgrade(f"Cookie: {long}"),
        upgrade("Origin: http://evil.example"),
        upgrade(f"Origin: http://{'a' * 2000}"),
        upgrade("Origin: \xff\xfe\x01"),
        upgrade("Origin: http://evil.example", host="evil.example"),
        upgrade(key=None),
        upgrade(host=None),
        upgrade(protocol="h2c"),
    ]
    for data in bad:
        with connection(serve) as made:
            answer = exchange(made, data)
            assert not answer or int(answer.split()[1]) in HTTP_ERRORS, (data, answer)
    for _ in range(TEXTS // 2):
        with connection(serve) as made:
            exchange(made, mutate(rng, [upgrade()]))
    check_calm(serve, calm)


def test_malformed_connections_that_are_left_half_open(serve, calm):
    handshake, left = upgrade(), []
    for number in range(90):
        made = connection(serve)
        left.append(made)
        made.sendall(handshake[: [0, 1, 40, len(handshake) - 1, len(handshake)][number % 5]])
        if number % 5 == 4:
            made.recv(12)
            made.sendall(frame(1, b'{"jsonrpc"', length=1000)[: number % 15])
    check_calm(serve, calm)
    for number, made in enumerate(left):
        if number % 2:  # Gone at once, with a reset.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.close()
    check_calm(serve, calm)
