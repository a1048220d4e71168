import json

import numpy as np
import pytest
from PIL import Image

from fer_pipeline.explain.__main__ import main
from fer_pipeline.explain.regions import REGIONS

pytestmark = pytest.mark.xdist_group("explain")


def outputs(folder):
    places = {"metrics": "m.json", "heat": "h.json", "plots": "p.png"}
    return [part for key, name in places.items() for part in (f"--{key}", str(folder / name))]


def test_writes_grid_and_shares_the_same_each_time(world, tmp_path, capsys):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        main([*world.arguments, *outputs(tmp_path / name)])
    numbers = json.loads((tmp_path / "one" / "h.json").read_text())
    assert numbers["images"] == numbers["right"] + numbers["wrong"] == 20
    for shares in [*numbers["shares"].values(), numbers["area"]]:
        assert tuple(sorted(shares)) == tuple(sorted(REGIONS))
        assert sum(shares.values()) == pytest.approx(1, abs=3e-4)
    picture = np.asarray(Image.open(tmp_path / "one" / "p.png").convert("RGB"))
    assert picture.shape[0] > 7 * 104
    main_ones = json.loads((tmp_path / "one" / "m.json").read_text())
    assert main_ones == {"images": 20, **numbers["shares"]["all"]}
    for name in ("m.json", "h.json", "p.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert "mouth" in capsys.readouterr().out


def test_a_source_without_predictions_is_one_clear_line(world, tmp_path, capsys):
    arguments = [*world.arguments, *outputs(tmp_path)]
    arguments[3] = "elsewhere"
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "no prediction of simple_cnn, trained on elsewhere" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
