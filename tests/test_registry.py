import pytest

from fer_pipeline import registry
from fer_pipeline.errors import UnknownName


def test_every_file_of_a_catalogue_is_a_name():
    assert {"fer2013", "ferplus", "rafdb", "ckplus", "jaffe", "mmi", "affectnet", "folder"} == set(
        registry.names("datasets")
    )
    assert {"mtcnn", "haar", "dlib", "yunet", "precropped"} == set(registry.names("detectors"))
    assert {"simple_cnn", "deep_cnn", "resnet18", "cnn_gru"} <= set(registry.names("models"))


def test_an_unknown_name_lists_the_catalogue_and_the_nearest():
    with pytest.raises(UnknownName, match=r"no 'rafbd' among the datasets; did you mean 'rafdb'\?"):
        registry.load("datasets", "rafbd")


def test_an_unknown_catalogue_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="animals"):
        registry.names("animals")
