"""Job templates of the container pools, read by the classes that Prefect's workers read them by."""

import asyncio
import copy
import re
import tomllib

import kubernetes_validate
import pytest
from packaging.requirements import Requirement
from prefect.client.schemas.objects import FlowRun
from prefect_docker.worker import DockerWorkerJobConfiguration
from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

from fer_pipeline.errors import BadParams, MissingData
from flows import HOME, pools

# Prefect asks a server for the blocks that a template may name.
pytestmark = [pytest.mark.xdist_group("prefect"), pytest.mark.usefixtures("server")]

CONFIGURATIONS = {
    "docker": DockerWorkerJobConfiguration,
    "kubernetes": KubernetesWorkerJobConfiguration,
}
PLACE = {"FER_PIPELINE_HOME": "/srv/fer-pipeline"}


def job(kind, gpu, changes=(), values=None):
    """What a worker makes of the template for one run."""
    found = asyncio.run(
        CONFIGURATIONS[kind].from_template_and_values(
            pools.template(kind, gpu, changes), values or {}
        )
    )
    found.prepare_for_flow_run(FlowRun.model_construct(id="7", name="study", labels={}))
    return found


@pytest.mark.parametrize("gpu", [True, False])
def test_docker_runs_in_the_clone_as_its_owner(gpu):
    found = job("docker", gpu, ["user=7:8"])
    assert found.volumes == [f"{HOME}:/srv/fer-pipeline"]
    assert found.image == "fer-pipeline:latest"
    assert found.get_network_mode() == "host", "a server on 127.0.0.1 is reached"
    assert PLACE.items() <= found.env.items()
    extra = found.container_create_kwargs
    assert extra["user"] == "7:8"
    asked = [{"driver": "nvidia", "count": -1, "capabilities": [["gpu"]]}]
    assert extra["device_requests"] == (asked if gpu else [])


def test_docker_itself_takes_what_is_asked_for():
    from docker.types import HostConfig

    extra = job("docker", True).container_create_kwargs
    made = HostConfig(
        version="1.47",
        shm_size=extra["shm_size"],
        init=extra["init"],
        device_requests=extra["device_requests"],
    )
    assert made["ShmSize"] == 2**30
    assert made["DeviceRequests"][0]["Count"] == -1


@pytest.mark.parametrize("gpu", [True, False])
def test_the_manifest_is_one_that_kubernetes_takes(gpu):
    found = job("kubernetes", gpu, ["claim=lab", "image=lab/fer:1"])
    manifest = copy.deepcopy(found.job_manifest)
    pod = manifest["spec"]["template"]["spec"]
    # Prefect insists on these two here, where Kubernetes ignores them.
    assert (pod.pop("completions"), pod.pop("parallelism")) == (1, 1)
    kubernetes_validate.validate(manifest, "1.34", strict=True)
    (container,) = pod["containers"]
    assert container["image"] == "lab/fer:1"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == int(gpu)
    assert {one["name"]: one["value"] for one in container["env"]}.items() >= PLACE.items()
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "lab"}
    assert manifest["spec"]["backoffLimit"] == 0


def test_a_manifest_with_a_slip_would_be_found():
    manifest = job("kubernetes", False).job_manifest
    pod = manifest["spec"]["template"]["spec"]
    del pod["completions"], pod["parallelism"]
    pod["restartPolice"] = pod.pop("restartPolicy")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, "1.34", strict=True)


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_template_holds_every_setting_of_its_worker_and_no_other(kind):
    template = pools.template(kind, gpu=False)
    asked = set(template["job_configuration"])
    known = set(CONFIGURATIONS[kind].model_fields)
    assert asked <= known
    text = str(template["job_configuration"])
    named = set(re.findall(r"{{ (\w+) }}", text))
    assert named == set(template["variables"]["properties"])
    assert "PREFECT_API_URL" not in text


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_deployment_may_change_a_variable(kind):
    found = job(kind, False, values={"image": "other:2"})
    text = str(found.job_manifest if kind == "kubernetes" else found.image)
    assert "other:2" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("imag=x", "docker.json has no 'imag'; did you mean 'image'?"),
        ("image", "--set image: write NAME=VALUE"),
        (
            "auto_remove=perhaps",
            "--set auto_remove=perhaps: its value must be JSON of type boolean",
        ),
    ],
)
def test_a_wrong_change_says_so(change, said):
    with pytest.raises(BadParams, match=re.escape(said)):
        pools.template("docker", False, [change])


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingData, match=re.escape("'.[docker]'")):
        pools.ready("docker")
    pools.ready("process")


def test_the_image_is_built_from_what_is_there(root):
    lines = (root / "flows/pools/Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert copied
    assert all((root / name).exists() for name in copied)
    extras = re.search(r"\.\[([a-z,]+)\]", "\n".join(lines))[1].split(",")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras) <= set(project["optional-dependencies"])


def test_what_reaches_other_machines_data_is_pinned_and_in_the_image(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    wanted = [Requirement(one) for one in project["optional-dependencies"]["remotes"]]
    assert {one.name for one in wanted} == {"dvc-s3", "dvc-ssh"}
    assert all(pins[one.name] in one.specifier for one in wanted)
    assert "remotes" in (root / "flows/pools/Dockerfile").read_text(encoding="utf-8")
