"""Which stages of a run wait, which run, how each ended."""

import queue
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from prefect.events import emit_event
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed, State

from flows import cluster, devices, stages
from flows.graph import Stage
from flows.stages import Setting


@dataclass
class Board:
    """The stages of one run: which wait, which run, how each ended."""

    plan: Mapping[str, Stage]
    reasons: Mapping[str, str]
    setting: Setting
    max_parallel: int
    keep_going: bool
    away: cluster.Site | None = None
    states: dict[str, str] = field(default_factory=dict)
    _futures: dict[str, PrefectFuture[Any]] = field(default_factory=dict)
    _leases: dict[str, devices.Lease] = field(default_factory=dict)
    _ended: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def run(self) -> None:
        """Runs every stage once what it needs is there; returns when none runs or can run."""
        waiting = list(self.plan)
        while waiting or self._running():
            for name in self._ready(waiting):
                if self._start(name):
                    waiting.remove(name)
            blocked = not any(True for _ in self._ready(waiting, full=True))
            if not self._running() and blocked:
                break
            self._collect()
        self._name_the_rest(waiting)

    def _running(self) -> int:
        return len(self._futures) - len(self.states)

    def _ready(self, waiting: list[str], full: bool = False) -> Iterator[str]:
        """Stages whose needs are met, as long as there is room (`full`: room or not)."""
        failed = any(state not in ("Completed", "Cached") for state in self.states.values())
        if failed and not self.keep_going:
            return
        for name in list(waiting):
            needs = [need for need in self.plan[name].needs if need in self.plan]
            met = all(self.states.get(need) in ("Completed", "Cached") for need in needs)
            if met and (full or self._running() < self.max_parallel):
                yield name

    def _start(self, name: str) -> bool:
        """False when the stage wants a GPU and all are lent."""
        stage, reason = self.plan[name], self.reasons.get(name)
        needs = [self._futures[need] for need in stage.needs if need in self._futures]
        # What git keeps is written here, where it will be committed.
        if self.away and not stage.in_git:
            there: Any = cluster.elsewhere.with_options(name=name, task_run_name=name)
            self._watch(name, there.submit(stage, reason, self.away, self.setting, wait_for=needs))
            return True
        lease = None
        if reason is not None and stage.hints.gpu and self.setting.devices:
            lease = devices.lease(self.setting.devices)
            if lease is None:
                return False
            self._leases[name] = lease
        task: Any = stages.run.with_options(**stages.options(stage, self.setting))
        future = task.submit(
            stage=stage, reason=reason, lease=lease, setting=self.setting, wait_for=needs
        )
        self._watch(name, future)
        return True

    def _watch(self, name: str, future: PrefectFuture[Any]) -> None:
        self._futures[name] = future
        future.add_done_callback(partial(self._tell, name))

    def _tell(self, name: str, future: object) -> None:
        self._ended.put(name)

    def _collect(self) -> None:
        """Takes in stages that ended; wakes without one too, for a device may have come free."""
        try:
            names = [self._ended.get(timeout=0.5)]
        except queue.Empty:
            return
        while not self._ended.empty():
            names.append(self._ended.get())
        for name in names:
            # The callback comes a little before the last state.
            self._futures[name].wait()
            state = self._futures[name].state
            self.states[name] = state.name or state.type.value
            if lease := self._leases.pop(name, None):
                lease.__exit__(None, None, None)
        self._tell_ready(names)

    def _tell_ready(self, ended: list[str]) -> None:
        """Emits `fer.data.ready` once all of the validation has ended well and some of it ran."""
        found = [name for name in self.plan if name.startswith("validate")]
        states = [self.states.get(name) for name in found]
        ready = "Completed" in states and {*states} <= {"Completed", "Cached"}
        if ready and {*ended} & {*found}:
            resource = {"prefect.resource.id": f"fer.data.{self.setting.root.name}"}
            emit_event("fer.data.ready", resource=resource, payload={"stages": found})

    def _name_the_rest(self, waiting: list[str]) -> None:
        """Stages below a failed one, so that the run's graph shows them, too."""
        for name in waiting:
            self.states[name] = "NotReady"


def outcome(plan: Mapping[str, Stage], states: Mapping[str, str]) -> State:
    """The flow's own last state, with its counts."""
    failed = [name for name, state in states.items() if state not in ("Completed", "Cached")]
    ran = sum(state == "Completed" for state in states.values())
    cached = sum(state == "Cached" for state in states.values())
    text = f"{len(plan)} stages: {ran} run, {cached} cached"
    if not failed:
        return Completed(message=text)
    broken = [name for name in failed if states[name] != "NotReady"]
    rest = len(failed) - len(broken)
    text += f"; failed: {', '.join(broken)}" + (f"; {rest} not ready" if rest else "")
    return Failed(message=text)
