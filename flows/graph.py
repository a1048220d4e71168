"""DVC's graph, read at run time. This module and flows/lockfile.py alone use DVC's internals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from fer_pipeline import params
from fer_pipeline.errors import BadParams, UnknownName, nearest
from flows import lockfile


class Hints(params.Section):
    """A stage's `meta` in dvc.yaml: what running it needs. Changing it makes no stage stale."""

    gpu: bool = Field(default=False, description="wants a GPU where there is one")
    retries: int = Field(default=0, ge=0, le=10, description="further tries after a failure")
    retry_delay: float = Field(default=5.0, ge=0, description="seconds before each of them")
    timeout: float | None = Field(default=None, gt=0, description="seconds; none: no limit")


@dataclass(frozen=True)
class Stage:
    """One stage: its name as in dvc.yaml, what it says of itself, and the stages it needs.

    `outs`, `metrics` and `plots` are paths below the repository's root; `outs` holds them all.
    `in_git`: some of them are git's to keep (`cache: false`), so no DVC remote will have them.
    """

    name: str
    description: str
    command: str
    needs: tuple[str, ...]
    hints: Hints
    outs: tuple[str, ...]
    metrics: tuple[str, ...]
    plots: tuple[str, ...]
    in_git: bool


def stages(root: Path, targets: Iterable[str] = ()) -> dict[str, Stage]:
    """The targets and all they need (without targets: everything), each after what it needs.

    A target is a stage, or the name of a group of them: `train` stands for each `train@...`.

    Raises: UnknownName, BadParams for a hint that is none or a dvc.yaml that DVC refuses.
    """
    import networkx

    with _repo(root) as repo:
        graph = _graph(repo)
    by_name = {_name(stage): stage for stage in graph}
    wanted = set(by_name)
    if chosen := [name for target in targets for name in _named(target, by_name)]:
        below = [networkx.descendants(graph, by_name[name]) for name in chosen]
        wanted = set(chosen) | {_name(need) for needs in below for need in needs}
    # Edges point at what a stage needs; ties keep dvc.yaml's order.
    place = {stage: number for number, stage in enumerate(by_name.values())}
    order = networkx.lexicographical_topological_sort(graph.reverse(copy=False), place.__getitem__)
    return {_name(stage): _stage(stage, graph) for stage in order if _name(stage) in wanted}


def inputs(root: Path) -> frozenset[str]:
    """Paths of all files and folders that stages depend on.

    Raises: BadParams.
    """
    with _repo(root) as repo:
        return frozenset(dep.def_path for stage in _graph(repo) for dep in stage.deps)


def stale(
    root: Path, plan: Mapping[str, Stage], force: bool = False, without_data: bool = False
) -> dict[str, str]:
    """The stages of `plan` that will run, in its order, each with its first reason.

    without_data: outputs and dependencies that are not here count as what dvc.lock says of them.

    DVC's status knows direct causes only; what needs a stale stage is stale as well, as its
    dependency will be written again. That it may turn out equal is for DVC to see by then.
    """
    if force:
        return dict.fromkeys(plan, "forced")
    with _repo(root) as repo, repo.lock:
        by_name = {_name(stage): stage for stage in _graph(repo)}
        if without_data:
            changed = [name for name in plan if _changed(by_name[name], repo)]
            status = {name: {name: ["changed"]} if name in changed else {} for name in plan}
        else:
            status = {name: by_name[name].status() for name in plan}
    found: dict[str, str] = {}
    for name, stage in plan.items():
        if status[name]:
            found[name] = _reason(next(iter(status[name].values())))
        elif causes := [need for need in stage.needs if need in found]:
            found[name] = f"needs {causes[0]}"
    return found


def override(path: Path, overrides: Sequence[str]) -> None:
    """Changes a parameter file as `dvc exp run -S` does: `train.lr=0.001`, `+new.key=1`, `~key`.

    Raises: BadParams.
    """
    from dvc.exceptions import DvcException
    from dvc.utils.hydra import apply_overrides

    try:
        apply_overrides(path, list(overrides))
    except DvcException as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise BadParams(f"override {', '.join(overrides)} of {path.name}: {reason}") from None


def locked(root: Path, name: str) -> dict[str, Any]:
    """What dvc.lock says of the stage."""
    from dvc.utils.serialize import load_yaml

    with _repo(root) as repo, repo.lock:
        entry: dict[str, Any] = load_yaml(str(root / "dvc.lock"))["stages"][name]
    return entry


def lock_in(root: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Puts another clone's entry for the stage into dvc.lock, as DVC itself writes it."""
    from dvc.utils.serialize import modify_yaml

    path = root / "dvc.lock"
    lockfile.take_over()
    with _repo(root) as repo, repo.lock:
        if lockfile.put(path, {name: entry}) is not None:
            return
        with modify_yaml(str(path)) as content:
            if not content:
                content["schema"] = "2.0"
            content.setdefault("stages", {})[name] = dict(entry)


def has_remote(root: Path) -> bool:
    """Whether the repository has a default remote."""
    with _repo(root) as repo:
        return "remote" in repo.config["core"]


def drop_outdated(root: Path, name: str) -> None:
    """Removes outputs of the stage that are not what dvc.lock says: DVC would call them changed."""
    with _repo(root) as repo, repo.lock:
        outs = [out for stage in repo.index.stages if _name(stage) == name for out in stage.outs]
        for out in outs:
            if out.use_cache and out.exists and out.changed_checksum():
                out.remove()


def cache(root: Path) -> str:
    """Absolute path of the repository's cache."""
    with _repo(root) as repo:
        return str(repo.cache.local.path).removesuffix("/files/md5")


def _repo(root: Path) -> Any:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        return Repo(str(root), _wait_for_lock=True)
    except DvcException as error:
        raise BadParams(f"{root}: DVC cannot open the repository: {error}") from None


def _graph(repo: Any) -> Any:
    from dvc.exceptions import DvcException

    try:
        return repo.index.graph
    except DvcException as error:
        text = " ".join(str(error).split())
        raise BadParams(f"DVC refuses dvc.yaml or params.yaml: {text}; mend it") from None


def _changed(stage: Any, repo: Any) -> bool:
    needs = list(repo.index.graph.successors(stage))
    return bool(stage.changed(allow_missing=True, upstream=needs))


def _name(stage: Any) -> str:
    """As `dvc repro` at the root takes it; DVC's own `addressing` depends on the working folder."""
    name = getattr(stage, "name", None)
    if name is None:
        return str(stage.path_in_repo)
    return str(name if stage.path_in_repo == "dvc.yaml" else f"{stage.path_in_repo}:{name}")


def _named(target: str, by_name: Mapping[str, Any]) -> list[str]:
    found = [name for name in by_name if target in (name, name.partition("@")[0])]
    if not found:
        groups = sorted({name.partition("@")[0] for name in by_name})
        raise UnknownName(
            f"dvc.yaml has no stage '{target}'; {nearest(target, [*by_name, *groups])}groups: "
            + ", ".join(groups)
        )
    return found


def _stage(stage: Any, graph: Any) -> Stage:
    return Stage(
        name=_name(stage),
        description=stage.desc or "",
        command=stage.cmd if isinstance(stage.cmd, str) else "; ".join(stage.cmd or ()),
        needs=tuple(sorted(_name(need) for need in graph.successors(stage))),
        hints=params.check(Hints, stage.meta or {}, f"dvc.yaml: meta of {_name(stage)}"),
        outs=tuple(out.def_path for out in stage.outs),
        metrics=tuple(out.def_path for out in stage.outs if out.metric),
        plots=tuple(out.def_path for out in stage.outs if out.plot),
        in_git=any(not out.use_cache for out in stage.outs),
    )


def _reason(entries: list[Any]) -> str:
    for entry in entries:
        if isinstance(entry, str):
            return entry
        for kind, paths in entry.items():
            if isinstance(paths, Mapping):
                path, state = next(iter(paths.items()))
                state = ", ".join(state) if isinstance(state, Mapping) else state
                return f"{kind}: {path} ({state})"
            return f"{kind}: {paths}"
    return "changed"
