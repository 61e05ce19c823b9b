"""The keys of the records that vqapg writes, by which its files are known again."""

COLUMNS = ("image", "question", "answer", "score")
EXPORTED = ("id", *COLUMNS)
SAMPLED = ("seed", "draw", "model")
# The name of the judge by whose scores vqapg sample chose the pair
CHOSEN_BY = "chosen_by"
# Without a judge, with one, and where it chose
JUDGED = ((), ("consistency",), ("consistency", CHOSEN_BY))
RECORDS = (
    *((*EXPORTED, *judged) for judged in (*JUDGED, (CHOSEN_BY,))),
    *((*COLUMNS, *judged, *SAMPLED) for judged in JUDGED),
)
