"""What of this machine a stage is given: a GPU of its own, its share of the cores.

A GPU is lent to one stage, by name: a lease is a locked file that all flows of the machine share.
The kernel frees it when its holder dies, however that happens, so no lease is ever lost.
"""

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"

THREADS: Final = "OMP_NUM_THREADS"
"""How many threads torch, OpenCV and BLAS start; where it is not set, one for each core."""

FOLDER: Final = Path(tempfile.gettempdir()) / "fer-pipeline-devices"


def found(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Ids of the GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` takes them.

    What that variable names, where it is set (empty: none); otherwise what nvidia-smi lists.
    """
    known = os.environ if environment is None else environment
    if VISIBLE in known:
        return tuple(name for part in known[VISIBLE].split(",") if (name := part.strip()))
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ()
    return tuple(listed.stdout.split()) if listed.returncode == 0 else ()


def share(jobs: int) -> dict[str, str]:
    """Environment that gives each of `jobs` stages at once its share of the cores.

    With more threads than cores, those that wait spin on the cores of those that work. What the
    user has set stays.
    """
    if jobs == 1 or THREADS in os.environ:
        return {}
    return {THREADS: str(max((os.cpu_count() or 1) // jobs, 1))}


def environment(wanted: bool, held: "Lease | None") -> dict[str, str]:
    """Environment of a stage that holds this lease; one that wants a GPU and has none sees none."""
    if held is not None:
        return held.environment()
    return {VISIBLE: ""} if wanted else {}


class Lease:
    """One device, held until closed."""

    def __init__(self, device: str, file: IO[bytes]) -> None:
        self.device = device
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def environment(self) -> dict[str, str]:
        """What shows a child this device and no other."""
        return {VISIBLE: self.device}


def lease(devices: Sequence[str], folder: Path = FOLDER) -> Lease | None:
    """The first device that nobody holds, or None; never waits."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        # For all users of the machine; what mkdir is told, the umask takes away again.
        folder.chmod(0o1777)
    for device in devices:
        # Not inherited: a child that outlives its stage must not go on holding the device.
        file = _opened(folder / f"{device.replace('/', '-')}.lock")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        return Lease(device, file)
    return None


def _opened(path: Path) -> IO[bytes]:
    """To read is enough to lock, also a file that another user has made."""
    if not path.exists():
        path.touch()
        path.chmod(0o644)
    return path.open("rb")
