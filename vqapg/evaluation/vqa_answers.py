"""Answers as the VQA evaluation compares them (https://visualqa.org/evaluation.html), and what types they are of."""

import collections
import functools
import re

ANSWER_TYPES = ("yes/no", "number", "other")

NUMBERS = {
    word: str(number)
    for number, word in enumerate("zero one two three four five six seven eight nine ten".split())
} | {"none": "0"}
ARTICLES = {"a", "an", "the"}
# Those whose bare form is no other word: "ill", "its", "well" and the like stay what they are.
CONTRACTIONS = {
    contraction.replace("'", ""): contraction
    for contraction in (
        "ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't mightn't mustn't needn't "
        "shouldn't wasn't weren't won't wouldn't couldn't've hadn't've mightn't've shouldn't've wouldn't've "
        "could've might've must've should've would've i'm i've i'd've you'd you'd've you'll you're you've he'd've he's "
        "she's she'd've it'd it'd've it'll we've we'd've they'd they'd've they'll they're they've "
        "that'd that's there'd there're there's what'll what're what's what've when's where'd where's where've "
        "who'd who'll who's who've why're why's how'd how'll how's let's ma'am o'clock y'all"
    ).split()
}

# A comma within a number goes without a trace, and so does a period that is no decimal point.
REMOVED = re.compile(r"(?<=\d),(?=\d)|(?<!\d)\.|\.(?!\d)")
# Apostrophes tell possessives from plurals, and colons are of times; a decimal point is all that is left of periods.
PUNCTUATION = re.compile(r"[^\w\s':.]|_")
NUMBER = re.compile(r"\d+(\.\d+)?")


@functools.lru_cache(maxsize=100_000)
def normalise_answer(text):
    """An answer as the VQA evaluation compares it.

    Lower case; periods away unless decimal, commas within numbers away, other punctuation but apostrophes and colons
    to spaces; number words up to ten to digits; articles away; apostrophes into contractions that lack them.

    Args:
        text: as people write it, not in tokens
    """
    text = PUNCTUATION.sub(" ", REMOVED.sub("", text.lower()))
    words = (NUMBERS.get(word, CONTRACTIONS.get(word, word)) for word in text.split())
    return " ".join(word for word in words if word not in ARTICLES)


def answer_type(text):
    """"yes/no", "number" or "other": VQA's convention, for an answer as people write it."""
    answer = normalise_answer(text)
    if answer in ("yes", "no"):
        return "yes/no"
    return "number" if NUMBER.fullmatch(answer) else "other"


def exact_match(answer, reference):
    """Whether two answers are the same once normalised."""
    return normalise_answer(answer) == normalise_answer(reference)


def token_f1(answer, reference):
    """SQuAD's F1 of two answers: harmonic mean of precision and recall of their words, each as often as it occurs;
    the words are those of the normalised answers. Two answers without a word agree."""
    said, wanted = (collections.Counter(normalise_answer(text).split()) for text in (answer, reference))
    if not said or not wanted:
        return float(said == wanted)
    common = (said & wanted).total()
    # 2 p r / (p + r) with p = common / said, r = common / wanted
    return 2 * common / (said.total() + wanted.total())
