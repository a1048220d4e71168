"""The table of predictions: all that statistics, explanations and reports need of a model."""

from typing import Final

import pyarrow as pa

from fer_pipeline.dimensions import DIMENSIONS
from fer_pipeline.emotions import EMOTIONS

PREDICTIONS: Final = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("repeat", pa.int32(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("subject", pa.string()),
        pa.field("emotion", pa.string(), nullable=False),
        pa.field("predicted", pa.string(), nullable=False),
        *[pa.field(f"p_{emotion}", pa.float32()) for emotion in EMOTIONS],
        pa.field("votes", pa.list_(pa.float32(), len(EMOTIONS))),
        pa.field("valence", pa.float32()),
        pa.field("arousal", pa.float32()),
        pa.field("intensity", pa.float32()),
        *[pa.field(f"predicted_{name}", pa.float32()) for name in DIMENSIONS],
        pa.field("repeated", pa.bool_(), nullable=False),
        pa.field("leak", pa.string()),
    ]
)
"""One row per run (model, source, repeat) and test row (an image, or a clip for clip models).

source      dataset trained on; target: dataset tested on
repeat      seed or fold, counted from 0
id          the FACES id, or the sequence of a clip
emotion     the truth; predicted: the most probable class among those source and target share
p_*         probability per class, normalised over the shared classes; null for other classes
valence, arousal, intensity   the row's ratings; null without one
predicted_valence, ...   the model's own answers; null where it was not taught that dimension
repeated    an earlier row of the same target has the same pixels
leak        exact or near: the picture is also among the run's training rows; null: it is not
"""

PROBABILITIES: Final = tuple(f"p_{emotion}" for emotion in EMOTIONS)

TRAIN_ROWS: Final = "train_rows"
"""Key of the Parquet file's own metadata: JSON, repeat -> number of rows that it was trained on.

Statistics over repeats need it (Nadeau & Bengio 2003), and nothing else in the table tells it.
"""
