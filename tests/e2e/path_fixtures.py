"""The fixtures of fixtures/paths/: reading them, playing one into a serve, writing them anew.

What a line of an input may be is said in fixtures/README.md.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from log_lines import KINDS, LOG_ID, SOURCE_NAME, text
from model.osc import encode_bundle, encode_message, split_snapshot
from model.sysex import Frame
from serving import logged, receive, receive_until, run_symlog, wait_until

FOLDER = Path(__file__).parents[2] / "fixtures" / "paths"
INPUT, LOG, EXPECTED = ".input.ndjson", ".log.ndjson", ".expected"
NAMES = sorted(path.name.removesuffix(INPUT) for path in FOLDER.glob(f"*{INPUT}"))
SESSION = 1  # what a snapshot's parts say
MS_IN_NS = 1_000_000


def path_of(name, suffix):
    return FOLDER / (name + suffix)


def read_steps(name):
    return [json.loads(line) for line in path_of(name, INPUT).read_text().split("\n")[:-1]]


def messages_of(step):
    """The (path, args) of a step that is one message or a bundle."""
    return [(m["path"], [(tag, value_of(tag, value)) for tag, value in m["args"]]) for m in step.get("bundle", [step])]


def value_of(tag, value):
    """What JSON cannot say is text in it: a float that is not finite, a blob (base64)."""
    if tag in "fd":
        return float(value)
    return base64.b64decode(value) if tag == "b" else value


# Playing one into a serve.


@dataclass
class Played:
    """What came of it."""

    messages: list  # of a subscriber that was there from the beginning, without its FULL_AST
    source: str  # the name that serve gave to our socket


def play(serve, steps):
    """Sends each step, and returns when everything that it leads to has been told."""
    player = _Player(serve)
    with serve.subscribe() as subscriber:
        receive(subscriber)
        for step in steps:
            player.take(step)
        player.wait_for({"osc"}, player.datagrams)
        player.wait_for({"sysex"}, player.frames)
        # Numbered like an event and told in its turn, so everything before it has been told.
        subscriber.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "mark", "params": {"text": "end"}}))
        *messages, _ = receive_until(subscriber, lambda message: "jsonrpc" in message)
    player.close()
    return Played(messages, "{}:{}".format(*player.live.socket.getsockname()))


class _Player:
    def __init__(self, serve):
        self.serve = serve
        self.live = serve.live()
        self.datagrams = 0
        self.snapshots = 0
        self.silences = 0
        self.frames = 0
        self.editor = None  # The connection that frames go through, once there is one.

    def take(self, step):
        if "silence" in step:
            self.silences += 1
            self.wait_for({"order_settled"}, self.silences)
            return
        if "frame" in step:
            self.say(step["frame"])
            return
        is_wrapped = step.get("wrap", True)
        if "snapshot" not in step:
            self.send(messages_of(step), is_wrapped, "bundle" in step)
            self.datagrams -= not step.get("logged", True)
            return
        ast = step["snapshot"]
        for part in split_snapshot(ast.encode() if isinstance(ast, str) else ast, SESSION):
            self.send([part], is_wrapped)
        self.snapshots += 1
        self.wait_for({"picture", "refused"}, self.snapshots)

    def send(self, messages, is_wrapped, is_bundle=False):
        sender = self.live.sender
        if is_wrapped:
            self.live.send_bytes(sender.encode_bundle(messages) if is_bundle else sender.encode(messages))
        else:
            self.live.send_bytes(encode_bundle(messages) if is_bundle else encode_message(*messages[0]))
        self.datagrams += 1

    def say(self, frame):
        self.editor = self.editor or self.serve.subscribe(max_queue=None)
        op, words = frame
        self.editor.send(bytes(Frame(op, words)))
        self.frames += 1

    def close(self):
        if self.editor:
            self.editor.close()

    def wait_for(self, kinds, count):
        """Waits until the log has so many events of these kinds."""

        def has_come():
            return sum(line.split()[2] in kinds for line in logged(self.serve.db)) >= count

        wait_until(has_come, f"{count} of {kinds}")


# Comparing what a subscriber was told with what replay prints.


def told_messages(played):
    """The messages with what differs from run to run made equal: the name of our socket, and the log's numbers."""
    renamed = json.loads(json.dumps(played.messages).replace(played.source, SOURCE_NAME))
    return [{**message, "seq": True} if "seq" in message else message for message in renamed]


def expected_messages(name):
    """Replay's messages as a subscriber is told them: of refusals only the first of its kind and source."""
    told = set()
    messages = []
    for line in path_of(name, EXPECTED).read_text().split("\n"):
        if not line.startswith("{"):
            break  # the state begins
        replayed = json.loads(line)
        kept = [message for message in replayed["messages"] if _is_told(message, replayed["event"]["source"], told)]
        for message in kept:
            message.pop("seq", None)
        if kept:
            kept[-1]["seq"] = True
        messages += kept
    return messages


def _is_told(message, source, told):
    if message["type"] != "ERROR":
        return True
    refusal = (message["payload"]["error"], source)
    is_new = refusal not in told
    told.add(refusal)
    return is_new


# Writing them anew.


def replayed(db):
    """What `.expected` holds: each event with its messages, then the state."""
    parts = [run_symlog("replay", "--db", db, *options) for options in (["--json"], ["--state"])]
    for part in parts:
        assert part.returncode == 0, part.stderr
    return "".join(part.stdout for part in parts)


def normal_log(db, source):
    """An export of a log less what differs from run to run: symlog's own events (start, counters, checkpoints, marks)
    are left out, and ids, times and our socket's name are always the same."""
    ended = run_symlog("log", "export", "-", "--db", db)
    assert ended.returncode == 0, ended.stderr
    lines = [{"symlog_log": 1, "log_id": LOG_ID}]
    for line in ended.stdout.split("\n")[1:-1]:
        event = json.loads(line)
        if event["source"] == 0:
            continue
        seq = len(lines)
        event.update(seq=seq, time_ns=seq * MS_IN_NS)
        if event["kind"] == KINDS["session"]:
            _rename(event, source)
        lines.append(event)
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def _rename(event, source):
    event["text"] = event["text"].replace(source, SOURCE_NAME)
    payload = bytes.fromhex(event["payload"])
    event["payload"] = payload.replace(text(source), text(SOURCE_NAME)).hex()


def write_anew(name, played, db, scratch):
    """Writes the log that came of it in `db`, and what replay prints of that."""
    path_of(name, LOG).write_text(normal_log(db, played.source))
    import_log(name, scratch)
    path_of(name, EXPECTED).write_text(replayed(scratch))


def import_log(name, db):
    ended = run_symlog("log", "import", path_of(name, LOG), "--db", db)
    assert ended.returncode == 0, ended.stderr
