import pytest
from pydantic import Field

from fer_pipeline import params
from fer_pipeline.errors import BadParams


class Cook(params.Section):
    minutes: int = Field(3, ge=1)
    salt: float = 0.5


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("cook: {minutes: 5, salt: 1e-3}\nmodels: {a: {}, b: }\nsources: {x: {}}\n"
                    "clip_models: {c: {}}\nclip_sources: {y: {}}\nlist: [1]\n")  # fmt: skip
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


def test_axes(file):
    assert params.axis(file, "models") == {"a": {}, "b": {}}
    assert params.runs(file) == [("a", "x"), ("b", "x"), ("c", "y")]
    with pytest.raises(BadParams, match="'list' must map"):
        params.axis(file, "list")
