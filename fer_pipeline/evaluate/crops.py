"""Face crops of test items, read row group by row group."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


def stream(faces: Path, members: Sequence[np.ndarray]) -> Iterator[tuple[int, list[bytes]]]:
    """Each item's number and the PNG bytes of its members, item by item as the file is read.

    members: per item its row numbers; no row is in two items. Only row groups that hold a wanted
    row are read, one at a time; bytes are kept no longer than their item waits for the rest.
    """
    order = sorted(range(len(members)), key=lambda item: int(members[item].max()))
    wanted = np.unique(np.concatenate(members)) if members else np.array([], int)
    file, start, position = pq.ParquetFile(faces), 0, 0
    waiting: dict[int, bytes] = {}
    for group in range(file.num_row_groups):
        stop = start + file.metadata.row_group(group).num_rows
        here = wanted[(wanted >= start) & (wanted < stop)]
        if len(here):
            crops = file.read_row_group(group, columns=["crop"])["crop"].take(here - start)
            waiting.update(zip(here.tolist(), crops.to_pylist(), strict=True))
        while position < len(order) and members[order[position]].max() < stop:
            item = order[position]
            yield item, [waiting.pop(row) for row in members[item].tolist()]
            position += 1
        start = stop
