"""Prefect's command, with a server that loses nothing on SQLite.

`python -m flows.transactions server start ...` is `prefect server start ...`, but each transaction
takes SQLite's write lock when it begins. Prefect begins them deferred: one that reads, and writes
where another has written meanwhile, fails at once as "database is locked", without waiting. With it
goes the event or the heartbeat that it was for, and an alert that nobody gets.
Source: sqlite.org/lang_transaction.html (SQLITE_BUSY_SNAPSHOT).
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


@asynccontextmanager
async def immediate(
    self: AioSqliteConfiguration, session: AsyncSession, with_for_update: bool = False
) -> AsyncGenerator[AsyncSessionTransaction]:
    """AioSqliteConfiguration.begin_transaction, the write lock taken first, whatever is asked for.

    Raises: sqlalchemy.exc.OperationalError when the lock is not free within Prefect's 60 s.
    """
    mode = SQLITE_BEGIN_MODE.set("IMMEDIATE")
    try:
        async with session.begin() as transaction:
            await session.connection()
            # What this one's code opens must not wait for the lock that it holds.
            SQLITE_BEGIN_MODE.set("DEFERRED")
            yield transaction
    finally:
        SQLITE_BEGIN_MODE.reset(mode)


def main() -> None:
    """Runs Prefect's command."""
    AioSqliteConfiguration.begin_transaction = immediate  # type: ignore[method-assign]
    from prefect.cli import app

    app()


if __name__ == "__main__":
    main()
