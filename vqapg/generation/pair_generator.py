"""The generator object that stock fairseq-generate drives: samples in, question-answer hypotheses out."""

import numpy as np
import torch

from vqapg.errors import InputError
from vqapg.generation.search import BeamSearch, Sampling, TokenRules, normalised_score

# Stock flags that have no meaning here, with the value that leaves them off.
UNSUPPORTED = {
    "constraints": None,
    "diverse_beam_groups": -1,
    "diversity_rate": -1.0,
    "lm_path": None,
    "match_source_len": False,
    "max_len_a": 0.0,
    "no_early_stop": False,
    "no_repeat_ngram_size": 0,
    "prefix_size": 0,
    "print_alignment": None,
    "print_step": False,
    "retain_iter_history": False,
    "score_reference": False,
}


class PairGenerator:
    """Generates ``question <sep> answer`` for each pair of a batch, with a latent variable of its own.

    With ``--sampling``, ``--beam N`` means N independent draws a pair, each with its own latent variable and its
    own tokens; otherwise one draw of the latent variable and a beam of N for each text.

    Args:
        model: a generation model
        dictionary: has the separator
        separator: its index
        args: stock fairseq's generation options

    Raises:
        InputError: on a stock flag that has no meaning here
    """

    def __init__(self, model, dictionary, separator, args):
        for name, off in UNSUPPORTED.items():
            if getattr(args, name, off) not in (off, None):
                flag = "--" + name.replace("_", "-")
                raise InputError(f"{flag} has no meaning for question-answer pairs; leave it out")
        if args.temperature <= 0:
            raise InputError(f"--temperature must be above 0, not {args.temperature}")
        for name in ("beam", "nbest", "max_len_b"):
            if getattr(args, name) < 1:
                raise InputError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(args, name)}")
        if not 0 <= args.min_len <= args.max_len_b:
            raise InputError(f"--min-len {args.min_len} must lie between 0 and --max-len-b, {args.max_len_b}")
        self.model = model
        self.separator = separator
        self.nbest = args.nbest
        self.length_penalty = 0.0 if args.unnormalized else args.lenpen
        self.draws = args.beam if args.sampling else 1
        self.symbols_to_strip_from_output = {dictionary.eos(), dictionary.pad(), dictionary.bos()}
        rules = TokenRules(
            end=dictionary.eos(),
            forbidden=(dictionary.bos(), dictionary.pad(), separator),
            unknown=dictionary.unk(),
            unknown_penalty=args.unkpen,
            min_len=args.min_len,
            max_len=args.max_len_b,
            temperature=args.temperature,
        )
        if args.sampling:
            self.search = Sampling(rules, args.sampling_topk, args.sampling_topp)
        else:
            self.search = BeamSearch(rules, args.beam, self.length_penalty)

    @torch.no_grad()
    def generate(self, models, sample, prefix_tokens=None, constraints=None):
        """One list of hypotheses a pair, best first, in stock fairseq's form."""
        self.model.eval()
        inputs = sample["net_input"]
        # One row a draw: a row never shares its latent variable.
        image_index = inputs["image_index"].repeat_interleave(self.draws)
        noise_keys = np.repeat(inputs["noise_keys"], self.draws, axis=0)
        noise_keys[:, 1] = np.tile(np.arange(self.draws), len(inputs["noise_keys"]))
        texts = self.model.generate(inputs["features"], image_index, noise_keys, self.search)
        rows = [self._join(questions, answers) for questions, answers in zip(*texts)]
        grouped = (rows[i : i + self.draws] for i in range(0, len(rows), self.draws))
        return [sorted(sum(group, []), key=lambda h: h["score"], reverse=True) for group in grouped]

    def _join(self, questions, answers):
        """The best pairs of a question and an answer hypothesis, given their latent variable independent."""
        pairs = [
            (normalised_score(q.total + a.total, len(q.tokens) + len(a.tokens), self.length_penalty), q, a)
            for q in questions
            for a in answers
        ]
        best = sorted(pairs, key=lambda pair: pair[0], reverse=True)[: self.nbest]
        return [self._pair(*pair) for pair in best]

    def _pair(self, score, question, answer):
        # The separator takes the place, and the probability, of the question's end.
        tokens = torch.cat([question.tokens, answer.tokens])
        tokens[len(question.tokens) - 1] = self.separator
        log_probs = torch.cat([question.log_probs, answer.log_probs])
        return {
            "tokens": tokens,
            "score": score,
            "positional_scores": log_probs,
            "alignment": None,
        }
