"""Keeps the house in order: stage = room = section = tests folder, deps cover imports, one way."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from fer_pipeline import params, registry

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fer_pipeline"
ORDER = (
    "sample", "ingest", "detect", "validate", "train", "tune", "ablate",
    "evaluate", "compare", "explain", "report",
)  # fmt: skip
USERS = ("predict", "export", "serve", "app")
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__main__.py"))
PROFILES = sorted([ROOT / "params.yaml", *(ROOT / "params").glob("*.yaml")])
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(stage: str) -> str:
    """`train_clips` lives in the room `train`."""
    return stage.partition("@")[0].partition("_")[0]


def module_file(name: str) -> Path | None:
    path = ROOT.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def imports(path: Path) -> frozenset[Path]:
    """Files of this project that a file imports, at the top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
        for name in names:
            if name.startswith("fer_pipeline") and (file := module_file(name)):
                found.add(file)
    return frozenset(found)


def closure(start: set[Path]) -> set[Path]:
    seen, todo = set(), set(start)
    while todo:
        path = todo.pop()
        seen.add(path)
        todo |= imports(path) - seen
    return {path for path in seen if path.name != "__init__.py"}


def place(path: Path) -> str:
    """'' for vocabulary, else the name of the catalogue or room."""
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else ""


@pytest.mark.parametrize("stage", sorted({room_of(stage) for stage in DVC}))
def test_a_stage_has_room_section_and_tests(stage):
    assert (PACKAGE / stage / "__main__.py").is_file()
    assert (PACKAGE / stage / "params.py").is_file()
    assert any((ROOT / "tests" / stage).glob("test_*.py"))
    for profile in PROFILES:
        assert stage in params.read(profile), f"{profile} lacks '{stage}'"


def test_every_room_is_known_and_every_stage_room_is_in_the_pipeline():
    assert set(ROOMS) <= set(ORDER) | set(USERS)
    assert {room_of(stage) for stage in DVC} == set(ROOMS) - set(USERS)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_params_validate(profile):
    content = params.read(profile)
    assert set(content) - set(params.AXES) == {room_of(stage) for stage in DVC}
    for room in sorted(set(content) - set(params.AXES)):
        module = import_module(f"fer_pipeline.{room}.params")
        sections = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, params.Section)
            and value.__name__ == f"{room.capitalize()}Params"
        ]
        assert len(sections) == 1, f"{room}/params.py must define {room.capitalize()}Params"
        params.section(sections[0], profile, room)
    for axis, catalogue in (("datasets", "datasets"), ("samples", "datasets"),
                            ("models", "models"), ("clip_models", "models")):  # fmt: skip
        for name in params.axis(profile, axis):
            registry.load(catalogue, name)
    for line in params.axis(profile, "datasets").values():
        assert line["detector"] in registry.names("detectors")
        assert line["origin"] in ("sample", "raw")
    for name in [*params.axis(profile, "sources"), *params.axis(profile, "clip_sources")]:
        assert name in params.axis(profile, "datasets")


def test_params_in_force_is_the_sample_profile():
    assert (ROOT / "params.yaml").read_text() == (ROOT / "params/sample.yaml").read_text()


def expanded() -> dict[str, dict]:
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        return {
            stage.addressing: {
                "cmd": stage.cmd,
                "deps": [str(Path(dep.fs_path).relative_to(ROOT)) for dep in stage.deps
                         if dep.fs_path and not dep.def_path.endswith("params.yaml")],
            }
            for stage in repo.index.stages
        }  # fmt: skip


def test_deps_cover_imports_and_the_graph_stays_small(monkeypatch):
    monkeypatch.chdir(ROOT)
    stages = expanded()
    assert len(stages) <= 60
    missing = []
    for name, stage in stages.items():
        room = PACKAGE / room_of(name)
        items = {ROOT / dep for dep in stage["deps"] if dep.endswith(".py")}
        starts = set(room.glob("*.py")) | {path for path in items if place(path)}
        covered = [ROOT / dep for dep in stage["deps"]]
        for path in sorted(closure(starts)):
            if not any(path == dep or dep in path.parents for dep in covered):
                missing.append(f"{name}: {path.relative_to(ROOT)}")
    assert not missing, "deps lack what the stage imports:\n" + "\n".join(missing)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    here = place(path)
    for other in imports(path):
        there = place(other)
        if there in ("", here) or other.name == "__init__.py":
            continue
        if here == "":
            pytest.fail(f"vocabulary imports {there}")
        elif here in registry.CATALOGUES:
            assert there in registry.CATALOGUES, f"a catalogue imports the room {there}"
        elif there not in registry.CATALOGUES:
            assert here in USERS or ORDER.index(there) < ORDER.index(here), f"{here} -> {there}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_small_and_named_after_something(path):
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= (80 if path.name == "__main__.py" else 300)
    assert path.stem not in ("utils", "util", "helpers", "misc", "common", "core", "base")
    tree = ast.parse("\n".join(lines))
    assert ast.get_docstring(tree), "a module says what it is for"
    if path.name == "__init__.py":
        assert len(tree.body) == 1, "__init__.py holds a docstring and nothing else"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_package_knows_nothing_of_prefect(path):
    assert "import prefect" not in path.read_text("utf-8")
    assert "from prefect" not in path.read_text("utf-8")


def test_only_dvc_yaml_names_paths_under_data():
    for path in PROFILES:
        assert "data/" not in yaml.safe_dump(params.read(path)), path
    for path in MODULES:
        literals = [
            node.value
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert not [text for text in literals if text.startswith("data/")], path


def test_nothing_is_sent_home():
    import tomllib

    assert "analytics = false" in (ROOT / ".dvc/config").read_text()
    prefect = tomllib.loads((ROOT / "prefect.toml").read_text())
    assert prefect["server"]["analytics_enabled"] is False


def test_both_builds_of_opencv_are_of_one_version(root):
    lines = (root / "constraints.txt").read_text("utf-8").splitlines()
    pins = {line.partition("==")[2] for line in lines if line.startswith("opencv-python")}
    assert len(pins) == 1
    project = (root / "pyproject.toml").read_text("utf-8")
    ranges = re.findall(r'"opencv-python(?:-headless)?(.*)",', project)
    assert len(ranges) == 2
    assert ranges[0] == ranges[1]
    assert ranges[0].startswith("==")


def test_constraints_are_names_and_versions_alone(root):
    for line in (root / "constraints.txt").read_text("utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._\[\]-]+==[A-Za-z0-9.+!]+|#.*|", line), line
