"""The variants of a base run, and why some do not apply to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fer_pipeline import architectures, params
from fer_pipeline.ablate.params import AblateParams
from fer_pipeline.errors import BadParams
from fer_pipeline.train.params import TrainParams

BASE: Final = "base"

SWITCHES: Final = {"no_norm": "norm", "no_attention": "attention", "no_temporal": "temporal"}
"""Variant -> the option of a model that it turns off."""


SCRATCH: Final[dict[str, Any]] = {
    "pretrained": False,
    "mode": "scratch",
    "top": 1.0,
    "layer_decay": 1.0,
}
"""What a training from random weights sets."""


@dataclass(frozen=True)
class Variant:
    """A base run with one change; without settings it does not apply, for the reason `why`.

    aligned: whether faces are turned upright and centred on their landmarks, as the base's are.
    """

    name: str
    settings: TrainParams | None
    why: str = ""
    aligned: bool = True


def variants(model: str, base: TrainParams, section: AblateParams, hindrance: str) -> list[Variant]:
    """The base, then every variant asked for, in that order.

    hindrance: why its faces cannot be had without alignment; empty where they can.

    Raises: BadParams for an own variant that names an unknown key or a bad value.
    """
    found = [Variant(BASE, base)]
    for name in section.variants:
        found.append(_known(name, model, base, hindrance))
    for own, values in section.own.items():
        if own == BASE or own in AblateParams.model_fields["variants"].default:
            raise BadParams(f"ablate.own.{own} is the name of another variant; choose another")
        settings = _changed(base, values, f"ablate.own.{own}")
        architectures.checked(model, settings.options, f"ablate.own.{own}.options")
        found.append(Variant(own, settings))
    return found


def _known(name: str, model: str, base: TrainParams, hindrance: str) -> Variant:
    if name == "no_alignment":
        return Variant(name, None if hindrance else base, hindrance, aligned=False)
    values = _values(name, model, base)
    if isinstance(values, str):
        return Variant(name, None, values)
    try:
        settings = _changed(base, values, f"ablate.{name}")
        size = architectures.contract(model, settings.size).size
        # Some networks cannot be built at every size, nor from weights of another size or norm.
        weights = settings.pretrained if isinstance(settings.pretrained, str) else False
        architectures.build(model, 2, size, settings.options, weights)
    except BadParams as error:
        return Variant(name, None, str(error))
    return Variant(name, settings)


def _values(name: str, model: str, base: TrainParams) -> dict[str, Any] | str:
    """Keys of train and their values, or why the variant does not apply."""
    options = architectures.options(model)
    if name == "no_augmentation":
        return {"augment": None} if base.augment else "the base has no augmentation"
    if name == "no_class_weights":
        weighted = base.class_weights != "none"
        return {"class_weights": "none"} if weighted else "the base has no class weights"
    if name == "no_transfer":
        told = "the base starts from random weights"
        # Frozen or slowly learning layers need good weights to begin with.
        return SCRATCH if base.pretrained else told
    if name == "no_dropout":
        if "dropout" not in options:
            return f"{model} has no dropout"
        used = base.options.get("dropout", options["dropout"].default)
        return {"options.dropout": 0.0} if used else "the base has no dropout"
    if name in SWITCHES:
        option = SWITCHES[name]
        if option not in options:
            return f"{model} has no option {option}"
        used = base.options.get(option, options[option].default)
        return {f"options.{option}": False} if used else f"the base has {option} off"
    size = int(name.removeprefix("size_"))
    if architectures.contract(model, base.size).size == size:
        return f"it is the base's size, {size} px"
    return {"size": size}


def _changed(base: TrainParams, values: Mapping[str, Any], where: str) -> TrainParams:
    """The base with the values in place; a key may reach into a section, as in options.dropout.

    Raises: BadParams.
    """
    plain: dict[str, Any] = base.model_dump()
    for key, value in values.items():
        first, dot, rest = key.partition(".")
        if dot:
            plain[first] = {**(plain.get(first) or {}), rest: value}
        else:
            plain[first] = value
    return params.check(TrainParams, plain, where)
