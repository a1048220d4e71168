"""Writes small nets as ONNX models without the `onnx` package (a slow import, and for dev only).

ONNX is a protocol buffer: fields of `key = number << 3 | kind`, kind 0 a varint, kind 2 a length
and bytes. Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (field numbers),
https://protobuf.dev/programming-guides/encoding (wire format).
"""

from collections.abc import Sequence

import numpy as np

_IR_VERSION, _OPSET, _FLOAT = 8, 17, 1

Attribute = int | float | Sequence[int]


class Graph:
    """Nodes in order; each call of `add` makes one and returns its output's name."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []

    def add(self, kind: str, *inputs: str | np.ndarray, **attributes: Attribute) -> str:
        """A node of operator `kind`; an input is a tensor's name (`x`: the graph's own input) or
        float32 weights.
        """
        name = f"{kind.lower()}{len(self._nodes)}"
        node = b""
        for index, item in enumerate(inputs):
            if not isinstance(item, str):
                self._weights.append(_tensor(f"{name}.{index}", item))
                item = f"{name}.{index}"
            node += _text(1, item)
        node += _text(2, name) + _text(3, name) + _text(4, kind)
        node += b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        self._nodes.append(node)
        return name

    def model(self, taken: Sequence[int | str], output: str, given: Sequence[int | str]) -> bytes:
        """The whole ONNX file: `x` of shape `taken` in, the tensor `output` of shape `given` out.

        A size that is a name may be any.
        """
        graph = b"".join(_bytes(1, node) for node in self._nodes) + _text(2, "net")
        graph += b"".join(_bytes(5, tensor) for tensor in self._weights)
        graph += _bytes(11, _value("x", taken)) + _bytes(12, _value(output, given))
        domain = _text(1, "") + _number(2, _OPSET)
        return _number(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, domain)


def _tensor(name: str, values: np.ndarray) -> bytes:
    shape = b"".join(_number(1, size) for size in values.shape)
    raw = np.ascontiguousarray(values, "<f4").tobytes()
    return shape + _number(2, _FLOAT) + _text(8, name) + _bytes(9, raw)


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        body = _key(2, 5) + np.float32(value).tobytes()
        kind = 1
    elif isinstance(value, int):
        body, kind = _number(3, value), 2
    else:
        body, kind = b"".join(_number(8, item) for item in value), 7
    return _text(1, name) + body + _number(20, kind)


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = (_number(1, size) if isinstance(size, int) else _text(2, size) for size in shape)
    dims = _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, _FLOAT) + dims))


def _number(field: int, value: int) -> bytes:
    return _key(field, 0) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, 2) + _varint(len(value)) + value


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
