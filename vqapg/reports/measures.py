"""The measures that the paper's tables and figures show, by the paper's letters."""

from vqapg.evaluation.metric import Measure
from vqapg.evaluation.metrics import OURS

D, N, P, S = (OURS[key] for key in ("distinct4", "unique_pairs", "consistent", "mean_score"))
# Ours: it stands beside N where truth is known.
R = OURS["right_pairs"]
TRUE, FOUND, AGREES = (
    OURS[key] for key in ("true_consistent", "possible_pairs_found", "evaluator_agreement")
)
BLEU, METEOR, ROUGE = (OURS[key] for key in ("bleu4", "meteor", "rouge_l"))
# Table 9 by the rule of the published code: repeats left out, punctuation kept.
PUBLISHED = {
    measure: Measure(key=f"{measure.key}_published", label=measure.label, unit=measure.unit)
    for measure in (BLEU, METEOR, ROUGE)
}
# Table 3, by split, and Table 6.
ACCURACY = {
    split: Measure(key=split, label=label, unit="share")
    for split, label in (("train", "train"), ("valid", "dev"), ("test", "test"))
}
HUMAN = tuple(Measure(key=key, label=key, unit="score") for key in ("diversity", "consistency"))
