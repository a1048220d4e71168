"""The README's table is the record of the real run, to the digit."""

import json

import pytest


@pytest.fixture(scope="module")
def record(root):
    return json.loads((root / "metrics/fer2013.json").read_text(encoding="utf-8"))


def interval(score):
    return f"{100 * score['value']:.1f} ({100 * score['low']:.1f}-{100 * score['high']:.1f})"


def row(model, found):
    own, other = found["fer2013"], found["ferplus"]
    cells = [
        f"`{model}`",
        f"{found['parameters'] / 1e6:.1f} M",
        f"{100 * found['val_accuracy']:.1f}",
        interval(own["accuracy"]),
        interval(own["mean_class_accuracy"]),
        interval(own["macro_f1"]),
        interval(other["accuracy"]),
        f"{found['epochs']}, {found['seconds'] / 60:.0f} min",
    ]
    return "| " + " | ".join(cells) + " |"


def test_the_table_is_the_record(root, record):
    readme = (root / "README.md").read_text(encoding="utf-8")
    starts = tuple(f"| `{model}` |" for model in record)
    table = [line for line in readme.splitlines() if line.startswith(starts)]
    assert table == [row(model, found) for model, found in record.items()]


def test_the_record_is_of_whole_test_sets(record):
    for found in record.values():
        assert found["fer2013"]["rows"] == 3_589
        assert found["ferplus"]["rows"] == record["simple_cnn"]["ferplus"]["rows"]
