"""Reads the three MTCNN weight files of facenet-pytorch without importing torch.

Importing torch and facenet-pytorch takes seconds in every process; reading 2 MB takes milliseconds.
"""

import pickle
import struct
from collections import OrderedDict
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from fer_pipeline.errors import MissingData

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


def load(name: str) -> dict[str, np.ndarray]:
    """The float32 weights of `pnet`, `rnet` or `onet` by their names in facenet-pytorch.

    Raises: MissingData when facenet-pytorch is not installed or its file is no such file.
    """
    return parse(path(name).read_bytes(), name)


def path(name: str) -> Path:
    """The file of one net inside the installed facenet-pytorch.

    Raises: MissingData.
    """
    spec = find_spec("facenet_pytorch")
    if spec is None or spec.origin is None:
        raise MissingData("facenet-pytorch is not installed; pip install facenet-pytorch==2.5.3")
    file = Path(spec.origin).parent / "data" / f"{name}.pt"
    if not file.is_file():
        raise MissingData(
            f"{file} is missing; pip install --force-reinstall facenet-pytorch==2.5.3"
        )
    return file


def parse(data: bytes, where: str) -> dict[str, np.ndarray]:
    """The tensors of a state dict in torch's first file format (before zip files, torch < 1.6).

    The format: four pickles (magic, version, machine, the dict with its storages left out), a
    pickled list of storage keys, then each storage as an int64 length and its values.

    Raises: MissingData when the bytes are something else.
    Source: `torch.serialization._legacy_save`.
    """
    stream = BytesIO(data)
    storages: dict[str, np.ndarray] = {}
    try:
        magic, version, _ = (_Tensors(stream, storages).load() for _ in range(3))
        if (magic, version) != (_MAGIC, _PROTOCOL):
            raise MissingData(f"weights {where}: not a file of torch's first format")
        tensors = _Tensors(stream, storages).load()
        for key in _Tensors(stream, storages).load():
            (length,) = struct.unpack("<q", stream.read(8))
            storage = storages[key]
            storage[:] = np.frombuffer(stream.read(4 * length), "<f4")
    except (pickle.UnpicklingError, EOFError, struct.error, KeyError, ValueError) as error:
        raise MissingData(
            f"weights {where} are damaged ({error}); reinstall facenet-pytorch==2.5.3"
        ) from None
    return dict(tensors)


class _Tensors(pickle.Unpickler):
    """An unpickler that can make float tensors and ordered dicts, and nothing else."""

    def __init__(self, stream: BytesIO, storages: dict[str, np.ndarray]) -> None:
        super().__init__(stream)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _view,
            ("torch", "FloatStorage"): np.float32,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return known[module, name]

    def persistent_load(self, pid: Any) -> np.ndarray:
        _, kind, key, _, length, _ = pid
        return self._storages.setdefault(key, np.zeros(length, kind))


def _view(
    storage: np.ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> np.ndarray:
    steps = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps)
