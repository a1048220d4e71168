"""Where trials are kept."""

import optuna
import pytest

from fer_pipeline.errors import BadParams, MissingData
from fer_pipeline.tune import storage


def test_a_local_file_by_default(tmp_path):
    found = storage.connect(None, tmp_path / "studies")
    optuna.create_study(storage=found, study_name="one")
    again = storage.connect(None, tmp_path / "studies")
    assert optuna.get_all_study_names(again) == ["one"]


@pytest.mark.parametrize("scheme", ["journal", "sqlite"])
def test_by_url(tmp_path, scheme):
    url = f"{scheme}:///{tmp_path}/kept" if scheme == "sqlite" else f"journal://{tmp_path}/a/kept"
    optuna.create_study(storage=storage.connect(url, tmp_path), study_name="one")
    assert optuna.get_all_study_names(storage.connect(url, tmp_path)) == ["one"]


def test_other_schemes_are_refused_without_telling_the_password(tmp_path):
    with pytest.raises(BadParams, match="redis://me@host/0: no storage of that kind") as error:
        storage.connect("redis://me:secret@host/0", tmp_path)
    assert "secret" not in str(error.value)


def test_a_server_that_is_not_there_is_said(tmp_path):
    with pytest.raises(MissingData, match="no database answers at postgresql") as error:
        storage.connect("postgresql://me:secret@127.0.0.1:9/none", tmp_path)
    assert "secret" not in str(error.value)
