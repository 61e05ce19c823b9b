"""Answers as the VQA evaluation compares them (https://visualqa.org/evaluation.html), and what
types they are of.
"""

import collections
import functools
import re

ANSWER_TYPES = ("yes/no", "number", "other")

NUMBERS = {
    word: str(number)
    for number, word in enumerate("zero one two three four five six seven eight nine ten".split())
} | {"none": "0"}
ARTICLES = {"a", "an", "the"}
# Those whose bare form is no other word; "ill", "its", "well" and the like stay what they are, as
# they do there.
_CONTRACTIONS = (
    "ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've "
    "hasn't haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't "
    "mightn't've might've mustn't must've needn't not've o'clock oughtn't 'ow's'at shan't "
    "she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd "
    "someone'd've someone'll someone's something'd something'd've something'll that's there'd "
    "there'd've there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've "
    "we've weren't what'll what're what's what've when's where'd where's where've who'd who'd've "
    "who'll who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll "
    "y'all'd've you'd you'd've you'll you're you've"
).split()


def _with_one_apostrophe_less(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place, sign in enumerate(word) if sign == "'"]


# The official table knows a contraction that lacks one of its apostrophes. Its entry of
# "somebody'd" takes one away.
CONTRACTIONS = {
    bare: word for word in _CONTRACTIONS for bare in _with_one_apostrophe_less(word)
} | {"somebody'd": "somebodyd"}

# Apostrophes, colons and currency signs are not among them.
PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
COMMA_IN_NUMBER = re.compile(r"\d,\d")
NO_DECIMAL_POINT = re.compile(r"\.(?!\d)")
NUMBER = re.compile(r"\d+(\.\d+)?")


@functools.lru_cache(maxsize=100_000)
def normalise_answer(text: str) -> str:
    """An answer as the official evaluation code of VQA compares it, whatever one may think of its
    rules.

    A sign of ``PUNCTUATION`` goes without a trace where it stands beside a space anywhere in the
    text, or the text has a comma within a number; else it becomes a space. Periods go unless a
    digit follows. Then lower case; number words up to ten to digits; articles away; an apostrophe
    into contractions that lack one.

    Args:
        text: as people write it, not in tokens

    Source: https://visualqa.org/evaluation.html; https://github.com/GT-Vision-Lab/VQA, vqaEval.py.
    """
    given = text = text.replace("\n", " ").replace("\t", " ").strip()
    number_with_comma = COMMA_IN_NUMBER.search(given)
    for sign in PUNCTUATION:
        leaves_no_trace = number_with_comma or f"{sign} " in given or f" {sign}" in given
        text = text.replace(sign, "" if leaves_no_trace else " ")
    words = (NUMBERS.get(word, word) for word in NO_DECIMAL_POINT.sub("", text).lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


def answer_type(text: str) -> str:
    """ "yes/no", "number" or "other": VQA's convention, for an answer as people write it."""
    answer = normalise_answer(text)
    if answer in ("yes", "no"):
        return "yes/no"
    return "number" if NUMBER.fullmatch(answer) else "other"


def exact_match(answer: str, reference: str) -> bool:
    """Whether two answers are the same once normalised."""
    return normalise_answer(answer) == normalise_answer(reference)


def token_f1(answer: str, reference: str) -> float:
    """SQuAD's F1 of two answers: harmonic mean of precision and recall of their words, each as
    often as it occurs; the words are those of the normalised answers. Two answers without a word
    agree.
    """
    said, wanted = (
        collections.Counter(normalise_answer(text).split()) for text in (answer, reference)
    )
    if not said or not wanted:
        return float(said == wanted)
    common = (said & wanted).total()
    # 2 p r / (p + r) with p = common / said, r = common / wanted
    return 2 * common / (said.total() + wanted.total())
