import pytest

from vqapg.errors import InputError
from vqapg.judges.spec_options import split_options

CHOICES = {"score": ("answer", "yes"), "revision": ()}


@pytest.mark.parametrize(
    "argument, path, options",
    [
        ("some/model", "some/model", {}),
        ("some/model?score=yes", "some/model", {"score": "yes"}),
        ("m?score=yes&revision=refs/pr/3", "m", {"score": "yes", "revision": "refs/pr/3"}),
        ("why?/model", "why?/model", {}),
        ("why?/model?revision=a", "why?/model", {"revision": "a"}),
        ("why?", "why?", {}),
        ("", "", {}),
    ],
)
def test_options_follow_the_last_question_mark(argument, path, options):
    assert split_options("mine", argument, CHOICES) == (path, options)


@pytest.mark.parametrize(
    "argument, message",
    [
        ("m?scores=yes", "--judge mine: has no option 'scores'; its options are score, revision"),
        ("m?score=no", "--judge mine: score=no is not possible; give answer or yes"),
        ("m?revision=", "--judge mine: revision= is not possible; give a value"),
        ("m?score=yes&score=yes", "--judge mine: score is given twice; give it once"),
    ],
)
def test_an_option_that_is_none_is_one_line(argument, message):
    with pytest.raises(InputError) as error:
        split_options("mine", argument, CHOICES)
    assert str(error.value) == message


def test_without_choices_any_option_is_taken():
    assert split_options("mine", "m?a=b&c=d") == ("m", {"a": "b", "c": "d"})
