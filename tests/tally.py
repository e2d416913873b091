"""Runs every suite and closes with one line: N passed, N failed.

    tests/tally.py [--soak]                 what tools/test runs: build, then every suite
    tests/tally.py --fuzz NAME [SECONDS]    one fuzz target alone

Suites are found, not listed: tests/unit/test_*.c, tests/portable/*.c, tests/fuzz/fuzz_*.c, tests/sim, and every folder
of tests/ with a test_*.py. A suite that crashed, was not built or is not there counts as failed. Standard library only.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "zig-out" / "test"  # build.zig: test-binaries
EMULATORS = {"aarch64": ["qemu-aarch64"], "wasm32": [sys.executable, "tests/wasm_run.py"]}
PLACES = ["native", "aarch64", "wasm32"]
MODES = ["Debug", "ReleaseFast"]
SLOW_ELSEWHERE = ["test_core_renderer"]
PYTEST_FOLDERS = ["model", "e2e"]  # must be there, besides those that are found
SMOKE_S, SOAK_S = 3, 60  # of fuzzing, for each target
SMOKE_SEEDS, SOAK_SEEDS = 200, 10000  # of the simulator, besides some that watch their memory
TIMEOUT_S = 120  # of one C program beyond its fuzzing time
PYTEST_TIMEOUT_S = 420
PYTEST_PROCESSES = 4  # most tests wait for clocks, not for a CPU; the tests of one file share their fixtures
DETAIL_LINES_MAX = 60


@dataclass
class Result:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    detail: str = ""  # shown only when something failed


@dataclass
class Ended:
    status: int | None  # None: it did not end in time, or could not be started
    output: str


def main():
    options = parse_arguments()
    os.chdir(ROOT)
    os.environ.setdefault("ASAN_OPTIONS", "print_legend=0")
    if options.fuzz is not None:
        return fuzz_one(options.fuzz)
    results = []
    if not options.no_build:
        results += report("build", lambda: [build()])
    for name, suite in suites(options.soak, options.sanitizers.split(",")):
        results += report(name, suite)
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description="Runs every suite and closes with one line: N passed, N failed.")
    parser.add_argument("--no-build", action="store_true", help="zig build has just made the binaries")
    parser.add_argument("--sanitizers", default="asan", help="the builds of the unit tests that were made")
    parser.add_argument("--soak", action="store_true", help="minutes of fuzzing, and SYMLOG_SOAK=1 for the suites")
    parser.add_argument("--fuzz", nargs="*", metavar="NAME [SECONDS]", help="one fuzz target alone")
    return parser.parse_args()


def suites(soak, sanitizers):
    """(name, function that gives its results) in the order in which they run."""
    if soak:
        os.environ["SYMLOG_SOAK"] = "1"
    for sanitizer in sanitizers:
        yield f"unit tests, {sanitizer}", lambda name=sanitizer: unit_tests(name, "test_*.c", [])
    yield f"core on {' and '.join(EMULATORS)}", core_elsewhere
    yield "same digests on every CPU", portable
    yield "simulation", lambda: simulation(SOAK_SEEDS if soak else SMOKE_SEEDS)
    yield "fuzzing", lambda: fuzz_all(SOAK_S if soak else SMOKE_S)
    found = {path.parent.relative_to("tests").as_posix() for path in Path("tests").glob("**/test_*.py")}
    for folder in sorted(found.union(PYTEST_FOLDERS)):
        yield f"tests/{folder}", lambda f=folder: [pytest(f, "off")]
        if soak and folder == "e2e":
            yield f"tests/{folder}, asan", lambda f=folder: [pytest(f, "asan")]


def report(name, suite):
    """Runs one suite: a line for it, and what went wrong."""
    began = time.monotonic()
    print(f"{name:32}", end="", flush=True)
    try:
        results = suite()
    except OSError as problem:
        results = [Result(name, failed=1, detail=str(problem))]
    passed, failed, skipped = (sum(getattr(r, field) for r in results) for field in ("passed", "failed", "skipped"))
    counts = f"{passed} passed" + (f", {failed} FAILED" if failed else "") + (f", {skipped} skipped" if skipped else "")
    seconds = time.monotonic() - began
    print(f"{counts if passed or failed else 'done'} ({seconds:.1f} s)", flush=True)
    for result in results:
        if result.failed:
            lines = result.detail.strip().splitlines()[-DETAIL_LINES_MAX:]
            print(f"  --- {result.name}", *lines, sep="\n      ", flush=True)
    return results


def build():
    """A file that does not compile leaves its binary out and the others in place; what is missing fails below."""
    shutil.rmtree(BUILT, ignore_errors=True)
    zig = os.environ.get("ZIG", "zig")
    ended = run([zig, "build", "test-binaries", "--summary", "none", "--color", "off"], timeout_s=1200)
    return Result("zig build test-binaries", failed=int(ended.status != 0), detail=compiler_errors(ended.output))


def compiler_errors(output):
    """What is wrong in a source comes once for each binary, with long commands; once is enough."""
    output = output.split("error: the following build command failed")[0]
    lines = [line for line in output.splitlines() if not re.match(r"failed command:|\+- | +\+- |test-binaries$", line)]
    blocks = re.split(r"\n\s*\n|error: \d+ compilation errors?\n", "\n".join(lines))
    return "\n".join(dict.fromkeys(block.strip("\n") for block in blocks if "error" in block)) or output


def unit_tests(folder, pattern, emulator):
    files = sorted(Path("tests/unit").glob(pattern))
    if not files:
        return [missing(f"tests/unit/{pattern}")]
    return in_parallel(lambda file: unit_test(folder, file, emulator), files)


def core_elsewhere():
    """Core's tests on other CPUs, in Debug and ReleaseFast; those that take longest begin first."""
    files = sorted(Path("tests/unit").glob("test_core_*.c"), key=lambda file: (file.stem not in SLOW_ELSEWHERE, file))
    tests = [(f"{place}-{mode}", file, EMULATORS[place]) for file in files for place in EMULATORS for mode in MODES]
    return in_parallel(lambda test: unit_test(*test), tests)


def unit_test(folder, file, emulator):
    binary = binary_of(folder, file.stem)
    if binary is None:
        return missing(f"{folder}/{file.stem}", "it was not built")
    return cmocka_result(f"{folder}/{file.stem}", run([*emulator, str(binary)]))


def binary_of(folder, name):
    for candidate in (BUILT / folder / name, BUILT / folder / f"{name}.wasm"):
        if candidate.is_file():
            return candidate
    return None


def cmocka_result(name, ended):
    """Counts a cmocka program's tests; those that never came to run, because of a crash, are failed ones."""
    announced = sum(int(count) for count in re.findall(r"^\[=+\].*Running (\d+) test", ended.output, re.MULTILINE))
    passed = len(re.findall(r"^\[ +OK \]", ended.output, re.MULTILINE))
    skipped = len(set(re.findall(r"^\[  SKIPPED \] (?!\d+ test)(\S+)$", ended.output, re.MULTILINE)))
    failed = max(announced - passed - skipped, 0)
    if ended.status != 0 or announced == 0:
        failed = max(failed, 1)
    noise = re.compile(r"\[ RUN      \]|\[ +OK \]|\[=+\]|\[  PASSED  \]")
    lines = [line for line in ended.output.splitlines() if not noise.match(line)]
    return Result(name, passed, failed, skipped, "\n".join([*lines, how_it_ended(ended.status)]))


def portable():
    """Every records file gives the same output from every build of tests/portable/*.c."""
    programs = sorted(Path("tests/portable").glob("*.c"))
    inputs = sorted(Path("fixtures").glob("**/*.records"))
    if not programs or not inputs:
        return [missing("tests/portable/*.c" if not programs else "fixtures/**/*.records")]
    return in_parallel(lambda pair: same_everywhere(*pair), [(p, i) for p in programs for i in inputs])


def same_everywhere(program, records):
    result = Result(f"{program.stem} < {records}")
    outputs = {}
    for folder in [f"{place}-{mode}" for place in PLACES for mode in MODES]:
        binary = binary_of(folder, program.stem)
        if binary is None:
            return missing(f"{folder}/{program.stem}", "it was not built")
        emulator = EMULATORS.get(folder.split("-")[0], [])
        with records.open("rb") as stdin:
            ended = run([*emulator, str(binary)], stdin=stdin)
        if ended.status != 0 or not ended.output.strip():
            return missing(f"{result.name}, {folder}", ended.output + how_it_ended(ended.status))
        outputs[folder] = ended.output
    expected = outputs["native-Debug"]
    for folder, output in outputs.items():
        if output == expected:
            result.passed += 1
        else:
            result.failed += 1
            result.detail += f"{folder}: {first_difference(expected, output)}\n"
    return result


def first_difference(expected, output):
    pairs = zip(expected.splitlines() + ["(end)"], output.splitlines() + ["(end)"])
    for number, (left, right) in enumerate(pairs, 1):
        if left != right:
            return f"line {number}: {right}\ninstead of {left}"
    return "it stops early or goes on"


def simulation(seeds):
    """Every seed is a test. They are shared out to all CPUs; what fails says its seed and how to run it again."""
    slices = os.cpu_count() or 1
    jobs = [("sim-off", 1 + seeds * n // slices, seeds * (n + 1) // slices) for n in range(slices)]
    jobs.append(("sim-asan", 1, seeds // 50))
    return in_parallel(lambda job: simulate(*job), jobs)


def simulate(folder, first, last):
    name = f"{folder}, seeds {first} to {last}"
    binary, sequences = binary_of(folder, "sim"), BUILT / "sim" / "sequences.bin"
    if binary is None or not sequences.is_file():
        return missing(name, "it was not built")
    count = last - first + 1
    ended = run([str(binary), str(sequences), "--seed", str(first), "--seeds", str(count)], timeout_s=TIMEOUT_S * 5)
    counted = re.search(r"^(\d+) passed, (\d+) failed$", ended.output, re.MULTILINE)
    if counted is None or ended.status not in (0, 1):
        return Result(name, failed=count, detail=ended.output + how_it_ended(ended.status))
    return Result(name, int(counted[1]), int(counted[2]), detail=ended.output)


def fuzz_all(seconds):
    files = sorted(Path("tests/fuzz").glob("fuzz_*.c"))
    if not files:
        return [missing("tests/fuzz/fuzz_*.c")]
    return in_parallel(lambda file: fuzz(file.stem, seconds), files)


def fuzz_one(arguments):
    names = [file.stem.removeprefix("fuzz_") for file in sorted(Path("tests/fuzz").glob("fuzz_*.c"))]
    if not arguments or arguments[0] not in names:
        print(f"usage: zig build fuzz -- NAME [SECONDS]; NAME is one of: {' '.join(names) or '(none yet)'}")
        return 2
    result = fuzz(f"fuzz_{arguments[0]}", int(arguments[1]) if len(arguments) > 1 else SOAK_S, show=True)
    print(f"{result.passed} passed, {result.failed} failed")
    return 1 if result.failed else 0


def fuzz(name, seconds, show=False):
    """libFuzzer keeps what it finds in its first folder, so that is a scratch one and the seeds come after it."""
    binary = binary_of("fuzz", name)
    if binary is None:
        return missing(f"fuzz/{name}", "it was not built")
    crashes = ROOT / "zig-out" / "fuzz"
    crashes.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "fixtures" / "fuzz" / name.removeprefix("fuzz_")
    with tempfile.TemporaryDirectory() as corpus:
        command = [str(binary), f"-max_total_time={seconds}", "-timeout=10", f"-artifact_prefix={crashes}/{name}-"]
        folders = [corpus, str(seeds)] if seeds.is_dir() else [corpus]
        ended = run(command + folders, timeout_s=TIMEOUT_S + seconds, show=show)
    passed = ended.status == 0
    return Result(name, int(passed), int(not passed), detail=ended.output + how_it_ended(ended.status))


def pytest(folder, sanitizer):
    """The tests find the program in SYMLOG_BIN, and one that watches its own memory in SYMLOG_ASAN_BIN."""
    if not list(Path("tests", folder).glob("**/test_*.py")):
        return missing(f"tests/{folder}")
    with tempfile.TemporaryDirectory() as scratch:
        counts = Path(scratch, "counts.xml")
        environment = {
            **os.environ,
            "SYMLOG_BIN": str(BUILT / f"program-{sanitizer}" / "symlog"),
            "SYMLOG_ASAN_BIN": str(BUILT / "program-asan" / "symlog"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        quiet = ["-q", "--tb=short", "--no-header", "-p", "no:cacheprovider"]
        spread = [f"--numprocesses={PYTEST_PROCESSES}", "--dist=loadfile"]
        command = [sys.executable, "-m", "pytest", *quiet, *spread, f"--junitxml={counts}", f"tests/{folder}"]
        limit_s = PYTEST_TIMEOUT_S * (10 if "SYMLOG_SOAK" in os.environ else 1)
        ended = run(command, timeout_s=limit_s, environment=environment)
        return pytest_result(f"tests/{folder}", ended, counts)


def pytest_result(name, ended, counts):
    result = Result(name, detail=ended.output + how_it_ended(ended.status))
    if counts.is_file():
        for suite in xml.etree.ElementTree.parse(counts).iter("testsuite"):
            result.failed += int(suite.get("failures")) + int(suite.get("errors"))
            result.skipped += int(suite.get("skipped"))
            result.passed += int(suite.get("tests"))
        result.passed = max(result.passed - result.failed - result.skipped, 0)
    if ended.status != 0:
        result.failed = max(result.failed, 1)
    return result


def missing(name, why="there is none"):
    return Result(name, failed=1, detail=why)


def in_parallel(job, items):
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(job, items))


def run(command, timeout_s=TIMEOUT_S, stdin=subprocess.DEVNULL, environment=None, show=False):
    """Runs a command in a process group of its own, so that whatever it started ends with it."""
    output = None if show else subprocess.PIPE
    try:
        child = subprocess.Popen(
            command, stdin=stdin, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    except OSError as problem:
        return Ended(None, f"{command[0]}: {problem.strerror}; tools/setup installs what is missing\n")
    text = b""
    try:
        text, _ = child.communicate(timeout=timeout_s)
        status = child.returncode
    except subprocess.TimeoutExpired:
        end_group(child)
        text, _ = child.communicate()
        status = None
    finally:
        end_group(child)
    return Ended(status, (text or b"").decode(errors="replace"))


def end_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # nothing of it is left, as it should be


def how_it_ended(status):
    if status is None:
        return "(it did not end in time, or could not be started)"
    if status < 0:
        return f"(ended by {signal.Signals(-status).name})"
    return f"(exit status {status})"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        os._exit(130)  # without waiting for the threads; run() has ended what they started
