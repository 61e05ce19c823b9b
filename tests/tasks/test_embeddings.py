import logging

import pytest
import torch
from torch import nn

from tests.support.generation_models import build
from vqapg.errors import InputError
from vqapg.tasks.embeddings import start_from_vectors


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text(
        "red 1 2 3 4 5 6\ncircle -1 -2 -3 -4 -5 -6\nunheard 0 0 0 0 0 9\n</s> 7 7 7 7 7 7\n"
    )
    return path


@pytest.mark.parametrize(
    "name, count", [("vqapg_pipeline_variational", 2), ("vqapg_consistency", 1)]
)
def test_every_embedding_starts_from_them_and_other_words_at_random(
    dictionary, features, vectors, name, count, caplog
):
    for word, times in (("red", 6), ("circle", 3), ("blue", 1)):
        dictionary.count[dictionary.index(word)] = times
    for index in range(len(dictionary)):
        if dictionary.symbols[index] not in ("red", "circle", "blue"):
            dictionary.count[index] = 0
    model = build(name, dictionary, features)
    with caplog.at_level(logging.INFO, logger="vqapg.tasks.embeddings"):
        start_from_vectors(model, dictionary, vectors, 6)
    assert "2 of 13 words (15.4%), 90.0% of the training tokens" in caplog.text
    tables = [part.weight for part in model.modules() if isinstance(part, nn.Embedding)]
    assert len({id(table) for table in tables}) == count
    for table in tables:
        assert table[dictionary.index("red")].tolist() == [1, 2, 3, 4, 5, 6]
        assert table[dictionary.index("circle")].tolist() == [-1, -2, -3, -4, -5, -6]
        assert not table[dictionary.pad()].any() and table.requires_grad
        others = torch.stack(
            [table[dictionary.index(word)] for word in ("blue", "yes", "what", "shape")]
        )
        assert 0.3 * 3.9 < others.std().item() < 3 * 3.9
        assert table[dictionary.eos()].tolist() != [7] * 6


def test_another_width_is_refused_with_the_flag_to_give(dictionary, features, vectors):
    with pytest.raises(InputError, match="its vectors are 6 wide; give --embed-dim 6"):
        start_from_vectors(build("vqapg_joint", dictionary, features), dictionary, vectors, 300)


def test_vectors_of_no_word_are_refused(dictionary, features, tmp_path):
    (tmp_path / "glove.txt").write_text("rouge 1 2 3 4 5 6\n")
    with pytest.raises(InputError, match="has a vector of no word of the dictionary"):
        start_from_vectors(
            build("vqapg_joint", dictionary, features), dictionary, tmp_path / "glove.txt", 6
        )
