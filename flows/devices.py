"""GPUs of this machine, lent to one stage each: which one, not only how many.

A lease is a locked file that all flows of the machine share. The kernel frees it when its holder
dies, however that happens, so no lease is ever lost.
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
