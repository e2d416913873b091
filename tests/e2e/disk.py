"""A disk that may lose what was not flushed: records what a process writes to a file, and gives what could stand there
after a power cut at any moment. Standard library only."""

import re
from dataclasses import dataclass
from pathlib import Path

SECTOR_BYTES = 512  # written whole or not at all
CALLS = "openat,lseek,pwrite64,pwritev,write,writev,ftruncate,fdatasync,fsync,rename"
LINE = re.compile(r"^([\d.]+) (\w+)\((.*)\) += (-?\d+)")
DATA = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def options(trace, *paths):
    """strace's options for recording what happens to a file that bears these names, a trace file for each thread."""
    limits = ["-ff", "-ttt", "-xx", "-s", "16777216", "-o", str(trace), "-e", f"trace={CALLS}"]
    return limits + [word for path in paths for word in ("-P", str(path))]


@dataclass
class Step:
    """A write, or (without data) a flush of all writes before it. A write may be a flush of itself (O_DSYNC). Or the
    file gets its name."""

    offset: int = 0
    data: bytes = b""
    is_flush: bool = False
    is_rename: bool = False


def read_steps(trace):
    """The steps that strace saw, in order."""
    lines = []
    for path in Path(trace).parent.glob(Path(trace).name + ".*"):
        lines += [match.groups() for match in map(LINE.match, path.read_text().splitlines()) if match]
    positions, synchronous, steps = {}, set(), []
    for _, call, arguments, result in sorted(lines, key=lambda line: float(line[0])):
        result = int(result)
        if call == "openat":
            synchronous.discard(result)
            positions[result] = 0
            if "O_DSYNC" in arguments:
                synchronous.add(result)
            continue
        if call == "rename":
            steps.append(Step(is_rename=True))
            continue
        fd = int(re.match(r"\d+", arguments)[0])
        if call == "lseek":
            positions[fd] = result
        elif call in ("fdatasync", "fsync"):
            steps.append(Step(is_flush=True))
        elif call == "ftruncate":
            raise AssertionError("nothing cuts the file short")
        else:
            data = b"".join(bytes.fromhex(part.replace(r"\x", "")) for part in DATA.findall(arguments))
            assert len(data) == result, "strace shows all that was written"
            is_positioned = call.startswith("pwrite")
            offset = int(arguments.rsplit(",", 1)[1]) if is_positioned else positions[fd]
            if not is_positioned:
                positions[fd] += result
            steps.append(Step(offset, data, fd in synchronous))
    return steps


def put(image, offset, data):
    image.extend(bytes(max(0, offset + len(data) - len(image))))
    image[offset : offset + len(data)] = data


def images(steps):
    """Before each step: (its place, what is on the disk for sure, the writes that may be)."""
    durable, pending = bytearray(), []
    for place, step in enumerate(steps):
        if step.data:
            pending.append(step)
        yield place, durable, pending
        if step.data and step.is_flush:
            put(durable, step.offset, step.data)
            pending.remove(step)
        elif step.is_flush:
            for write in pending:
                put(durable, write.offset, write.data)
            pending.clear()


def after_cut(durable, pending, moments):
    """What may stand on the disk: of what was not flushed any sectors, and of some writes nothing or all."""
    image = bytearray(durable)
    share = moments.choice([0, 0.1, 0.5, 0.9, 1])
    for write in pending:
        begin = write.offset
        while begin < write.offset + len(write.data):
            end = min(begin - begin % SECTOR_BYTES + SECTOR_BYTES, write.offset + len(write.data))
            if moments.random() < share:
                put(image, begin, write.data[begin - write.offset : end - write.offset])
            begin = end
    return image
