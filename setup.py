"""The metadata is in pyproject.toml, except for one thing that TOML cannot say.

``configs/`` at the top of the repository is the folder ``vqapg/configs`` of an installed package.
"""

from setuptools import find_namespace_packages, find_packages, setup

setup(
    packages=[
        *find_packages(include=["vqapg", "vqapg.*"]),
        "vqapg.configs",
        *(f"vqapg.configs.{folder}" for folder in find_namespace_packages("configs")),
    ],
    package_dir={"vqapg.configs": "configs"},
)
