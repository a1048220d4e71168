"""The clones in which workers run stages, made from a checkout that nobody may touch."""

import json

import pytest

from flows import clones, graph, lock

FILES = {
    "dvc.yaml": "stages:\n  one: {cmd: echo 1 > x, params: [a], outs: [x]}\n",
    "params.yaml": "a: 1\n",
    "metrics/test_uses.jsonl": '{"weights": "old"}\n',
}


@pytest.fixture
def home(repository):
    return repository(FILES, "home")


@pytest.fixture
def commit(home, command):
    return command(home, "git", "rev-parse", "HEAD").strip()


def used(clone, weights):
    with (clone / clones.LEDGER).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"weights": weights}) + "\n")


def test_an_order_leaves_the_checkout_alone(home, commit, command, dvc):
    (home / "params.yaml").write_text("mine: 1\n", encoding="utf-8")
    dvc(home, "remote", "add", "--local", "r", "ssh://host/data")
    dvc(home, "remote", "modify", "--local", "r", "password", "x")
    # A study that gives orders holds the checkout meanwhile.
    with lock.working_tree(home, 0), clones.taken(home) as clone:
        clones.place(home, clone, commit, "a: 2\n", "")
        assert (clone / "params.yaml").read_text() == "a: 2\n"
        assert graph.cache(clone) == graph.cache(home)
        assert "password = x" in (clone / ".dvc" / "config.local").read_text()
        assert (clone / "data" / "raw").resolve() == home / "data" / "raw"
    assert (home / "params.yaml").read_text() == "mine: 1\n"
    assert command(home, "git", "symbolic-ref", "HEAD") == "refs/heads/main\n"


def test_a_clone_serves_one_stage_at_a_time_and_is_used_again(home):
    with clones.taken(home) as one, clones.taken(home) as two:
        assert one != two
    with clones.taken(home) as again:
        assert again == one


def test_what_a_killed_stage_left_is_no_hindrance(home, commit):
    with clones.taken(home) as clone:
        clones.place(home, clone, commit, "a: 2\n", "")
        (clone / ".git" / "index.lock").touch()
        (clone / "dvc.yaml").write_text("half", encoding="utf-8")
        clones.place(home, clone, commit, "a: 3\n", "")
        assert (clone / "params.yaml").read_text() == "a: 3\n"
        assert (clone / "dvc.yaml").read_text() == FILES["dvc.yaml"]


def test_uses_stay_until_they_are_handed_over(home, commit):
    with clones.taken(home) as clone:
        clones.place(home, clone, commit, "a: 2\n", "")
        used(clone, "new")
        # The run is killed here, and its next one finds the evaluation in DVC's run-cache.
        clones.place(home, clone, commit, "a: 2\n", "")
        assert clones.uses(clone) == [{"weights": "new"}]
        clones.hand_over(clone)
        assert clones.uses(clone) == []
        assert (clone / clones.LEDGER).read_text() == FILES["metrics/test_uses.jsonl"]


def test_a_commit_that_is_nowhere_is_named(home):
    with (
        clones.taken(home) as clone,
        pytest.raises(clones.Unusable, match=r"cannot check out 0000.*push it"),
    ):
        clones.place(home, clone, "0" * 40, "", "")


def test_a_commit_that_the_checkout_lacks_comes_from_its_origin(home, commit, command, tmp_path):
    checkout = tmp_path / "checkout"
    command(tmp_path, "git", "clone", "-q", str(home), str(checkout))
    (home / "params.yaml").write_text("a: 5\n", encoding="utf-8")
    command(home, "git", "commit", "-qam", "later")
    later = command(home, "git", "rev-parse", "HEAD").strip()
    with clones.taken(checkout) as clone:
        clones.place(checkout, clone, later, "a: 5\n", "")
        assert command(clone, "git", "rev-parse", "HEAD").strip() == later
    assert command(checkout, "git", "rev-parse", "HEAD").strip() == commit
