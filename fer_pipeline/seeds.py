"""One place that fixes every random source."""

import hashlib
import os
import random

import numpy as np


def derive(*parts: object) -> int:
    """A 32-bit seed that depends on all parts and on nothing else."""
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def fix(seed: int) -> None:
    """Seeds Python, NumPy's legacy state and torch (all devices), deterministic kernels on.

    Where CUDA has no deterministic kernel for an operation, torch warns once and runs the other.
    torch is imported here, so that stages without it stay quick to start.
    """
    # cuBLAS repeats its results only in a workspace of fixed size, set before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    random.seed(seed)
    # Libraries below still draw from the legacy state.
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
