"""What --help says about layouts."""

import pytest

from fer_pipeline import registry
from fer_pipeline.ingest import layouts
from fer_pipeline.ingest.__main__ import main

WORDS = {
    "affectnet": ("lists", "npy", "kaggle", "yolo", "huggingface", "coded"),
    "ckplus": ("original", "ck48", "ckextended"),
    "fer2013": ("fer2013.csv", "icml_face_data.csv", "train.csv, test.csv", "<row>.jpg"),
    "ferplus": ("fer2013new.csv", "label.csv"),
    "folder": ("train/<class>/",),
    "jaffe": ("tiff", "README"),
    "mmi": ("Sessions/<session id>/", "-oao_aucs.xml"),
    "rafdb": ("basic", "kaggle", "huggingface"),
}


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_every_dataset_is_described(name):
    text = layouts.described(name)
    first, second, *rest = text.splitlines()
    assert first.strip() == (registry.load("datasets", name).__doc__ or "").splitlines()[0]
    assert second.startswith("  Layout")
    assert len(rest) < 40
    assert "Licence" not in text
    for word in WORDS.get(name, ()):
        assert word in text


def test_help_lists_them_line_by_line(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert layouts.text() in said
    assert max(map(len, said.splitlines())) <= 102
