"""The layouts that each dataset's file reads, as its docstring states them, for --help."""

import ast
from pathlib import Path

from fer_pipeline import registry


def text() -> str:
    """Every dataset with its first line and its layouts; its modules are not imported."""
    parts = [f"{name}\n{described(name)}" for name in registry.names("datasets")]
    return "\n\n".join(["datasets and the layouts on disk that are read:", *parts])


def described(name: str) -> str:
    """First line and layouts of a dataset's docstring, indented."""
    file = Path(__file__).parents[1] / "datasets" / f"{name}.py"
    lines = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Layout"))
    found = [f"  {lines[0]}"]
    for line in lines[start:]:
        if not line.strip() or line.startswith("Labels:"):
            break
        found.append(f"  {line}")
    return "\n".join(found)
