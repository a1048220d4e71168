import numpy as np
import pytest

from fer_pipeline.explain.regions import REGIONS, areas, masks, shares
from fer_pipeline.faces import TEMPLATE


@pytest.mark.parametrize("size", [48, 112, 224])
def test_regions_are_disjoint_and_cover_the_face(size):
    parts = masks(size)
    assert tuple(parts) == REGIONS
    assert (sum(mask.astype(int) for mask in parts.values()) == 1).all()
    assert areas(size).sum() == pytest.approx(1)


def test_template_points_lie_in_their_regions():
    parts = masks(112)
    names = ("eyes", "eyes", "nose", "mouth", "mouth")
    for name, (x, y) in zip(names, TEMPLATE, strict=True):
        assert parts[name][round(float(y)), round(float(x))]


def test_border_is_the_outer_tenth():
    border = masks(100)["border"]
    assert border[:10].all()
    assert border[:, 90:].all()
    assert not border[10:90, 10:90].any()


def test_shares_of_known_maps():
    heat = np.zeros((3, 112, 112), np.float32)
    heat[0, 52, 38] = 0.5
    heat[1, 92, 56], heat[1, 2, 2] = 0.75, 0.25
    found = shares(heat)
    assert found[0].tolist() == [1, 0, 0, 0, 0]
    assert found[1].tolist() == [0, 0, 0.75, 0.25, 0]
    assert found[2].tolist() == [0, 0, 0, 0, 0]


def test_an_even_map_gives_the_areas():
    assert shares(np.full((1, 48, 48), 0.3))[0] == pytest.approx(areas(48))
