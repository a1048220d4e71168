"""Parameters of the evaluate stage."""

from pydantic import Field

from fer_pipeline.evaluate.views import Kind
from fer_pipeline.params import Section


class EvaluateParams(Section):
    """Section `evaluate` of params.yaml."""

    batch_size: int = Field(128, ge=1, le=4096, description="pictures (or clips) per forward pass")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:<n>")
    resamples: int = Field(2000, ge=2000, le=100_000, description="bootstrap resamples")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="of all intervals")
    views: tuple[Kind, ...] = Field(
        (),
        description="test-time augmentation, reported apart from the plain scores: flip, ten_crop",
    )
    seed: int = Field(0, ge=0, description="of the bootstrap")
