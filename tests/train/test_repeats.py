"""Repeats of a training: kept, resumed, published; blind to test rows."""

import ast
import io
import json
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from fer_pipeline import checkpoints, images
from fer_pipeline.errors import BadParams, MissingData
from fer_pipeline.train import params, repeats, report
from fer_pipeline.train.__main__ import main


def job(tables, settings, runs, **changes):
    values = {"model": "simple_cnn", "source": "fer2013", "settings": settings, "runs": runs}
    return repeats.Job(faces=tables.faces, leaks=tables.leaks, **(values | changes))


def settings(**changes):
    return params.TrainParams(
        **({"epochs": 1, "batch": 16, "precision": "float32", "device": "cpu"} | changes)
    )


def files(folder: Path):
    """Content of every file below, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_poisoned_test_rows_change_nothing(stills, write, params_file, command, tmp_path):
    path = params_file(augment={"erase": 0.5}, ema=0.9)
    main(command(write(stills), path, "clean"))
    for number, row in enumerate(stills[91:]):
        row |= {"crop": b"poison", "emotion": "fear", "label": "2"}
        row |= {"status": "unreadable", "alignment": None} if number % 2 else {}
    main(command(write(stills, name="poisoned"), path, "poisoned"))
    clean, poisoned = tmp_path / "clean", tmp_path / "poisoned"
    for name in ("checkpoints", "metrics.json", "curves.csv"):
        one, other = clean / name, poisoned / name
        if one.is_dir():
            assert files(one) == files(other)
            assert set(files(one)) == {"0/checkpoint.json", "0/weights.safetensors"}
        else:
            assert one.read_bytes() == other.read_bytes()


def test_a_changed_training_row_changes_the_weights(stills, write, tmp_path):
    first = repeats.train(job(write(stills), settings(), tmp_path / "runs"), 0)
    stills[0]["crop"] = stills[1]["crop"]
    other = repeats.train(job(write(stills, name="b"), settings(), tmp_path / "runs"), 0)
    assert first.checkpoint != other.checkpoint
    assert files(first.checkpoint) != files(other.checkpoint)


def test_a_further_repeat_trains_only_itself(tables, tmp_path, monkeypatch):
    asked = job(tables, settings(), tmp_path / "runs")
    first = repeats.train(asked, 0)
    fits = []
    real = repeats._fit
    monkeypatch.setattr(repeats, "_fit", lambda *args: (fits.append(1), real(*args)))
    assert repeats.train(asked, 0) == first
    assert not fits
    second = repeats.train(asked, 1)
    assert len(fits) == 1
    assert files(first.checkpoint) != files(second.checkpoint)


def test_paths_do_not_count_and_parameters_do(stills, write, tmp_path):
    runs = tmp_path / "runs"
    key = repeats.train(job(write(stills), settings(), runs), 0).checkpoint
    tables = write(stills, name="elsewhere")
    moved = job(tables, settings(), runs)
    assert repeats.train(moved, 0).checkpoint == key
    for change in ({"lr": 0.01}, {"augment": {"flip": 0.4}}, {"epochs": 2}, {"seed": 5}):
        changed = job(tables, settings(**change), runs)
        assert repeats.train(changed, 0).checkpoint != key, change


def test_weights_to_start_from_count_by_their_content(tables, tmp_path, monkeypatch):
    class Seen(Exception):
        pass

    def fit(folder, *rest):
        raise Seen(folder.name)

    monkeypatch.setattr(repeats, "_fit", fit)
    file = tmp_path / "weights.safetensors"
    asked = job(tables, settings(pretrained=str(file), mode="finetune"), tmp_path / "runs")
    with pytest.raises(MissingData, match=f"no weights at {file}"):
        repeats.train(asked, 0)
    keys = []
    for content in (b"one", b"other", b"one"):
        file.write_bytes(content)
        with pytest.raises(Seen) as seen:
            repeats.train(asked, 0)
        keys.append(str(seen.value))
    assert keys[0] == keys[2] != keys[1]


def test_a_repeat_starts_from_the_same_repeat_of_another_run(tables, tmp_path):
    runs = tmp_path / "runs"
    plain = job(tables, settings(), runs)
    repeats.publish(tmp_path / "first", [repeats.train(plain, number) for number in (0, 1)])
    still = settings(pretrained="simple_cnn-fer2013", mode="finetune", lr=1e-9, weight_decay=0.0)
    later = job(tables, still, runs, name="later", start=tmp_path / "first")
    for number in (0, 1):
        model, card = checkpoints.load(repeats.train(later, number).checkpoint)
        first, own = checkpoints.load(tmp_path / "first" / str(number))
        assert (card.name, card.model, card.start) == ("later", "simple_cnn", own)
        # Only the running statistics of the norms move.
        for (name, value), (_, other) in zip(
            model.named_parameters(), first.named_parameters(), strict=True
        ):
            assert torch.allclose(value, other, atol=1e-6), name
    with pytest.raises(MissingData, match="has no repeat 2 to start from"):
        repeats.train(later, 2)
    strange = job(tables, still, runs, model="lenet_cnn", start=tmp_path / "first")
    with pytest.raises(BadParams, match="holds simple_cnn, not lenet_cnn"):
        repeats.train(strange, 0)


def test_dimensions_have_outputs_of_their_own(stills, write, tmp_path):
    for number, row in enumerate(stills):
        row |= {"valence": (number % 7 - 3) / 3, "arousal": 0.5 if number < 70 else None}
    tables = write(stills)
    asked = job(tables, settings(dimensions=("valence",)), tmp_path / "runs")
    found = repeats.train(asked, 0)
    model, card = checkpoints.load(found.checkpoint)
    assert card.dimensions == ("valence",)
    assert -1 <= found.history[0]["val_ccc_valence"] <= 1
    with torch.inference_mode():
        assert model(torch.zeros(1, 1, 48, 48)).shape == (1, 8)
    told = report.metrics([found])
    assert told["val_ccc_valence"] == round(found.history[0]["val_ccc_valence"], 6)
    shown = pd.read_csv(io.StringIO(report.curves([found])))
    for score in ("rmse", "ccc", "pcc", "sagr"):
        epochs = [row[f"val_{score}_valence"] for row in found.history]
        assert shown[f"val_{score}_valence"].tolist() == pytest.approx(epochs, rel=1e-5), score
    plain = repeats.train(job(tables, settings(), tmp_path / "runs"), 0)
    assert plain.checkpoint != found.checkpoint
    unrated = job(tables, settings(dimensions=("valence", "arousal")), tmp_path / "runs")
    with pytest.raises(BadParams, match="0 val rows of fer2013 are rated on arousal"):
        repeats.train(unrated, 0)


def test_size_and_options_make_another_network(tables, tmp_path):
    wanted = settings(epochs=1, size=40, options={"convs": 4, "dropout": 0.1})
    found = repeats.train(job(tables, wanted, tmp_path / "runs"), 0)
    plain = repeats.train(job(tables, settings(epochs=1), tmp_path / "runs"), 0)
    assert found.checkpoint != plain.checkpoint
    model, card = checkpoints.load(found.checkpoint)
    assert card.input.size == 40
    assert model[-2].p == 0.1
    assert len([layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]) == 4
    with torch.inference_mode():
        assert model(torch.zeros(1, 1, 40, 40)).shape == (1, 7)


def test_card_says_what_was_done(tables, tmp_path):
    found = repeats.train(job(tables, settings(epochs=2), tmp_path / "runs"), 1)
    model, card = checkpoints.load(found.checkpoint)
    assert (card.model, card.source, card.repeat) == ("simple_cnn", "fer2013", 1)
    assert card.params == settings(epochs=2).model_dump()
    assert card.epoch == found.best
    assert card.score == found.history[card.epoch - 1]["val_accuracy"]
    assert card.classes == ("anger", "disgust", "fear", "happiness", "sadness") + (
        "surprise",
        "neutral",
    )
    assert not model.training


def test_counts(stills, write, tmp_path):
    drops = {stills[n]["id"]: "copy" for n in range(5)}
    found = repeats.train(job(write(stills, drops), settings(), tmp_path / "runs"), 0)
    counts = {"train_rows": 65, "val_rows": 21, "dropped_rows": 5}
    assert counts.items() <= found.counts.items()


def test_nothing_of_a_finished_run_is_left_but_what_is_needed(tables, tmp_path):
    found = repeats.train(job(tables, settings(), tmp_path / "runs"), 0)
    assert {path.name for path in found.checkpoint.parent.iterdir()} == {
        "curves.json",
        "time.json",
        "done",
    }


@pytest.mark.parametrize("labels", ["probability", "multi_target"])
def test_votes_as_targets(stills, write, tmp_path, labels):
    for number, row in enumerate(stills):
        votes = [0.0] * 8
        votes[number % 7], votes[(number + 1) % 7] = 6.0, 4.0
        row["votes"] = votes
    stills[3] |= {"status": "uncertain", "emotion": None}
    stills[4] |= {"votes": [0.0] * 8, "attributes": {"votes_unknown": "10"}}
    tables = write(stills)
    found = repeats.train(job(tables, settings(labels=labels), tmp_path / "runs"), 0)
    assert found.counts["train_rows"] == 69
    assert found.counts["dropped_rows"] == 1
    hard = repeats.train(job(tables, settings(), tmp_path / "runs"), 0)
    assert files(hard.checkpoint) != files(found.checkpoint)


def test_folds_train_on_other_subjects(face, write, tmp_path):
    from fer_pipeline.emotions import COMMON7

    names = [f"KA{n}" for n in range(5)]
    made = [face(n, COMMON7[n % 7], None, subject=names[n % 5]) for n in range(60)]
    tables = write(made)
    asked = job(tables, settings(), tmp_path / "runs", source="jaffe")
    found = [repeats.train(asked, repeat) for repeat in range(2)]
    assert [kept.counts["train_rows"] for kept in found] == [36, 36]
    cards = [checkpoints.read_card(kept.checkpoint) for kept in found]
    assert cards[0].data != cards[1].data


def test_clips(face, write, tmp_path):
    emotions = ["anger", "fear", "happiness"]
    made = [
        face(100 * clip + frame, emotions[clip % 3], None, subject=f"S{clip % 6:03d}")
        | {"sequence": f"c{clip}", "frame": frame, "phase": "apex" if frame == 1 else None}
        for clip in range(24)
        for frame in range(2 + clip % 4)
    ]
    asked = job(write(made), settings(), tmp_path / "runs", model="cnn_gru", source="ckplus")
    found = repeats.train(asked, 0)
    assert found.counts["train_rows"] == 16
    assert checkpoints.read_card(found.checkpoint).input.frames == 10


def test_publish_replaces_what_was_there(tables, tmp_path):
    asked = job(tables, settings(), tmp_path / "runs")
    finished = [repeats.train(asked, repeat) for repeat in range(2)]
    out = tmp_path / "checkpoints"
    repeats.publish(out, finished)
    assert sorted(path.name for path in out.iterdir()) == ["0", "1"]
    repeats.publish(out, finished[:1])
    assert sorted(path.name for path in out.iterdir()) == ["0"]
    assert files(out / "0") == files(finished[0].checkpoint)


def test_no_pickle_anywhere(tables, tmp_path):
    found = repeats.train(job(tables, settings(), tmp_path / "runs"), 0)
    for name, content in files(found.checkpoint).items():
        if name.endswith(".json"):
            json.loads(content)
        else:
            assert name == "weights.safetensors"
            header = int.from_bytes(content[:8], "little")
            json.loads(content[8 : 8 + header])


def test_a_picture_that_cannot_be_read_is_said(stills, write, tmp_path):
    from fer_pipeline.errors import BadImage

    stills[7]["crop"] = b"no picture"
    with pytest.raises(BadImage):
        repeats.train(job(write(stills), settings(), tmp_path / "runs"), 0)
    assert images.decode_png(stills[8]["crop"]).shape == (48, 48)


NO_RESULT = {"cv2", "psutil", "pyarrow", "pydantic", "safetensors", "tqdm"}
"""Imports whose version decides no number; OpenCV's packages are several of one import."""


def test_every_library_that_computes_is_in_the_digest():
    names = set()
    for file in Path(repeats.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").split(".")[0])
    used = names - set(sys.stdlib_module_names) - NO_RESULT - {"fer_pipeline"}
    assert used | {"opencv-python"} == set(repeats.LIBRARIES)
