"""Random sets played into the program: subscribers, replay and the independent model must hold the same tree.

A seed gives the same events every time. SYMLOG_SEED=N runs with that one alone, SYMLOG_SOAK=1 with many.
"""

import json
import os
import random
import time

import pytest
from log_lines import KINDS
from model.client import Subscriber
from model.generate import Generator
from model.osc import Sender
from model.random_set import random_snapshot
from model.shape import differences
from model.tree import REORDERED, Tree
from serving import call, logged, receive, receive_until, run_symlog, wait_until

SEEDS = range(1, 41 if "SYMLOG_SOAK" in os.environ else 4)
if "SYMLOG_SEED" in os.environ:
    SEEDS = [int(os.environ["SYMLOG_SEED"])]
LIVE_EVENTS = 2000
IMPORTED_EVENTS = 100_000
MILESTONES = 5
EVENTS_IN_FLIGHT = 100
SILENCE_S = 0.15  # A run of scene/reordered is over after 0.1.
EVENT_NS = 1_000_000


# Over the wire.


@pytest.mark.parametrize("seed", SEEDS)
def test_model_newcomers_replay_and_model_agree_with_a_subscriber(start, seed):
    serve = start()
    with serve.subscribe(max_queue=None) as subscriber, serve.subscribe(max_queue=None) as control:
        messages = [receive(subscriber)]
        player = Player(serve, control, seed)
        player.play(LIVE_EVENTS)
        messages += receive_until(subscriber, player.is_end)
        stat = player.statistics()
    assert serve.stop() == 0

    mirror = agreeing_mirror(messages, player.newcomers)
    tree = model_of_log(serve.db, player.sent, player.snapshots)
    assert differing(mirror.ast, tree.to_ast()) == []
    [source] = [source for source in stat["sources"] if source["received"]]
    assert source["gaps"] == 0 and source["dropped"] == 0
    assert sum(source["refused"].values()) == tree.refusals.total() > 0
    assert player.newcomers
    for newcomer in player.newcomers:
        assert replayed_tree(serve.db, newcomer["seq"]) == newcomer["payload"]["ast"], "hashes included"
    assert run_symlog("verify", "--db", serve.db).returncode == 0


class Player:
    """Sends random events, and lets a newcomer subscribe now and then."""

    def __init__(self, serve, control, seed):
        self.serve = serve
        self.live = serve.live()
        self.control = control  # A subscriber to ask questions through.
        self.rng = random.Random(-seed)
        self.generator = Generator(seed, tracks=6, scenes=6, invalid=0.05, settles=True)
        self.sent = {}  # The sender's number -> the event that begins with it.
        self.snapshots = []
        self.newcomers = []  # FULL_AST messages.
        self.is_reordering = False

    def play(self, count):
        self.send_snapshot(self.generator.snapshot)
        for event in self.generator.events(count):
            self.send(event)
            chance = self.rng.random()
            if chance < 0.006:
                with self.serve.subscribe(max_queue=None) as newcomer:
                    self.newcomers.append(receive(newcomer))
            elif chance < 0.008:
                self.change_everything()
        self.send([("/live/cursor/scene", [("i", 0)])])
        self.last = max(self.sent)

    def is_end(self, message):
        return message["type"] == "live_event" and message["payload"]["seq_num"] == self.last

    def send(self, event):
        if not event:
            if self.is_reordering:
                time.sleep(SILENCE_S)  # Whether it was long enough, the log says.
            return
        self.is_reordering = event[-1][0] == REORDERED
        number = self.live.sender.next_seq
        self.sent[number] = event
        self.live.send_bytes(self.live.sender.encode(event))
        if len(self.sent) % EVENTS_IN_FLIGHT == 0:
            self.wait_for_head(len(self.sent))

    def wait_for_head(self, count):
        """Waits until the log has so many events, so that no buffer on the way is ever full."""
        wait_until(lambda: call(self.control, "stat")["result"]["head"] >= count, f"{count} events")

    def change_everything(self):
        """Another picture, in which some of the old ids stand at other places."""
        size = self.rng.randint(2, 8)
        snapshot = random_snapshot(self.rng, size, size)
        self.send_snapshot(snapshot)
        self.generator.tree.load_snapshot(snapshot)

    def send_snapshot(self, snapshot):
        for datagram in self.live.sender.encode_snapshot(snapshot):
            self.live.send_bytes(datagram)
        self.snapshots.append(snapshot)
        wait_until(lambda: kinds_of(self.serve.db).count("picture") == len(self.snapshots), "the picture")

    def statistics(self):
        """Those of the program, once they are up to date."""

        def all_counted():
            stat = call(self.control, "stat")["result"]
            counted = sum(source["received"] for source in stat["sources"])
            return stat if counted >= len(self.sent) + len(self.snapshots) else None

        return wait_until(all_counted, "the counters")


def kinds_of(db):
    return [line.split()[2] for line in logged(db)]


def agreeing_mirror(messages, newcomers):
    """Applies a subscriber's messages, event by event. Where newcomers came, both must hold the same, ids included."""
    mirror = Subscriber()
    waiting = sorted(newcomers, key=lambda message: message["seq"])
    group = []
    for message in messages:
        group.append(message)
        if "seq" not in message:
            continue
        while waiting and waiting[0]["seq"] < message["seq"]:
            newcomer = waiting.pop(0)
            assert newcomer["log"] == mirror.log
            assert differing(mirror.ast, newcomer["payload"]["ast"]) == [], newcomer["seq"]
        mirror.receive(group)
        group = []
    assert not waiting and not group
    return mirror


def differing(one, other):
    return list(differences(one, other, ids=True))[:10]


def model_of_log(db, sent, snapshots):
    """The model's tree after the log, in the log's order: only it knows when a silence was noticed."""
    tree = Tree()
    pictures = iter(snapshots)
    numbers = []
    for event in exported(db)[1:]:
        if event["kind"] == KINDS["order_settled"]:
            tree.settle()
        elif event["kind"] == KINDS["picture"]:
            assert tree.load_snapshot(next(pictures)) is None
        elif event["kind"] == KINDS["osc"] and event["source_seq"] in sent:
            numbers.append(event["source_seq"])
            apply(tree, sent[numbers[-1]])
    assert numbers == list(sent), "nothing is lost, and all in order"
    return tree


def apply(tree, event):
    if len(event) == 1:
        tree.apply(*event[0])
    else:
        tree.apply_bundle(event)


def exported(db):
    ended = run_symlog("log", "export", "-", "--db", db)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.split("\n")[:-1]]


def replayed_tree(db, at):
    ended = run_symlog("replay", "--db", db, "--at", at, "--state", "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


# By way of a file, for speed.


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_model_agrees_after_100000_events(start, tmp_path, seed):
    """A log that serve began with a snapshot, continued by events that never went over a wire."""
    generator = Generator(seed + 1000, settles=True)
    serve = start()
    live = serve.live()
    for datagram in live.sender.encode_snapshot(generator.snapshot):
        live.send_bytes(datagram)
    serve.wait_for("^picture ")
    assert serve.stop() == 0

    lines = exported(serve.db)
    begun = len(lines) - 1
    trees = {}  # Of the model, after some of the log's events.
    continued = Continued(lines, live.sender)
    for count, event in enumerate(generator.events(IMPORTED_EVENTS), 1):
        continued.add(event)
        if count % (IMPORTED_EVENTS // MILESTONES) == 0:
            trees[begun + count] = generator.tree.to_ast()
    file, db = tmp_path / "continued.ndjson", tmp_path / "imported"
    file.write_text("".join(continued.texts))
    ended = run_symlog("log", "import", file, "--db", db)
    assert ended.returncode == 0, ended.stderr

    for seq, tree in trees.items():
        assert differing(replayed_tree(db, seq), tree) == [], seq
    stat = json.loads(run_symlog("stat", "--db", db, "--json").stdout)
    assert stat["head"] == begun + IMPORTED_EVENTS
    assert [source["gaps"] for source in stat["sources"]] == [0]
    assert sum(stat["sources"][0]["refused"].values()) == generator.tree.refusals.total()


class Continued:
    """The lines of an exported log, and more of its last sender's events behind them."""

    def __init__(self, lines, sender: Sender):
        self.sender = sender
        self.texts = [json.dumps(line) + "\n" for line in lines]
        self.seq = lines[-1]["seq"]
        self.time_ns = lines[-1]["time_ns"]
        picture = next(line for line in lines if line.get("kind") == KINDS["picture"])
        self.header = {key: picture[key] for key in ("source", "session")}

    def add(self, event):
        """One event; none at all stands for a silence."""
        number = self.sender.next_seq if event else None
        payload = self.sender.encode(event) if event else b""
        self.seq += 1
        self.time_ns += EVENT_NS
        line = {
            **self.header,
            "seq": self.seq,
            "time_ns": self.time_ns,
            "kind": KINDS["osc" if event else "order_settled"],
            "version": 1,
            "source_seq": number,
            "payload": payload.hex(),
        }
        self.texts.append(json.dumps(line) + "\n")
