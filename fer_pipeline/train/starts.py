"""Where a training's first weights come from: a file, or another run's checkpoints."""

from pathlib import Path

from fer_pipeline import checkpoints
from fer_pipeline.errors import BadParams, MissingData
from fer_pipeline.train.params import TrainParams


def weights(start: Path | None, repeat: int, settings: TrainParams) -> Path | None:
    """The file of weights that a repeat starts from; None: none, or those of a hub.

    start: folder of another run's checkpoints, whose repeat of that number it then is.

    Raises: MissingData.
    """
    if start is not None:
        file = start / str(repeat) / checkpoints.WEIGHTS
        if not file.is_file():
            raise MissingData(f"{start} has no repeat {repeat} to start from; train it as often")
        return file
    if not isinstance(settings.pretrained, str):
        return None
    file = Path(settings.pretrained)
    if not file.is_file():
        raise MissingData(
            f"no weights at {file}; set train.pretrained: false or name a file (a run's name goes "
            "under transfers)"
        )
    return file


def card(start: Path | None, repeat: int, model: str) -> checkpoints.Card | None:
    """The card of the checkpoint that a repeat starts from; None where it starts from no run.

    Raises: MissingData; BadParams when it is another network's.
    """
    if start is None:
        return None
    found = checkpoints.read_card(start / str(repeat))
    if found.model != model:
        raise BadParams(f"{start} holds {found.model}, not {model}; a transfer keeps its network")
    return found
