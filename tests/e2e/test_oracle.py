"""The server of the seed, recorded on the wire: the same set and the same events must give the same messages.

fixtures/vimabl-websocket.tsv has a line for each message: what was sent, a tab, what that server answered. Ids that a
server makes, hashes, `seq`, null attributes and the empty `parameters` of its devices are left out of account. Every
other difference stands in DIFFERENCES with the reason why ours is right.
"""

import ast as python_syntax
import json
from pathlib import Path
from typing import NamedTuple

import pytest
from model.osc import encode_message, split_snapshot
from serving import receive, receive_until, say

RECORDED = Path(__file__).parents[2] / "fixtures" / "vimabl-websocket.tsv"
TIMESTAMP = 1795220736.0  # which the recorded live_events have from their wrapper
NOTHING, ANYTHING = "(nothing)", "(anything)"

# What a client said before each answer that is recorded as `client`.
SAID = [{"type": "hello", "request_id": "r1"}, "this is no JSON", [1]]


class Difference(NamedTuple):
    theirs: object
    ours: object
    why: str


UNTOLD = "the event says so; their diff left it out, and a mirror never learned of it"
VALUE_UNTOLD = "removed tells the value that is gone, of every node alike; theirs knew the scene's alone"

# Row -> place in the message -> what differs.
DIFFERENCES = {
    "initial": {
        "log": Difference(NOTHING, ANYTHING, "names the log, so that a client can resume"),
        "payload.project_path": Difference("Foo.als", NOTHING, "the tree came over the wire, not from a file"),
        "payload.ast.attributes.is_stale": Difference(NOTHING, False, "theirs does not know staleness"),
    },
    "/live/device/param": {
        "before[0]": Difference(NOTHING, "DIFF_UPDATE: 3 added", "theirs changes a parameter that its tree never has"),
        "payload.diff.changes[0].old_value": Difference(NOTHING, None, "each state_changed has an old_value"),
    },
    "/live/clip_slot/created": {
        "payload.diff.changes[0].new_value.has_stop_button": Difference(NOTHING, True, UNTOLD),
        "payload.diff.changes[0].new_value.is_playing": Difference(NOTHING, False, UNTOLD),
        "payload.diff.changes[0].new_value.is_triggered": Difference(NOTHING, False, UNTOLD),
    },
    "/live/scene/removed": {
        "payload.diff.changes[1].value.has_clip": Difference(NOTHING, True, VALUE_UNTOLD),
        "payload.diff.changes[1].value.has_stop_button": Difference(NOTHING, True, VALUE_UNTOLD),
        "payload.diff.changes[1].value.playing_status": Difference(NOTHING, 0, VALUE_UNTOLD),
        "payload.diff.changes[1].value.is_playing": Difference(NOTHING, False, VALUE_UNTOLD),
        "payload.diff.changes[1].value.is_triggered": Difference(NOTHING, False, VALUE_UNTOLD),
        "payload.diff.modified": Difference([], ANYTHING, "what moves is modified, and theirs lists it so elsewhere"),
    },
    "gap50": {
        "before[0]": Difference(
            NOTHING, "ERROR: UDP event gap detected", "theirs only logged that numbers were missing"
        ),
        "before[1]": Difference(NOTHING, "DIFF_UPDATE: 2 state_changed", "theirs never says that its tree is stale"),
    },
    "client 1": {
        "payload.details": Difference(
            "Expecting value: line 1 column 1 (char 0)",
            "invalid token near 'this': line 1 column 4 (char 4)",
            "the words of another JSON parser, with the place as well",
        ),
    },
    "client 2": {
        "": Difference(
            {"type": "ERROR", "payload": {"error": "Server error", "details": "'list' object has no attribute 'get'"}},
            [{"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "a request is an object"}}],
            "a list is a batch of JSON-RPC; theirs stumbled over it",
        ),
    },
}


@pytest.fixture
def set_up(start):
    """A serve that holds the recorded set, and who sends to it."""
    serve = start()
    live = serve.live()
    with serve.subscribe() as subscriber:
        receive(subscriber)
        for path, args in split_snapshot(rows()["initial"]["payload"]["ast"], session=1):
            live.send_bytes(encode_message(path, args))  # Without a number: the recorded ones begin with 0.
        receive_until(subscriber, lambda message: "seq" in message)
        yield serve, live, subscriber


def test_oracle_whole_project(set_up):
    serve, _, _ = set_up
    with serve.subscribe() as newcomer:
        check("initial", rows()["initial"], [receive(newcomer)])


def test_oracle_events(set_up):
    _, live, subscriber = set_up
    events = {event: message for event, message in rows().items() if event.startswith(("(", "gap"))}
    for event, theirs in events.items():
        ours = play(live, subscriber, event, number_of(theirs))
        for message in ours:
            check_id_lists(message)
        check(event if event == "gap50" else python_syntax.literal_eval(event)[0], theirs, ours)
    assert len(events) == 18


def test_oracle_clients(set_up):
    _, _, subscriber = set_up
    for number, said in enumerate(SAID):
        check(f"client {number}", rows()[f"client {number}"], [say(subscriber, said)])


def rows():
    """Event as recorded -> the message; the answers to clients are numbered."""
    found = {}
    for line in RECORDED.read_text().splitlines():
        event, _, message = line.partition("\t")
        if event == "client":
            event = f"client {sum(key.startswith('client') for key in found)}"
        found[event] = json.loads(message)
    return found


def number_of(message):
    """The sender's number, which every recorded message has."""
    payload = message["payload"]
    return payload["seq_num"] if "seq_num" in payload else payload["diff"]["changes"][0]["seq_num"]


def play(live, subscriber, event, number):
    """Sends a recorded event under its number (the numbers between had no effect) and returns our messages."""
    if event == "gap50":
        path, values = "/live/track/renamed", [0, "AfterGap"]
        live.sender.next_seq = number
    else:
        path, *values = python_syntax.literal_eval(event)
    while live.sender.next_seq < number:
        live.send("/live/batch/end", ("i", 0))
    live.send_bytes(live.sender.encode([(path, [tagged(value) for value in values])], TIMESTAMP))
    return receive_until(subscriber, lambda message: "seq" in message)


def tagged(value):
    if isinstance(value, bool):
        return ("T" if value else "F", value)
    return ({int: "i", float: "f", str: "s"}[type(value)], value)


# Comparing.


def check(row, theirs, ours):
    """Our messages differ from theirs in what is listed for the row, and in nothing else."""
    found = {
        place: pair for place, pair in compared(theirs, ours).items() if json.dumps(pair[0]) != json.dumps(pair[1])
    }
    listed = DIFFERENCES.get(row, {})
    assert found.keys() == listed.keys(), f"{row}: {found}"
    for place, (was, now) in found.items():
        assert listed[place].theirs in (was, ANYTHING), (row, place, was)
        assert listed[place].ours in (now, ANYTHING), (row, place, now)


def compared(theirs, ours):
    """Place -> (theirs, ours), of the message of ours that is theirs'. The others stand as before[n] and after[n]."""
    if isinstance(ours[0], list):
        return {"": (theirs, ours[0])}
    at = max(number for number, message in enumerate(ours) if message["type"] == theirs["type"])
    left, right = places(theirs), places(ours[at])
    found = {place: (left.get(place, NOTHING), right.get(place, NOTHING)) for place in left | right}
    for name, others in (("before", ours[:at]), ("after", ours[at + 1 :])):
        found |= {f"{name}[{number}]": (NOTHING, summary(message)) for number, message in enumerate(others)}
    return found


def places(message):
    """Place -> value, of everything in a message that is compared."""
    known = {node["id"] for node in nodes(rows()["initial"]["payload"]["ast"])}
    return dict(_places({key: value for key, value in message.items() if key != "seq"}, "", known))


def _places(value, place, known):
    if isinstance(value, dict):
        is_attributes = place.endswith(".attributes")
        for key, item in value.items():
            is_passed_over = key == "hash" and not is_attributes
            is_passed_over |= is_attributes and (item is None or (key == "parameters" and item == []))
            if not is_passed_over:
                yield from _places(item, f"{place}.{key}" if place else key, known)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for number, item in enumerate(value):
            yield from _places(item, f"{place}[{number}]", known)
    elif place.endswith(("added", "removed", "modified")):
        yield place, [masked(item, known) for item in value]
    else:
        yield place, masked(value, known) if place.endswith("node_id") else value


def masked(node_id, known):
    """An id of the set as it is; one that a server made in its place."""
    return node_id if node_id in known else "(made)"


def nodes(ast):
    yield ast
    for child in ast.get("children", []):
        yield from nodes(child)


def summary(message):
    if message["type"] != "DIFF_UPDATE":
        return f"{message['type']}: {message['payload']['error']}"
    kinds = [change["type"] for change in message["payload"]["diff"]["changes"]]
    return "DIFF_UPDATE: " + ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))


def check_id_lists(message):
    """The lists of a diff name the nodes of its changes; a parameter's change is its device's."""
    if message["type"] != "DIFF_UPDATE":
        return
    diff = message["payload"]["diff"]
    for name, kinds in (("added", ["added"]), ("removed", ["removed"]), ("modified", ["modified", "state_changed"])):
        assert diff[name] == [change["node_id"] for change in diff["changes"] if change["type"] in kinds]
