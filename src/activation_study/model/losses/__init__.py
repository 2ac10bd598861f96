"""The losses on integer label maps, −1 where a pixel has no class."""
