"""Why a file in a folder, a pattern or a shard gives no image, and how that is told."""

from collections import Counter
from enum import Enum


class Reason(Enum):
    """One and several of what was passed over."""

    HEIC = (
        "HEIC picture (pip install 'vqapg[heif]' reads it)",
        "HEIC pictures (pip install 'vqapg[heif]' reads them)",
    )
    DAMAGED_HEIC = "damaged HEIC picture", "damaged HEIC pictures"
    NO_PICTURE = "file of no format that vqapg reads", "files of no format that vqapg reads"
    UNREADABLE_FILE = "file that cannot be opened", "files that cannot be opened"
    UNREADABLE_FOLDER = "folder that cannot be opened", "folders that cannot be opened"
    HIDDEN = "hidden file or folder", "hidden files or folders"
    SPECIAL = "FIFO, socket or device", "FIFOs, sockets or devices"
    LOOP = (
        "link that leads back to where it came from",
        "links that lead back to where they came from",
    )
    FOLDER_AGAIN = (
        "link to a folder that was read already",
        "links to folders that were read already",
    )
    OUR_FOLDER = (
        "folder that vqapg wrote (name it itself to read it)",
        "folders that vqapg wrote (name them themselves to read them)",
    )
    IMAGE_AGAIN = "image that was found already", "images that were found already"
    ARCHIVE = (
        "tar archive in a folder (name the archive itself)",
        "tar archives in folders (name them themselves)",
    )
    TABLE = (
        "Parquet file in a folder (name the file itself)",
        "Parquet files in folders (name them themselves)",
    )
    NO_FILE = "tar member that is no ordinary file", "tar members that are no ordinary files"
    REPLACED = (
        "tar member that a later one of the same name replaces",
        "tar members that later ones of the same names replace",
    )
    BEHIND = (
        "tar archive with something else behind its end",
        "tar archives with something else behind their ends",
    )


def describe(passed_over: Counter[Reason]) -> str:
    """Such as "passed over: 2 tar archives ..., 1 hidden file or folder"; empty for none."""
    told = [
        f"{passed_over[reason]:,} {reason.value[passed_over[reason] != 1]}"
        for reason in Reason
        if passed_over[reason]
    ]
    return f"passed over: {', '.join(told)}" if told else ""
