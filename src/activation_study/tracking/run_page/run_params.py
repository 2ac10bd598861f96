"""The parameters of a run in MLflow: each setting that decides its result, once, by a short name."""

from activation_study.config.factor import factor_of
from activation_study.config.identity import INTRODUCED, INTRODUCED_STEPS, Values, affects_result, flatten
from activation_study.records.record import Record

MAIN = ("activation", "label_type", "seed", "data", "model")


def run_params(record: Record) -> dict[str, str]:
    """The resolved settings that decide the result, the main ones first; all others are in `config.yaml`.

    A group's name is its parameter: `activation`, not `activation.name`. What a run does not set (null) is left out,
    and so is what another parameter says already: the seed of a source of randomness that equals `seed`, or a layer
    that is called as the activation.
    """
    config = record.config
    values = {key: value for key, value in flatten({**config, "activation": {}}).items() if affects_result(key)}
    values |= _activation_params(config["activation"], config.get("normalization", {}))
    for key in [key for key in values if _says_what_the_name_says(key, values)]:
        del values[key]
    values = {key.removesuffix(".name"): value for key, value in values.items() if value is not None}
    for key in [key for key in values if key.startswith("seeding.") and values[key] == config["seed"]]:
        del values[key]
    for key in [key for key in values if key.startswith("data.classes")]:
        del values[key]  # the whole list, with ids and colours
    if config["data"].get("classes"):
        values["data.classes"] = ", ".join(record.classes)
    main = {key: values[key] for key in dict.fromkeys((factor_of([config]).key, *MAIN)) if key in values}
    return {key: str(value) for key, value in {**main, **dict(sorted(values.items()))}.items()}


def _says_what_the_name_says(key: str, values: Values) -> bool:
    """Whether it is the class or the steps of the article's option."""
    if key == "augmentation.steps":
        return bool(values[key] == INTRODUCED_STEPS.get(values.get("augmentation.name", "none")))
    return key.endswith("._target_") and values[key] == INTRODUCED.get(key)


def _activation_params(activation: Values, normalization: Values) -> Values:
    """`activation`, the arguments of its layer, and the layer's class where the name does not say it."""
    name = activation["name"]
    arguments = dict(activation.get("layer", {}))
    layer = str(arguments.pop("_target_", name)).rpartition(".")[2]
    values = {key: value for key, value in activation.items() if key not in ("name", "layer")}
    if layer == "Activation" and arguments.get("activation") == name:
        del arguments["activation"]
    elif layer.lower() != name.replace("_", ""):
        values["layer"] = layer
    if "momentum" in arguments and arguments["momentum"] == normalization.get("momentum"):
        del arguments["momentum"]
    return {"activation": name, **{f"activation.{key}": value for key, value in {**values, **arguments}.items()}}
