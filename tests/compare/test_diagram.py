"""The critical-difference diagram: when it is made, and that it shows what the tests found."""

import numpy as np
import pytest
from PIL import Image

from fer_pipeline.compare import diagram, many

MODELS = ("simple_cnn", "deep_cnn", "resnet18", "vit")


def entry(blocks: int, models: int = 4) -> dict:
    rng = np.random.default_rng(0)
    scores = rng.normal(0.6, 0.02, (blocks, models)) + np.array([0, 0.01, 0.15, 0.16])[:models]
    found = many.many(MODELS[:models], scores, 0.95)
    return found | {"over": "own test sets", "diagram": diagram.possible(blocks, models)}


@pytest.mark.parametrize(
    ("blocks", "models", "drawn"), [(5, 3, True), (4, 3, False), (9, 2, False)]
)
def test_it_needs_three_models_and_five_sets(blocks, models, drawn, tmp_path):
    given = entry(blocks, models)
    assert given["diagram"]["drawn"] == drawn
    assert ("why" in given["diagram"]) != drawn
    assert diagram.write(tmp_path / "cd.png", [given], 0.95) == drawn
    assert (tmp_path / "cd.png").exists() == drawn


def test_models_told_apart_are_not_joined(tmp_path, monkeypatch):
    import scikit_posthocs

    seen = {}
    original = scikit_posthocs.critical_difference_diagram

    def spy(ranks, p, **given):
        seen["joined"] = original(ranks, p, **given)["crossbars"]
        seen["ranks"] = ranks
        return {}

    monkeypatch.setattr(scikit_posthocs, "critical_difference_diagram", spy)
    given = entry(12)
    diagram.write(tmp_path / "cd.png", [given], 0.95)
    gap = given["nemenyi"]["critical_difference"]
    ranks = seen["ranks"]
    assert ranks["resnet18"] - ranks["simple_cnn"] < -gap
    for (bar,) in seen["joined"]:
        assert np.ptp(bar.get_xdata()) < gap
    assert Image.open(tmp_path / "cd.png").size[0] > 900
