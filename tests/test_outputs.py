"""Outputs that are old or new, never half."""

import json
import os
import signal
import subprocess
import sys

import pytest

from fer_pipeline.outputs import atomic, digest, write_json, write_text


def test_a_file_appears_at_the_end_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "c.png"
    with atomic(path) as part:
        part.write_text("new")
        assert part.suffix == ".png"
        assert part.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "docs"
    path.mkdir()
    (path / "old.txt").write_text("old")
    with atomic(path) as part:
        part.mkdir()
        (part / "new.txt").write_text("new")
        assert (path / "old.txt").exists()
    assert [file.name for file in path.iterdir()] == ["new.txt"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("folder", [False, True])
def test_an_error_leaves_what_was_there(tmp_path, folder):
    path = tmp_path / "out"
    path.write_text("old")

    def broken():
        with atomic(path) as part:
            if folder:
                part.mkdir()
                (part / "x").write_text("half")
            else:
                part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_left_overs_of_a_killed_run_with_the_same_pid_are_replaced(tmp_path):
    left = tmp_path / f".out.{os.getpid()}.part"
    left.mkdir()
    (left / "half").write_text("half")
    with atomic(tmp_path / "out") as part:
        assert part == left
        assert not part.exists()
        part.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


KILLED = """
import sys, time
from pathlib import Path
from fer_pipeline.outputs import atomic
with atomic(Path(sys.argv[1])) as part:
    with part.open("w") as file:
        file.write("half")
        file.flush()
        print("writing", flush=True)
        time.sleep(60)
"""


def test_a_killed_run_leaves_the_old_file(tmp_path, root):
    path = tmp_path / "out.txt"
    path.write_text("old")
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "writing\n"
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert path.read_text() == "old"
    write_text(path, "new")
    assert path.read_text() == "new"


def test_json_is_stable_and_refuses_nan(tmp_path):
    path = tmp_path / "m.json"
    write_json(path, {"b": 1, "a": {"d": [1.5, None], "c": "ü"}})
    assert path.read_bytes() == (
        b'{\n  "a": {\n    "c": "\xc3\xbc",\n    "d": [\n      1.5,\n      null\n    ]\n  },\n'
        b'  "b": 1\n}\n'
    )
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            write_json(path, {"a": value})
    assert json.loads(path.read_text("utf-8"))["b"] == 1


def test_text_has_unix_line_ends(tmp_path):
    write_text(tmp_path / "a.txt", "one\ntwo ü\n")
    assert (tmp_path / "a.txt").read_bytes() == b"one\ntwo \xc3\xbc\n"


def test_digest_tells_everything_apart(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("content")
    two.write_text("content")
    assert digest(one) == digest(two)
    assert len(digest(one)) == 16
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    values = [digest(1), digest("1"), digest(1, 1), digest([1, 1]), digest("a", "b"), digest("ab")]
    values += [digest(one), digest("content"), digest(one, one), digest()]
    assert len(set(values)) == len(values)
    two.write_text("other")
    assert digest(one) != digest(two)


@pytest.mark.parametrize("name", ["table.parquet", "folder", "model.v1.json"])
def test_left_overs_of_other_killed_runs_go_those_of_running_ones_stay(tmp_path, name):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = tmp_path / name
    lying = {pid: path.with_name(f".{path.stem}.{pid}.part{path.suffix}")
             for pid in (dead.pid, os.getppid())}  # fmt: skip
    for left in lying.values():
        left.write_text("half")
    other = tmp_path / f".else.{dead.pid}.part{path.suffix}"
    other.write_text("half")
    with atomic(path) as part:
        part.write_text("new")
    assert sorted(tmp_path.iterdir()) == sorted([path, lying[os.getppid()], other])
