import copy
import math

import pytest
import torch
from fairseq.logging import metrics

from tests.support.generation_models import build, criterion, sample_of
from vqapg.criterions.elbo import ElboCriterion, text_nll, token_mean
from vqapg.criterions.free_bits import HELD_OVER, kl_term, kl_weight
from vqapg.errors import InputError
from vqapg.models.output import PairOutput
from vqapg.modules.latent import Gaussian, kl_divergence, kl_per_dimension


def variational_model(dictionary, features, **options):
    return build("vqapg_joint_variational", dictionary, features, **options)


def gaussians(distance):
    posterior = Gaussian(
        torch.full((1, 2), distance, requires_grad=True), torch.zeros(1, 2, requires_grad=True)
    )
    prior = Gaussian(
        torch.zeros(1, 2, requires_grad=True), torch.full((1, 2), 0.3, requires_grad=True)
    )
    return posterior, prior


def test_text_nll_is_summed_over_real_tokens_of_hand_written_probabilities():
    probabilities = torch.tensor(
        [[[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], [[0.3, 0.3, 0.4], [0.1, 0.1, 0.8]]]
    )
    target = torch.tensor([[2, 0], [2, 1]])  # 1 is padding
    expected = [-math.log(0.7) - math.log(0.5), -math.log(0.4)]
    assert text_nll(probabilities.log(), target, padding=1).tolist() == pytest.approx(
        expected, abs=1e-6
    )


@pytest.mark.parametrize("mode", ["paper", "train-prior"])
def test_above_the_threshold_both_modes_have_the_gradient_of_the_plain_kl(mode):
    posterior, prior = gaussians(distance=3.0)
    parameters = [*posterior, *prior]
    plain = torch.autograd.grad(kl_divergence(posterior, prior).sum(), parameters)
    term = kl_term(posterior, prior, free_bits=5, mode=mode)
    assert kl_divergence(posterior, prior).item() > 5
    for got, expected in zip(torch.autograd.grad(term.sum(), parameters), plain):
        torch.testing.assert_close(got, expected)


def test_below_the_threshold_the_papers_mode_trains_nothing_and_ours_the_prior_only():
    posterior, prior = gaussians(distance=0.5)
    plain = torch.autograd.grad(kl_divergence(posterior, prior).sum(), list(prior))
    term, kl = kl_term(posterior, prior, free_bits=5, mode="paper"), kl_divergence(posterior, prior)
    assert term.item() == 5 and kl.item() < 5
    assert all(not g.any() for g in torch.autograd.grad(term.sum(), [*posterior, *prior]))
    term = kl_term(posterior, prior, free_bits=5, mode="train-prior")
    assert term.item() == pytest.approx(5 + kl.item())
    gradients = torch.autograd.grad(term.sum(), [*posterior, *prior])
    assert all(not g.any() for g in gradients[:2])
    for got, expected in zip(gradients[2:], plain):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("mode", ["paper", "train-prior"])
def test_loss_is_the_sum_of_the_terms_of_table_1_and_equation_4(dictionary, features, batch, mode):
    model = variational_model(dictionary, features)
    loss, pairs, log = criterion(dictionary, kl_free_bits=0.2, free_bits_mode=mode)(
        model, sample_of(batch)
    )
    output = model(**batch)
    expected = 0.0
    for row in range(4):
        attention = []
        for name in ("question", "answer"):
            tokens = [t for t in batch[name][row].tolist() if t != dictionary.pad()]
            log_probs = output.logits[name][row].log_softmax(-1)
            expected -= sum(log_probs[step, token].item() for step, token in enumerate(tokens))
            attention.append(output.attention[name][row, : len(tokens)].mean(dim=0).tolist())
        (posterior, prior), kl = output.latents["pair"], 0.0
        for d in range(4):
            q = torch.distributions.Normal(
                posterior.mean[row, d], (posterior.log_variance[row, d] / 2).exp()
            )
            p = torch.distributions.Normal(
                prior.mean[row, d], (prior.log_variance[row, d] / 2).exp()
            )
            kl += torch.distributions.kl_divergence(q, p).item()
        expected += max(kl, 0.2) + (kl if mode == "train-prior" else 0)
        expected += 0.5 * max(0.03, sum(b * math.log(b / g) for b, g in zip(*attention)))
    assert pairs == 4
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert log["kl"].item() > 0


def test_alignment_is_left_out_at_weight_zero(dictionary, features, batch):
    model = variational_model(dictionary, features)
    with_term = criterion(dictionary)(model, sample_of(batch))
    without = criterion(dictionary, attention_alignment_weight=0.0)(model, sample_of(batch))
    assert "alignment" not in without[2]
    assert with_term[0].item() - without[0].item() >= 4 * 0.5 * 0.03 - 1e-4


def test_validation_reports_the_reconstruction_under_the_prior(dictionary, features, batch):
    model = variational_model(dictionary, features)
    _, _, log = criterion(dictionary)(model, sample_of(batch))
    output = model(**batch, latent_from="prior")
    expected = text_nll(output.logits["question"], batch["question"], dictionary.pad()).sum()
    torch.testing.assert_close(log["nll_question_prior"], expected)
    assert log["nll_question_prior"] != log["nll_question"]


def test_reported_means_are_a_pair_and_elbo_uses_the_plain_kl(dictionary, features, batch):
    model = variational_model(dictionary, features)
    logs = [criterion(dictionary)(model, sample_of(batch))[2] for _ in range(2)]
    with metrics.aggregate() as values:
        ElboCriterion.reduce_metrics(logs)
    expected = -(logs[0]["nll_question"] + logs[0]["nll_answer"] + logs[0]["kl"]).item() / 4
    assert values.get_smoothed_value("elbo") == pytest.approx(expected, abs=2e-3)
    assert values.get_smoothed_value("loss") == pytest.approx(logs[0]["loss"].item() / 4, abs=2e-3)
    assert values.get_smoothed_value("kl") <= values.get_smoothed_value("kl_clamped")


class HandWritten:
    """Stands for a model in training that returns two pairs written by hand, over three regions.

    Of both terms with free bits, the first pair is above the threshold and the second below.
    Attention on padding points elsewhere. Every token has the same probability.
    """

    training = True
    parallel = True
    num_updates = 0

    def __init__(self, dictionary):
        self.words = len(dictionary)
        end, padding = dictionary.eos(), dictionary.pad()
        self.texts = {
            "question": torch.tensor([[5, 6, end], [5, end, padding]]),
            "answer": torch.tensor([[end, padding], [7, end]]),
        }
        self.question = self.leaf(
            [
                [[0.80, 0.15, 0.05], [0.60, 0.30, 0.10], [0.85, 0.10, 0.05]],
                [[0.50, 0.30, 0.20], [0.40, 0.40, 0.20], [0.01, 0.01, 0.98]],
            ]
        )
        self.answer = self.leaf(
            [
                [[0.20, 0.20, 0.60], [0.98, 0.01, 0.01]],
                [[0.40, 0.35, 0.25], [0.45, 0.35, 0.20]],
            ]
        )
        # The means over real tokens, by hand
        self.mean_question = [[0.75, 0.55 / 3, 0.20 / 3], [0.45, 0.35, 0.20]]
        self.mean_answer = [[0.20, 0.20, 0.60], [0.425, 0.35, 0.225]]
        self.posterior = Gaussian(
            self.leaf([[3.0, 2.0], [1.0, 0.0]]), self.leaf([[0.4, -0.2], [0.1, 0.0]])
        )
        self.prior = Gaussian(
            self.leaf([[0.0, -1.0], [0.5, 0.0]]), self.leaf([[0.2, 0.0], [0.0, -0.3]])
        )

    @staticmethod
    def leaf(values):
        return torch.tensor(values, requires_grad=True)

    def __call__(self, **inputs):
        return PairOutput(
            logits={
                name: torch.zeros(*text.shape, self.words) for name, text in self.texts.items()
            },
            targets=self.texts,
            attention={"question": self.question, "answer": self.answer},
            latents={"pair": (self.posterior, self.prior)},
        )

    def sample(self):
        return {"net_input": {}, "nsentences": 2}

    def alignments(self):
        """Equation 4 without its weight, a pair."""
        return [
            sum(b * math.log(b / g) for b, g in zip(beta, gamma))
            for beta, gamma in zip(self.mean_question, self.mean_answer)
        ]

    def kls(self):
        numbers = [x.tolist() for x in (*self.posterior, *self.prior)]
        return [
            sum(
                0.5 * (pl - ql + math.exp(ql - pl) + (qm - pm) ** 2 / math.exp(pl) - 1)
                for qm, ql, pm, pl in zip(*(x[row] for x in numbers))
            )
            for row in range(2)
        ]


@pytest.mark.parametrize("mode", ["paper", "train-prior"])
def test_loss_of_hand_written_outputs_holds_each_pairs_terms_at_their_own_free_bits(
    dictionary, mode
):
    model = HandWritten(dictionary)
    kls, alignments = model.kls(), model.alignments()
    assert kls[0] > 5 > kls[1]
    assert alignments[0] > 0.5 and alignments[1] < 0.03
    loss, _, log = criterion(dictionary, free_bits_mode=mode)(model, model.sample())
    kl = kls[0] + 5 + (sum(kls) if mode == "train-prior" else 0)
    expected = 8 * math.log(len(dictionary)) + kl + 0.5 * (alignments[0] + 0.03)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert log["kl"].item() == pytest.approx(sum(kls), rel=1e-5)
    assert log["kl_clamped"].item() == pytest.approx(kls[0] + 5, rel=1e-5)
    assert log["alignment"].item() == pytest.approx(sum(alignments), rel=1e-4)


def test_alignment_trains_both_attentions_on_real_tokens_of_pairs_above_the_free_bits(dictionary):
    model = HandWritten(dictionary)
    criterion(dictionary)(model, model.sample())[0].backward()
    # d KL(b || g) / d b = log(b / g) + 1 and d / d g = -b / g, shared out over the three tokens and
    # the one
    for region, (b, g) in enumerate(zip(model.mean_question[0], model.mean_answer[0])):
        expected = 0.5 * (math.log(b / g) + 1) / 3
        assert model.question.grad[0, :, region].tolist() == pytest.approx([expected] * 3, abs=1e-5)
        assert model.answer.grad[0, :, region].tolist() == pytest.approx(
            [-0.5 * b / g, 0], abs=1e-5
        )
    assert not model.question.grad[1].any() and not model.answer.grad[1].any()


@pytest.mark.parametrize("mode", ["paper", "train-prior"])
def test_free_bits_hold_back_the_gradient_of_the_pair_below_them_only(dictionary, mode):
    model = HandWritten(dictionary)
    criterion(dictionary, free_bits_mode=mode)(model, model.sample())[0].backward()
    (q_mean, q_log), (p_mean, p_log) = (
        [x.tolist() for x in g] for g in (model.posterior, model.prior)
    )
    for row in range(2):
        posterior_trained, prior_trained = row == 0, row == 0 or mode == "train-prior"
        for d in range(2):
            distance, p_variance = q_mean[row][d] - p_mean[row][d], math.exp(p_log[row][d])
            ratio = math.exp(q_log[row][d]) / p_variance
            expected = [
                posterior_trained * distance / p_variance,
                posterior_trained * 0.5 * (ratio - 1),
                prior_trained * -distance / p_variance,
                prior_trained * 0.5 * (1 - ratio - distance**2 / p_variance),
            ]
            got = [x.grad[row, d].item() for x in (*model.posterior, *model.prior)]
            assert got == pytest.approx(expected, abs=1e-4)


def test_text_nll_of_bfloat16_logits_is_computed_in_float32():
    torch.manual_seed(0)
    logits, target = (3 * torch.randn(2, 9, 50)).bfloat16(), torch.randint(2, 50, (2, 9))
    in_float32 = text_nll(logits.float(), target, padding=1)
    torch.testing.assert_close(text_nll(logits, target, padding=1), in_float32)


def test_training_in_bfloat16_has_the_loss_and_gradient_of_float32(dictionary, features, batch):
    model = variational_model(dictionary, features, dropout=0.0).train()
    low = copy.deepcopy(model).bfloat16()
    loss, _, log = criterion(dictionary)(model, sample_of(batch))
    low_loss, _, low_log = criterion(dictionary)(low, sample_of(batch))
    assert low_log["kl"].dtype == low_loss.dtype == torch.float32
    assert low_loss.item() == pytest.approx(loss.item(), rel=0.02)
    assert low_log["kl"].item() == pytest.approx(log["kl"].item(), rel=0.1)
    loss.backward()
    low_loss.backward()
    gradient, low_gradient = (
        torch.cat([p.grad.float().flatten() for p in m.parameters() if p.grad is not None])
        for m in (model, low)
    )
    assert torch.cosine_similarity(gradient, low_gradient, dim=0) > 0.99


def test_gradients_of_parts_of_a_batch_add_up(dictionary, features, batch):
    """--update-freq and data parallel training rely on it.

    fairseq divides by the sum of the sample sizes.
    """
    model = variational_model(dictionary, features, dropout=0.0).train()
    # Free bits that hold some of the pairs and not the others
    kls = kl_divergence(*model(**batch).latents["pair"]).tolist()
    free_bits = (min(kls) + max(kls)) / 2

    def gradients(*parts):
        model.zero_grad()
        total = 0
        for rows in parts:
            part = batch | {
                name: batch[name][rows]
                for name in ("image_index", "question", "answer", "noise_keys")
            }
            loss, size, _ = criterion(dictionary, kl_free_bits=free_bits)(model, sample_of(part))
            loss.backward()
            total += size
        return {name: p.grad / total for name, p in model.named_parameters() if p.grad is not None}

    torch.testing.assert_close(
        gradients([0], [1, 2, 3]), gradients([0, 1, 2, 3]), atol=1e-6, rtol=1e-4
    )


def slow_held(kl, over, free_bits):
    """What free bits hold, from KL as lists [pairs][dimensions]."""
    if over == "pair":
        return [max(sum(row), free_bits) for row in kl]
    if over == "dimension":
        return [sum(max(value, free_bits / len(row)) for value in row) for row in kl]
    mean = sum(map(sum, kl)) / len(kl)
    return [max(mean, free_bits)] * len(kl)


@pytest.mark.parametrize("free_bits", [0.0, 0.7, 2.0, 9.0])
@pytest.mark.parametrize("over", ["pair", "dimension", "batch"])
def test_free_bits_hold_what_they_should(over, free_bits):
    torch.manual_seed(0)
    kl = torch.rand(5, 3)
    assert HELD_OVER[over](kl, free_bits).tolist() == pytest.approx(
        slow_held(kl.tolist(), over, free_bits)
    )


def test_free_bits_over_the_batch_let_one_pair_pay_for_another():
    kl = torch.tensor([[9.0], [1.0]], requires_grad=True)
    HELD_OVER["batch"](kl, 4.0).sum().backward()
    assert kl.grad.flatten().tolist() == [1, 1]
    assert torch.autograd.grad(HELD_OVER["pair"](kl, 4.0).sum(), kl)[0].flatten().tolist() == [1, 0]
    assert torch.autograd.grad(HELD_OVER["batch"](kl, 6.0).sum(), kl)[0].flatten().tolist() == [
        0,
        0,
    ]


@pytest.mark.parametrize("over", ["dimension", "batch"])
def test_the_loss_uses_the_free_bits_it_is_told(dictionary, over):
    model = HandWritten(dictionary)
    kl = kl_per_dimension(model.posterior, model.prior).tolist()
    loss, _, log = criterion(dictionary, free_bits_over=over, free_bits_mode="paper")(
        model, model.sample()
    )
    held, alignments = slow_held(kl, over, 5.0), model.alignments()
    expected = 8 * math.log(len(dictionary)) + sum(held) + 0.5 * (alignments[0] + 0.03)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert log["kl_clamped"].item() == pytest.approx(sum(held), rel=1e-5)
    assert log["kl"].item() == pytest.approx(sum(map(sum, kl)), rel=1e-5)


@pytest.mark.parametrize(
    "updates, linear, cyclical",
    [
        (0, 0.0, 0.0),
        (5, 0.5, 0.5),
        (10, 1.0, 1.0),
        (19, 1.0, 1.0),
        (20, 1.0, 0.0),
        (25, 1.0, 0.5),
        (59, 1.0, 1.0),
    ],
)
def test_kl_warm_up_rises_once_or_every_cycle(updates, linear, cyclical):
    assert kl_weight(updates, 10, 0) == linear
    assert kl_weight(updates, 10, 20) == cyclical
    assert kl_weight(updates, 0, 0) == 1


@pytest.mark.parametrize("mode", ["paper", "train-prior"])
def test_warm_up_weighs_what_holds_the_posterior_in_training_only(dictionary, mode):
    model = HandWritten(dictionary)
    model.num_updates = 25
    elbo = criterion(dictionary, free_bits_mode=mode, kl_warmup_updates=100)
    plain = criterion(dictionary, free_bits_mode=mode)(model, model.sample())[0].item()
    held = model.kls()[0] + 5
    assert elbo(model, model.sample())[0].item() == pytest.approx(plain - 0.75 * held, rel=1e-5)
    # The prior is trained all along where it is trained always.
    elbo(model, model.sample())[0].backward()
    below = model.prior.mean.grad[1]
    assert below.any() == (mode == "train-prior")


def test_validation_knows_no_warm_up(dictionary, features, batch):
    model = variational_model(dictionary, features)
    losses = {
        criterion(dictionary, kl_warmup_updates=warmup)(model, sample_of(batch))[0].item()
        for warmup in (0, 1000)
    }
    assert len(losses) == 1


def test_fairseq_tells_the_model_how_far_training_is(dictionary, features):
    model = variational_model(dictionary, features)
    model.set_num_updates(7)
    assert model.num_updates == 7


@pytest.mark.parametrize(
    "options, message",
    [
        ({"kl_free_bits": -1.0}, "--kl-free-bits must be at least 0, not -1"),
        ({"kl_warmup_updates": -1}, "--kl-warmup-updates must be at least 0"),
        (
            {"kl_cycle_updates": 10},
            "--kl-cycle-updates 10 needs a --kl-warmup-updates of 1 to as many, not 0",
        ),
        ({"kl_cycle_updates": 10, "kl_warmup_updates": 11}, "not 11"),
        (
            {"attention_alignment_weight": float("nan")},
            "--attention-alignment-weight must be at least 0",
        ),
        ({"kl_free_bits": math.inf}, "--kl-free-bits must be at least 0, not inf"),
    ],
)
def test_objectives_that_cannot_be_are_refused(dictionary, options, message):
    with pytest.raises(InputError, match=message):
        criterion(dictionary, **options)


def test_a_warm_up_may_fill_its_cycle(dictionary):
    criterion(dictionary, kl_warmup_updates=10, kl_cycle_updates=10)
    assert [kl_weight(updates, 10, 10) for updates in (0, 5, 9, 10, 15)] == [0, 0.5, 0.9, 0, 0.5]


def logged(*batches):
    """What fairseq reports of batches, each the logs of its workers."""
    with metrics.aggregate() as values:
        for logs in batches:
            ElboCriterion.reduce_metrics(logs)
    return values.get_smoothed_values()


def test_perplexity_is_of_real_tokens_and_bounded(dictionary):
    model = HandWritten(dictionary)
    log = criterion(dictionary)(model, model.sample())[2]
    # Of 5 and 3 tokens, each as probable as any other
    assert log["ntokens"] == 8
    values = logged([log])
    assert values["nll_token"] == pytest.approx(math.log(len(dictionary)), abs=1e-4)
    assert values["ppl"] == pytest.approx(len(dictionary), rel=1e-3)
    hopeless = log | {"nll_question": torch.tensor(1e6)}
    assert logged([hopeless])["ppl"] == pytest.approx(math.exp(50), rel=1e-3)


def test_batches_weigh_by_their_pairs_and_tokens(dictionary):
    model = HandWritten(dictionary)
    log = criterion(dictionary)(model, model.sample())[2]
    other = log | {"nll_question": torch.tensor(30.0), "ntokens": torch.tensor(2), "nsentences": 6}
    answer, question = log["nll_answer"].item(), log["nll_question"].item()
    values = logged([log], [other])
    assert values["nll_token"] == pytest.approx((question + 30 + 2 * answer) / 10, abs=1e-3)
    assert values["nll_question"] == pytest.approx((question + 30) / 8, abs=2e-3)
    # Perplexity is that of the mean, not the mean of perplexities.
    assert values["ppl"] == pytest.approx(math.exp((question + 30 + 2 * answer) / 10), rel=1e-3)


def test_logs_of_workers_are_summed(dictionary):
    """fairseq adds them up before it reports, instead of gathering them."""
    model = HandWritten(dictionary)
    log = criterion(dictionary)(model, model.sample())[2]
    assert ElboCriterion.logging_outputs_can_be_summed()
    doubled = {name: 2 * value for name, value in log.items()}
    assert logged([doubled]) == pytest.approx(logged([log, log]))


@pytest.mark.parametrize("parallel", [True, False])
def test_token_mean_is_over_the_tokens_of_the_batch(dictionary, parallel):
    model = HandWritten(dictionary)
    model.parallel = parallel
    loss, pairs, log = criterion(dictionary, reconstruction="token-mean")(model, model.sample())
    # Five tokens of the questions and three of the answers, all equally probable
    nll = {"question": 5 * math.log(len(dictionary)), "answer": 3 * math.log(len(dictionary))}
    means = nll["question"] / 5 + nll["answer"] / 3
    kl, alignment = model.kls()[0] + 5, 0.5 * (model.alignments()[0] + 0.03)
    expected = pairs * (means / 2 if parallel else means) + kl + alignment
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    # What is reported stays the sum.
    assert log["nll_question"].item() == pytest.approx(nll["question"], rel=1e-5)


def test_token_mean_of_unequal_texts_weighs_tokens():
    nll = {"question": torch.tensor([6.0, 1.0])}
    found = token_mean(nll, {"question": torch.tensor(7)}, parallel=False)
    assert found.tolist() == [1.0, 1.0]


def test_the_baseline_has_no_alignment_term(dictionary, features, batch):
    model = build("vqapg_joint", dictionary, features)
    loss, _, log = criterion(dictionary)(model, sample_of(batch))
    assert "alignment" not in log
    torch.testing.assert_close(loss, log["nll_question"] + log["nll_answer"])


@pytest.mark.parametrize("direction", ["question-answer", "answer-question"])
def test_the_loss_aligns_in_the_direction_it_is_told(dictionary, direction):
    model = HandWritten(dictionary)
    loss, _, log = criterion(dictionary, attention_alignment_direction=direction)(
        model, model.sample()
    )
    first, second = (
        (model.mean_question, model.mean_answer)
        if direction == "question-answer"
        else (model.mean_answer, model.mean_question)
    )
    expected = [sum(b * math.log(b / g) for b, g in zip(*both)) for both in zip(first, second)]
    assert log["alignment"].item() == pytest.approx(sum(expected), rel=1e-4)
    other = criterion(dictionary, attention_alignment_weight=0.0)(model, model.sample())[0]
    held = sum(max(value, 0.03) for value in expected)
    assert (loss - other).item() == pytest.approx(0.5 * held, rel=1e-3)


@pytest.mark.parametrize("name", ["vqapg_joint_variational", "vqapg_pipeline_variational"])
def test_a_gate_says_how_hard_it_switches(dictionary, features, batch, name):
    model = build(name, dictionary, features)
    log = criterion(dictionary)(model, sample_of(batch))[2]
    gates = model(**batch).gates
    for text, gate in gates.items():
        suffix = f"_{text}" if len(gates) > 1 else ""
        kept = deviation = 0.0
        for weights, scores in zip(gate.weights.tolist(), gate.scores.tolist()):
            mean = sum(scores) / len(scores)
            deviation += math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
            kept += sum(weights)
        assert log[f"gate_regions_kept{suffix}"].item() == pytest.approx(kept, rel=1e-4)
        assert log[f"gate_scores_std{suffix}"].item() == pytest.approx(deviation, rel=1e-4)
    values = logged([log])
    assert len([key for key in values if key.startswith("gate_regions_kept")]) == len(gates) > 0
    unscaled = build(name, dictionary, features, region_scaling=False)
    log = criterion(dictionary)(unscaled, sample_of(batch))[2]
    assert not any(key.startswith("gate") for key in log)


def test_reconstruction_under_the_prior_is_reported_of_the_pair(dictionary, features, batch):
    model = variational_model(dictionary, features)
    log = criterion(dictionary)(model, sample_of(batch))[2]
    expected = (log["nll_question_prior"] + log["nll_answer_prior"]).item() / 4
    assert logged([log])["nll_prior"] == pytest.approx(expected, abs=2e-3)
    assert "nll_prior" not in logged([criterion(dictionary)(model.train(), sample_of(batch))[2]])


def test_the_papers_free_bits_are_the_default(dictionary):
    assert str(criterion(dictionary).cfg.free_bits_mode) == "paper"
