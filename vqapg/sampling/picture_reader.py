"""Pictures, read in a loader's workers as a model sees them."""

from collections.abc import Callable, Sequence

from PIL.Image import Image
from torch import Tensor
from torch.utils.data import Dataset

from vqapg.data.input_image import InputImage
from vqapg.errors import InputError


class Pictures(Dataset[tuple[Tensor, int] | str]):
    """Pixels and number of each image, or what is wrong with it.

    An error travels as text: raised in a worker it would end in a traceback.

    Args:
        images: what is read
        resize: picture -> pixels ``[3, S, S]``
    """

    def __init__(self, images: Sequence[InputImage], resize: Callable[[Image], Tensor]) -> None:
        self.images, self.resize = images, resize

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int] | str:
        try:
            picture, number = self.images[index].open()
        except InputError as error:
            return str(error)
        return self.resize(picture), number
