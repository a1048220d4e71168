"""Puts a profile of params/ in force and takes away outputs that none of its stages writes.

Stages read folders such as data/faces whole: tables that an earlier profile left there would become
part of what a later result depends on. They stay in DVC's cache and come back with their profile.
"""

import argparse
import shutil
from pathlib import Path

import yaml

from fer_pipeline import errors, params
from fer_pipeline.errors import BadParams, UnknownName, nearest
from fer_pipeline.outputs import write_text
from flows import graph, process, raws


def main(argv: list[str] | None = None) -> None:
    """Reads the command line, switches, says what was taken away."""
    parser = argparse.ArgumentParser(prog="python -m flows.profiles", description=__doc__)
    parser.add_argument("name", help="a file of params/, without its .yaml")
    asked = parser.parse_args(argv)
    with errors.one_line():
        removed = switch(Path.cwd(), asked.name)
        print(f"params.yaml is now params/{asked.name}.yaml")
        for path in removed:
            print(f"  no longer an output: {path}")
        for line in raws.missing(Path.cwd()):
            print(f"  {line}")


def switch(root: Path, name: str) -> list[str]:
    """Copies params/<name>.yaml over params.yaml; returns the outputs it removed.

    Raises: UnknownName; BadParams when params.yaml holds changes that are nowhere else, or the
    profile makes no graph: then the old one stays.
    """
    wanted, present = file(root, name), root / "params.yaml"
    params.read(wanted)
    before = present.read_text(encoding="utf-8") if present.is_file() else ""
    if before and not _kept(root, before):
        raise BadParams(
            "params.yaml holds changes that are in no profile and no commit; save them first: "
            "cp params.yaml params/mine.yaml"
        )
    write_text(present, wanted.read_text(encoding="utf-8"))
    try:
        return tidy(root, recorded(root))
    except errors.PipelineError:
        write_text(present, before)
        raise


def file(root: Path, name: str) -> Path:
    """The profile's file in `root`/params.

    Raises: UnknownName.
    """
    known = sorted(path.stem for path in (root / "params").glob("*.yaml"))
    if name not in known:
        raise UnknownName(
            f"no profile params/{name}.yaml; {nearest(name, known)}known: {', '.join(known)}"
        )
    return root / "params" / f"{name}.yaml"


def _kept(root: Path, text: str) -> bool:
    if any(path.read_text(encoding="utf-8") == text for path in (root / "params").glob("*.yaml")):
        return True
    committed = process.call(root, "git", "show", "HEAD:./params.yaml")
    return committed.returncode == 0 and committed.stdout == text


def tidy(root: Path, former: set[str]) -> list[str]:
    """Removes those of the `former` outputs that no stage of the graph writes now; returns them.

    Raises: BadParams for parameters that make no graph; nothing is removed then.
    """
    owned = {out for stage in graph.stages(root).values() for out in stage.outs}
    return _remove(root, sorted(former - owned), owned)


def recorded(root: Path) -> set[str]:
    """Outputs of every stage that dvc.lock knows."""
    lock = root / "dvc.lock"
    if not lock.is_file():
        return set()
    stages = (yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages") or {}
    return {out["path"] for stage in stages.values() for out in stage.get("outs", ())}


def _remove(root: Path, paths: list[str], owned: set[str]) -> list[str]:
    removed = []
    for name in paths:
        path = root / name
        inside = root.resolve() in path.resolve().parents
        if not inside or any(Path(name) in Path(out).parents for out in owned):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.exists() or path.is_symlink():
            path.unlink()
        else:
            continue
        removed.append(name)
    return removed


if __name__ == "__main__":
    main()
