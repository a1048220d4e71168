"""Copies of a repository for other parameters."""

import subprocess

import pytest

from fer_pipeline.errors import BadParams, UnknownName
from flows import workspace

FILES = {
    "params.yaml": "train: {lr: 0.1, epochs: 3}\n",
    "params/other.yaml": "train: {lr: 0.5, epochs: 9}\n",
    ".gitignore": "/data\n",
    "raw.txt": "1\n",
    "dvc.yaml": """
stages:
  copy:
    cmd: cp raw.txt data/copy.txt
    deps: [raw.txt]
    outs: [data/copy.txt]
  train:
    cmd: cat params.yaml data/raw/x > m.txt && echo '{"n":1}' > m.json
    deps: [data/raw/x]
    params: [train]
    outs: [m.txt]
    metrics: [m.json]
""",
}


@pytest.fixture
def root(repository, command):
    made = repository(FILES)
    (made / "data/raw").mkdir(parents=True)
    (made / "data/raw/x").write_text("raw\n")
    command(made, "dvc", "repro", "-q")
    command(made, "git", "add", "-A")
    command(made, "git", "commit", "-qm", "run")
    return made


def test_an_override_runs_in_a_copy_and_comes_back_as_an_experiment(root, command):
    (root / "raw.txt").write_text("2\n")
    folder = workspace.prepare(root, ["train.lr=0.2"], "")
    assert "lr: 0.2" in (folder / "params.yaml").read_text()
    assert (folder / "raw.txt").read_text() == "2\n", "the tree's changes come along"
    assert (folder / "data/copy.txt").read_text() == "1\n", "out of the shared cache"
    assert workspace.prepare(root, ["train.lr=0.2"], "") == folder
    assert workspace.prepare(root, ["train.lr=0.3"], "") != folder
    out = command(folder, "dvc", "repro")
    assert "Running stage 'train'" in out
    before = {path: (root / path).read_bytes() for path in ("params.yaml", "dvc.lock", "m.txt")}
    workspace.save(folder, root, "faster")
    assert not folder.exists()
    assert before == {path: (root / path).read_bytes() for path in before}
    assert "faster" in command(root, "dvc", "exp", "list")
    command(root, "git", "checkout", "-q", "raw.txt")
    command(root, "dvc", "exp", "apply", "faster")
    assert "lr: 0.2" in (root / "params.yaml").read_text()
    assert "lr: 0.2" in (root / "m.txt").read_text()


def test_a_profile(root):
    folder = workspace.prepare(root, ["train.epochs=2"], "other")
    text = (folder / "params.yaml").read_text()
    assert "0.5" in text
    assert "epochs: 2" in text
    with pytest.raises(UnknownName, match="did you mean 'other'"):
        workspace.prepare(root, [], "othr")


def test_an_override_that_fits_nothing(root):
    with pytest.raises(BadParams, match=r"train\.rate"):
        workspace.prepare(root, ["train.rate=1"], "")
    assert [path.suffix for path in (root / workspace.FOLDER).iterdir()] == [".part"]


def test_a_repository_without_a_commit(tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    with pytest.raises(BadParams, match="needs a repository with a commit"):
        workspace.prepare(tmp_path, ["a=1"], "")
