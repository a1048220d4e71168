import json
import shutil
import subprocess
import sys
import time
from html.parser import HTMLParser

import pytest
import yaml

from fer_pipeline.report.__main__ import main

pytestmark = pytest.mark.xdist_group("report")

VOID = {"meta", "link", "img", "br", "path"}


class Page(HTMLParser):
    """Checks that tags nest, and keeps ids, links, sources and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values[key] for key in ("href", "src") if key in values]
        if tag == "img":
            assert values["alt"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def built(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    main([*small.arguments, *outputs(folder)])
    return folder


@pytest.fixture(scope="module")
def page(built):
    return Page((built / "report.html").read_text(encoding="utf-8"))


def outputs(folder):
    return ["--out", str(folder / "report.html"), "--summary", str(folder / "summary.json")]


def test_every_anchor_exists_and_nothing_comes_from_outside(page):
    assert len(page.ids) == len(set(page.ids))
    inside = [link for link in page.links if link.startswith("#")]
    assert {link[1:] for link in inside} <= set(page.ids)
    assert all(link.startswith(("#", "data:", "tune/", "ablate/")) for link in page.links)


def test_style_and_scripts_load_nothing(built):
    text = (built / "report.html").read_text(encoding="utf-8")
    for outside in ("@import", "url(", "<script", "http://", "https://"):
        assert outside not in text


def test_every_headline_number_is_on_the_page(page, scores):
    text = " ".join(" ".join(page.text).split())
    for name, run in scores.items():
        own = run["targets"][name.partition("-")[2]]
        for score, scale, digits in (
            ("accuracy", 100, 1),
            ("mean_class_accuracy", 100, 1),
            ("macro_f1", 100, 1),
        ):
            cell = own["scores"][score]
            shown = [
                f"{round(cell[key], 4) * scale:.{digits}f}" for key in ("value", "low", "high")
            ]
            assert f"{shown[0]} {shown[1]}–{shown[2]}" in text, (name, score)
        for score in ("kappa", "roc_auc", "mae_probability"):
            assert f"{round(own['scores'][score]['value'], 4):.3f}" in text, (name, score)
        for scores_of in own["per_class"].values():
            cell = scores_of["f1"]
            shown = [f"{round(cell[key], 4) * 100:.1f}" for key in ("value", "low", "high")]
            assert f"{shown[0]} {shown[1]}–{shown[2]}" in text, name
        assert own["folds"] is None or f"{own['folds']['tested']} of 10 folds" in text
        for result in run["targets"].values():
            kind = result["accuracies"]["leak_free"]
            assert f"{round(result['scores']['accuracy']['value'], 4) * 100:.1f}" in text
            assert f"{round(kind['accuracy'], 4) * 100:.1f}" in text


def test_the_comparison_is_on_the_page(page, small):
    text = " ".join(page.text)
    comparison = json.loads((small.folder / "comparison.json").read_text())
    own = [pair for pair in comparison["pairs"] if pair["source"] == pair["target"]]
    assert len(own) == 2
    for pair in own:
        assert f"{pair['a']} vs {pair['b']}" in text
        assert f"{pair['difference'] * 100:+.1f}".replace("-", "−") in text
        assert f"{pair['mcnemar'][0]['detectable'] * 100:.1f}" in text


def test_folds_persons_uses_and_ratings_are_on_the_page(page):
    text = " ".join(" ".join(page.text).split())
    assert "jaffe: 2 of 10 folds were tested, so its numbers are of the subjects of those" in text
    assert "70 10 persons 2 of 10 folds 3" in text
    assert "CCC valence" in text
    assert "So few sets allow no verdict on all models at once." in text
    assert (
        "A critical-difference diagram needs 3 models and 5 own test sets, and there are 2" in text
    )


def test_the_page_points_at_tuning_and_ablation(page, root):
    stages = yaml.safe_load((root / "dvc.yaml").read_text("utf-8"))["stages"]
    pointed = [link for link in page.links if link.startswith(("tune/", "ablate/"))]
    assert len(pointed) == 6
    for name, line in (("tune", "simple_cnn-fer2013"), ("ablate", "resnet18-jaffe")):
        written = str(stages[name]["do"])
        for link in pointed:
            if link.startswith(f"{name}/"):
                file = link.removeprefix(f"{name}/{line}/")
                assert f"plots/{name}/${{key}}-${{item.source}}/{file}" in written


def test_a_study_without_searches_has_no_such_section(small, tmp_path):
    folder = shutil.copytree(small.folder, tmp_path / "copy")
    text = (folder / "params.yaml").read_text()
    text = text.replace("studies: {simple_cnn: {source: fer2013}}", "studies: {}")
    text = text.replace("ablations: {resnet18: {source: jaffe}}", "ablations: {}")
    (folder / "params.yaml").write_text(text)
    arguments = [part.replace(str(small.folder), str(folder)) for part in small.arguments]
    main([*arguments, *outputs(tmp_path)])
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert "searches" not in page.ids
    assert "#searches" not in page.links


def test_scores_without_an_interval_have_a_dash(small, tmp_path, scores):
    folder = shutil.copytree(small.folder, tmp_path / "copy")
    name = "resnet18-fer2013"
    run = scores[name] | {}
    own = json.loads(json.dumps(run))
    for entry in own["targets"]["fer2013"]["scores"].values():
        entry |= {"low": None, "high": None}
    own["targets"]["fer2013"]["accuracies"]["raw"] |= {"low": None, "high": None}
    (folder / "scores" / f"{name}.json").write_text(json.dumps(own))
    arguments = [part.replace(str(small.folder), str(folder)) for part in small.arguments]
    main([*arguments, *outputs(tmp_path)])
    text = " ".join(" ".join(Page((tmp_path / "report.html").read_text("utf-8")).text).split())
    value = own["targets"]["fer2013"]["scores"]["macro_f1"]["value"]
    assert f"{round(value, 4) * 100:.1f} – " in text
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary[name]["fer2013"]["low"] is None
    main(["--show", str(tmp_path / "summary.json")])


def test_generated_sets_are_called_generated(page):
    text = " ".join(page.text)
    assert "The faces of fer2013 were drawn by" in text
    assert "98.8 %" in text


def test_same_inputs_give_the_same_bytes(small, built, tmp_path):
    main([*small.arguments, *outputs(tmp_path)])
    for name in ("report.html", "summary.json"):
        assert (built / name).read_bytes() == (tmp_path / name).read_bytes()


def test_summary_holds_rounded_accuracies_with_intervals(built, scores):
    summary = json.loads((built / "summary.json").read_text())
    assert summary == {
        name: {
            target: {
                "accuracy": round(result["scores"]["accuracy"]["value"], 4),
                "low": round(result["scores"]["accuracy"]["low"], 4),
                "high": round(result["scores"]["accuracy"]["high"], 4),
            }
            for target, result in run["targets"].items()
        }
        for name, run in scores.items()
    }


def test_a_missing_input_names_the_stage_that_makes_it(small, tmp_path, capsys):
    arguments = [*small.arguments, *outputs(tmp_path)]
    arguments[arguments.index("--scores") + 1] = str(tmp_path / "nowhere")
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "`dvc repro evaluate` makes it" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_arguments_are_needed_unless_a_summary_is_shown(capsys):
    with pytest.raises(SystemExit):
        main(["--metrics", "metrics"])
    assert "--scores, --heat, --ledger, --comparison" in capsys.readouterr().err


def test_show_starts_at_once_and_loads_nothing_heavy(built, root):
    code = (
        "import sys; from fer_pipeline.report.__main__ import main; main(sys.argv[1:]);"
        "heavy = {'numpy', 'pydantic', 'yaml', 'jinja2', 'PIL'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    summary = str(built / "summary.json")
    begun = time.perf_counter()
    shown = subprocess.run(
        [sys.executable, "-c", code, "--show", summary],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert time.perf_counter() - begun < 2
    assert "resnet18" in shown.stdout
