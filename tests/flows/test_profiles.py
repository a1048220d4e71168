"""Switching profiles loses neither a user's changes nor what a stage still writes."""

import pytest

from fer_pipeline.errors import BadParams, UnknownName
from flows import profiles

FILES = {
    "params/small.yaml": "sources: {a: {}}\n",
    "params/large.yaml": "sources: {b: {}}\n",
    "params/broken.yaml": "sources: {b: {}}\nmodels: {}\n",
    "params.yaml": "sources: {a: {}}\n",
    ".gitignore": "/out\n",
    "seed.txt": "1",
    "dvc.yaml": """
stages:
  make:
    matrix: {name: "${sources}"}
    cmd: mkdir -p out && cat seed.txt > out/${item.name}.txt
    deps: [seed.txt]
    outs: ["out/${item.name}.txt"]
  join:
    cmd: cat out/*.txt > all.txt
    deps: [out]
    outs: [all.txt]
""",
}


@pytest.fixture
def root(repository, dvc):
    made = repository(FILES)
    dvc(made, "repro", "-q")
    return made


def test_what_the_new_profile_does_not_write_goes(root, dvc):
    (root / "out/mine.txt").write_text("kept", encoding="utf-8")
    assert profiles.switch(root, "large") == ["out/a.txt"]
    assert (root / "params.yaml").read_text() == FILES["params/large.yaml"]
    assert not (root / "out/a.txt").exists()
    assert (root / "out/mine.txt").exists(), "no stage ever wrote it"
    assert (root / "all.txt").exists()
    dvc(root, "repro", "-q")
    assert profiles.switch(root, "small") == ["out/b.txt"]
    assert "Stage 'make@a' is cached" in dvc(root, "repro")


def test_changes_of_ones_own_stay(root):
    (root / "params.yaml").write_text("sources: {a: {}, c: {}}\n", encoding="utf-8")
    with pytest.raises(BadParams, match="save them first"):
        profiles.switch(root, "large")
    assert "c: {}" in (root / "params.yaml").read_text()


def test_an_unknown_profile(root):
    with pytest.raises(UnknownName, match=r"no profile params/larg\.yaml; did you mean 'large'"):
        profiles.switch(root, "larg")


def test_a_profile_without_a_graph_is_not_taken(root):
    text = FILES["dvc.yaml"].replace("${sources}", "${models}")
    (root / "dvc.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadParams):
        profiles.switch(root, "large")
    assert (root / "params.yaml").read_text() == FILES["params.yaml"]
    assert (root / "out/a.txt").exists()
