"""Does this activation make a segmentation network better, by how much, and can I believe it?"""

__version__ = "0.1.0"
