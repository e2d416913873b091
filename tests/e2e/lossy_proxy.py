"""A UDP proxy that loses, doubles and reorders what it passes on, the same way for the same seed and the same traffic.

    lossy_proxy.py HOST:PORT [--loss 0.1] [--duplicates 0.1] [--reorder 0.1] [--seed 1]

It prints the address at which it listens. The target sees each sender at a port of its own, and what it answers there
goes back to that sender; answers are lost and doubled, too.
"""

import argparse
import collections
import random
import select
import socket
import threading
import time

DELAY_PACKETS_MAX = 8  # So many others overtake a packet, …
DELAY_S = 0.005  # … unless there is nothing to overtake it.
BUFFER_BYTES = 4 << 20


class LossyProxy:
    """Runs until `with` ends. `lost`, `doubled` and `delayed` count datagrams."""

    def __init__(self, target, loss=0.1, duplicates=0.1, reorder=0.1, seed=1):
        self.target = target
        self.chances = {"lost": loss, "doubled": duplicates, "delayed": reorder}
        self.rng = random.Random(seed)
        self.counts = collections.Counter()
        self.front = _socket()
        self.front.bind(("127.0.0.1", 0))
        self.address = self.front.getsockname()
        self._backs = {}  # A sender's address -> the socket at which the target knows it.
        self._senders = {}  # The other way round.
        self._held = []  # [datagrams that may still overtake it, when it goes on at the latest, how, the datagram].
        self._is_over = False
        self._thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._thread.join()
        for one in [self.front, *self._senders]:
            one.close()

    def run(self):
        while not self._is_over:
            ready, _, _ = select.select([self.front, *self._senders], [], [], DELAY_S)
            for one in ready:
                self._read(one)
            self._release(time.monotonic())

    def _read(self, one):
        try:
            datagram, sender = one.recvfrom(65536)
        except ConnectionError:  # Nobody listened there.
            return
        if one is self.front:
            back = self._backs.get(sender) or self._meet(sender)
            self._pass(datagram, back.send)
        else:
            self._pass(datagram, lambda data, to=self._senders[one]: self.front.sendto(data, to))

    def _meet(self, sender):
        back = _socket()
        back.connect(self.target)
        self._backs[sender] = back
        self._senders[back] = sender
        return back

    def _pass(self, datagram, send):
        for held in self._held:
            held[0] -= 1
        if self._happens("lost"):
            return
        for _ in range(2 if self._happens("doubled") else 1):
            if self._happens("delayed"):
                overtakers = self.rng.randint(1, DELAY_PACKETS_MAX)
                self._held.append([overtakers, time.monotonic() + DELAY_S, send, datagram])
            else:
                _send(send, datagram)

    def _happens(self, what):
        happens = self.rng.random() < self.chances[what]
        self.counts[what] += happens
        return happens

    def _release(self, now):
        due = [held for held in self._held if held[0] <= 0 or held[1] <= now]
        self._held = [held for held in self._held if held[0] > 0 and held[1] > now]
        for _, _, send, datagram in due:
            _send(send, datagram)


def _socket():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    return made


def _send(send, datagram):
    try:
        send(datagram)
    except ConnectionError:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", metavar="HOST:PORT")
    for name in ("--loss", "--duplicates", "--reorder"):
        parser.add_argument(name, type=float, default=0.1, help="chance for each datagram (0.1)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    host, _, port = options.target.rpartition(":")
    chances = options.loss, options.duplicates, options.reorder
    proxy = LossyProxy((host, int(port)), *chances, options.seed)
    print("{}:{}".format(*proxy.address), flush=True)
    proxy.run()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
