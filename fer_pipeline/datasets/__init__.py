"""Catalogue of datasets: one file each, named as in params.yaml.

A file defines

EMOTION_OF    raw label (str) -> emotion, or None for a documented label that is no emotion
PROTOCOL      a `protocol.Protocol`: official splits, or subject-grouped folds, with its source
OBTAIN        one sentence: what to download, from where, under which licence
recognise(raw) -> str
              the name of the layout found below the folder `raw`; raises MissingData with OBTAIN
              and where to put it
samples(raw) -> Iterator[Sample]
              one `manifest.Sample` per image or frame, in a stable order, streaming; raises
              BadRaw with file, line and remedy when a label file breaks its own format
write_sample(portraits, raw) -> None
              lays the given `portraits.Portrait` out exactly as the real set lies on disk

and may define, for ingest to check a complete set by

CLASS_COUNTS  split -> emotion -> official rows
LAYOUT_COUNTS layout -> split -> official rows, where a layout has other ones than PROTOCOL.counts;
              the split `all` for a set without splits, `sequences` instead of splits for clips
              whose frames nobody has counted; `<layout>/<release>` for several releases in one
LAYOUT_CLASSES
              the same key -> split -> emotion -> official rows, where they differ from CLASS_COUNTS

and, where a layout leaves files aside,

left_out(raw) -> list[Path]
              the files that lie among the pictures and make no row

The module's docstring states the layouts on disk, labels, splits, subjects, licence, how to obtain
the set, and the paper.
"""
