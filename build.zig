//! Build for symlog. Everything derives from the table of layers and from the folders' contents: a new .c file of a
//! layer, a new tests/unit/test_*.c, tests/fuzz/fuzz_*.c or tests/bench/*.c is picked up without being named here.
const std = @import("std");
const builtin = @import("builtin");
const Build = std.Build;
const Step = Build.Step;

comptime {
    const want: std.SemanticVersion = .{ .major = 0, .minor = 16, .patch = 0 };
    if (builtin.zig_version.order(want) != .eq) @compileError(std.fmt.comptimePrint(
        "zig {f} wanted, {f} found; tools/setup fetches it into .tools/",
        .{ want, builtin.zig_version },
    ));
}

/// A folder of C files that may include its own headers and those of `sees`, nothing else.
const Layer = struct {
    name: []const u8,
    sees: []const []const u8,
    libs: []const []const u8, // pkg-config module names
    flags: []const []const u8,
};

const layers = [_]Layer{
    .{ .name = "core", .sees = &.{}, .libs = &.{}, .flags = &core_flags },
    .{ .name = "store", .sees = &.{"core"}, .libs = &.{"lmdb"}, .flags = &system_flags },
    .{ .name = "ingest", .sees = &.{"core"}, .libs = &.{ "liblo", "zlib", "jansson", "expat", "rtmidi", "jack" }, .flags = &system_flags },
};

const program_folder = "tools/symlog";
const processor_folder = program_folder ++ "/processors"; // not built: the program compiles them, as those of users
const program_libs = [_][]const u8{ "libwebsockets", "jansson", "libedit", "sndfile", "portaudio-2.0" };
const eval_folder = "tools/eval";
const eval_libs = [_][]const u8{"javascriptcoregtk-4.1"}; // no other program sees it
const eval_parts = [_][]const u8{ eval_folder ++ "/eval_wire.c", eval_folder ++ "/sandbox.c", eval_folder ++ "/script.c" };

const warnings = [_][]const u8{
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wconversion",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wvla",
    "-Wswitch-enum",
    "-Wundef",
    "-Werror",
};
const language = [_][]const u8{
    "-std=c17",
    "-UNDEBUG", // assertions stay on in release; ReleaseFast would define it
    "-fno-omit-frame-pointer",
};
/// No fused multiply-add behind our back, so that the same log gives the same samples on every CPU.
const core_flags = [_][]const u8{ "-ffp-contract=off", "-fno-math-errno" };
const system_flags = [_][]const u8{"-D_GNU_SOURCE=1"};

const Sanitize = enum { off, ubsan, asan, tsan };
/// What unit tests run under, unless -Dsanitize chooses another: asan is ASan and UBSan in one.
const unit_test_sanitizers = [_]Sanitize{.asan}; // also tests/tally.py's default

/// One way of building: a target, a mode, a sanitizer.
const Config = struct {
    b: *Build,
    target: Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
    sanitize: Sanitize,
};

pub fn build(b: *Build) void {
    const target = b.standardTargetOptions(.{});
    const optimize = b.standardOptimizeOption(.{});
    const chosen = b.option(Sanitize, "sanitize", "off, ubsan (Debug's default), asan (with ubsan; needs libclang-rt), tsan");
    const fallback: Sanitize = if (optimize == .Debug) .ubsan else .off;
    const cfg: Config = .{ .b = b, .target = target, .optimize = optimize, .sanitize = chosen orelse fallback };

    const check = b.step("check", "Compile everything, also for the other CPUs; run nothing");
    addProgramSteps(cfg, check);
    const binaries = addTestBinaries(cfg, chosen, check);
    addTestSteps(b, binaries, if (chosen) |one| @tagName(one) else null);
    addBenchStep(cfg, check);
    addSimulatorStep(cfg, binaries, check);
    addStyleSteps(b);
}

/// `zig build`, `zig build run`: the program.
fn addProgramSteps(cfg: Config, check: *Step) void {
    const b = cfg.b;
    const run_step = b.step("run", "Run symlog; its arguments follow --");
    const exe = addProgram(cfg) orelse return;
    b.installArtifact(exe);
    check.dependOn(&exe.step);
    const eval = addEval(cfg);
    b.installArtifact(eval);
    check.dependOn(&eval.step);
    const run = b.addRunArtifact(exe);
    run.setCwd(.{ .cwd_relative = "." });
    if (b.args) |args| run.addArgs(args);
    run_step.dependOn(&run.step);
}

/// `zig build test-binaries`: all that tests/tally.py runs, below zig-out/test/<variant>/.
fn addTestBinaries(cfg: Config, chosen: ?Sanitize, check: *Step) *Step {
    const b = cfg.b;
    const all = b.step("test-binaries", "Build what tests/tally.py runs, into zig-out/test");
    const sanitizers: []const Sanitize = if (chosen) |one| &.{one} else &unit_test_sanitizers;
    for (sanitizers) |sanitize| {
        const variant: Config = .{ .b = b, .target = cfg.target, .optimize = .Debug, .sanitize = sanitize };
        for (sources(b, "tests/unit", "test_")) |file| {
            install(all, check, addUnitTest(variant, file), @tagName(sanitize));
        }
    }
    for ([_]std.builtin.OptimizeMode{ .ReleaseFast, .Debug }) |mode| {
        // tests/e2e drive both: the one that people run, and the one that watches its memory.
        const sanitize: Sanitize = if (mode == .Debug) .asan else .off;
        const variant: Config = .{ .b = b, .target = cfg.target, .optimize = mode, .sanitize = sanitize };
        const folder = b.fmt("program-{s}", .{@tagName(sanitize)});
        if (addProgram(variant)) |exe| install(all, check, exe, folder);
        // Released in both: it has no sanitizer anyway.
        install(all, check, addEval(.{ .b = b, .target = cfg.target, .optimize = .ReleaseFast, .sanitize = .off }), folder);
    }
    addPortableBinaries(cfg, all, check);
    all.dependOn(addPeers(cfg, check));
    for (sources(b, "tests/fuzz", "fuzz_")) |file| {
        const name = std.fs.path.stem(file);
        all.dependOn(&b.addInstallFileWithDir(addFuzzer(b, file), .{ .custom = "test/fuzz" }, name).step);
    }
    return all;
}

/// `zig build peers`: the programs that tests/e2e has besides symlog, into zig-out/test/peers.
fn addPeers(cfg: Config, check: *Step) *Step {
    const b = cfg.b;
    const peers = b.step("peers", "Build what tests/e2e listens to JACK with, into zig-out/test/peers");
    const variant: Config = .{ .b = b, .target = cfg.target, .optimize = .ReleaseFast, .sanitize = .off };
    const listener = addTool(variant, "jack-listener", &.{"tests/e2e/jack_listener.c"}, &.{});
    listener.root_module.linkSystemLibrary("jack", .{ .use_pkg_config = .force });
    install(peers, check, listener, "peers");
    return peers;
}

/// Core alone, its unit tests and tests/portable/*.c for every CPU that core promises to give the same state on.
fn addPortableBinaries(cfg: Config, all: *Step, check: *Step) void {
    const b = cfg.b;
    const aarch64: std.Target.Query = .{ .cpu_arch = .aarch64, .os_tag = .linux, .abi = .musl };
    const wasm32: std.Target.Query = .{ .cpu_arch = .wasm32, .os_tag = .wasi };
    const places = [_]struct { name: []const u8, target: Build.ResolvedTarget }{
        .{ .name = "native", .target = cfg.target },
        .{ .name = "aarch64", .target = b.resolveTargetQuery(aarch64) },
        .{ .name = "wasm32", .target = b.resolveTargetQuery(wasm32) },
    };
    for (places) |place| for ([_]std.builtin.OptimizeMode{ .Debug, .ReleaseFast }) |mode| {
        const native = std.mem.eql(u8, place.name, "native"); // there unit tests run with sanitizers and cmocka
        const watched: Sanitize = if (native) .asan else .ubsan; // the same objects as the unit tests'
        const sanitize: Sanitize = if (mode == .Debug) watched else .off;
        const variant: Config = .{ .b = b, .target = place.target, .optimize = mode, .sanitize = sanitize };
        const folder = b.fmt("{s}-{s}", .{ place.name, @tagName(mode) });
        for (sources(b, "tests/portable", "")) |file| {
            install(all, check, addTool(variant, std.fs.path.stem(file), &.{file}, layers[0..1]), folder);
        }
        if (native or sources(b, "core", "").len == 0) continue;
        for (sources(b, "tests/unit", "test_core_")) |file| install(all, check, addUnitTest(variant, file), folder);
    };
}

fn install(all: *Step, check: *Step, exe: *Step.Compile, folder: []const u8) void {
    const b = all.owner;
    const dir: Build.InstallDir = .{ .custom = b.fmt("test/{s}", .{folder}) };
    all.dependOn(&b.addInstallArtifact(exe, .{ .dest_dir = .{ .override = dir }, .pdb_dir = .disabled }).step);
    check.dependOn(&exe.step);
}

/// `zig build test`, `soak`, `fuzz`: tests/tally.py on the binaries; it prints the closing count.
fn addTestSteps(b: *Build, binaries: *Step, sanitizer: ?[]const u8) void {
    const test_step = b.step("test", "Build and run every test (tools/test also installs what it needs)");
    const soak_step = b.step("soak", "The same for longer: minutes of fuzzing, SYMLOG_SOAK=1 for the other suites");
    const fuzz_step = b.step("fuzz", "Fuzz one target: zig build fuzz -- NAME [SECONDS]");
    const test_run = addTally(b, &.{});
    test_run.step.dependOn(binaries);
    test_step.dependOn(&test_run.step);
    const soak_run = addTally(b, &.{"--soak"});
    soak_run.step.dependOn(binaries);
    soak_step.dependOn(&soak_run.step);
    if (sanitizer) |one| for ([_]*Step.Run{ test_run, soak_run }) |run| run.addArgs(&.{ "--sanitizers", one });

    const args = b.args orelse &.{};
    const fuzz_run = addTally(b, &.{"--fuzz"});
    fuzz_run.addArgs(args);
    for (sources(b, "tests/fuzz", "fuzz_")) |file| {
        const name = std.fs.path.stem(file);
        if (args.len > 0 and !std.mem.eql(u8, args[0], name["fuzz_".len..])) continue;
        const binary = b.addInstallFileWithDir(addFuzzer(b, file), .{ .custom = "test/fuzz" }, name);
        fuzz_run.step.dependOn(&binary.step);
    }
    fuzz_step.dependOn(&fuzz_run.step);
}

/// `zig build bench`: tests/bench/*.c as one program, always ReleaseFast.
fn addBenchStep(cfg: Config, check: *Step) void {
    const b = cfg.b;
    const bench_step = b.step("bench", "Ratios measured side by side; -- --json for machines");
    const files = sources(b, "tests/bench", "");
    if (files.len == 0) return;
    const variant: Config = .{ .b = b, .target = cfg.target, .optimize = .ReleaseFast, .sanitize = .off };
    const beside = without(b, programSources(b), "main.c");
    const exe = addTool(variant, "bench", concat(b, &.{ files, beside }), &layers);
    exe.root_module.addCSourceFile(.{ .file = processorHeader(b), .flags = &language });
    linkProgramLibraries(exe.root_module);
    check.dependOn(&exe.step);
    const run = b.addRunArtifact(exe);
    run.setCwd(b.path("."));
    run.stdio = .inherit;
    if (addProgram(variant)) |program| {
        run.addArg("--program");
        run.addArtifactArg(program);
    }
    run.addArg("--evaluator");
    run.addArtifactArg(addEval(variant));
    const bare = addTool(variant, "bare-javascript", &.{"tests/bench/peers/bare_javascript.c"}, &.{});
    for (eval_libs) |lib| bare.root_module.linkSystemLibrary(lib, .{ .use_pkg_config = .force });
    check.dependOn(&bare.step);
    run.addArg("--bare-evaluator");
    run.addArtifactArg(bare);
    const sine = addTool(variant, "bare-sine", &.{"tests/bench/peers/bare_sine.c"}, &.{});
    sine.root_module.linkSystemLibrary("portaudio-2.0", .{ .use_pkg_config = .force });
    check.dependOn(&sine.step);
    run.addArg("--bare-sine");
    run.addArtifactArg(sine);
    if (b.args) |args| run.addArgs(args);
    bench_step.dependOn(&run.step);
}

/// `zig build sim`: tests/sim/*.c as one program, and the sequences that it plays, which the model makes.
fn addSimulatorStep(cfg: Config, binaries: *Step, check: *Step) void {
    const b = cfg.b;
    const sim_step = b.step("sim", "Simulate faults: -- [--seeds N] [--seed N] [--events N] [--verbose]");
    const own = sources(b, "tests/sim", "");
    if (own.len == 0) return;
    const make = b.addSystemCommand(&.{"python3"});
    make.setEnvironmentVariable("PYTHONDONTWRITEBYTECODE", "1");
    make.addFileArg(b.path("tests/sim/make_sequences.py"));
    for (filesOf(b, "tests/model", "", ".py")) |file| make.addFileInput(b.path(file));
    const sequences = make.addOutputFileArg("sequences.bin");
    const file = b.addInstallFileWithDir(sequences, .{ .custom = "test/sim" }, "sequences.bin");
    binaries.dependOn(&file.step);

    const all = concat(b, &.{ own, &.{program_folder ++ "/settle.c"} });
    for ([_]std.builtin.OptimizeMode{ .ReleaseFast, .Debug }) |mode| {
        const sanitize: Sanitize = if (mode == .Debug) .asan else .off;
        const variant: Config = .{ .b = b, .target = cfg.target, .optimize = mode, .sanitize = sanitize };
        const exe = addTool(variant, "sim", all, &.{ layers[0], layers[2] }); // not the store
        install(binaries, check, exe, b.fmt("sim-{s}", .{@tagName(sanitize)}));
        if (sanitize != .off) continue;
        const run = b.addRunArtifact(exe);
        run.stdio = .inherit;
        run.addFileArg(sequences);
        if (b.args) |args| run.addArgs(args);
        sim_step.dependOn(&run.step);
    }
}

/// `zig build fmt`, `lint`, `cdb`.
fn addStyleSteps(b: *Build) void {
    const fmt_step = b.step("fmt", "Rewrite the sources in the project's style");
    const lint_step = b.step("lint", "Check style and run clang-tidy, rewriting nothing");
    const cdb_step = b.step("cdb", "Write compile_commands.json for clangd and clang-tidy");

    const cdb = b.addUpdateSourceFiles();
    cdb.addBytesToSource(compileCommands(b), "compile_commands.json");
    cdb_step.dependOn(&cdb.step);

    const find = "find core store ingest tools tests -name";
    const all_at_once = b.fmt("{s} '*.[ch]' -print0 | xargs -0 -r", .{find});
    const side_by_side = b.fmt("{s} '*.c' -print0 | xargs -0 -r -n 1 -P \"$(nproc)\"", .{find});
    const format = versioned(b, "clang-format");
    fmt_step.dependOn(&b.addFmt(.{ .paths = &.{"build.zig"} }).step);
    fmt_step.dependOn(addShell(b, b.fmt("{s} {s} -i", .{ all_at_once, format })));
    lint_step.dependOn(&b.addFmt(.{ .paths = &.{"build.zig"}, .check = true }).step);
    lint_step.dependOn(addShell(b, b.fmt("{s} {s} --dry-run -Werror", .{ all_at_once, format })));
    const tidy_command = b.fmt("{s} -p . --quiet --warnings-as-errors='*'", .{versioned(b, "clang-tidy")});
    const count = "{ grep -v ' warnings\\? generated' || true; }"; // of those in the system's headers
    const tidy = addShell(b, b.fmt("{s} {s} 2>&1 | {s}", .{ side_by_side, tidy_command, count }));
    tidy.dependOn(cdb_step);
    lint_step.dependOn(tidy);
}

fn addModule(cfg: Config) *Build.Module {
    const mod = cfg.b.createModule(.{
        .target = cfg.target,
        .optimize = cfg.optimize,
        .link_libc = true,
        .sanitize_c = if (cfg.sanitize == .ubsan or cfg.sanitize == .asan) .full else .off,
        .sanitize_thread = cfg.sanitize == .tsan,
    });
    mod.addSystemIncludePath(hashHeader(cfg.b));
    return mod;
}

fn addSources(cfg: Config, mod: *Build.Module, files: []const []const u8, extra: []const []const u8) void {
    const asan: []const []const u8 = if (cfg.sanitize == .asan) &.{"-fsanitize=address"} else &.{};
    mod.addCSourceFiles(.{ .files = files, .flags = concat(cfg.b, &.{ &language, &warnings, extra, asan }) });
}

/// A module of the layer's C files, compiled against a tree of just the headers that it may see.
fn addLayer(cfg: Config, layer: Layer) *Build.Module {
    const b = cfg.b;
    const mod = addModule(cfg);
    const headers = b.addWriteFiles();
    for ([_][]const []const u8{ &.{layer.name}, layer.sees }) |names| for (names) |name| if (exists(b, name)) {
        _ = headers.addCopyDirectory(b.path(name), name, .{ .include_extensions = &.{".h"} });
    };
    mod.addIncludePath(headers.getDirectory());
    addSources(cfg, mod, sources(b, layer.name, ""), layer.flags);
    for (layer.libs) |lib| mod.linkSystemLibrary(lib, .{ .use_pkg_config = .force });
    return mod;
}

/// An executable over some layers; its own files may include any header by its path from the root.
fn addTool(cfg: Config, name: []const u8, files: []const []const u8, over: []const Layer) *Step.Compile {
    const b = cfg.b;
    const mod = addModule(cfg);
    const is_released = cfg.optimize == .ReleaseFast and cfg.sanitize == .off and cfg.target.query.isNative();
    mod.addIncludePath(b.path("."));
    addSources(cfg, mod, files, if (over.len == 1) over[0].flags else &system_flags);
    for (over) |layer| {
        if (sources(b, layer.name, "").len == 0) continue;
        if (is_released) {
            mod.addImport(layer.name, addLayer(cfg, layer));
        } else {
            mod.linkLibrary(addArchive(cfg, layer.name, layer));
        }
    }
    if (cfg.sanitize == .asan) addAsanRuntime(b, mod);
    const exe = b.addExecutable(.{ .name = name, .root_module = mod });
    if (is_released) exe.lto = .full; // across files and layers: reducing and writing messages gain a tenth
    return exe;
}

/// A layer's objects, or (without one) the program's but its main.c, once for all executables of a variant: a hundred
/// tests link them, and look at none of their sources.
fn addArchive(cfg: Config, name: []const u8, layer: ?Layer) *Step.Compile {
    const remembered = struct {
        var archives: std.StringHashMapUnmanaged(*Step.Compile) = .empty;
    };
    const b = cfg.b;
    const arch = @tagName(cfg.target.result.cpu.arch);
    const key = b.fmt("{s}-{s}-{s}-{s}", .{ name, arch, @tagName(cfg.optimize), @tagName(cfg.sanitize) });
    if (remembered.archives.get(key)) |archive| return archive;
    const mod = if (layer) |one| addLayer(cfg, one) else addModule(cfg);
    if (layer == null) {
        mod.addIncludePath(b.path("."));
        addSources(cfg, mod, without(b, programSources(b), "main.c"), &system_flags);
        mod.addCSourceFile(.{ .file = processorHeader(b), .flags = &language });
        linkProgramLibraries(mod);
    }
    const archive = b.addLibrary(.{ .name = key, .root_module = mod, .linkage = .static });
    remembered.archives.put(b.allocator, key, archive) catch @panic("OOM");
    return archive;
}

/// The program, or null while it has no sources.
fn addProgram(cfg: Config) ?*Step.Compile {
    const files = programSources(cfg.b);
    if (files.len == 0) return null;
    const exe = addTool(cfg, "symlog", files, &layers);
    exe.root_module.addCSourceFile(.{ .file = processorHeader(cfg.b), .flags = &language });
    linkProgramLibraries(exe.root_module);
    return exe;
}

/// The program's files, and what it shares with symlog-eval: how they talk.
fn programSources(b: *Build) []const []const u8 {
    return concat(b, &.{ sources(b, program_folder, ""), &.{eval_folder ++ "/eval_wire.c"} });
}

fn linkProgramLibraries(mod: *Build.Module) void {
    for (program_libs) |lib| mod.linkSystemLibrary(lib, .{ .use_pkg_config = .force });
}

/// The sandboxed language process, which goes beside the program. Never with a sanitizer: the engine's address space and
/// the walls leave it no room.
fn addEval(cfg: Config) *Step.Compile {
    const b = cfg.b;
    const plain: Config = .{ .b = b, .target = cfg.target, .optimize = cfg.optimize, .sanitize = .off };
    const mod = addModule(plain);
    mod.addIncludePath(b.path("."));
    addSources(plain, mod, sources(b, eval_folder, ""), &system_flags);
    mod.addCSourceFile(.{ .file = b.addWriteFiles().add("prelude.c", preludeSource(b)), .flags = &language });
    for (eval_libs) |lib| mod.linkSystemLibrary(lib, .{ .use_pkg_config = .force });
    mod.addImport("core", addLayer(plain, layers[0]));
    return b.addExecutable(.{ .name = "symlog-eval", .root_module = mod });
}

/// What symlog-eval runs before anybody's code, as bytes in C.
fn preludeSource(b: *Build) []const u8 {
    const prelude = bytesInC(b, "sl_prelude_text", functionOf(b, "host", eval_folder ++ "/prelude"));
    const modules = bytesInC(b, "sl_modules_text", functionOf(b, "names", eval_folder ++ "/modules"));
    return b.fmt("#include \"tools/eval/prelude.h\"\n{s}{s}", .{ prelude, modules });
}

/// A folder's .js files as the body of one function, without comments and indentation, which take time to read.
fn functionOf(b: *Build, parameter: []const u8, folder: []const u8) []const u8 {
    var text: std.ArrayList(u8) = .empty;
    text.appendSlice(b.allocator, b.fmt("(function ({s}) {{\n'use strict';\n", .{parameter})) catch @panic("OOM");
    for (filesOf(b, folder, "", ".js")) |file| {
        const content = b.build_root.handle.readFileAlloc(b.graph.io, file, b.allocator, .limited(1 << 20)) catch |err|
            std.debug.panic("{s}: {s}", .{ file, @errorName(err) });
        var lines = std.mem.tokenizeScalar(u8, content, '\n');
        while (lines.next()) |line| {
            const bare = std.mem.trimStart(u8, line, " ");
            if (std.mem.startsWith(u8, bare, "//")) continue;
            text.appendSlice(b.allocator, b.fmt("{s}\n", .{bare})) catch @panic("OOM");
        }
    }
    return b.fmt("{s}}})", .{text.items});
}

fn bytesInC(b: *Build, name: []const u8, text: []const u8) []const u8 {
    var source: std.ArrayList(u8) = .empty;
    for (text) |byte| {
        if (byte >= 0x80) std.debug.panic("{s}: write what is not ASCII as \\u…: the engine reads ASCII quicker", .{name});
        source.appendSlice(b.allocator, b.fmt("{d},", .{byte})) catch @panic("OOM");
    }
    return b.fmt("const char {s}[] = {{{s}0}};\n", .{ name, source.items });
}

/// What a user's processor includes, as bytes in C: the program writes it beside the file that it compiles.
fn processorHeader(b: *Build) Build.LazyPath {
    const header = b.build_root.handle.readFileAlloc(
        b.graph.io,
        processor_folder ++ "/symlog_processor.h",
        b.allocator,
        .limited(1 << 20),
    ) catch |err| std.debug.panic("symlog_processor.h: {s}", .{@errorName(err)});
    return b.addWriteFiles().add("processor_header.c", bytesInC(b, "sl_processor_header_text", header));
}

/// test_core_* sees core alone, test_symlog_* also the program's files but its main.c, test_eval_* what symlog-eval has
/// besides the engine, any other every layer.
fn addUnitTest(cfg: Config, file: []const u8) *Step.Compile {
    const b = cfg.b;
    const name = std.fs.path.stem(file);
    const of_core = std.mem.startsWith(u8, name, "test_core_");
    const of_program = std.mem.startsWith(u8, name, "test_symlog_");
    const beside: []const []const u8 = if (std.mem.startsWith(u8, name, "test_eval_")) &eval_parts else &.{};
    const exe = addTool(cfg, name, concat(b, &.{ &.{file}, beside }), if (of_core) layers[0..1] else &layers);
    if (of_program) exe.root_module.linkLibrary(addArchive(cfg, "program", null));
    if (of_program) linkProgramLibraries(exe.root_module);
    if (cfg.target.query.isNative()) {
        exe.root_module.linkSystemLibrary("cmocka", .{ .use_pkg_config = .force });
    } else {
        exe.root_module.addCMacro("SL_SMALL_TEST", "1"); // no cmocka for that CPU: tests/unit/cmocka_small.h
    }
    return exe;
}

/// Zig ships no ASan runtime; the system clang's shared one has the same ABI (v8).
fn addAsanRuntime(b: *Build, mod: *Build.Module) void {
    const name = b.fmt("-print-file-name=libclang_rt.asan-{s}.so", .{@tagName(builtin.cpu.arch)});
    var code: u8 = undefined;
    const clang = versioned(b, "clang");
    const found = b.runAllowFail(&.{ clang, name }, &code, .ignore) catch "libclang_rt.asan.so (of clang-14)";
    const runtime = std.mem.trimEnd(u8, found, "\n");
    mod.addObjectFile(.{ .cwd_relative = runtime });
    mod.addRPath(.{ .cwd_relative = std.fs.path.dirname(runtime) orelse "." });
}

/// Every layer, the program's files but its main.c, and one tests/fuzz/fuzz_<name>.c under libFuzzer, ASan and UBSan,
/// which need the system's clang.
fn addFuzzer(b: *Build, file: []const u8) Build.LazyPath {
    const link = b.addSystemCommand(&.{ versioned(b, "clang"), "-fsanitize=fuzzer,address,undefined" });
    for (layers) |layer| {
        for (sources(b, layer.name, "")) |source| link.addFileArg(addFuzzObject(b, source, layer.flags));
    }
    const beside = without(b, programSources(b), "main.c");
    for (concat(b, &.{ beside, &.{file} })) |source| link.addFileArg(addFuzzObject(b, source, &system_flags));
    link.addFileArg(processorHeader(b));
    for (layers) |layer| for (layer.libs) |lib| link.addArgs(pkgConfig(b, lib));
    for (program_libs) |lib| link.addArgs(pkgConfig(b, lib));
    link.addArg("-o");
    return link.addOutputFileArg(std.fs.path.stem(file));
}

/// One object for the fuzzers. Objects are made once and shared by all targets, which is why they are remembered.
fn addFuzzObject(b: *Build, source: []const u8, extra: []const []const u8) Build.LazyPath {
    const remembered = struct {
        var objects: std.StringHashMapUnmanaged(Build.LazyPath) = .empty;
    };
    if (remembered.objects.get(source)) |object| return object;
    const cc = b.addSystemCommand(&.{ versioned(b, "clang"), "-g", "-O1", "-w", "-MMD", "-c" });
    cc.addArgs(&.{ "-fsanitize=fuzzer-no-link,address,undefined", "-fno-sanitize-recover=all" });
    cc.addArgs(&language);
    cc.addArgs(extra);
    cc.addPrefixedDirectoryArg("-I", b.path("."));
    _ = cc.addPrefixedDepFileOutputArg("-MF", "headers.d");
    cc.addFileArg(b.path(source));
    cc.addArg("-o");
    const object = cc.addOutputFileArg(b.fmt("{s}.o", .{std.fs.path.stem(source)}));
    remembered.objects.put(b.allocator, source, object) catch @panic("OOM");
    return object;
}

fn addTally(b: *Build, argv: []const []const u8) *Step.Run {
    const local = ".tools/venv/bin/python"; // where tools/setup puts what the tests import
    const python: []const u8 = if (exists(b, local)) b.pathFromRoot(local) else "python3";
    const run = b.addSystemCommand(&.{ python, "tests/tally.py", "--no-build" });
    run.addArgs(argv);
    run.setCwd(b.path("."));
    run.stdio = .inherit; // always runs, and its closing line is seen
    return run;
}

fn addShell(b: *Build, command: []const u8) *Step {
    const run = b.addSystemCommand(&.{ "bash", "-o", "pipefail", "-c", command });
    run.setCwd(b.path("."));
    return &run.step;
}

/// A folder with xxhash.h alone: a cross build must not see the rest of the system's headers.
fn hashHeader(b: *Build) Build.LazyPath {
    const remembered = struct {
        var folder: ?Build.LazyPath = null;
    };
    if (remembered.folder) |folder| return folder;
    const include = std.mem.trim(u8, b.run(&.{ "pkg-config", "--variable=includedir", "libxxhash" }), " \n");
    const files = b.addWriteFiles();
    _ = files.addCopyFile(.{ .cwd_relative = b.pathJoin(&.{ include, "xxhash.h" }) }, "xxhash.h");
    remembered.folder = files.getDirectory();
    return files.getDirectory();
}

fn pkgConfig(b: *Build, lib: []const u8) []const []const u8 {
    return wordsOf(b, &.{ "pkg-config", "--cflags", "--libs", lib });
}

/// Where the headers of a layer's libraries are, as far as the compiler does not look there anyway.
fn includeFolders(b: *Build, layer: Layer) []const []const u8 {
    if (layer.libs.len == 0) return &.{};
    return wordsOf(b, concat(b, &.{ &.{ "pkg-config", "--cflags-only-I" }, layer.libs }));
}

fn wordsOf(b: *Build, command: []const []const u8) []const []const u8 {
    var args: std.ArrayList([]const u8) = .empty;
    var words = std.mem.tokenizeAny(u8, b.run(command), " \n");
    while (words.next()) |word| args.append(b.allocator, word) catch @panic("OOM");
    return args.items;
}

/// Debian names LLVM's tools by version; elsewhere the plain name has to do.
fn versioned(b: *Build, name: []const u8) []const u8 {
    return b.findProgram(&.{b.fmt("{s}-14", .{name})}, &.{}) catch name;
}

/// The .c files of a folder whose names begin with `prefix`, sorted; none if there is no such folder.
fn sources(b: *Build, folder: []const u8, prefix: []const u8) []const []const u8 {
    return filesOf(b, folder, prefix, ".c");
}

fn filesOf(b: *Build, folder: []const u8, prefix: []const u8, end: []const u8) []const []const u8 {
    const io = b.graph.io;
    var dir = b.build_root.handle.openDir(io, folder, .{ .iterate = true }) catch return &.{};
    defer dir.close(io);
    var found: std.ArrayList([]const u8) = .empty;
    var entries = dir.iterate();
    while (entries.next(io) catch @panic("cannot read a source folder")) |entry| {
        if (!std.mem.endsWith(u8, entry.name, end) or !std.mem.startsWith(u8, entry.name, prefix)) continue;
        found.append(b.allocator, b.fmt("{s}/{s}", .{ folder, entry.name })) catch @panic("OOM");
    }
    std.mem.sortUnstable([]const u8, found.items, {}, isBefore);
    return found.items;
}

fn isBefore(_: void, a: []const u8, b: []const u8) bool {
    return std.mem.lessThan(u8, a, b);
}

fn without(b: *Build, files: []const []const u8, name: []const u8) []const []const u8 {
    var rest: std.ArrayList([]const u8) = .empty;
    for (files) |file| {
        if (!std.mem.eql(u8, std.fs.path.basename(file), name)) rest.append(b.allocator, file) catch @panic("OOM");
    }
    return rest.items;
}

fn concat(b: *Build, lists: []const []const []const u8) []const []const u8 {
    return std.mem.concat(b.allocator, []const u8, lists) catch @panic("OOM");
}

fn exists(b: *Build, path: []const u8) bool {
    b.build_root.handle.access(b.graph.io, path, .{}) catch return false;
    return true;
}

/// The JSON compilation database, written from the tables above: Zig's own fragments name a CPU and options that an
/// older clang refuses.
fn compileCommands(b: *Build) []const u8 {
    const Command = struct { directory: []const u8, file: []const u8, arguments: []const []const u8 };
    const Group = struct { folder: []const u8, flags: []const []const u8 };
    var groups: std.ArrayList(Group) = .empty;
    for (layers) |layer| {
        const flags = concat(b, &.{ layer.flags, includeFolders(b, layer) });
        groups.append(b.allocator, .{ .folder = layer.name, .flags = flags }) catch @panic("OOM");
    }
    for ([_][]const u8{ program_folder, processor_folder, "tests/unit", "tests/fuzz", "tests/bench", "tests/portable", "tests/sim", "tests/e2e" }) |folder| {
        groups.append(b.allocator, .{ .folder = folder, .flags = &system_flags }) catch @panic("OOM");
    }
    const engine = concat(b, &.{ &system_flags, wordsOf(b, concat(b, &.{ &.{ "pkg-config", "--cflags-only-I" }, &eval_libs })) });
    for ([_][]const u8{ eval_folder, "tests/bench/peers" }) |folder| {
        groups.append(b.allocator, .{ .folder = folder, .flags = engine }) catch @panic("OOM");
    }
    var commands: std.ArrayList(Command) = .empty;
    for (groups.items) |group| for (sources(b, group.folder, "")) |file| commands.append(b.allocator, .{
        .directory = b.pathFromRoot("."),
        .file = file,
        .arguments = concat(b, &.{ &.{"clang"}, &language, &warnings, group.flags, &.{ "-I.", "-c", file } }),
    }) catch @panic("OOM");
    return b.fmt("{f}\n", .{std.json.fmt(commands.items, .{ .whitespace = .indent_1 })});
}
