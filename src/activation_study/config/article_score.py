"""Which runs have the article's score, too."""

from collections.abc import Mapping
from typing import Any

from activation_study.config.protocols import ARTICLE, followed_protocol
from activation_study.config.schema import OWN_FORMATS


def deserves_article_score(config: Mapping[str, Any], every_class_occurs: bool) -> bool:
    """Whether a run is scored by the article's protocol, too: it follows that protocol.

    Own data with a class that is not in the scored images are not: the article's −1 for such a class would spoil the
    mean, and says nothing about other data.

    Args:
        config: resolved, as a record has it.
        every_class_occurs: in the truth of the scored images.
    """
    own = config.get("data", {}).get("format") in OWN_FORMATS
    return followed_protocol(config).name == ARTICLE and (every_class_occurs or not own)
