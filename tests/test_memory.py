"""Freed memory is kept for the next batch."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, torch
from fer_pipeline import memory
from fer_pipeline.models import simple_cnn
if sys.argv[1] == "keep":
    memory.keep_freed()
torch.manual_seed(0)
model, pictures = simple_cnn.build(7), torch.rand(256, 1, 48, 48)
for step in range(8):
    if step == 5:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model(pictures).sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no glibc")
@pytest.mark.deep
def test_a_step_asks_for_no_memory_that_the_last_one_freed(root):
    def faults(mode):
        command = [sys.executable, "-c", FAULTS, mode]
        return int(subprocess.run(command, cwd=root, capture_output=True, check=True).stdout)

    assert faults("keep") < 0.1 * faults("default")
