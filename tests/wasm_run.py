"""Runs a wasm32-wasi program: wasm_run.py FILE.wasm [ARGUMENT...]. It sees the project's folder as `.`, as natively."""

import sys
from pathlib import Path

import wasmtime


def main(arguments):
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    store.set_wasi(wasi_of(arguments))
    module = wasmtime.Module.from_file(engine, arguments[0])
    start = linker.instantiate(store, module).exports(store)["_start"]
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return ended.code
    except wasmtime.Trap as trap:
        print(trap, file=sys.stderr)
        return 134  # what a native abort gives
    return 0


def wasi_of(arguments):
    wasi = wasmtime.WasiConfig()
    wasi.argv = arguments
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    wasi.preopen_dir(str(Path(__file__).resolve().parent.parent), ".")
    return wasi


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
