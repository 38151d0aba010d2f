"""Drift: what moves is found and named, what does not matter is left alone, and what can't be told is said to be so."""

from __future__ import annotations

import zoneinfo
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro import UsageError
from pytest_mlrepro.drift import Profile, Report, assert_no_drift, drift_report, packed

pd = pytest.importorskip("pandas")
pytest.importorskip("narwhals")

from .drift_frames import engines, table  # noqa: E402

ROWS = 20_000
REFERENCE = table(ROWS, 1)
PROFILE = Profile.of(REFERENCE, date="2026-11-25")


def report(frame: object, **options: object) -> Report:
    return drift_report(frame, PROFILE, **options)


def moved(found: Report) -> set[tuple[str, str]]:
    return {(finding.column, finding.what) for finding in found.drifted}


def test_a_fresh_sample_of_the_same_distribution_passes() -> None:
    found = assert_no_drift(table(ROWS, 2), PROFILE)
    assert found.verdict == "passed"
    assert str(found).startswith("no drift since the reference of 2026-11-25 (20,000 rows): 20,000 rows")


def test_a_moved_column_is_named_with_its_move_in_its_unit_and_the_reference_s_date() -> None:
    frame = table(ROWS, 2)
    frame["price"] += 0.7
    with pytest.raises(AssertionError) as failure:
        assert_no_drift(frame, PROFILE, units={"price": "EUR"}, name="train")
    words = str(failure.value)
    assert words.startswith("drift since train of 2026-11-25 (20,000 rows): 1 of its columns moved")
    assert "price: its distribution moved: median 3.3" in words
    assert "EUR (+0.7" in words
    assert "standard deviations)" in words
    assert "allowed 0.05; p < 1e-99, corrected for" in words


@pytest.mark.parametrize(
    ("changes", "column", "what"),
    [
        ({"normal": lambda f: f["normal"] * 1.5}, "normal", "distribution"),
        ({"count": lambda f: f["count"] + (f["count"] == 1)}, "count", "distribution"),
        ({"zeros": lambda f: f["zeros"] - 0.1 * (f["zeros"] == 0)}, "zeros", "distribution"),
        ({"city": lambda f: f["city"].where(f["normal"] > -1.2, "city11")}, "city", "distribution"),
        ({"city": lambda f: f["city"].where(f["normal"] > -2, "city1 ")}, "city", "unseen categories"),
        ({"price": lambda f: f["price"].where(f["normal"] > -2)}, "price", "nulls"),
        ({"price": lambda f: f["price"] * np.nan}, "price", "nulls"),
        ({"plan": lambda f: f["plan"].where(f["normal"] > -2)}, "plan", "nulls"),
        ({"price": lambda f: f["price"].where(f["normal"] > -3.5, np.inf)}, "price", "infinite values"),
        ({"price": lambda f: f["price"].map("{:.2f}".format).str.replace(".", ",")}, "price", "type"),
        ({"price": lambda f: [str(x) if x > 8 else x for x in f["price"]]}, "price", "mixed types"),
        ({"extra": lambda f: f["price"]}, "extra", "new column"),
        ({"other": lambda f: 0.5 * f["normal"] + 0.75**0.5 * f["other"]}, "normal and other", "correlation"),
        ({"churned": True}, "churned", "distribution"),
    ],
    ids=["spread", "ties", "point mass", "shares", "stray spelling", "nulls", "all nulls", "null categories", "infinity",
         "decimal comma", "mixed", "new", "correlation", "single value"],
)  # fmt: skip
def test_each_planted_fault_is_found_by_its_own_kind_and_none_is_invented(
    changes: dict[str, object], column: str, what: str
) -> None:
    assert moved(report(table(ROWS, 2, **changes))) == {(column, what)}


def test_a_missing_column_is_named() -> None:
    found = report(table(ROWS, 2).drop(columns="city"))
    assert moved(found) == {("city", "missing column")}
    assert "city: the column is missing; it was category" in str(found)


def test_unseen_categories_nulls_and_infinities_name_rows() -> None:
    frame = table(ROWS, 2)
    frame.loc[[3, 8], "price"] = [np.inf, -np.inf]
    frame.loc[range(100, 1000), "normal"] = np.nan
    frame.loc[range(7, 1007), "city"] = "Zürich"
    words = str(report(frame))
    assert "rows 3 (inf), 8 (-inf)" in words
    assert "first in rows 100, 101, 102, 103, 104" in words
    assert "'Zürich' (1,000); first in rows 7, 8, 9, 10, 11" in words
    assert "1,000 of 20,000 rows (5.0%, expected 0%)" in words


def test_a_shift_that_does_not_matter_is_left_alone_though_a_test_alone_would_alarm() -> None:
    rows = 400_000
    rng = np.random.default_rng(0)
    then, now = rng.normal(size=rows), rng.normal(size=rows) + 0.04
    found = drift_report({"x": now}, Profile.of({"x": then}))
    assert found.findings[0].tail < 0.001
    assert found.verdict == "passed"
    assert drift_report({"x": now}, Profile.of({"x": then}), effect=0.005).verdict == "drift"


def test_a_hair_s_breadth_does_not_matter_where_many_rows_have_one_value() -> None:
    hair = {
        name: lambda f, name=name: f[name] + 0.01 * f[name].std()
        for name in ("price", "normal", "other", "count", "zeros")
    }
    assert report(table(ROWS, 2, **hair)).verdict == "passed"
    more = {"count": lambda f: f["count"] + 0.1 * f["count"].std()}
    assert moved(report(table(ROWS, 2, **more))) == {("count", "distribution")}


def test_a_sample_that_is_too_small_is_undecided_and_says_how_many_rows_it_takes() -> None:
    small = table(500, 3)
    with pytest.raises(AssertionError, match="undecided whether anything moved") as failure:
        assert_no_drift(small, PROFILE)
    words = str(failure.value)
    assert "500 rows with a value came" in words
    needed = int(words.split("takes ")[1].split(" rows")[0].replace(",", ""))
    assert report(table(needed + 1, 3)).verdict == "passed"
    assert assert_no_drift(small, PROFILE, undecided="pass").verdict == "undecided"
    suggested = float(words.split("effect=")[1].split(",")[0])
    assert suggested > 0.05
    assert report(table(500, 3), effect=suggested, correlation=0.5).verdict == "passed"


def test_a_drift_in_a_small_sample_is_a_drift_all_the_same() -> None:
    assert report(table(500, 3, normal=lambda f: f["normal"] + 1)).verdict == "drift"


def test_a_small_reference_counts_too_and_no_sample_can_make_up_for_it() -> None:
    found = drift_report(table(ROWS, 2), Profile.of(table(400, 1)))
    assert found.verdict == "undecided"
    assert "the reference has only 400 rows" in str(found)


@pytest.mark.parametrize("engine", [name for name in engines() if name != "pandas"])
def test_each_engine_gives_the_same_profile_and_the_same_verdict(engine: str) -> None:
    make = engines()[engine]
    then = table(5_000, 1)
    now = table(5_000, 2, normal=lambda f: f["normal"] + 0.3, city=lambda f: f["city"].where(f["other"] > -2, "x"))
    now.loc[:300, "price"] = np.nan
    one, two = Profile.of(make(then)).to_plain(), Profile.of(then).to_plain()
    for column in (*one["columns"].values(), *two["columns"].values()):
        if "moments" in column:  # an engine may add in another order
            column["moments"] = column["moments"].round(9)
    assert str(one) == str(two)
    expected = drift_report(now, Profile.of(then))
    assert str(drift_report(make(now), Profile.of(then))) == str(expected)
    assert str(drift_report(make(now), Profile.of(make(then)))) == str(expected)
    assert moved(expected) == {("price", "nulls"), ("normal", "distribution"), ("city", "unseen categories")}


def test_dates_and_zones_are_held_against_each_other() -> None:
    def dated(start: str, zone: str | None = None) -> pd.DataFrame:
        times = pd.Timestamp(start) + pd.to_timedelta(np.random.default_rng(0).integers(0, 30 * 86400, 5000), unit="s")
        return pd.DataFrame({"at": times.tz_localize(zone) if zone else times, "x": np.arange(5000.0)})

    then = Profile.of(dated("2026-01-01"))
    found = drift_report(dated("2026-03-01"), then)
    assert moved(found) == {("at", "distribution")}
    assert "its dates moved: median 2026-01-1" in str(found)
    assert "(+59 days)" in str(found)
    assert moved(drift_report(dated("2026-01-01", "Europe/Berlin"), then)) == {("at", "time zone")}
    zoned = Profile.of(dated("2026-01-01", "Europe/Berlin"))
    same_moments = dated("2026-01-01", "Europe/Berlin")
    same_moments["at"] = same_moments["at"].dt.tz_convert("UTC")
    assert drift_report(same_moments, zoned).verdict == "passed"


def test_mixed_time_zones_are_reported_and_not_crashed_on() -> None:
    import datetime as dt

    zoned = [dt.datetime(2026, 1, 1 + at % 28, tzinfo=dt.UTC) for at in range(4000)]
    mixed = [moment if at % 2 else moment.replace(tzinfo=None) for at, moment in enumerate(zoned)]
    then = Profile.of(pd.DataFrame({"at": pd.Series(zoned, dtype=object)}))
    assert moved(drift_report(pd.DataFrame({"at": pd.Series(mixed, dtype=object)}), then)) == {("at", "time zone")}
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    several = [moment.astimezone(berlin) if at % 3 == 0 else moment for at, moment in enumerate(zoned)]
    found = drift_report(pd.DataFrame({"at": pd.Series(several, dtype=object)}), then)
    assert moved(found) == {("at", "time zone")}
    assert "its dates had a time zone, and have several time zones" in str(found)


def test_texts_are_compared_by_length_and_by_words_that_are_new() -> None:
    rng = np.random.default_rng(0)
    words = [f"word{at}" for at in range(300)]

    def texts(rows: int, vocabulary: list[str], length: int) -> list[str]:
        return [" ".join(rng.choice(vocabulary, rng.integers(length, 2 * length))) for _ in range(rows)]

    then = Profile.of({"comment": np.array(texts(6000, words, 5), object)})
    assert then.columns["comment"].kind == "text"
    assert drift_report({"comment": np.array(texts(6000, words, 5), object)}, then).verdict == "passed"
    longer = drift_report({"comment": np.array(texts(6000, words, 9), object)}, then)
    assert moved(longer) == {("comment: characters", "distribution")}
    odd = [text.replace("word1", "mot1") for text in texts(6000, words, 5)]
    new = drift_report({"comment": np.array(odd, object)}, then, effect={"comment: characters": 0.5})
    assert moved(new) == {("comment: share of unknown words", "distribution")}
    assert "the most frequent new words: 'mot1" in str(new)
    assert "word7 word" not in str(then.to_plain()), "a profile holds no text of a row"


def test_images_are_compared_through_an_encoder() -> None:
    rng = np.random.default_rng(0)

    def images(rows: int, light: float) -> list[np.ndarray]:
        return [rng.normal(light, 1, (6, 6)) for _ in range(rows)]

    def encoder(batch: list[np.ndarray]) -> np.ndarray:
        return np.stack(batch).reshape(len(batch), -1)

    then = Profile.of(images(8000, 0.0), encoder=encoder)
    assert drift_report(images(8000, 0.0), then, encoder=encoder).verdict == "passed"
    assert drift_report(images(8000, 0.5), then, encoder=encoder).verdict == "drift"
    with pytest.raises(UsageError, match="give encoder="):
        drift_report({"x": np.arange(9.0)}, then)
    with pytest.raises(UsageError, match=r"must return numbers of shape \(rows, width\)"):
        drift_report(images(5, 0.0), then, encoder=lambda batch: np.zeros((3, 2)))


def test_an_encoder_may_stand_for_one_column() -> None:
    rng = np.random.default_rng(0)
    encoder = {"word": lambda column: np.array([[len(word), word.count("a")] for word in column])}

    def frame(letters: str) -> pd.DataFrame:
        names = ["".join(rng.choice(list(letters), 6)) for _ in range(9000)]
        return pd.DataFrame({"word": names, "x": rng.normal(size=9000)})

    then = Profile.of(frame("abc"), encoder=encoder)
    assert drift_report(frame("abc"), then, encoder=encoder).verdict == "passed"
    assert {column.split(":")[0] for column, _ in moved(drift_report(frame("aabc"), then, encoder=encoder))} == {"word"}


def test_texts_that_come_often_are_known_to_both_halves_of_the_reference() -> None:
    texts = np.array([f"please call customer {at}" for at in range(60)], object)

    def frame(seed: int) -> dict[str, np.ndarray]:
        return {"note": texts[np.random.default_rng(seed).integers(0, 60, 8000)]}

    then = Profile.of(frame(0), kinds={"note": "text"})
    assert drift_report(frame(1), then).verdict == "passed"


def test_predictions_drift_by_themselves() -> None:
    model = lambda frame: (frame["normal"] > 0.5).to_numpy()  # noqa: E731
    then = Profile.of(REFERENCE, predictions=model)
    assert drift_report(table(ROWS, 2), then, predictions=model).verdict == "passed"
    broken = lambda frame: (frame["normal"] > -0.5).to_numpy()  # noqa: E731
    assert moved(drift_report(table(ROWS, 2), then, predictions=broken)) == {("(predictions)", "distribution")}
    assert moved(drift_report(table(ROWS, 2), then)) == {("(predictions)", "missing column")}
    with pytest.raises(UsageError, match="predictions must have shape"):
        drift_report(table(ROWS, 2), then, predictions=np.zeros(3))


def test_a_frame_as_reference_is_held_against_by_a_classifier_too() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)

    def ring(rows: int, tied: bool) -> dict[str, np.ndarray]:
        x, y = rng.normal(size=rows), rng.normal(size=rows)
        return {
            "x": x,
            "y": np.abs(y) * np.sign(x) * rng.choice([-1, 1], rows) if not tied else np.sign(x * x - 0.45) * np.abs(y),
        }

    same = drift_report(ring(8000, tied=False), ring(8000, tied=False))
    assert same.verdict == "passed"
    found = drift_report(ring(8000, tied=True), ring(8000, tied=False))
    assert ("all columns", "all columns together") in moved(found)
    assert "area under the curve" in str(found)
    assert ("all columns", "all columns together") not in moved(
        drift_report(ring(8000, tied=True), ring(8000, tied=False), together=None)
    )


def daily(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    day = rng.integers(0, 60, 2 * ROWS)
    frame = pd.DataFrame(
        {f"x{at}": rng.normal(size=len(day)) + rng.normal(scale=0.25, size=60)[day] for at in range(6)}
    )
    frame["day"] = day
    return frame[day < 30], frame[day >= 30]


def test_rows_that_come_in_days_alarm_without_groups_and_not_with_them() -> None:
    pairs = [daily(seed) for seed in range(8)]
    bare = [[frame.drop(columns="day") for frame in pair] for pair in pairs]
    alone = [drift_report(now, Profile.of(then)).verdict for then, now in bare]
    by_day = [drift_report(now, Profile.of(then, groups="day")).verdict for then, now in pairs]
    assert alone.count("drift") >= 4
    assert by_day.count("drift") <= 1


def test_a_drift_that_is_larger_than_days_differ_is_found_and_told_against_them() -> None:
    then, now = daily(0)
    found = drift_report(now.assign(x0=now["x0"] + 0.8), Profile.of(then, groups="day"))
    assert ("x0", "distribution") in moved(found)
    assert "groups of the reference differ by" in str(found)


def test_groups_that_can_t_be_right_are_usage_errors() -> None:
    then, now = daily(0)
    with pytest.raises(UsageError, match="at least 4 groups"):
        Profile.of(then[then["day"] < 3], groups="day")
    with pytest.raises(UsageError, match="is no column of the reference"):
        Profile.of(then, groups="week")
    with pytest.raises(UsageError, match="made with groups= too"):
        drift_report(now, Profile.of(then), groups="day")
    with pytest.raises(UsageError, match="one label for each"):
        Profile.of(then, groups=[1, 2, 3])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"a": []}), r"has no rows \(columns: a\)"),
        (pd.DataFrame(), "has no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "several columns of one name: 'a'"),
        ({"a": np.zeros(3), "b": np.zeros(4)}, "other numbers of rows"),
        (np.zeros((2, 3, 4)), r"shape \(2, 3, 4\)"),
        (7, "must be a frame"),
        (pd.DataFrame({"a": [[1], [2]]}), r"column 'a' holds list \(row 0\)"),
        ({"a": np.zeros(3, complex)}, "column 'a' has dtype complex128"),
    ],
    ids=["empty", "no columns", "duplicates", "ragged", "images", "a number", "lists", "complex"],
)
def test_a_frame_that_can_t_be_compared_is_refused_with_its_column(frame: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Profile.of(frame)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"effect": 0}, "effect must be a number above 0"),
        ({"effect": {"nothing": 0.1}}, "'nothing', which effect or units names"),
        ({"false_alarms": 0.9}, "false_alarms must be a number"),
        ({"undecided": "maybe"}, "undecided must be"),
        ({"ignore": ["prise"]}, "'prise', which ignore names"),
        ({"encoder": {"prise": len}}, "encoder names 'prise'"),
        ({"kinds": {"price": "prose"}}, r"kinds\['price'\] must be one of"),
    ],
)
def test_arguments_that_can_t_be_right_are_usage_errors(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        drift_report(table(100, 2), REFERENCE, **options)


def test_an_all_null_or_single_valued_column_is_compared_and_not_crashed_on() -> None:
    nothing, empty = np.full(4000, np.nan), np.array([None] * 4000, object)
    frame = {"gone": nothing, "same": np.full(4000, 7.0), "text": empty}
    then = Profile.of(frame)
    assert drift_report(frame, then).verdict == "passed"
    texts = np.array(["a"] * 4000, object)
    found = drift_report({"gone": np.arange(4000.0), "same": np.full(4000, 8.0), "text": texts}, then)
    assert moved(found) == {("gone", "nulls"), ("same", "distribution"), ("text", "nulls")}


def test_a_mixed_column_is_compared_as_categories_if_the_reference_is_mixed_too() -> None:
    mixed = pd.DataFrame({"o": pd.Series([1, "1", 2.5, None] * 4000, dtype=object)})
    then = Profile.of(mixed)
    assert drift_report(mixed, then).verdict == "passed"
    assert moved(drift_report(pd.DataFrame({"o": pd.Series([1, 1, 2.5, None] * 4000, dtype=object)}), then)) != set()


def test_categories_by_the_hundred_thousand_fit_and_are_compared() -> None:
    rng = np.random.default_rng(0)

    def names(rows: int, shift: int) -> pd.DataFrame:
        often, rarely = rng.geometric(0.01, rows) + shift, rng.integers(1000, 400_000, rows)
        return pd.DataFrame({"user": [f"user{at}" for at in np.where(rng.random(rows) < 0.5, often, rarely)]})

    many = names(250_000, 0)
    assert many["user"].nunique() > 50_000
    then = Profile.of(many, kinds={"user": "category"})
    assert size(then) < 64 * 1024
    assert drift_report(names(250_000, 0), then).verdict == "passed"
    assert moved(drift_report(names(250_000, 30), then)) == {("user", "distribution")}


def size(profile: Profile) -> int:
    """Return the bytes that a profile takes: arrays as they are, names as text."""

    def of(value: object) -> int:
        if isinstance(value, np.ndarray):
            return value.nbytes
        if isinstance(value, dict):
            return sum(len(str(key)) + of(part) for key, part in value.items())
        return sum(map(of, value)) if isinstance(value, list) else len(str(value))

    return of(profile.to_plain())


def test_a_profile_is_small_holds_no_row_and_goes_through_plain_arrays() -> None:
    assert size(PROFILE) < 200 * 1024
    again = Profile.from_plain(PROFILE.to_plain())
    assert str(again.to_plain()) == str(PROFILE.to_plain())
    assert str(drift_report(table(3000, 4), again)) == str(report(table(3000, 4)))
    with pytest.raises(UsageError, match="no profile of format"):
        Profile.from_plain({"format": "another"})


def test_redaction_leaves_out_extremes_and_rare_categories_and_still_finds_drift() -> None:
    frame = table(ROWS, 1)
    frame.loc[0, "price"], frame.loc[1, "city"] = 9876.5, "Villa Rara"
    plain, redacted = Profile.of(frame).to_plain(), Profile.of(frame, redact=True).to_plain()
    assert 9876.5 in plain["columns"]["price"]["edges"]
    assert 9876.5 not in redacted["columns"]["price"]["edges"]
    assert np.isnan(redacted["columns"]["price"]["moments"][3:]).all()
    assert "Villa Rara" in plain["columns"]["city"]["levels"]["names"]
    assert "Villa Rara" not in str(redacted)
    then = Profile.of(frame, redact=20)
    assert np.diff(then.columns["normal"].numbers.counts.upto).min() >= 20
    assert drift_report(table(ROWS, 2), then).verdict == "passed"
    assert moved(drift_report(table(ROWS, 2, normal=lambda f: f["normal"] + 0.3), then)) == {("normal", "distribution")}


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 300), st.integers(0, 2**32 - 1))
def test_the_profile_of_a_permuted_frame_is_equal(rows: int, seed: int) -> None:
    frame = table(rows, seed)
    frame.loc[frame["normal"] > 1, "price"] = np.nan
    other = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
    assert str(Profile.of(other, date="d").to_plain()) == str(Profile.of(frame, date="d").to_plain())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), min_size=1, max_size=60),
    st.booleans(),
)
def test_a_frame_never_drifts_from_its_own_profile(values: list[float | None], redact: bool) -> None:
    frame = {"x": np.array([np.nan if value is None else value for value in values]), "y": np.array(values, object)}
    assert drift_report(frame, Profile.of(frame, redact=redact)).verdict != "drift"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=80), st.lists(st.integers(0, 6), min_size=1, max_size=80))
def test_the_distance_of_tied_values_is_the_textbook_s(one: list[int], two: list[int]) -> None:
    (finding, *_) = drift_report({"x": np.array(two)}, Profile.of({"x": np.array(one)})).findings
    steps = [abs(np.mean(np.array(one) <= at) - np.mean(np.array(two) <= at)) for at in {*one, *two}]
    # the reference's values are its edges: what the sample has between them can be missed, never invented
    assert finding.statistic <= max(steps) + 1e-12
    if set(two) <= set(one):
        assert finding.statistic == pytest.approx(max(steps))


def test_messages_stay_short_whatever_the_frame_holds() -> None:
    wide = {f"column {at} {'x' * 200}\n": np.random.default_rng(at).normal(size=4000) for at in range(60)}
    found = drift_report({name: values + 1 for name, values in wide.items()}, Profile.of(wide))
    assert len(found.drifted) == 60
    assert len(str(found)) < 4096
    assert "… and 52 more" in str(found)


SHORT = st.one_of(
    st.none(), st.text(max_size=3), st.sampled_from(["", "a", "a\x00", "\x00", "éa", "12345678", "123456789"])
)


@settings(max_examples=200, deadline=None)
@given(st.lists(SHORT, max_size=40), st.integers(0, 5), st.booleans())
def test_short_texts_are_counted_as_they_are_one_by_one(texts: list[str | None], start: int, large: bool) -> None:
    pa = pytest.importorskip("pyarrow")
    kind = pa.large_string() if large else pa.string()
    texts = [None if text is None else text.encode("utf-8", "replace").decode() for text in texts]
    column = pa.chunked_array([pa.array(texts, kind)[start:], pa.array(texts, kind)])
    expected = Counter(text for text in [*texts[start:], *texts] if text is not None)
    found = packed.counted(column)
    assert found is None or found == expected
    if expected and all(0 < len(text.encode()) <= 8 and "\x00" not in text for text in expected) and texts[start:]:
        assert found == expected  # it was counted, and not left to the library
    frame = pa.table({"c": column})
    if expected:
        objects = {"c": np.array([*texts[start:], *texts], object)}
        one, two = (Profile.of(of, kinds={"c": "category"}).to_plain() for of in (frame, objects))
        assert str(one) == str(two)
