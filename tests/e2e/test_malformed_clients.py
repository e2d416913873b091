"""Subscribers that say what nobody should: nothing crashes, and the others are served as ever.

The program is $SYMLOG_ASAN_BIN where there is one. $SYMLOG_SEED draws what is random.
"""

import base64
import errno
import json
import os
import socket
import struct
import time

import pytest
from mutation import mutate
from serving import PATIENCE_S, call, logged, receive, receive_until, run_symlog, say, wait_until
from websockets.exceptions import ConnectionClosed

TEXTS = 5000 if "SYMLOG_SOAK" in os.environ else 400
HTTP_ERRORS = (400, 401, 403, 404, 405, 413, 414, 426, 431, 500, 501)
KEY = base64.b64encode(bytes(16)).decode()
ODD_CHARACTERS = [chr(code) for code in (0, 34, 92, 93, 125, 0x7F, 0xFFFD, 0x10FFFF)]


@pytest.fixture
def serve(start, watched):
    return start()


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
            return text[:at] + rng.choice(ODD_CHARACTERS) + text[at:]
        case 2:
            return "".join(chr(rng.randrange(0xD800)) for _ in range(rng.randrange(200)))
    return text


def is_last(message):
    return isinstance(message, dict) and message.get("id") == "the last"


def test_client_texts(serve, calm, rng):
    depths = ["[" * 30000, '{"a":' * 12000, "[" * 2000 + "]" * 2000, '{"jsonrpc":"2.0","id":' + "9" * 4000 + "}"]
    with serve.subscribe(max_queue=None) as subscriber:
        receive(subscriber)
        for text in [*depths, *(random_text(rng) for _ in range(TEXTS))]:
            subscriber.send(text)
        subscriber.send('{"jsonrpc":"2.0","id":"the last","method":"ping"}')
        answers = receive_until(subscriber, is_last)
    assert len(answers) > TEXTS / 3
    check_calm(serve, calm)


def test_client_binary_messages(serve, calm, rng):
    """They are MIDI: noise is counted."""

    def port(control):
        return call(control, "stat")["result"]["ports"][0]

    with serve.subscribe(max_queue=None) as subscriber, serve.subscribe(max_queue=None) as control:
        receive(subscriber)
        receive(control)
        for _ in range(TEXTS):
            subscriber.send(rng.randbytes(rng.randrange(1, 400)))
        subscriber.send(b"\xf0\x7d\x44the last\xf7")
        wait_until(lambda: any("the last" in line for line in logged(serve.db)), "the last one")
        told = port(control)
        assert told["refused"] > TEXTS and told["received"] == told["processed"] + told["refused"] + told["dropped"]
    check_calm(serve, calm)


def test_client_message_too_long_is_said(serve, calm):
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


def upgrade(*more, host="127.0.0.1", protocol="websocket", key=KEY):
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


def test_client_frames(serve, calm, rng):
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


def test_client_requests(serve, calm, rng):
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


def test_client_connections_that_are_left_half_open(serve, calm):
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
