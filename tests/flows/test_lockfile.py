"""dvc.lock and the record of readers, written whole and a stage at a time."""

import shutil
import subprocess
import sys

import pytest

from flows import HOME, graph, lockfile

ONE = {"dvc.yaml": "stages:\n  one: {cmd: echo 1 > a, outs: [a]}\n"}

SEVERAL = {
    "params.yaml": "sets: {b: {}, a: {}}\nrate: 1.0e-05\nwords: ['yes', 'no: more']\nnote: a b\n",
    "raw.txt": "1",
    "dvc.yaml": """
stages:
  read:
    foreach: ${sets}
    do:
      cmd: cp raw.txt ${key}.txt
      deps: [raw.txt]
      params: [rate, words]
      outs: ["${key}.txt"]
  join:
    cmd:
      - cat a.txt b.txt > all.txt
      - echo "one long line, longer than what fits into eighty columns" > long.txt; echo a; echo b
    deps: [a.txt, b.txt]
    params: [note]
    outs: [all.txt, long.txt]
""",
}

REPRO = """
import os, sys
from flows import repro
os.chdir(sys.argv[1])
repro.main(sys.argv[2:])
"""


def in_python(code, *words):
    """Runs code beside the project's modules; its exit status."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, cwd=HOME, check=False).returncode


@pytest.fixture(scope="module")
def half_run(repository_at, dvc, tmp_path_factory):
    """A repository of which one stage has run."""
    root = repository_at(tmp_path_factory.mktemp("half") / "run", SEVERAL)
    dvc(root, "repro", "-q", "read@b")
    return root


@pytest.fixture(scope="module")
def whole_run(half_run, dvc):
    """The same, all run."""
    root = half_run.with_name("whole")
    shutil.copytree(half_run, root)
    dvc(root, "repro", "-q")
    return root


@pytest.mark.parametrize("changed", [None, "raw.txt", "params.yaml"])
def test_the_lock_is_dvcs_byte_for_byte(half_run, whole_run, command, tmp_path, changed):
    plain, quick = tmp_path / "plain", tmp_path / "quick"
    for root in (plain, quick):
        shutil.copytree(whole_run if changed else half_run, root)
        if changed:
            text = (root / changed).read_text(encoding="utf-8")
            (root / changed).write_text(text.replace("1", "2").replace("a b", "c d"), "utf-8")
    before = (plain / "dvc.lock").read_bytes()
    command(plain, "dvc", "repro", "-q")
    assert in_python(REPRO, quick, "-q") == 0
    expected = (plain / "dvc.lock").read_bytes()
    assert (quick / "dvc.lock").read_bytes() == expected != before
    assert b"join:" in expected


def test_the_projects_own_lock_is_spliced():
    text = (HOME / "dvc.lock").read_text(encoding="utf-8")
    name = "compare"
    entry = graph.locked(HOME, name)
    assert lockfile.splice(text, name, entry) == text
    changed = lockfile.splice(text, name, {**entry, "cmd": "true"})
    assert changed is not None
    gone, new = (
        {*old.splitlines()} - {*now.splitlines()} for old, now in ((text, changed), (changed, text))
    )
    assert new == {"    cmd: 'true'"}
    assert all(line.startswith(("    cmd: ", "      ")) for line in gone)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "schema: '2.0'\nstages: {}\n",
        "schema: '2.0'\nstages:\n  '1':\n    cmd: a\n",
        "schema: '2.0'\nstages:\n  one:\n    cmd: a\ndatasets: []\n",
        "# by hand\nschema: '2.0'\nstages:\n  one:\n    cmd: a\n",
        "schema: '2.0'\nstages:\n# by hand\n  one:\n    cmd: a\n",
    ],
)
def test_what_dvc_did_not_lay_out_is_left_to_dvc(text):
    assert lockfile.splice(text, "two", {"cmd": "b"}) is None


def test_names_that_need_quotes_are_left_to_dvc(repository, command):
    text = "schema: '2.0'\nstages:\n  one:\n    cmd: a\n"
    assert lockfile.splice(text, "true", {"cmd": "b"}) is None
    files = {"dvc.yaml": "stages:\n  one: {cmd: echo 1 > a, outs: [a]}\n  '1': {cmd: echo}\n"}
    plain, quick = repository(files, "plain"), repository(files, "quick")
    command(plain, "dvc", "repro", "-q")
    assert in_python(REPRO, quick, "-q") == 0
    assert (quick / "dvc.lock").read_bytes() == (plain / "dvc.lock").read_bytes()


def test_half_a_record_of_readers_is_taken_away(repository, dvc):
    root = repository(ONE)
    assert not lockfile.mend(root)
    dvc(root, "repro", "-q")
    assert not lockfile.mend(root)
    (root / ".dvc/tmp/rwlock").write_text("", encoding="utf-8")
    dvc(root, "repro", "--force", status=255)
    assert lockfile.mend(root)
    dvc(root, "repro", "--force")


HALF_A_RECORD = """
import os
from dvc import rwlock
def half(value, file):
    file.write("{")
    file.flush()
    os._exit(9)
rwlock.json.dump = half
"""


def test_a_kill_while_the_record_of_readers_is_written_leaves_the_old_one(repository, dvc):
    root = repository(ONE)
    dvc(root, "repro", "-q")
    assert in_python(HALF_A_RECORD + REPRO, root, "--force") == 9
    dvc(root, "repro", "--force")


HALF_A_LOCK = {
    "spliced": """
import os
from pathlib import Path
def half(path, text, **options):
    with path.open("w") as file:
        file.write(text[:10])
    os._exit(9)
Path.write_text = half
""",
    "dvc": """
import io, os
from dvc.utils.serialize import _yaml
whole = _yaml._dump
def half(data, stream):
    if isinstance(stream, io.StringIO):
        return whole(data, stream)
    stream.write("schema: '2")
    stream.flush()
    os._exit(9)
_yaml._dump = half
""",
}

LOCK_IN = """
import sys
from pathlib import Path
from flows import graph
graph.lock_in(Path(sys.argv[1]), sys.argv[2], {"cmd": "true"})
"""


@pytest.mark.parametrize(("way", "name"), [("spliced", "two"), ("dvc", "1")])
def test_a_kill_while_the_lock_is_written_leaves_the_old_one(repository, dvc, way, name):
    """In a process of its own, which ends in the middle of the writing."""
    root = repository(ONE)
    dvc(root, "repro", "-q")
    before = (root / "dvc.lock").read_text(encoding="utf-8")
    assert in_python(HALF_A_LOCK[way] + LOCK_IN, root, name) == 9
    assert (root / "dvc.lock").read_text(encoding="utf-8") == before
    graph.lock_in(root, name, {"cmd": "true"})
    assert graph.locked(root, name) == {"cmd": "true"}
    assert not list(root.glob(".dvc.*.part*")), "what the killed one left is gone"
