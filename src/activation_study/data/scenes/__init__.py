"""`data=scenes`: drawn outdoor scenes with exact labels, made in memory from a seed."""

from activation_study.data.scenes.generator import Scenes, draw_scenes

__all__ = ["Scenes", "draw_scenes"]
