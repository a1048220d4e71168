import argparse
import re
from importlib import import_module
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from fer_pipeline import params, registry
from fer_pipeline.errors import BadParams

ROOMS = sorted(path.parent.name for path in Path(params.__file__).parent.glob("*/params.py"))


class Cook(params.Section):
    minutes: int = Field(3, ge=1)
    salt: float = 0.5


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(params, "sections", lambda: ["cook", "bake"])
    path = tmp_path / "params.yaml"
    path.write_text("cook: {minutes: 5, salt: 1e-3}\nmodels: {a: {}, b: }\nsources: {x: {}}\n"
                    "clip_models: {c: {}}\nclip_sources: {y: {}}\ndatasets: [1]\n"
                    "transfers: {t: {model: a, source: y, pretrained: a-x}}\n")  # fmt: skip
    return path


def test_a_section_with_text_numbers_and_overrides(file):
    # PyYAML reads 1e-3 as text; the model reads it as the number that was meant.
    assert params.section(Cook, file, "cook") == Cook(minutes=5, salt=0.001)
    assert params.section(Cook, file, "cook", {"minutes": 7}, None).minutes == 7


def test_a_misspelt_key_stops_with_the_nearest(file):
    with pytest.raises(BadParams, match=r"cook.minute is no parameter; did you mean 'minutes'\?"):
        params.section(Cook, file, "cook", {"minute": 7})


def test_a_value_out_of_bounds_is_named(file):
    with pytest.raises(BadParams, match=r"cook.minutes = 0: Input should be greater"):
        params.section(Cook, file, "cook", {"minutes": 0})


def test_a_missing_section_and_a_missing_file(file, tmp_path):
    with pytest.raises(BadParams, match="no section 'bake'"):
        params.section(Cook, file, "bake")
    with pytest.raises(BadParams, match="missing; copy"):
        params.read(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n"])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BadParams, match=r"p\.yaml"):
        params.read(tmp_path / "p.yaml")


def test_a_key_that_is_neither_axis_nor_section_is_refused(file):
    file.write_text("cooks: {}\n")
    with pytest.raises(BadParams, match=r"'cooks' is neither .* did you mean 'cook'\?"):
        params.read(file)


def test_the_sections_are_the_rooms():
    rooms = params.sections()
    assert {"ingest", "train", "report"} <= set(rooms)
    assert not {"datasets", "models"} & set(rooms)


def test_axes(file):
    assert params.axis(file, "models") == {"a": {}, "b": {}}
    assert params.runs(file) == [("a", "x"), ("b", "x"), ("c", "y"), ("t", "y")]
    with pytest.raises(BadParams, match="'datasets' must map"):
        params.axis(file, "datasets")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("t: {model: a, source: y}", "transfers.t lacks 'pretrained'"),
        ("a: {model: a, source: y, pretrained: a-x}", "transfers.a needs a name of its own"),
        ("t-u: {model: a, source: y, pretrained: a-x}", "transfers.t-u needs a name of its own"),
    ],
)
def test_a_transfer_says_whence_and_whereto(file, line, message):
    text = file.read_text().partition("transfers:")[0]
    file.write_text(f"{text}transfers: {{{line}}}\n")
    with pytest.raises(BadParams, match=message):
        params.transfers(file)


class Oven(params.Section):
    heat: Literal["gas", "wood"] = Field("gas", description="what burns")


class Kitchen(params.Section):
    oven: Oven | None = Field(Oven(), description="null: none")
    cooks: float = Field(0.5, gt=0, le=1, description=" ".join(["cooks"] * 13))
    notes: dict[str, int] = Field(default_factory=dict)


def test_keys_lists_defaults_meanings_bounds_and_choices():
    indent = " " * 31
    assert params.keys(Kitchen).splitlines() == [
        "keys of its section in params.yaml, and their defaults:",
        "  oven:                        null: none",
        "  oven.heat: gas               what burns; one of gas, wood",
        "  cooks: 0.5                   " + " ".join(["cooks"] * 11),
        f"{indent}cooks cooks; > 0, <= 1",
        "  notes: {}",
    ]


def fields(model: type[params.Section]) -> dict:
    """Dotted key -> field, of a section and those in it."""
    found = {}
    for name, field in model.model_fields.items():
        found[name] = field
        if isinstance(field.default, params.Section):
            found |= {f"{name}.{key}": one for key, one in fields(type(field.default)).items()}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_help_lists_every_key_of_the_section(room, capsys):
    section = getattr(import_module(f"fer_pipeline.{room}.params"), f"{room.capitalize()}Params")
    with pytest.raises(SystemExit) as stop:
        import_module(f"fer_pipeline.{room}.__main__").main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for key, field in fields(section).items():
        assert re.search(rf"^  {re.escape(key)}: *\S", text, re.MULTILINE), f"{key} is not listed"
        assert field.description, f"{key} has no description"


@pytest.mark.parametrize("room", ROOMS)
def test_every_option_of_a_command_says_what_it_is_for(room, monkeypatch):
    parsers = []

    def stop(parser, _):
        parsers.append(parser)
        raise SystemExit

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    with pytest.raises(SystemExit):
        import_module(f"fer_pipeline.{room}.__main__").main([])
    assert [action.dest for action in parsers[0]._actions if not action.help] == []


def test_the_default_run_trains_a_model_of_each_family(root):
    stills = set(params.axis(root / "params.yaml", "models"))
    clips = set(params.axis(root / "params.yaml", "clip_models"))
    ours = {"simple_cnn", "lenet_cnn", "deep_cnn", "resnet_cnn", "small_cnn"}
    timms = {name for name in stills if hasattr(registry.load("models", name), "_timm")}
    for family in (ours, {"cnn_cbam", "cnn_attention"}, timms):
        assert stills & family
    assert clips >= {"fusion"}
    assert clips & {"cnn_gru", "cnn_lstm"}
