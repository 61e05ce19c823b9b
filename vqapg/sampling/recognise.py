"""Whether a file that nobody named itself, in a folder, a pattern or a shard, is an image."""

from collections import Counter
from collections.abc import Callable
from typing import BinaryIO

from vqapg.data.picture_formats import SUFFIXES, Content, content_of, heic_is_read
from vqapg.data.pictures import PictureError
from vqapg.sampling.passed_over import Reason


def is_image(path: str, open_it: Callable[[], BinaryIO], passed_over: Counter[Reason]) -> bool:
    """Whether the file called *path* is an image; one that is not is counted in *passed_over*.

    A known ending (SUFFIXES) is believed: the file is opened later anyway, and told by name if it
    is damaged. So a folder of 100,000 photographs costs no more than its listing. Any other file is
    opened and its header read.
    """
    if path.lower().endswith(SUFFIXES):
        return True
    try:
        with open_it() as file:
            content = content_of(file)
    except OSError:
        passed_over[Reason.UNREADABLE_FILE] += 1
        return False
    except PictureError:  # larger than a picture may be
        content = Content.OTHER
    if content is Content.PICTURE or (content is Content.HEIC and heic_is_read()):
        return True
    passed_over[Reason.NO_PICTURE if content is Content.OTHER else Reason[content.name]] += 1
    return False
