"""To whom orders go, and what becomes of one, with a server that says what a test wants."""

import logging
import threading
from types import SimpleNamespace

import httpx
import pytest
from prefect import states

from flows import orders, worker
from flows.stages import StageFailed


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(orders, "get_run_logger", lambda: logging.getLogger("orders"))
    monkeypatch.setattr(orders, "WORKERS_WITHIN", 0.0)
    monkeypatch.setattr(orders.time, "sleep", lambda seconds: None)


@pytest.fixture
def online(monkeypatch):
    found = {"gpu": set(), "cpu": set()}
    monkeypatch.setattr(orders, "_online", found.__getitem__)
    return found


@pytest.mark.parametrize(
    ("gpu", "cpu", "wants_gpu", "goes_to"),
    [
        ({"g"}, {"c"}, True, "gpu"),
        ({"g"}, {"c"}, False, "cpu"),
        (set(), {"c"}, True, "cpu"),
        ({"g"}, set(), False, "gpu"),
    ],
)
def test_a_stage_goes_where_somebody_serves(online, gpu, cpu, wants_gpu, goes_to, caplog):
    online.update(gpu=gpu, cpu=cpu)
    assert orders.pool(wants_gpu, set(), {}) == (goes_to, [])
    wanted = "gpu" if wants_gpu else "cpu"
    told = [] if wanted == goes_to else [f"nobody serves the pool {wanted}: on {goes_to}"]
    assert caplog.messages == told


def test_without_any_worker_it_says_what_to_start(online):
    with pytest.raises(orders.NoWorkers, match=r"no worker .* is online; start one: .*--pool gpu"):
        orders.pool(True, set(), {})


def test_who_lost_a_stage_gets_it_again_only_if_nobody_else_would(online):
    online.update(gpu={"g", "h"})
    assert orders.pool(True, {"g"}, {}) == ("gpu", ["g"])
    online.update(gpu={"g"}, cpu={"c"})
    assert orders.pool(True, {"g"}, {}) == ("cpu", ["g"])
    online.update(cpu=set())
    assert orders.pool(True, {"g"}, {}) == ("gpu", [])


def test_who_refused_gets_nothing_more(online):
    online.update(gpu={"g"}, cpu={"c"})
    assert orders.pool(True, set(), {"g": "full"}) == ("cpu", ["g"])
    with pytest.raises(orders.NoWorkers, match="refuses: c: half; g: full"):
        orders.pool(True, set(), {"g": "full", "c": "half"})


class Server:
    """Answers with one state after the other; an exception among them is raised."""

    def __init__(self, *said):
        self.said, self.told = list(said), []

    def __enter__(self):
        return self

    def __exit__(self, *words):
        pass

    def read_flow_run(self, run):
        one = self.said.pop(0)
        if isinstance(one, Exception):
            raise one
        labels = {"prefect.worker.name": "w"}
        return SimpleNamespace(
            state=one, labels=labels, name="a", work_pool_name="cpu", parameters={"avoid": []}
        )

    def set_flow_run_state(self, run, state, force=False):
        self.told.append(state.name)


@pytest.fixture
def follow(monkeypatch):
    monkeypatch.setattr(orders, "_sign", lambda client, run: None)

    def of(*said):
        server = Server(*said)
        monkeypatch.setattr(orders, "get_client", lambda **words: server)
        return server, lambda: orders.follow("run", threading.Event())

    return of


GONE = httpx.ConnectError("gone")
WAITS, TAKEN, RUNS = states.Scheduled(), states.Pending(), states.Running()


def test_a_server_that_is_gone_for_a_while_costs_nothing(follow):
    _, end = follow(WAITS, TAKEN, RUNS, GONE, GONE, RUNS, states.Completed(name="Cached"))
    assert end().name == "Cached"


def test_a_server_that_stays_away_ends_the_stage(follow, monkeypatch):
    monkeypatch.setattr(orders, "ANSWERS_WITHIN", -1.0)
    with pytest.raises(StageFailed, match="no answer from the server"):
        follow(RUNS, GONE)[1]()


@pytest.mark.parametrize(
    ("last", "raised"),
    [
        (states.Crashed(message="exit code 137"), orders.Lost),
        (states.Failed(message="Flow could not be retrieved"), orders.Lost),
        (states.Failed(name=worker.REFUSED), orders.Refused),
        (states.Failed(name=worker.BROKEN), StageFailed),
        (states.Cancelled(), StageFailed),
    ],
)
def test_only_the_stages_own_failure_is_its_end(follow, last, raised):
    with pytest.raises(raised) as caught:
        follow(TAKEN, RUNS, last)[1]()
    assert type(caught.value) is raised


def test_a_worker_may_take_long_to_start_but_not_to_give_a_sign(follow, monkeypatch):
    monkeypatch.setattr(orders, "LOST_AFTER", -1.0)
    server, end = follow(TAKEN, TAKEN, TAKEN, RUNS, RUNS)
    with pytest.raises(orders.Lost, match="no sign of life"):
        end()
    assert server.said == []
    assert server.told == ["Crashed"]


def test_an_order_that_nobody_will_take_comes_back(follow, online, monkeypatch):
    monkeypatch.setattr(orders, "LOOK_EVERY", -1.0)
    online.update(cpu={"w"})
    server, end = follow(WAITS, TAKEN, RUNS, states.Completed())
    end()
    online.update(cpu=set())
    server, end = follow(WAITS)
    with pytest.raises(orders.Lost, match="went offline"):
        end()
    assert server.told == ["Cancelling"]
