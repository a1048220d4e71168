"""prefect.yaml without a server: entry points load, parameters fit, schedules parse."""

import pytest
import yaml
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.flows import Flow, load_flow_from_entrypoint

POOLS = {"gpu", "cpu"}
STUDIES = ("study", "nightly", "cluster", "tune", "data-check")


@pytest.fixture(scope="module")
def deployments(root):
    content = yaml.safe_load((root / "prefect.yaml").read_text(encoding="utf-8"))
    return {one["name"]: one for one in content["deployments"]}


@pytest.fixture
def loaded(root, monkeypatch):
    monkeypatch.chdir(root)

    def load(deployment) -> Flow:
        return load_flow_from_entrypoint(deployment["entrypoint"])

    return load


def test_names(deployments):
    assert set(deployments) == {*STUDIES, "stage-gpu", "stage-cpu"}


@pytest.mark.parametrize("name", STUDIES)
def test_a_deployment_fits_its_flow(deployments, loaded, name):
    deployment = deployments[name]
    flow = loaded(deployment)
    asked = {"storage": "journal:///shared/tune.log"} if name == "tune" else {}
    flow.validate_parameters(deployment.get("parameters", {}) | asked)
    assert deployment["work_pool"]["name"] in POOLS
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    for schedule in deployment.get("schedules", []):
        active, slug = schedule.pop("active"), schedule.pop("slug")
        assert slug, "by which it is known when it is deployed anew"
        kind = CronSchedule if "cron" in schedule else IntervalSchedule
        kind(**schedule)
        assert active is False, "nobody's machine starts to work at night unasked"


@pytest.mark.parametrize("pool", sorted(POOLS))
def test_every_pool_takes_stages(deployments, pool):
    assert deployments[f"stage-{pool}"]["work_pool"] == {"name": pool}


@pytest.mark.parametrize("name", ["study", "tune", "data-check", "stage-gpu"])
def test_every_parameter_says_what_it_is(deployments, loaded, name):
    fields = loaded(deployments[name]).parameters.properties
    assert fields
    for key, field in fields.items():
        assert field.get("description"), key
