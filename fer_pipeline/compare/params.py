"""Parameters of the compare stage."""

from pydantic import Field

from fer_pipeline.params import Section


class CompareParams(Section):
    """Section `compare` of params.yaml."""

    resamples: int = Field(2000, ge=2000, le=100_000, description="bootstrap resamples")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="of all intervals; 1 - it is alpha")
    power: float = Field(0.8, gt=0.5, lt=1, description="for the smallest detectable difference")
    seed: int = Field(0, ge=0, description="of the bootstrap")
