"""Corruptions: what they do to each kind of data, that they are the sample's own, and that verdicts on them are exact."""

from __future__ import annotations

import itertools
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro import Corruption, UsageError, assert_robust
from pytest_mlrepro.robustness.corrupted import read_corrupted
from pytest_mlrepro.robustness.robust import check_robust


def images(rows: int = 40):
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x[:rows] / 16).reshape(-1, 1, 8, 8), y[:rows]


def made(threat, inputs, seed: int = 0):
    x, form, region = read_corrupted(threat, inputs)
    rows = [region.sample(np.random.default_rng([seed, at]), row) for at, row in enumerate(x)]
    return form.restore(np.stack(rows).astype(x.dtype))


@pytest.mark.parametrize("name", Corruption.names("image"))
def test_images_stay_images_and_worsen_with_severity(name: str) -> None:
    pytest.importorskip("sklearn")
    x, _ = images()
    change = []
    for severity in range(1, 6):
        found = made(Corruption(name, severity), x)
        assert found.shape == x.shape
        assert found.dtype == x.dtype
        assert found.min() >= 0
        assert found.max() <= 1
        change.append(float(np.abs(found - x).mean()))
    assert change[0] > 0
    assert change[-1] > change[0]
    assert all(later >= earlier * 0.98 for earlier, later in itertools.pairwise(change))


def test_large_images_channels_last_and_whole_numbers() -> None:
    rng = np.random.default_rng(0)
    large = rng.integers(0, 256, (3, 64, 64, 3), np.uint8)
    for name in Corruption.names("image"):
        found = made(Corruption(name, 3), large)
        assert found.dtype == np.uint8
        assert found.shape == large.shape
        assert (found != large).any()
    four = np.random.default_rng(0).random((3, 16, 12, 4))
    still = made(Corruption("motion_blur", 5), four)  # along the rows of the picture, and not over its colours
    assert still.shape == four.shape
    assert still[0, :, :, 0] == pytest.approx(made(Corruption("motion_blur", 5), four[..., 0])[0])
    with pytest.raises(UsageError, match=r"outside of 0 to 1; give their .*bounds="):
        made(Corruption("contrast"), large.astype(float))
    assert made(Corruption("contrast", bounds=(0, 255)), large.astype(float)).max() > 1


@pytest.mark.parametrize("name", Corruption.names("series"))
def test_series_keep_their_shape(name: str) -> None:
    time = np.linspace(0, 20, 200)
    x = np.stack([[np.sin(time), np.cos(time)]] * 10) + np.arange(10)[:, None, None]
    change = [float(np.abs(made(Corruption(name, severity, kind="series"), x) - x).mean()) for severity in (1, 5)]
    assert 0 < change[0] < change[1]
    flat = made(Corruption(name, 3, kind="series"), x[:, 0])
    assert flat.shape == x[:, 0].shape


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("name", Corruption.names("table"))
def test_tables_keep_their_columns(name: str, kind: str) -> None:
    library = pytest.importorskip(kind)
    rng = np.random.default_rng(0)
    frame = library.DataFrame(
        {
            "age": rng.integers(18, 80, 50).tolist(), "income": rng.normal(size=50).tolist(),
            "city": rng.choice(["Bern", "Genève", "Zürich"], 50).tolist(), "member": (rng.random(50) < 0.5).tolist(),
        }
    )  # fmt: skip
    found = made(Corruption(name, 5), frame)
    assert type(found) is type(frame)
    assert [str(dtype) for dtype in found.dtypes] == [str(dtype) for dtype in frame.dtypes]
    assert not found.equals(frame)
    kept = made(Corruption(name, 5, columns=["income", "city"]), frame)
    assert list(kept["age"]) == list(frame["age"])
    with pytest.raises(UsageError, match="no column 'height'"):
        made(Corruption(name, 5, columns=["height"]), frame)


@pytest.mark.parametrize("name", Corruption.names("text"))
def test_texts(name: str) -> None:
    texts = ["The quick brown fox jumps over the lazy dog"] * 20
    found = made(Corruption(name, 3), texts)
    assert isinstance(found, list)
    assert found != texts
    assert all(isinstance(text, str) for text in found)
    array = made(Corruption(name, 3), np.array(texts))
    assert array.shape == (20,)
    assert made(Corruption(name, 3), [""]) is not None


def test_each_sample_has_its_own_and_the_verdict_is_exact() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    x, y = images(400)
    flat = x.reshape(len(x), -1)
    model = linear.LogisticRegression(max_iter=2000).fit(flat[:300], y[:300])

    def predict(rows):
        return model.predict(rows.reshape(len(rows), -1))

    def statuses(order, size):
        report = check_robust(
            predict, x[300:][order], y[300:][order], Corruption("gaussian_noise", 5, draws=4), min_accuracy=0.01,
            complete=True, batch_size=size,
        )  # fmt: skip
        assert report.verdict == "passed (exact)"
        assert report.proved == report.robust_accuracy
        return np.array(report.statuses)[np.argsort(order)].tolist()

    first = statuses(np.arange(100), 128)
    assert statuses(np.random.default_rng(0).permutation(100), 9) == first
    assert {"proved", "broken"} <= {*first}


def test_a_model_that_can_t_bear_it_fails_with_counterexamples() -> None:
    pytest.importorskip("sklearn")
    x, _ = images(100)

    def dark(rows):
        return (rows.mean(axis=(1, 2, 3)) > 0.32).astype(int)

    with pytest.raises(AssertionError, match=r"robust accuracy is at most .* under Corruption\('brightness', 5\)"):
        assert_robust(dark, x, dark(x), Corruption("brightness", 5), min_accuracy=0.9)
    report = check_robust(dark, x, dark(x), Corruption("brightness", 5), min_accuracy=0.9)
    for example in report.counterexamples:
        assert dark(example.form.restore(example.perturbed[None]))[0] != example.label
    assert "brightness of severity 5" in str(report)
    ignores = assert_robust(
        lambda rows: np.zeros(len(rows), int), x, np.zeros(100, int), Corruption("contrast"), min_accuracy=1.0
    )
    assert ignores.verdict == "passed (exact)"


def test_texts_of_a_pipeline() -> None:
    pytest.importorskip("sklearn")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    good, bad = ["a wonderful happy film", "great joyful story"], ["a terrible sad film", "awful boring story"]
    texts, labels = (good + bad) * 10, ([1, 1, 0, 0]) * 10
    words = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(texts, labels)
    letters = make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3)), MultinomialNB()).fit(texts, labels)
    threat = Corruption("typos", 5, draws=5)
    fragile = check_robust(words, texts[:4], labels[:4], threat, min_accuracy=0.01, complete=True)
    honest = check_robust(letters, texts[:4], labels[:4], threat, min_accuracy=0.01, complete=True)
    assert honest.robust_accuracy >= fragile.robust_accuracy
    assert honest.robust_accuracy > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Corruption("gausian_noise"), "did you mean 'gaussian_noise'"),
        (lambda: Corruption("typos", 6), "from 1 to 5"),
        (lambda: Corruption("typos", 3, draws=0), "from 1 to"),
        (lambda: Corruption("typos", kind="image"), "makes no sense for 'image'"),
        (lambda: Corruption("typos", kind="sound"), "one of 'image'"),
        (lambda: Corruption("contrast", bounds=(1, 0)), "two numbers in order"),
        (lambda: Corruption("contrast", bounds=1), "two numbers in order"),
        (lambda: Corruption("unit_shift", columns="income"), "a list of columns is expected"),
        (lambda: Corruption("unit_shift", columns=[]), "a list of columns is expected"),
        (lambda: Corruption("noise"), r"'\w+_noise' or '\w+_noise'"),
        (lambda: Corruption.names("sound"), "one of 'image'"),  # type: ignore[arg-type]  # the point
    ],
)
def test_bad_settings_are_named(make, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make()


@pytest.mark.parametrize(
    ("name", "inputs", "words"),
    [
        ("gaussian_blur", ["text"], "makes no sense for data of the kind 'text'"),
        ("typos", np.zeros((3, 1, 8, 8)), "makes no sense for data of the kind 'image'"),
        ("gaussian_blur", np.zeros((3, 5)), "makes no sense for data of the kind 'table'"),
        ("typos", [1, 2], "texts are expected, got 1"),
        ("typos", [], "there are none"),
        ("missing_cells", np.zeros((3, 5), int), "would do nothing: no column of this table has a missing value"),
        ("swapped_categories", np.zeros((3, 5)), "would do nothing: no column of this table has two categories"),
    ],
)
def test_data_that_it_makes_no_sense_for_is_named(name: str, inputs, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_robust(
            lambda rows: np.zeros(len(rows), int), inputs, [0] * len(inputs), Corruption(name), min_accuracy=0.5
        )


def test_attacks_are_not_chosen_for_a_corruption() -> None:
    with pytest.raises(UsageError, match="drawn and not searched"):
        check_robust(
            lambda rows: np.zeros(len(rows), int), np.zeros((3, 4)), [0] * 3, Corruption("unit_shift"), min_accuracy=0.5,
            attacks="strong",
        )  # fmt: skip


def test_every_corruption_has_five_severities_and_a_source() -> None:
    from pytest_mlrepro.robustness.corruption import BY_KIND

    for methods in BY_KIND.values():
        for name, method in methods.items():
            assert len(method.severities) == 5, name
            assert len({*method.severities}) == 5
            assert Corruption(name).source


def test_settings_of_another_kind_of_data_are_refused() -> None:
    frame = pytest.importorskip("pandas").DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    with pytest.raises(UsageError, match="only for the kind 'image'"):
        made(Corruption("gaussian_noise", bounds=(0, 1)), frame)
    with pytest.raises(UsageError, match="only for the kind 'table'"):
        made(Corruption("contrast", columns=["a"]), np.zeros((3, 1, 8, 8)))
    with pytest.raises(UsageError, match=r"would do nothing: no column of 'b' holds numbers"):
        made(Corruption("unit_shift", columns=["b"]), frame)


def test_units_are_shifted_as_they_say() -> None:
    frame = pytest.importorskip("pandas").DataFrame({"celsius": [-40.0, 0.0, 36.6], "other": [1.25, 20.0, np.nan]})
    warm = made(Corruption("fahrenheit", 5, columns=["celsius"]), frame)
    assert warm["celsius"].round(6).tolist() == [-40.0, 32.0, 97.88]
    comma = made(Corruption("decimal_comma", 5, columns=["other"]), frame)
    assert comma["other"].tolist()[:2] == [125.0, 200.0]
    assert np.isnan(comma["other"][2])
    kilo = made(Corruption("unit_shift", 4, columns=["celsius"], draws=1), frame)
    assert set(np.round(kilo["celsius"] / frame["celsius"], 6).dropna()) <= {1000.0, 0.001}


def test_colours_brighten_by_their_value() -> None:
    colour = np.zeros((1, 3, 8, 8))
    colour[:, 0], colour[:, 1] = 0.4, 0.2
    found = made(Corruption("brightness", 5), colour)  # as theirs: hue and saturation stay, value is up by 0.3
    assert found[0, :, 0, 0] == pytest.approx([0.7, 0.35, 0.0])
    assert made(Corruption("brightness", 5), np.zeros((1, 3, 8, 8))) == pytest.approx(0.3)


TEXTS = [f"word{at} some text number {at}" for at in range(40)]


def by_letters(rows) -> np.ndarray:
    return np.array([sum(map(ord, text)) % 3 for text in rows])


def broken_texts(order, *, size: int = 128, **options) -> dict[int, str]:
    texts = [TEXTS[at] for at in order]
    report = check_robust(
        by_letters, texts, by_letters(texts), Corruption("typos", 1, draws=2), min_accuracy=0.01, complete=True,
        batch_size=size, **options,
    )  # fmt: skip
    return {int(order[one.index]): one.form.restore(one.perturbed[None])[0] for one in report.counterexamples}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 40), size=st.integers(1, 64))
def test_typing_errors_are_the_text_s_own(seed: int, count: int, size: int) -> None:
    whole = broken_texts(np.arange(40))
    some = np.random.default_rng(seed).permutation(40)[:count]
    assert broken_texts(some, size=size) == {at: text for at, text in whole.items() if at in some}


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_texts_go_to_other_workers_and_back(kind) -> None:
    with kind(2) as executor:
        assert broken_texts(np.arange(40), size=5, executor=executor, shards=4) == broken_texts(np.arange(40))


def test_a_counterexample_is_a_draw_and_not_a_part_of_one() -> None:
    x = np.random.default_rng(0).random((20, 1, 8, 8)) * 0.5

    def bright(rows):
        return (rows.mean(axis=(1, 2, 3)) > 0.4).astype(int)

    report = check_robust(bright, x, bright(x), Corruption("brightness", 5), min_accuracy=0.9)
    assert report.counterexamples
    for example in report.counterexamples:
        assert example.perturbed == pytest.approx(example.original + 0.3)


def test_the_report_says_what_it_is_exact_for() -> None:
    pytest.importorskip("sklearn")
    x, _ = images(20)
    report = check_robust(
        lambda rows: np.zeros(len(rows), int), x, np.zeros(20, int), Corruption("contrast", draws=3), min_accuracy=0.5,
        seed=7,
    )  # fmt: skip
    words = str(report)
    assert "passed (exact): robust accuracy is at least 1, exact for what was drawn" in words
    assert "3 draws for each sample, of seed 7; taken as image data; Hendrycks" in words


def test_torch_models_of_images_and_no_gradients_are_asked_for() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
    x, _ = images(40)
    tensor = torch.as_tensor(x, dtype=torch.float32)
    labels = model(tensor).argmax(1)
    report = check_robust(model, tensor, labels, Corruption("gaussian_noise", 5), min_accuracy=0.1)
    assert report.verdict == "passed (exact)"
    assert report.gradients == 0
