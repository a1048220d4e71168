import pytest

from fer_pipeline import errors


def test_a_users_error_is_one_line_and_status_2(capsys):
    with pytest.raises(SystemExit) as stop, errors.one_line():
        raise errors.MissingData("no file\n   at x;\tget it")
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: no file at x; get it\n"


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), errors.one_line():
        raise ZeroDivisionError


def test_nearest():
    assert errors.nearest("resnet81", ["resnet18", "vgg16"]) == "did you mean 'resnet18'? "
    assert errors.nearest("zzz", ["resnet18"]) == ""
