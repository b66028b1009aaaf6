"""Two classifiers that really read digits: scikit-learn's bundled images, nothing made up."""

from collections.abc import Callable
from typing import Any, NamedTuple

from assay_sdk import Assay, Experiment
from deploy.demo.experiment import CHALLENGER, CONTROL, MODELS, OPERATIONS, Arm, rounded

TRAINING = 600
USERS = 500
# First and last, as shares of the predictions. Few, so that what follows makes up for them.
NOISY_FROM, NOISY_TO = 0.10, 0.15
SHADES = "0123456789abcdefg"
NOISE = 6.0  # standard deviation, on pixels of 0 to 16
FLUSH_EVERY = 1_000
FLUSH_S = 30.0

OnProgress = Callable[[int], None]
OnPhase = Callable[[str], None]
"""Told of each phase's end: clean, noisy, recovered."""


class Served(NamedTuple):
    """What was really served, counted on this side."""

    operations: dict[str, int]
    feedback: dict[str, int]
    accuracy: dict[str, dict[str, float]]
    arms: dict[str, Arm]
    """By variant, in whole."""


class Digits:
    """Trained on some of the images; serves the others, some of them through noise."""

    def __init__(self, seed: int = 7) -> None:
        import numpy as np  # noqa: PLC0415 - heavy, needed only by the demo
        from sklearn.datasets import load_digits  # noqa: PLC0415
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        from sklearn.naive_bayes import GaussianNB  # noqa: PLC0415

        self._random = np.random.default_rng(seed)
        digits = load_digits()
        order = self._random.permutation(len(digits.target))
        images, truths = digits.data[order], digits.target[order]
        self._images, self._truths = images[TRAINING:], truths[TRAINING:]
        self._models: dict[str, Any] = {
            CHALLENGER: LogisticRegression(max_iter=2_000).fit(
                images[:TRAINING], truths[:TRAINING]
            ),
            CONTROL: GaussianNB(var_smoothing=1e-2).fit(images[:TRAINING], truths[:TRAINING]),
        }

    def serve(
        self,
        assay: Assay,
        experiment: Experiment,
        predictions: int,
        on_progress: OnProgress,
        on_phase: OnPhase,
    ) -> Served:
        """Predict, measure, and tell what was right; every operation gets its ground truth."""
        phase = "clean"
        users: dict[str, set[str]] = {variant: set() for variant in MODELS}
        right: dict[tuple[str, str], list[bool]] = {}
        for number in range(predictions):
            before, phase = phase, _phase(number / predictions)
            if phase != before:
                assay.flush(FLUSH_S)
                on_phase(before)
            user = f"user-{number % USERS}"
            variant = assay.assignment(experiment, user)[0].key
            users[variant].add(user)
            served = _Served(experiment.key, variant, user)
            correct = self._predict(assay, number, served, noisy=phase == "noisy")
            right.setdefault((variant, phase), []).append(correct)
            if (number + 1) % FLUSH_EVERY == 0:
                assay.flush(FLUSH_S)
                on_progress(number + 1)
        assay.flush(FLUSH_S)
        on_phase(phase)
        return _told(users, right)

    def _predict(self, assay: Assay, number: int, served: "_Served", *, noisy: bool) -> bool:
        place = number % len(self._truths)
        image, truth = self._images[place], int(self._truths[place])
        if noisy:
            image = image + self._random.normal(0, NOISE, image.shape)
        with assay.operation(
            MODELS[served.variant],
            operation_type=OPERATIONS,
            user_id=served.user,
            ab_test_id=served.test,
            variant=served.variant,
        ) as operation:
            chances = self._models[served.variant].predict_proba(image[None])[0]
            answer = int(chances.argmax())
            operation.set(
                confidence=float(chances[answer]),
                input_text=_drawn(image),
                output_text=str(answer),
            )
        said = {"accurate": answer == truth, "rating": 5 if answer == truth else 1}
        correction = None if answer == truth else str(truth)
        operation.feedback(source="code", user_id=served.user, correction=correction, **said)
        return answer == truth


class _Served(NamedTuple):
    """Who gets what."""

    test: str
    variant: str
    user: str


def _told(users: dict[str, set[str]], right: dict[tuple[str, str], list[bool]]) -> Served:
    """All sums of what was served, from what was right by variant and phase."""
    accuracy: dict[str, dict[str, float]] = {}
    arms: dict[str, Arm] = {}
    for variant, model in MODELS.items():
        mine = {phase: results for (one, phase), results in right.items() if one == variant}
        accuracy[model] = {phase: sum(results) / len(results) for phase, results in mine.items()}
        all_of_it = [correct for results in mine.values() for correct in results]
        share = sum(all_of_it) / len(all_of_it) if all_of_it else None
        arms[variant] = Arm(len(users[variant]), len(all_of_it), rounded(share))
    operations = {MODELS[variant]: arm.operations for variant, arm in arms.items()}
    return Served(operations, dict(operations), accuracy, arms)


def _drawn(image: Any) -> str:
    """The image as a question in text: 64 pixels, 0 (dark) to g (bright)."""
    pixels = [SHADES[max(0, min(16, round(value)))] for value in image.tolist()]
    rows = ("".join(pixels[at : at + 8]) for at in range(0, 64, 8))
    return "\n".join(["Which digit is this?", *rows])


def _phase(done: float) -> str:
    if done < NOISY_FROM:
        return "clean"
    return "noisy" if done < NOISY_TO else "recovered"
