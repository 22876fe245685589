"""Models in files, in the skops format: data that is looked through, never pickle."""

from dataclasses import fields
from io import BytesIO
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, BadZipFile

import skops.io

from learning.errors import UnreadableModel
from learning.trained import Trained

# skops does not trust trees by itself: node numbers of a forged one could point
# outside of memory. They are accepted because `load` is for files of `save` alone.
TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


def save(trained: Trained, file: BinaryIO) -> None:
    """Write everything there is to know about a training to a binary file."""
    content = {field.name: getattr(trained, field.name) for field in fields(trained)}
    skops.io.dump(content, file, compression=ZIP_DEFLATED)


def load(file: BinaryIO) -> Trained:
    """Read back what `save` wrote, from a store that nobody else can write to.

    Raises `UnreadableModel` for any other content, types not listed included.
    """
    data = BytesIO(file.read())
    try:
        return Trained(**skops.io.load(data, trusted=list(TRUSTED)))
    except (BadZipFile, KeyError, TypeError, ValueError) as error:
        raise UnreadableModel(
            "The file is not a model of this application. Train the model again."
        ) from error
