"""When stages run: order, parallelism, devices, retries, schedules. The rest is DVC's."""

from pathlib import Path
from typing import Final

HOME: Final = Path(__file__).resolve().parent.parent
"""The checkout that these flows belong to."""
