"""FER+: the join by line, the majority, and the folder form with its traps."""

import csv
from collections import Counter

import numpy as np
import pytest

from fer_pipeline import images
from fer_pipeline.datasets import ferplus
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import BadRaw, MissingData
from fer_pipeline.manifest import NO_FACE, OK, UNCERTAIN, UNREADABLE

HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
ROWS = (
    ("Training", "fer0000000.png", "0,0,0,0,6,2,0,0,2,0"),
    ("Training", "", "0,0,0,0,0,0,0,0,0,10"),
    ("PublicTest", "fer0000001.png", "4,0,0,1,3,2,0,0,0,0"),
    ("PrivateTest", "fer0000001.png", "1,0,0,0,0,0,0,2,7,0"),
)


def pixels(level: int) -> str:
    return " ".join([str(level)] * 2304)


def lay(raw, rows=ROWS, usages=None, header=HEADER):
    lines = [f"{usage},{name},{votes}" for usage, name, votes in rows]
    (raw / "fer2013new.csv").write_text("\n".join([header, *lines]) + "\n")
    faces = [f"{i},{pixels(i)},{usage}" for i, usage in enumerate(usages or [r[0] for r in ROWS])]
    (raw / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *faces]) + "\n")


def test_rows_are_joined_by_line(tmp_path):
    lay(tmp_path)
    assert ferplus.recognise(tmp_path) == "fer2013new.csv+fer2013.csv"
    found = list(ferplus.samples(tmp_path))
    assert [sample.pixels[0, 0] for sample in found] == [0, 1, 2, 3]
    assert [sample.id for sample in found] == [f"ferplus/{i:05d}" for i in range(4)]
    assert [sample.split for sample in found] == ["train", "train", "val", "test"]
    assert [sample.label for sample in found] == ["anger", "NF", None, "unknown"]
    assert [sample.emotion for sample in found] == ["anger", None, None, None]
    assert [sample.status for sample in found] == [OK, NO_FACE, UNCERTAIN, UNCERTAIN]
    assert all(sample.reason for sample in found[1:])


def test_votes_are_in_the_order_of_emotions_and_the_rest_in_attributes(tmp_path):
    lay(tmp_path)
    first, second, third, last = ferplus.samples(tmp_path)
    assert dict(zip(EMOTIONS, third.votes, strict=True)) == {
        "anger": 3,
        "disgust": 2,
        "fear": 0,
        "happiness": 0,
        "sadness": 1,
        "surprise": 0,
        "neutral": 4,
        "contempt": 0,
    }
    assert first.attributes == {
        "votes_unknown": "2",
        "votes_NF": "0",
        "name": "fer0000000.png",
        "fer2013_code": "0",
    }
    assert second.attributes["votes_NF"] == "10"
    assert "name" not in second.attributes
    assert last.attributes["votes_unknown"] == "7"


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    lay(tmp_path, usages=["Training", "PublicTest", "PublicTest", "PrivateTest"])
    with pytest.raises(BadRaw, match="line 3: Usage 'Training', but 'PublicTest' in"):
        list(ferplus.samples(tmp_path))


@pytest.mark.parametrize(
    ("rows", "usages", "complaint"),
    [
        (ROWS[:3], None, r"fer2013\.csv, line 5: .* ends before this line"),
        (ROWS, ["Training", "Training"], r"fer2013new\.csv, line 4: .* ends before this line"),
        ((*ROWS[:1], ("Training", "x", "1,2")), None, "line 3: 4 values, not 12"),
        ((*ROWS[:1], ("Training", "x", "a" + ",1" * 9)), None, "line 3: votes a,1,1"),
    ],
)
def test_bad_votes_are_named_with_file_and_line(tmp_path, rows, usages, complaint):
    lay(tmp_path, rows, usages)
    with pytest.raises(BadRaw, match=complaint):
        list(ferplus.samples(tmp_path))


def test_other_header_is_refused(tmp_path):
    lay(tmp_path, header=HEADER.replace("anger,disgust", "disgust,anger"))
    with pytest.raises(BadRaw, match="line 1: the header is not"):
        list(ferplus.samples(tmp_path))


def test_votes_without_pictures_ask_for_fer2013(tmp_path):
    lay(tmp_path)
    (tmp_path / "fer2013.csv").unlink()
    with pytest.raises(MissingData, match=r"put fer2013\.csv beside it"):
        ferplus.recognise(tmp_path)


@pytest.fixture
def folders(tmp_path):
    """Two parts, as the set's own generator writes them; one name twice."""
    labels = {
        "FER2013Train": ["fer0000000.png", "fer0006953.png", "fer0006953.png"],
        "FER2013Test": ["fer0032604.png"],
    }
    for part, names in labels.items():
        folder = tmp_path / "data" / part
        folder.mkdir(parents=True)
        lines = [f'{name},"(0, 0, 48, 48)",8,0,0,{i},0,0,0,0,0,0' for i, name in enumerate(names)]
        (folder / "label.csv").write_text("\n".join(lines) + "\n")
        for name in names:
            (folder / name).write_bytes(images.encode_png(np.zeros((48, 48), np.uint8)))
    return tmp_path


def test_folder_form(folders):
    assert ferplus.recognise(folders) == "folders-with-label.csv"
    found = list(ferplus.samples(folders))
    assert [(sample.split, sample.status) for sample in found] == [
        ("train", OK),
        ("train", UNREADABLE),
        ("train", OK),
        ("test", OK),
    ]
    assert found[0].path == "data/FER2013Train/fer0000000.png"
    assert (found[0].emotion, found[0].given_box, found[0].line) == ("neutral", [0, 0, 48, 48], 1)
    assert (found[1].path, found[2].path) == (None, "data/FER2013Train/fer0006953.png")
    assert "line 3" in found[1].reason
    assert len({sample.id for sample in found}) == 4


def test_the_sets_own_repository_is_read_by_its_folders(folders):
    (folders / "fer2013new.csv").write_text(f"{HEADER}\nTraining,fer0000000.png,8{',0' * 9}\n")
    assert ferplus.recognise(folders) == "folders-with-label.csv"
    assert len(list(ferplus.samples(folders))) == 4
    # With the pictures of FER2013 beside it the votes are joined to them.
    (folders / "fer2013.csv").write_text(f"emotion,pixels,Usage\n0,{pixels(1)},Training\n")
    assert ferplus.recognise(folders) == "fer2013new.csv+fer2013.csv"
    assert len(list(ferplus.samples(folders))) == 1


def test_the_pictures_beside_the_votes_come_first(tmp_path):
    (tmp_path / "a").mkdir()
    lay(tmp_path / "a")
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n")
    assert len(list(ferplus.samples(tmp_path))) == 4
    (tmp_path / "a" / "fer2013.csv").rename(tmp_path / "fer2013.csv")
    assert len(list(ferplus.samples(tmp_path))) == 4


def test_folders_are_found_two_levels_down(folders):
    (folders / "FERPlus-master").mkdir()
    (folders / "data").rename(folders / "FERPlus-master" / "data")
    assert ferplus.recognise(folders) == "folders-with-label.csv"
    assert len(list(ferplus.samples(folders))) == 4


def test_a_picture_that_no_line_lists_is_a_row(folders):
    part = folders / "data" / "FER2013Test"
    (part / "fer9999999.png").write_bytes((part / "fer0032604.png").read_bytes())
    last = list(ferplus.samples(folders))[-1]
    assert (last.path, last.split) == ("data/FER2013Test/fer9999999.png", "test")
    assert (last.status, last.reason) == ("unknown_label", "label.csv does not list it")
    assert last.id == "ferplus/data/FER2013Test/fer9999999.png"


def test_a_line_without_a_name_is_a_row(folders):
    path = folders / "data" / "FER2013Test" / "label.csv"
    path.write_text(path.read_text() + f',"(0, 0, 48, 48)"{",0" * 9},10\n')
    last = list(ferplus.samples(folders))[-1]
    assert (last.status, last.path) == (UNREADABLE, None)
    assert last.reason == "its line names no picture"


def test_pictures_without_usage_are_refused(tmp_path):
    lay(tmp_path)
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels\n0,{pixels(1)}\n")
    with pytest.raises(BadRaw, match=r"fer2013\.csv, line 1: no column 'Usage'"):
        list(ferplus.samples(tmp_path))


@pytest.mark.parametrize("name", ["fer2013new.csv", "data/FER2013Test/label.csv"])
def test_label_files_that_are_no_text_are_named(folders, name):
    if name == "fer2013new.csv":
        lay(folders)
    path = folders / name
    path.write_bytes(path.read_bytes() + b"caf\xe9,1\n")
    with pytest.raises(BadRaw, match=rf"{path}, line \d: no UTF-8 text"):
        list(ferplus.samples(folders))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("fer0000000.png,4,0,0,1,3,2,0,0,0,0", "line 1: 11 values, not 12"),
        ('fer0000000.png,"(0, 0, 48)",4,0,0,1,3,2,0,0,0,0', "is no box"),
    ],
)
def test_bad_label_file_is_named(folders, line, complaint):
    (folders / "data" / "FER2013Test" / "label.csv").write_text(line + "\n")
    with pytest.raises(BadRaw, match=complaint):
        list(ferplus.samples(folders))


def test_lost_label_file_is_named(folders):
    (folders / "data" / "FER2013Test" / "label.csv").unlink()
    with pytest.raises(BadRaw, match=r"FER2013Test/label\.csv is missing"):
        list(ferplus.samples(folders))


def test_header_is_the_real_one():
    assert ",".join(ferplus.HEADER) == HEADER


@pytest.mark.realdata
def test_real_votes_are_laid_out_as_this_file_expects(shared_data):
    path = shared_data / "fer2013new.csv"
    if not path.is_file():
        pytest.skip(f"no {path}")
    entries = list(ferplus._vote_rows(path))
    assert len(entries) == 35887
    assert sum(fields[1] == "" for _, fields in entries) == 173
    statuses = [
        ferplus._judged(ferplus._numbers(path, line, fields[2:]), fields[1], None)
        for line, fields in entries
    ]
    # All unnamed rows are no face by majority.
    unnamed = [s for s, (_, fields) in zip(statuses, entries, strict=True) if not fields[1]]
    assert {row["status"] for row in unnamed} == {NO_FACE}
    cells = Counter(
        (fields[0], row["emotion"])
        for row, (_, fields) in zip(statuses, entries, strict=True)
        if row["status"] == OK
    )
    for usage, split, rows in (
        ("Training", "train", 25060),
        ("PublicTest", "val", 3199),
        ("PrivateTest", "test", 3153),
    ):
        found = {emotion: cells[usage, emotion] for emotion in EMOTIONS}
        assert found == ferplus.CLASS_COUNTS[split]
        assert sum(found.values()) == rows
    with path.open(newline="") as file:
        header = next(csv.reader(file))
    assert header == list(ferplus.HEADER)
