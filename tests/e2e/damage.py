"""Damage to a log's file, done to its bytes: LMDB's pages, found by their own headers. Standard library only."""

import struct
from pathlib import Path

PAGE_BYTES = 4096
HEADER = struct.Struct("<QHHHH")  # number, pad, flags, lower, upper
BRANCH, LEAF, OVERFLOW, META = 1, 2, 4, 8
FREE_ROOT_AT = 80  # in each of the first two pages, the metas
LAST_PAGE_AT = 136  # in each of the first two pages, the metas
RECORD_HEADER_BYTES = 40


class Pages:
    """The pages of a closed log's file. `write` puts all changes back."""

    def __init__(self, db):
        self.path = Path(db) / "data.mdb"
        self.data = bytearray(self.path.read_bytes())

    def write(self):
        self.path.write_bytes(self.data)

    def count(self):
        return len(self.data) // PAGE_BYTES

    def page(self, number):
        return self.data[number * PAGE_BYTES : (number + 1) * PAGE_BYTES]

    def set_page(self, number, content):
        self.data[number * PAGE_BYTES : (number + 1) * PAGE_BYTES] = content

    def of_kind(self, flag):
        """Numbers of the pages of that kind, used or once used."""
        return [n for n in range(2, self.count()) if self._header(n)[2] & 15 == flag and self._header(n)[0] == n]

    def of_events(self):
        """Numbers of the leaf pages that hold events, as they were or are."""
        return [number for number in self.of_kind(LEAF) if list(self.records(number))]

    def _header(self, number):
        return HEADER.unpack_from(self.data, number * PAGE_BYTES)

    def records(self, number):
        """(the event's number, position in the file, length) of each record on a leaf page."""
        base = number * PAGE_BYTES
        for at in range(HEADER.size, self._header(number)[3], 2):
            (node,) = struct.unpack_from("<H", self.data, base + at)
            length, flags, key_length = struct.unpack_from("<IHH", self.data, base + node)
            if key_length == 8 and flags == 0 and length >= RECORD_HEADER_BYTES:
                (seq,) = struct.unpack_from("<Q", self.data, base + node + 8)
                yield seq, base + node + 16, length

    def set_last_page(self, number):
        """Tells LMDB that so much of its map is used."""
        for meta in (0, 1):
            struct.pack_into("<Q", self.data, meta * PAGE_BYTES + LAST_PAGE_AT, number)


def flip_bits(pages, moments):
    """A bit each in 20 records."""
    for number in moments.sample(pages.of_events(), min(20, len(pages.of_events()))):
        _, position, length = moments.choice(list(pages.records(number)))
        pages.data[position + moments.randrange(length)] ^= 1 << moments.randrange(8)


def zero_pages(pages, moments):
    for number in moments.sample(pages.of_events(), 3):
        pages.set_page(number, bytes(PAGE_BYTES))


def noise_pages(pages, moments):
    for number in moments.sample(pages.of_events(), 3):
        pages.set_page(number, moments.randbytes(PAGE_BYTES))


def swap_pages(pages, moments):
    """Two pages, each written to the other's place."""
    first, second = moments.sample(pages.of_events(), 2)
    content = bytes(pages.page(first))
    pages.set_page(first, pages.page(second))
    pages.set_page(second, content)


def swap_records(pages, moments):
    """Two records of one length on one page, each under the other's number."""
    numbers = pages.of_events()
    for number in moments.sample(numbers, len(numbers)):
        records = list(pages.records(number))
        for seq, position, length in records:
            others = [other for other in records if other[0] > seq and other[2] == length]
            if others:
                there = others[0][1]
                ours, theirs = pages.data[position : position + length], pages.data[there : there + length]
                pages.data[position : position + length], pages.data[there : there + length] = theirs, ours
                return
    raise AssertionError("no two records of one length")


def zero_branches(pages, moments):
    for number in pages.of_kind(BRANCH):
        pages.set_page(number, bytes(PAGE_BYTES))


def zero_metas(pages, moments):
    pages.data[: 2 * PAGE_BYTES] = bytes(2 * PAGE_BYTES)


def truncate(pages, moments):
    del pages.data[moments.randrange(pages.count() // 4, pages.count()) * PAGE_BYTES :]


def scatter_noise(pages, moments):
    """Bytes all over the file, LMDB's own pages among them."""
    for _ in range(50):
        pages.data[moments.randrange(len(pages.data))] = moments.randrange(256)


def swap_last_leaf(pages, moments):
    """The tree's last leaf becomes an older one, so that it ends before the last event."""
    leaves = sorted(pages.of_events(), key=lambda number: max(seq for seq, *_ in pages.records(number)))
    last = max(seq for seq, *_ in pages.records(leaves[-1]))
    older = bytes(pages.page(leaves[len(leaves) // 2]))
    for number in leaves:
        if any(seq == last for seq, *_ in pages.records(number)):
            pages.set_page(number, older)


def zero_free_list(pages, moments):
    """The root of LMDB's own list of free pages, in each of the two metas."""
    for meta in (0, 1):
        (root,) = struct.unpack_from("<Q", pages.data, meta * PAGE_BYTES + FREE_ROOT_AT)
        if root < pages.count():
            pages.set_page(root, bytes(PAGE_BYTES))


ALL = [
    flip_bits,
    zero_pages,
    noise_pages,
    swap_pages,
    swap_records,
    zero_branches,
    zero_metas,
    truncate,
    scatter_noise,
]
