"""What the scores of a network leave unsaid about its classes: never predicted, without images, swallowed by another.

All of it follows from the pooled confusion matrix and the pixels of each class in the training images.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from activation_study.metrics import Counts

# A class has swallowed the others if it got this share of their pixels. Its share of all predicted pixels would not
# tell: where a crack covers 0.2 % of each image, 99.8 % of background are right.
SWALLOWED = 0.9
_IMAGES = {"test": "test images", "validation": "validation images", "train": "training images", "all": "scored images"}


@dataclass(frozen=True)
class ClassFindings:
    """What stands out in the classes of one run on one part of the data.

    Args:
        part: `test`, `validation`, `train` or `all`.
        never_predicted: classes that occur in the truth, and that no pixel is predicted as.
        missing: classes without a pixel in the truth.
        untrained: classes without a pixel in the training images, at the network's size.
        swallowing: the class that got `SWALLOWED` or more of the other classes' pixels; None if there is none.
        swallowed: the fraction of the other classes' pixels that it got.
    """

    part: str
    never_predicted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    untrained: tuple[str, ...] = ()
    swallowing: str | None = None
    swallowed: float = 0.0

    @property
    def sentences(self) -> list[str]:
        """All findings in words, those of classes first: "crack: never predicted"."""
        return [*self._of_classes(), *([self.warning] if self.warning else [])]

    @property
    def warning(self) -> str | None:
        """That almost everything became one class; None if it did not."""
        if self.swallowing is None:
            return None
        share = f"{100 * self.swallowed:.0f} % of the pixels of the other classes are predicted as it"
        return f"almost everything became {self.swallowing}: {share}"

    @property
    def fields(self) -> dict[str, Any]:
        """As a program reads them (docs/reference/json.md)."""
        swallowed = {"class": self.swallowing, "fraction": self.swallowed} if self.swallowing else None
        return {
            "never_predicted": self.never_predicted,
            "not_in_images": self.missing,
            "not_in_training": self.untrained,
            "almost_everything": swallowed,
        }

    @property
    def tags(self) -> dict[str, str]:
        """As short tags; only what was found."""
        images = "scored" if self.part == "all" else self.part
        lists = {"never_predicted": self.never_predicted, f"not_in_{images}": self.missing}
        tags = {name: ", ".join(classes) for name, classes in {**lists, "not_in_training": self.untrained}.items()}
        return {name: text for name, text in {**tags, "almost_everything": self.swallowing or ""}.items() if text}

    def _of_classes(self) -> list[str]:
        """One sentence for all classes with the same facts."""
        classes: dict[str, list[str]] = {}
        for name in dict.fromkeys([*self.never_predicted, *self.missing, *self.untrained]):
            facts = ["never predicted"] if name in self.never_predicted else []
            places = [_IMAGES["train"]] if name in self.untrained else []
            places += [_IMAGES[self.part]] if name in self.missing and _IMAGES[self.part] not in places else []
            facts += [f"not in the {' or the '.join(places)}"] if places else []
            classes.setdefault(", ".join(facts), []).append(name)
        return [f"{', '.join(names)}: {facts}" for facts, names in classes.items()]


def class_findings(
    pooled: Counts, classes: tuple[str, ...], part: str = "test", training_pixels: Mapping[str, int] | None = None
) -> ClassFindings:
    """What stands out in the classes.

    Args:
        pooled: the confusion matrix of all images of the part, int64 [C + 1, C].
        classes: the names of the C classes.
        part: `test`, `validation`, `train` or `all`.
        training_pixels: pixels of each class in the training images; empty or None if they are not known.
    """
    known, predicted = pooled[: len(classes)], pooled.sum(axis=0)
    true, correct = known.sum(axis=1), np.diagonal(known)
    of_others = known.sum() - true
    shares = (known.sum(axis=0) - correct) / np.maximum(of_others, 1)
    largest = int(np.argmax(shares))
    swallowing = bool(shares[largest] >= SWALLOWED)
    return ClassFindings(
        part=part,
        never_predicted=_names(classes, (true > 0) & (predicted == 0)),
        missing=_names(classes, true == 0),
        untrained=tuple(name for name in classes if training_pixels and not training_pixels.get(name)),
        swallowing=classes[largest] if swallowing else None,
        swallowed=float(shares[largest]) if swallowing else 0.0,
    )


def _names(classes: tuple[str, ...], chosen: Any) -> tuple[str, ...]:
    return tuple(name for name, is_chosen in zip(classes, chosen, strict=True) if is_chosen)
