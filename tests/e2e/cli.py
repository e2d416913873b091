"""What the tests of the commands share: running them, logs to run them on, and a place to send to."""

import os
import socket
import subprocess

from serving import BINARY as SYMLOG

TIMEOUT_S = 30


def symlog(*arguments, stdin=None, status=0, environment=None):
    """Runs symlog, expects the exit status (None: any), and gives (output, errors)."""
    ended = subprocess.run(
        [SYMLOG, *map(str, arguments)],
        input=stdin,
        check=False,
        capture_output=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "TZ": "UTC", **(environment or {})},
    )
    output, errors = ended.stdout.decode(), ended.stderr.decode()
    assert status in (None, ended.returncode), f"status {ended.returncode}\n{output}\n{errors}"
    return output, errors


def lines_of(*arguments, **options):
    return symlog(*arguments, **options)[0].splitlines()


def imported(tmp_path, lines, name="log"):
    """The --db options of a new log with these lines."""
    db = ["--db", tmp_path / name]
    symlog("log", "import", lines.write(tmp_path / f"{name}.ndjson"), *db)
    return db


def numbers(lines):
    return [int(line.split()[0]) for line in lines]


def udp_receiver():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(5)
    return receiver, f"127.0.0.1:{receiver.getsockname()[1]}"


def received(receiver, count):
    return [receiver.recv(65536) for _ in range(count)]
