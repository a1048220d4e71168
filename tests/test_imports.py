"""A stage starts with what it uses: --help and errors do not wait for heavy libraries."""

import subprocess
import sys

import pytest

from fer_pipeline import params

HEAVY = {"torch", "torchvision", "timm", "albumentations", "great_expectations", "optuna"}
HEAVY |= {"sklearn", "matplotlib", "facenet_pytorch", "pandas"}


@pytest.mark.parametrize("stage", params.sections())
def test_a_stage_is_asked_for_help_without_what_it_computes_with(stage):
    code = (
        f"import sys, fer_pipeline.{stage}.__main__ as stage\n"
        "try: stage.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print('heavy:', *sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["heavy:"]
