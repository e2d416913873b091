"""Datagrams that nobody should send: refused and counted, told once per kind, never answered.

The program is $SYMLOG_ASAN_BIN where there is one, so that a read beyond a datagram's end is seen. What must be refused
is known from osc_reader.py, and what the reducer then refuses from the model. $SYMLOG_SEED draws the mutations.
"""

import json
import os
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from log_lines import KINDS
from model.arguments import NO_SUCH_INDEX, NOT_FINITE, UNKNOWN_PATH, WRONG_TYPES
from model.generate import Generator
from model.osc import SEQ_PATH, Sender, encode_bundle, encode_message, wrap
from model.tree import Tree
from mutation import SEED, mutate
from osc_reader import BYTES_MAX, is_bundle, is_well_formed, read_datagram
from serving import PATIENCE_S, call, query, receive, receive_until, run_symlog, wait_until
from turns import in_turn

FIXTURES = Path(__file__).parents[2] / "fixtures" / "datagrams"
SOAK = "SYMLOG_SOAK" in os.environ
MUTATIONS = 400_000 if SOAK else 20_000
BURST, PAUSE_S = 40, 0.004  # So that nothing is dropped, and each count can be exact.
SILENCE_S = 0.2
DATAGRAM_FAULTS = 13  # Kinds of malformed datagrams that serve tells apart.
REFUSALS = {
    UNKNOWN_PATH: "unknown path",
    WRONG_TYPES: "wrong types",
    NOT_FINITE: "not a finite number",
    NO_SUCH_INDEX: "no such index",
}
REFUSED = "refused: "  # Before a reason, among the totals.


@pytest.fixture
def serve(start, watched):
    return start()


def is_good(serve, live):
    """A datagram still has its effect, and a subscriber is told of it."""
    with serve.subscribe() as subscriber:
        receive(subscriber)
        live.send("/live/track/added", ("i", 0), ("s", "still here"))
        receive_until(subscriber, lambda message: "still here" in json.dumps(message))
    return True


def fixtures():
    """Name -> datagram. One of them is longer than a datagram can be."""
    found = {path.stem: path.read_bytes() for path in sorted(FIXTURES.glob("*.bin"))}
    assert len(found) > 50
    return {name: data for name, data in found.items() if len(data) <= BYTES_MAX}


def more():
    """What cannot be a file's matter, or has to do with numbers and indexes."""
    mute = ("/live/track/mute", [("i", 0), ("T", True)])
    unmute_nobody = ("/live/track/mute", [("i", 99), ("F", False)])
    mute_what = ("/live/track/mute", [("s", "?"), ("T", True)])
    parameter = [("i", 0), ("i", 0), ("i", 4096), ("f", 1.0)]
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
        "ok_parameter_beyond": encode_message(*wrap(504, "/live/device/param", parameter)),
        "ok_bundle_index": encode_bundle([wrap(505, *mute), wrap(506, *unmute_nobody)]),
        "ok_bundle_of_types": encode_bundle([wrap(507, *mute), wrap(508, *mute_what)]),
    }


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
        is_settled = totals["queue_size"] == totals["held"] == 0
        return totals["received"] == sent and is_settled and totals

    return wait_until(find, f"{sent} datagrams counted", patience_s=10 * PATIENCE_S)


def log_events(serve):
    lines = run_symlog("log", "--json", "--db", serve.db).stdout.split("\n")  # Not at U+2028 and the like.
    return [json.loads(line) for line in lines if line]


def refusals_of_model(events, snapshot=None):
    """Reason -> count of what the reducer must have refused, by the model."""
    tree, refused = Tree(), Counter()
    for event in in_turn(events):
        kind, source, payload = event["kind"], event["source"], bytes.fromhex(event["payload"])
        if kind == KINDS["picture"]:
            assert tree.load_snapshot(snapshot, source) is None
        elif kind == KINDS["osc"] and is_bundle(payload):
            before = tree.refusals[NO_SUCH_INDEX]
            reason = tree.apply_bundle(read_datagram(payload), source)
            refused[REFUSED + "bundle refused"] += reason is not None
            refused[REFUSED + "no such index"] += tree.refusals[NO_SUCH_INDEX] - before if reason is None else 0
        elif kind == KINDS["osc"]:
            [(path, args)] = read_datagram(payload)
            reason = tree.apply(path, args, source)
            refused[REFUSED + REFUSALS.get(reason, "")] += reason is not None
    return {reason: count for reason, count in refused.items() if count}


def check_log(events, datagrams):
    """The log has the well-formed ones, in order; how many are not in it, for they tell nothing new."""
    logged = [bytes.fromhex(event["payload"]) for event in events if event["kind"] == KINDS["osc"]]
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


def check_asked_at_most(live):
    """A sender that says hello is asked for what is missing, and answered nothing else."""
    live.socket.settimeout(SILENCE_S)
    with pytest.raises(TimeoutError):
        while True:
            assert {path for path, _ in read_datagram(live.socket.recv(65536))} == {"/symlog/resend"}


def check_counts(totals, events, datagrams, snapshot=None):
    good = [datagram for datagram in datagrams if is_well_formed(datagram)]
    assert totals["parse_errors"] == len(datagrams) - len(good)
    passed_over = totals["duplicates"] + totals["heartbeats"]
    assert passed_over == check_log(events, good)
    assert totals["processed"] == len(good) - passed_over
    refused = {name: count for name, count in totals.items() if name.startswith(REFUSED)}
    assert refused == refusals_of_model(events, snapshot)
    return len(good)


def told(serve, pattern):
    """What the pattern finds in the lines that serve printed."""
    return [match.groups() for match in (re.search(pattern, line) for line in serve.lines) if match]


def faults_told(serve):
    return told(serve, r'^refused what=datagram reason=".* not taken: (.*) \(more')


def refusals_told(serve):
    return told(serve, r'^refused what="/.*" source=(\S+) reason="(.*)" seq=')


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
    assert len(faults_told(serve)) == len(set(faults_told(serve))) == DATAGRAM_FAULTS
    assert len(refusals_told(serve)) == len(set(refusals_told(serve))) > len(REFUSALS)
    check_asked_at_most(live)
    assert is_good(serve, serve.live())  # Another sender: the numbers of this one went up to the highest there is.


def test_malformed_datagrams_of_strangers_are_counted(serve):
    """Someone of whom nothing good has come is no source."""
    bad = [data for data in (fixtures() | more()).values() if not is_well_formed(data)]
    live = serve.live()
    send_all(live, bad)
    assert counted(serve, len(bad))["parse_errors"] == len(bad)
    assert not any(event["kind"] in (KINDS["session"], KINDS["osc"]) for event in log_events(serve))
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
    assert len(faults_told(serve)) == len(set(faults_told(serve))) <= DATAGRAM_FAULTS
    check_asked_at_most(live)
    assert is_good(serve, serve.live())


def test_malformed_snapshots(serve, rng):
    """Parts that are cut, damaged, doubled or missing: whatever becomes of them, what follows is applied."""
    with serve.subscribe(max_queue=None) as subscriber:
        for number in range(100):
            generator, live = Generator(seed=number, tracks=2, scenes=2), serve.live()
            parts = live.sender.encode_snapshot(generator.snapshot, part_bytes=400)
            if number % 4 == 0:
                rng.shuffle(parts)
            at = rng.randrange(len(parts))
            parts[at : at + 1] = [[], [mutate(rng, parts)], [mutate(rng, [parts[at]]), parts[at]]][number % 3]
            send_all(live, parts)
            live.send("/live/transport/tempo", ("f", 100.0 + number))
            wait_until(lambda tempo=100.0 + number: tempo_of(subscriber) == tempo, f"the tempo after snapshot {number}")
            if number % 20 == 0:
                check_answered_nothing(live)
    assert is_good(serve, serve.live())


def test_malformed_snapshot_without_a_part_is_refused_after_its_last(serve):
    """The reducer holds what follows a last part until it hears what became of the snapshot."""
    live = serve.live()
    parts = live.sender.encode_snapshot(Generator(seed=SEED).snapshot, part_bytes=1000)
    with serve.subscribe(max_queue=None) as subscriber:
        send_all(live, [parts[0], *parts[2:-1]])
        wait_until(lambda: any(event["kind"] == KINDS["gave_up"] for event in log_events(serve)), "part 1 is given up")
        send_all(live, parts[-1:])
        live.send("/live/transport/tempo", ("f", 99.5))
        wait_until(lambda: tempo_of(subscriber) == 99.5, "the tempo after the snapshot")
    serve.wait_for('^refused what=osc .* reason="snapshot: a part is missing"')


def test_malformed_path_does_not_reach_the_terminal(serve):
    """Neither the end of a line nor an escape that would colour it, and in every case UTF-8."""
    live, path = serve.live(), "/\n\x1b[31mstopped events=1"
    live.send(path)
    live.send_bytes(encode_message("/long", []).replace(b"/long", b"/\xff\xfe\x97n"))
    rename = wrap(1, "/live/track/renamed", [("i", 99), ("s", "\x1b[31m")])
    live.send_bytes(encode_message(*rename))
    serve.wait_for('^refused what="/live/track/renamed"')
    assert serve.count("\x1b") == serve.count("^stopped") == 0
    serve.wait_for(r'^refused what="/\\n\\u001b\[31mstopped events=1" ')


def tempo_of(subscriber):
    return query(subscriber, path="project")["attributes"].get("tempo")
