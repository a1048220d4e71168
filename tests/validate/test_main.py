"""The command: files written, exit status, and what a failure says."""

import json

import pyarrow.parquet as pq
import pytest

from fer_pipeline import manifest
from fer_pipeline.validate.__main__ import main


@pytest.fixture
def command(make, write, tmp_path):
    """Runs the command on rows; returns the output folder."""

    def call(rows, section: str = "{}", dataset: str = "fer2013"):
        samples, faces = write(dataset, rows)
        params = tmp_path / "params.yaml"
        params.write_text(f"validate: {section}\ndatasets: {{fer2013: {{}}, jaffe: {{}}}}\n")
        main(
            ["--dataset", dataset, "--samples", str(samples), "--faces", str(faces)]
            + ["--out", str(tmp_path / "leaks" / f"{dataset}.parquet")]
            + ["--metrics", str(tmp_path / f"{dataset}.json")]
            + ["--docs", str(tmp_path / "docs" / dataset), "--params", str(params)]
        )

    return call


def test_writes_metrics_docs_and_leaks(command, make, tmp_path, capsys) -> None:
    rows = make.official()
    rows[43] = make.row("fer2013", 43, make.picture(2), split="test", emotion=rows[2]["emotion"])
    command(rows)
    metrics = json.loads((tmp_path / "fer2013.json").read_text())
    assert metrics["images_in_train_and_test"] == 1
    assert all(isinstance(value, int | float) for value in metrics.values())
    table = manifest.read(tmp_path / "leaks" / "fer2013.parquet", manifest.LEAKS)
    assert table.num_rows == 63
    assert table["id"].to_pylist() == [row["id"] for row in rows]
    assert table["drop"].to_pylist().count(None) == 62
    assert (tmp_path / "docs" / "fer2013" / "index.html").is_file()
    captured = capsys.readouterr()
    assert "warn  pictures_in_one_split" in captured.out
    assert "fer2013/2, fer2013/43" in captured.out
    assert "same picture in test 1" in captured.out
    assert captured.err == ""


def test_same_data_same_bytes(command, make, tmp_path) -> None:
    outputs = ("leaks/fer2013.parquet", "fer2013.json", "docs/fer2013/index.html")
    command(make.official())
    first = [(tmp_path / name).read_bytes() for name in outputs]
    command(make.official())
    assert [(tmp_path / name).read_bytes() for name in outputs] == first


def test_hard_failure_leaves_metrics_and_docs_and_names_rows(
    command, make, tmp_path, capsys
) -> None:
    rows = make.official()
    rows[9]["split"] = "training"
    with pytest.raises(SystemExit) as stopped:
        command(rows)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    for part in ("fer2013", "splits_known", "fer2013/9", "validate.severities"):
        assert part in error
    assert json.loads((tmp_path / "fer2013.json").read_text())["failed_hard"] == 2
    assert "Stops the run" in (tmp_path / "docs" / "fer2013" / "index.html").read_text("utf-8")
    assert not (tmp_path / "leaks").exists()


def test_policy_fail_stops(command, make, capsys) -> None:
    rows = make.official()
    rows[43] = make.row("fer2013", 43, make.picture(2), split="test", emotion=rows[2]["emotion"])
    with pytest.raises(SystemExit) as stopped:
        command(rows, "{leaks: fail}")
    assert stopped.value.code == 2
    assert "pictures_in_one_split" in capsys.readouterr().err


def test_softened_failure_goes_on(command, make, tmp_path) -> None:
    rows = make.official()
    rows[3]["subject"] = rows[50]["subject"] = "ann"
    command(rows, "{severities: {subjects_disjoint: soft}}")
    assert (tmp_path / "leaks" / "fer2013.parquet").is_file()


def test_a_table_of_another_shape_fails_the_schema(command, make, tmp_path, capsys) -> None:
    command(make.official())
    path = tmp_path / "faces" / "fer2013.parquet"
    table = pq.read_table(path)
    arguments = ["--dataset", "fer2013", "--samples", str(tmp_path / "samples/fer2013.parquet")]
    arguments += ["--faces", str(path), "--out", str(tmp_path / "l"), "--docs", str(tmp_path / "d")]
    arguments += ["--metrics", str(tmp_path / "m.json"), "--params", str(tmp_path / "params.yaml")]
    pq.write_table(table.rename_columns({"score": "scores"}), path)
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert "schema" in error
    assert "faces.score, faces.scores" in error
    assert json.loads((tmp_path / "m.json").read_text()) == {
        "expectations": 1,
        "failed_hard": 1,
        "failed_soft": 0,
    }


def test_across(command, make, tmp_path, capsys) -> None:
    command(make.official())
    command(make.grouped(), dataset="jaffe")
    capsys.readouterr()
    arguments = ["--across", "--samples", str(tmp_path / "samples")]
    arguments += ["--leaks", str(tmp_path / "leaks"), "--metrics", str(tmp_path / "across.json")]
    arguments += ["--pairs", str(tmp_path / "across.csv")]
    main([*arguments, "--params", str(tmp_path / "params.yaml")])
    assert json.loads((tmp_path / "across.json").read_text())["pictures_in_fer2013_and_jaffe"] == 28
    lines = (tmp_path / "across.csv").read_text().splitlines()
    assert lines == ["a,b,pictures,rows_a,rows_b,near", "fer2013,jaffe,28,28,28,0"]
    strict = tmp_path / "strict.yaml"
    strict.write_text(
        "validate: {severities: {sets_share_no_picture: hard}}\n"
        "datasets: {fer2013: {}, jaffe: {}}\n"
    )
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--params", str(strict)])
    assert stopped.value.code == 2
    assert "fer2013 and jaffe" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--samples", "s", "--metrics", "m"],
        ["--dataset", "fer2013", "--samples", "s", "--metrics", "m"],
        ["--across", "--samples", "s", "--metrics", "m", "--leaks", "l"],
        ["--across", "--dataset", "fer2013", "--samples", "s", "--metrics", "m"],
    ],
)
def test_incomplete_command_lines(arguments, capsys) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "usage" in capsys.readouterr().err


def test_misspelt_parameter_and_unknown_set(command, make, capsys) -> None:
    with pytest.raises(SystemExit):
        command(make.official(), "{leak: keep}")
    assert "did you mean 'leaks'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command(make.official(), dataset="fer2031")
    assert "did you mean 'fer2013'" in capsys.readouterr().err
