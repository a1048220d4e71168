"""Copies of a repository for other parameters."""

import subprocess
import threading

import pytest

from fer_pipeline.errors import BadParams, UnknownName
from flows import lock, workspace

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
def root(repository, command, dvc):
    made = repository(FILES)
    (made / "data/raw").mkdir(parents=True)
    (made / "data/raw/x").write_text("raw\n")
    dvc(made, "repro", "-q")
    command(made, "git", "add", "-A")
    command(made, "git", "commit", "-qm", "run")
    return made


def test_an_override_runs_in_a_copy_and_comes_back_as_an_experiment(root, command, dvc):
    (root / "raw.txt").write_text("2\n")
    folder = workspace.prepare(root, ["train.lr=0.2"], "")
    assert "lr: 0.2" in (folder / "params.yaml").read_text()
    assert (folder / "raw.txt").read_text() == "2\n", "the tree's changes come along"
    assert (folder / "data/copy.txt").read_text() == "1\n", "out of the shared cache"
    assert workspace.prepare(root, ["train.lr=0.2"], "") == folder
    assert workspace.prepare(root, ["train.lr=0.3"], "") != folder
    out = dvc(folder, "repro")
    assert "Running stage 'train'" in out
    before = {path: (root / path).read_bytes() for path in ("params.yaml", "dvc.lock", "m.txt")}
    workspace.save(folder, root, "faster")
    assert not folder.exists()
    assert before == {path: (root / path).read_bytes() for path in before}
    assert "faster" in dvc(root, "exp", "list")
    command(root, "git", "checkout", "-q", "raw.txt")
    dvc(root, "exp", "apply", "faster")
    assert "lr: 0.2" in (root / "params.yaml").read_text()
    assert "lr: 0.2" in (root / "m.txt").read_text()


def test_files_that_git_does_not_know_yet_come_along(root):
    (root / "params/mine.yaml").write_text("train: {lr: 0.7, epochs: 1}\n")
    folder = workspace.prepare(root, [], "mine")
    assert "0.7" in (folder / "params.yaml").read_text()
    (root / "params/mine.yaml").write_text("train: {lr: 0.8, epochs: 1}\n")
    assert workspace.prepare(root, [], "mine") != folder


def test_credentials_come_along(root):
    text = "['remote \"lab\"']\n    url = ../lab\n    jobs = 7\n"
    (root / ".dvc/config.local").write_text(text)
    folder = workspace.prepare(root, ["train.lr=0.4"], "")
    assert "jobs = 7" in (folder / ".dvc/config.local").read_text()


def test_equal_overrides_take_turns(root):
    """The second waits for the first, which takes its copy away; it makes another."""
    ready, order = threading.Event(), []

    def second():
        ready.wait(20)
        with workspace.opened(root, ["train.lr=0.2"], "", 30) as folder:
            order.append("second")
            assert (folder / "dvc.yaml").is_file()

    thread = threading.Thread(target=second)
    thread.start()
    with workspace.opened(root, ["train.lr=0.2"], "", 0) as folder:
        ready.set()
        with (
            pytest.raises(lock.Busy),
            workspace.opened(root, ["train.lr=0.2"], "", 0),
        ):
            pass
        order.append("first")
        workspace.save(folder, root, "one")
        assert not folder.exists()
    thread.join(30)
    assert order == ["first", "second"]


@pytest.mark.parametrize("name", ["a/b", "a b", "a..b", "", "-x:y"])
def test_a_name_that_git_refuses_is_refused_at_once(name):
    with pytest.raises(BadParams, match="no name for git"):
        workspace.check_name(name)


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
