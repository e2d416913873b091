"""Parameters, meters and the status of the sound, as clients hear of them: JSON-RPC, `symlog set` and `symlog get`."""

import json
from contextlib import ExitStack

import pytest
from serving import call, logged, receive_until, run_symlog

CUTOFF = "lead.cutoff"
METER = {"timestamp_us": 1700000000000000, "left_peak": 0.5, "left_rms": 0.25, "right_peak": 0.125, "right_rms": 0}


@pytest.fixture
def pair(serve):
    """Two clients that have spoken JSON-RPC."""
    with serve.subscribe() as first, serve.subscribe() as second:
        for each in (first, second):
            assert call(each, "ping")["result"] == {"pong": True}
        yield first, second


def url(serve):
    return "ws://{}:{}".format(*serve.ws)


def result(socket, method, **params):
    answer = call(socket, method, **params)
    assert "result" in answer, answer
    return answer["result"]


def code_of(socket, method, **params):
    answer = call(socket, method, **params)
    assert "error" in answer, answer
    return answer["error"]["code"]


def notify(socket, method, **params):
    socket.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))


def told(socket, method):
    """The params of the next such notification."""
    return receive_until(socket, lambda message: message.get("method") == method)[-1]["params"]


def told_before(socket, method):
    """The params of all such notifications until an answer that is asked for now."""
    socket.send(json.dumps({"jsonrpc": "2.0", "id": "fence", "method": "ping"}))
    messages = receive_until(socket, lambda message: message.get("id") == "fence")
    return [message["params"] for message in messages if message.get("method") == method]


def test_a_set_parameter_is_told_to_all_and_kept(serve, start, pair):
    first, second = pair
    first.send(json.dumps({"jsonrpc": "2.0", "id": 7, "method": "setParameter", "params": {"id": CUTOFF, "value": 880.5}}))
    messages = receive_until(first, lambda message: message.get("id") == 7)
    assert messages[-1]["result"] == {}
    changed = [message["params"] for message in messages if message.get("method") == "parameterChanged"]
    assert changed == [{"id": CUTOFF, "value": 880.5}]
    assert told(second, "parameterChanged") == {"id": CUTOFF, "value": 880.5}
    assert result(second, "getParameter", id=CUTOFF) == {"id": CUTOFF, "value": 880.5}
    digest = result(second, "digest")
    assert serve.stop() == 0
    assert [line for line in logged(serve.db) if " parameter " in line][0].endswith(f'"{CUTOFF}" 880.5')
    with start(db=serve.db).subscribe() as again:
        assert result(again, "getParameter", id=CUTOFF)["value"] == 880.5
        assert result(again, "digest")["content_digest"] == digest["content_digest"]


def test_all_parameters(serve, pair):
    first, _ = pair
    result(first, "setParameter", id="master.volume", value=0.1)
    every = {each["id"]: each for each in result(first, "getAllParameters")["parameters"]}
    assert len(every) > 100
    for each in every.values():
        assert each["type"] == "float" and each["min"] <= each["default"] <= each["max"]
        assert each["group"] == each["id"].split(".")[0] and each["name"]
        assert each["value"] == (0.1 if each["id"] == "master.volume" else each["default"])
    assert every[CUTOFF]["unit"] == "Hz"


def test_limits_count_as_they_are_told(pair):
    first, _ = pair
    for each in result(first, "getAllParameters")["parameters"]:
        for value in (each["min"], each["max"]):
            assert result(first, "setParameter", id=each["id"], value=value) == {}
            assert result(first, "getParameter", id=each["id"])["value"] == value


def test_what_is_refused_changes_nothing(serve, pair):
    first, second = pair
    head = result(first, "stat")["head"]
    assert code_of(first, "getParameter", id="lead.none") == -32000
    assert code_of(first, "setParameter", id="processor.gain", value=1) == -32000
    assert code_of(first, "setParameter", id=CUTOFF, value=1e9) == -32001
    assert code_of(first, "setParameter", id=CUTOFF, value=-1) == -32001
    for value in ("loud", None, True, [1]):
        assert code_of(first, "setParameter", id=CUTOFF, value=value) == -32602
    for method in ("getParameter", "setParameter"):
        assert code_of(first, method, value=1) == -32602
        assert code_of(first, method, id=5, value=1) == -32602
    assert result(first, "stat")["head"] == head
    assert told_before(second, "parameterChanged") == []
    assert not any(" parameter " in line for line in logged(serve.db))


def test_many_at_once_are_told_in_order(pair):
    first, second = pair
    values = [0.01 * i for i in range(1, 100)]
    requests = [
        {"jsonrpc": "2.0", "id": i, "method": "setParameter", "params": {"id": "master.volume", "value": value}}
        for i, value in enumerate(values)
    ]
    first.send(json.dumps(requests))
    answers = receive_until(first, lambda message: isinstance(message, list))[-1]
    assert {answer["id"] for answer in answers if answer["result"] == {}} == set(range(len(values)))
    heard = [told(second, "parameterChanged")["value"] for _ in values]
    assert heard == pytest.approx(values, rel=1e-6)


def test_who_missed_some_is_told_to_ask_again(serve, pair):
    first, _ = pair
    with serve.subscribe(max_queue=1) as stalled:
        assert call(stalled, "ping")["result"] == {"pong": True}
        for number in range(60):
            requests = [
                {"jsonrpc": "2.0", "id": i, "method": "setParameter", "params": {"id": CUTOFF, "value": 100 + number}}
                for i in range(200)
            ]
            first.send(json.dumps(requests))
            receive_until(first, lambda message: isinstance(message, list))
        messages = receive_until(stalled, lambda message: message.get("method") == "audioStatusChanged")
        changes = [message["params"] for message in messages if message.get("method") == "parameterChanged"]
        assert 0 < len(changes) < 60 * 200
        assert "parametersChanged" in [message.get("method") for message in messages[-3:]]
        assert result(stalled, "getParameter", id=CUTOFF)["value"] == 159
        result(first, "setParameter", id=CUTOFF, value=500)  # From now on it hears of all again.
        assert told(stalled, "parameterChanged") == {"id": CUTOFF, "value": 500}


def test_who_does_not_speak_json_rpc_hears_nothing(serve, pair):
    first, _ = pair
    with serve.subscribe() as silent:
        result(first, "setParameter", id=CUTOFF, value=100)
        assert told_before(silent, "parameterChanged") == []


def test_without_sound(pair):
    first, _ = pair
    status = result(first, "getAudioStatus")["status"]
    assert status["phase"] == "disabled" and status["updated_at_ms"] > 1_600_000_000_000
    assert "diagnostic" not in status and "device" not in status
    assert set(status["counts"].values()) == {0}
    assert result(first, "getMeterFrame") == {"frame": None}
    assert "audio" not in result(first, "stat")


def test_a_clients_meter_goes_to_the_others(serve, pair):
    first, second = pair
    registration = {"client_id": "page", "sample_rate": 44100, "buffer_size": 128}
    assert result(first, "registerAudio", **registration) == {"status": "registered"}
    notify(first, "meterUpdate", **METER)
    assert told(second, "meterUpdate") == {**METER, "client_id": "page"}
    assert told_before(first, "meterUpdate") == []
    for bad in ({"left_peak": "loud"}, {"right_rms": None}, {"timestamp_us": 1e300}, {"left_rms": 1e300}):
        notify(first, "meterUpdate", **{**METER, **bad})
    notify(first, "meterUpdate")
    notify(second, "meterUpdate", **METER)
    assert told_before(second, "meterUpdate") == [] and told_before(first, "meterUpdate") == []
    audio = result(first, "stat")["audio"]
    assert audio["clients"] == 1 and audio["meters_refused"] == 6
    first.close()
    with serve.subscribe() as third:
        receive_until(third, lambda message: message.get("type") == "FULL_AST")
        assert result(third, "stat")["audio"]["clients"] == 0


@pytest.mark.parametrize("bad", [{"client_id": ""}, {"client_id": "x" * 64}, {"sample_rate": "fast"}, {"buffer_size": 0}, {"client_id": None}])
def test_a_registration_that_makes_no_sense(pair, bad):
    first, _ = pair
    good = {"client_id": "page", "sample_rate": 48000, "buffer_size": 128}
    assert code_of(first, "registerAudio", **{**good, **bad}) == -32602


def test_a_meter_of_who_never_registered(pair):
    first, _ = pair
    assert code_of(first, "meterUpdate", **METER) == -32600


def test_only_so_many_clients_make_sound(serve, pair):
    first, second = pair
    good = {"client_id": "page", "sample_rate": 48000, "buffer_size": 128}
    with ExitStack() as stack:
        sockets = [stack.enter_context(serve.subscribe()) for _ in range(15)]
        for each in [*sockets, first, first]:
            assert result(each, "registerAudio", **good) == {"status": "registered"}
        assert code_of(second, "registerAudio", **good) == -32603


def test_set_and_get_from_the_shell(serve, pair):
    first, _ = pair
    ws = "--ws", url(serve)
    done = run_symlog("set", CUTOFF, "1200.5", *ws)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert told(first, "parameterChanged") == {"id": CUTOFF, "value": 1200.5}
    assert run_symlog("get", CUTOFF, *ws).stdout == "1200.5\n"
    every = {each["id"]: each for each in result(first, "getAllParameters")["parameters"]}
    lines = run_symlog("get", *ws).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(every)
    assert len({line.index(line.split()[1]) + len(line.split()[1]) for line in lines}) == 1  # values end in one column
    cutoff = next(line for line in lines if line.startswith(CUTOFF + " "))
    low, high = every[CUTOFF]["min"], every[CUTOFF]["max"]
    assert cutoff.split()[1:] == ["1200.5", f"{low:g}", "to", f"{high:g}", "Hz"]
    leads = run_symlog("get", "lead", *ws).stdout.splitlines()
    assert [line.split()[0] for line in leads] == [each for each in every if each.startswith("lead.")]


def test_set_and_get_say_what_is_wrong(serve):
    ws = "--ws", url(serve)
    for words, status, message in [
        (("set", CUTOFF), 2, "VALUE"),
        (("set", CUTOFF, "1", "2"), 2, '"2"'),
        (("set", CUTOFF, "loud"), 2, '"loud" is no VALUE'),
        (("set", CUTOFF, "inf"), 2, '"inf" is no VALUE'),
        (("set", CUTOFF, "1e9"), 1, f"{CUTOFF} is "),
        (("set", "lead.none", "1"), 1, "no parameter lead.none"),
        (("get", "lead.none"), 1, 'no parameter "lead.none"'),
        (("get", "a", "b"), 2, '"b"'),
    ]:
        done = run_symlog(*words, *ws)
        assert done.returncode == status and message in done.stderr and not done.stdout, (words, done)
    negative = run_symlog("set", *ws, "--", CUTOFF, "-6")
    assert negative.returncode == 1 and f"{CUTOFF} is " in negative.stderr
    assert run_symlog("get", "--ws", "ws://127.0.0.1:1").returncode == 1
    for name in ("set", "get"):
        assert "example: symlog" in run_symlog(name, "--help").stdout


def test_parameters_are_replayed_and_verified(serve, pair):
    first, _ = pair
    for value in (100, 200, 300.25):
        result(first, "setParameter", id=CUTOFF, value=value)
    digest = result(first, "digest")["digest"]
    assert serve.stop() == 0
    assert run_symlog("verify", "--db", serve.db).returncode == 0
    lines = [line for line in logged(serve.db) if " parameter " in line]
    assert [line.split()[-1] for line in lines] == ["100.0", "200.0", "300.25"]
    replayed = run_symlog("replay", "--db", serve.db)
    assert replayed.returncode == 0, replayed.stderr
    assert digest in run_symlog("log", "--db", serve.db).stdout + run_symlog("stat", "--db", serve.db).stdout
