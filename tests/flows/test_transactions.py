"""Transactions that read before they write, many at a time, on a real SQLite file."""

import asyncio

import pytest
from prefect.server.database.configurations import AioSqliteConfiguration
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from flows.transactions import immediate

AT_ONCE = 8


async def counted(file, begin):
    """What `AT_ONCE` transactions count up to, each adding one to what it reads."""
    database = AioSqliteConfiguration(f"sqlite+aiosqlite:///{file}")
    engine = await database.engine()

    async def add():
        async with await database.session(engine) as session, begin(database, session):
            found = await session.scalar(text("select number from counter"))
            await asyncio.sleep(0.02)
            await session.execute(text("update counter set number = :n"), {"n": found + 1})

    async with engine.begin() as connection:
        await connection.execute(text("create table counter as select 0 as number"))
    await asyncio.gather(*(add() for _ in range(AT_ONCE)))
    async with engine.connect() as connection:
        return await connection.scalar(text("select number from counter"))


def test_they_wait_for_each_other(tmp_path):
    assert asyncio.run(counted(tmp_path / "one.db", immediate)) == AT_ONCE


def test_prefects_own_fail_at_once(tmp_path):
    with pytest.raises(OperationalError, match="database is locked"):
        asyncio.run(counted(tmp_path / "one.db", AioSqliteConfiguration.begin_transaction))


def test_one_inside_reads_what_was_there_before(tmp_path):
    async def read():
        database = AioSqliteConfiguration(f"sqlite+aiosqlite:///{tmp_path / 'one.db'}")
        engine = await database.engine()
        async with engine.begin() as connection:
            await connection.execute(text("create table counter as select 0 as number"))
        async with await database.session(engine) as outer, immediate(database, outer):
            await outer.execute(text("update counter set number = 1"))
            async with await database.session(engine) as inner:
                return await inner.scalar(text("select number from counter"))

    assert asyncio.run(asyncio.wait_for(read(), 30)) == 0
