"""Files fetched once into the user's cache, trusted only by their SHA-256."""

import hashlib
import os
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from fer_pipeline.errors import MissingData
from fer_pipeline.outputs import atomic

_TIMEOUT = 60.0
_LARGEST = 64 << 20


def cached(url: str, sha256: str, detector: str) -> Path:
    """The file with this SHA-256 in the cache folder, fetched from `url` if it is not there.

    Raises: MissingData when it cannot be fetched or is another file; says how to get it by hand.
    """
    path = folder() / f"{sha256[:16]}-{url.rsplit('/', 1)[-1]}"
    if path.is_file() and _sha256(path.read_bytes()) == sha256:
        return path
    remedy = f"get the file by hand and name it in detect.options.{detector}.model"
    try:
        with urlopen(url, timeout=_TIMEOUT) as answer:
            data = answer.read(_LARGEST)
    except (URLError, OSError, ValueError) as error:
        raise MissingData(f"cannot fetch {url} ({error}); {remedy}") from None
    if _sha256(data) != sha256:
        raise MissingData(
            f"{url} gives a file with SHA-256 {_sha256(data)}, not {sha256}; {remedy}"
        )
    with atomic(path) as part:
        part.write_bytes(data)
    return path


def folder() -> Path:
    """The cache folder: `$XDG_CACHE_HOME/fer-pipeline`, by default below `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fer-pipeline"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
