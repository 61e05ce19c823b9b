"""The version of vqapg. ``pyproject.toml`` and ``vqapg.__version__`` read it here."""

__version__ = "0.1.0"
