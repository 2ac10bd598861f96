"""Compare activation functions in segmentation networks: tracked, reproducible to the bit, with honest statistics."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "compose", "run"]

if TYPE_CHECKING:
    from activation_study.api import compose, run


def __getattr__(name: str) -> Any:
    """`compose` and `run` are loaded when they are used: `import activation_study` alone loads nothing."""
    if name in ("compose", "run"):
        from activation_study import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
