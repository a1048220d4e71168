"""The installation from nothing: a server, pools, deployments, workers and alerts, all real."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.deployments import run_deployment
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling

from fer_pipeline.errors import BadParams
from flows import HOME, deploy, pools

pytestmark = [pytest.mark.xdist_group("deploy"), pytest.mark.slow]

QUICK = {
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    # Every minute else: a schedule that begins sooner would wait for its second time.
    "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "3",
}
FAILING = "stages:\n  check: {cmd: exit 3, outs: [x]}\n"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def alerts():
    """What a webhook got, and its URL."""
    found = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            found.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def installation(tmp_path_factory, alerts):
    port, home = free_port(), tmp_path_factory.mktemp("prefect")
    url, log = deploy.reached("localhost", port), home / "log"
    command = [sys.executable, "-m", "flows.deploy", "--host", "localhost", "--port", str(port)]
    command += ["--webhook", alerts[1]]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with log.open("wb") as file:
        running = subprocess.Popen(
            command,
            cwd=Path(deploy.__file__).parent.parent,
            env={**clean, **QUICK, "PREFECT_HOME": str(home)},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    while "up: http" not in log.read_text():
        assert running.poll() is None, log.read_text()
        time.sleep(0.2)
    with temporary_settings({PREFECT_API_URL: url}):
        yield running, log
    family = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGTERM)
    assert running.wait(90) == 0, log.read_text()
    assert len(family) >= 3
    assert psutil.wait_procs(family, 10)[1] == []
    assert "database is locked" not in log.read_text()


def finished(run, eventually):
    with get_client(sync_client=True) as client:
        eventually(lambda: client.read_flow_run(run.id).state.is_final(), 120)
        return client.read_flow_run(run.id).state


def started(root, name="study/study", **parameters):
    return run_deployment(name, parameters={"root": str(root), **parameters}, timeout=0)


def test_schedules_outlive_a_new_deployment(installation):
    with get_client(sync_client=True) as client:
        nightly = client.read_deployment_by_name("study/nightly")
        client.update_deployment_schedule(nightly.id, nightly.schedules[0].id, active=True)
        added = IntervalSchedule(interval=timedelta(days=9))
        client.create_deployment_schedules(nightly.id, [(added, False)])
    deploy.Installation(str(PREFECT_API_URL.value()), HOME).deploy()
    with get_client(sync_client=True) as client:
        found = client.read_deployment_by_name("study/nightly").schedules
        told = {one.slug: (type(one.schedule).__name__, one.active) for one in found}
        assert told == {"every-night": ("CronSchedule", True), None: ("IntervalSchedule", False)}
        for one in found:
            if one.slug is None:
                client.delete_deployment_schedule(nightly.id, one.id)
            else:
                client.update_deployment_schedule(nightly.id, one.id, active=False)


def test_pools_and_deployments_are_there(installation):
    with get_client(sync_client=True) as client:
        pools = {one.name: one for one in client.read_work_pools()}
        found = {one.name: one for one in client.read_deployments()}
        alerts = {one.name for one in client.read_automations()}
    assert {name: pool.concurrency_limit for name, pool in pools.items()} == deploy.POOLS
    assert {name: one.work_pool_name for name, one in found.items()} == {
        "study": "gpu",
        "nightly": "gpu",
        "cluster": "cpu",
        "data-check": "cpu",
        "tune": "cpu",
        "stage-gpu": "gpu",
        "stage-cpu": "cpu",
    }
    assert not any(one.active for deployment in found.values() for one in deployment.schedules)
    assert alerts == {
        f"fer: {what}" for what in ("run failed", "run stuck", "run lost", "result fell")
    }


def test_its_page_asks_the_machine_that_it_came_from(installation):
    page = PREFECT_API_URL.value().removesuffix("/api")
    assert httpx.get(f"{page}/ui-settings").json()["api_url"] == "/api"


@pytest.mark.parametrize(("host", "near"), [("0.0.0.0", "127.0.0.1"), ("10.0.0.7", "10.0.0.7")])
def test_a_server_for_other_machines_is_found_from_here(host, near):
    assert deploy.reached(host, 4200) == f"http://{near}:4200/api"


def test_a_worker_runs_the_study(installation, repository, eventually):
    root = repository({"dvc.yaml": "stages:\n  one: {cmd: echo 1 > x, outs: [x]}\n"})
    state = finished(started(root), eventually)
    assert state.message == "1 stages: 1 run, 0 cached"
    assert (root / "x").read_text() == "1\n"


def test_a_failed_run_tells_the_webhook(installation, alerts, repository, eventually):
    root = repository({"dvc.yaml": FAILING})
    assert finished(started(root), eventually).is_failed()
    eventually(lambda: alerts[0], 45)
    text = alerts[0][0]["text"]
    assert text.startswith("fer-pipeline: a run failed\nstudy / ")
    assert text.endswith("1 stages: 0 run, 0 cached; failed: check")


def test_cancelling_leaves_no_process(installation, long, living, eventually):
    root = long()
    run = started(root)
    eventually(lambda: (root / "pids").exists() and len(living(root / "pids")) == 2, 90)
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Cancelling())
    assert finished(run, eventually).name == "Cancelled"
    eventually(lambda: not living(root / "pids"), 30)
    (root / "quick").touch()
    assert finished(started(root, wait=30), eventually).is_completed()


@pytest.mark.deep
def test_a_schedule_starts_a_run_by_itself(installation, repository, eventually):
    root = repository({"dvc.yaml": "stages:\n  one: {cmd: echo 1 > x, outs: [x]}\n"})
    soon = datetime.now(UTC) + timedelta(seconds=75)
    every = CronSchedule(cron=f"{soon.minute} {soon.hour} * * *", timezone="UTC")
    with get_client(sync_client=True) as client:
        nightly = client.read_deployment_by_name("study/nightly")
        (made,) = client.create_deployment_schedules(
            nightly.id, [(every, True)], parameters={"root": str(root)}
        )

        def ran():
            found = client.read_flow_runs()
            return [run for run in found if run.auto_scheduled and run.state.is_completed()]

        eventually(ran, 180)
        assert ran()[0].deployment_id == nightly.id
        client.delete_deployment_schedule(nightly.id, made.id)
    assert (root / "x").exists()


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_a_pool_of_containers_is_made_from_its_template(installation, kind):
    place = deploy.Installation(PREFECT_API_URL.value(), HOME, kind)
    place.make_pool(f"lab-{kind}", pools.template(kind, True, ["image=lab/fer:1"]))
    with get_client(sync_client=True) as client:
        found = client.read_work_pool(f"lab-{kind}")
    assert found.type == kind
    assert found.base_job_template["variables"]["properties"]["image"]["default"] == "lab/fer:1"


def test_changes_without_containers_are_refused():
    place = deploy.Installation("http://127.0.0.1:1/api", HOME, changes=("image=x",))
    with pytest.raises(BadParams, match="add --infrastructure docker"):
        place.up(1, None)
