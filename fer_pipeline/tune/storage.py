"""Where the trials of a study are kept: a file of its own, or a database that workers share."""

import logging
import time
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from fer_pipeline.errors import BadParams, MissingData

VARIABLE = "FER_TUNE_STORAGE"
"""Environment variable with the URL; a URL with a password has no place in params.yaml."""

TRIES = 5
"""Of a database in which several workers make tables at once."""

SCHEMES = ("journal", "sqlite", "postgresql", "postgresql+psycopg", "mysql")


def connect(url: str | None, folder: Path) -> BaseStorage:
    """The storage at `url`; without one, a journal in `folder`.

    journal:///PATH is Optuna's journal, a file that processes may share, over NFS too;
    postgresql://, sqlite:/// and mysql:// are SQLAlchemy's, PostgreSQL by psycopg.

    Raises: BadParams for another scheme; MissingData when no server answers.
    """
    optuna.logging.set_verbosity(logging.WARNING)
    if url is None:
        folder.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(folder / "journal.log")))
    scheme, colon, rest = url.partition("://")
    if not colon or scheme not in SCHEMES:
        raise BadParams(
            f"{VARIABLE} = {shown(url)}: no storage of that kind; use {'://, '.join(SCHEMES)}://"
        )
    if scheme == "journal":
        path = Path(rest)
        path.parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(path)))
    if scheme == "postgresql":
        url = f"postgresql+psycopg://{rest}"
    return _database(url)


def _database(url: str) -> BaseStorage:
    from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

    try:
        for _ in range(TRIES):
            try:
                # A connection that a server's restart has closed is noticed before it is used.
                return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
            except (IntegrityError, ProgrammingError):
                # Another worker makes the same tables at this moment; soon they are there.
                time.sleep(1)
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except ModuleNotFoundError as error:
        raise MissingData(
            f"{shown(url)} needs the package {error.name}; pip install 'fer-pipeline[tune]'"
        ) from None
    except OperationalError as error:
        why = " ".join(str(error.orig).split())[:160]
        raise MissingData(f"no database answers at {shown(url)} ({why}); start it") from None


def shown(url: str) -> str:
    """The URL without its password."""
    head, at, tail = url.rpartition("@")
    if not at:
        return url
    scheme, _, login = head.partition("://")
    return f"{scheme}://{login.partition(':')[0]}@{tail}"
