"""Digests of scikit-learn's estimators: what a copy has counts, how this process came by it doesn't."""

import copy
import functools
import inspect
import io
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")
import joblib
import scipy.stats
from sklearn import (
    base,
    calibration,
    cluster,
    compose,
    datasets,
    ensemble,
    isotonic,
    linear_model,
    metrics,
    model_selection,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.feature_extraction import text
from sklearn.gaussian_process import GaussianProcessRegressor, kernels
from sklearn.utils import all_estimators

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint, fingerprint_node
from pytest_mlrepro.values.describe import describe

X, Y = (array[::3] for array in datasets.load_iris(return_X_y=True))
NAMES = np.array(["one", "two", "three"])[Y]
WORDS = ["the cat sat", "a dog ran", "the dog sat"] * 3


def same(*values):
    return len({fingerprint(value).digest for value in values}) == 1


def changed(old, new):
    return set(fingerprint(old).diff(fingerprint(new)))


def saved_and_loaded(value):
    file = io.BytesIO()
    joblib.dump(value, file)
    file.seek(0)
    return joblib.load(file)


def mixed_columns():
    return compose.ColumnTransformer(
        [("scale", preprocessing.StandardScaler(), [0, 1]), ("bins", preprocessing.KBinsDiscretizer(3), slice(2, 4))]
    )


MODELS = {
    "logistic": lambda: linear_model.LogisticRegression(C=2.0).fit(X, Y),
    "names of classes": lambda: linear_model.LogisticRegression().fit(X, NAMES),
    "pipeline": lambda: pipeline.Pipeline([("s", preprocessing.StandardScaler()), ("clf", svm.SVC())]).fit(X, Y),
    "union": lambda: pipeline.make_union(preprocessing.StandardScaler(), preprocessing.PolynomialFeatures()).fit(X),
    "columns": lambda: mixed_columns().fit(X),
    "grid": lambda: model_selection.GridSearchCV(linear_model.LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(X, Y),
    "random search": lambda: model_selection.RandomizedSearchCV(
        svm.SVC(), {"C": scipy.stats.loguniform(0.1, 9)}, n_iter=2, cv=2, random_state=np.random.RandomState(1)
    ).fit(X, Y),
    "tree": lambda: tree.DecisionTreeClassifier(random_state=0).fit(X, Y),
    "forest": lambda: ensemble.RandomForestClassifier(5, random_state=0, n_jobs=2).fit(X, Y),
    "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=3).fit(X, Y),
    "histograms": lambda: ensemble.HistGradientBoostingClassifier(max_iter=3, early_stopping=True, random_state=0).fit(X, Y),
    "kmeans": lambda: cluster.KMeans(3, n_init=1, random_state=0).fit(X),
    "birch": lambda: cluster.Birch(n_clusters=3, threshold=0.2).fit(X),
    "svm": lambda: svm.SVC(gamma="auto").fit(X, Y),
    "calibrated": lambda: calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=2).fit(X, Y),
    "neighbours": lambda: neighbors.KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
    "ball tree": lambda: neighbors.KNeighborsClassifier(algorithm="ball_tree", metric="minkowski", p=3).fit(X, Y),
    "perceptron": lambda: neural_network.MLPClassifier((4,), max_iter=3, random_state=0).fit(X, Y),
    "process": lambda: GaussianProcessRegressor(kernels.RBF(2.0) + kernels.WhiteKernel(), optimizer=None).fit(X, Y),
    "splines": lambda: preprocessing.SplineTransformer(3).fit(X),
    "isotonic": lambda: isotonic.IsotonicRegression().fit(X[:, 0], Y),
    "words": lambda: text.TfidfVectorizer(stop_words=["the"]).fit(WORDS),
    "stack": lambda: ensemble.StackingClassifier([("a", svm.LinearSVC()), ("b", naive_bayes.GaussianNB())], cv=2).fit(X, Y),
    "many outputs": lambda: multioutput.MultiOutputClassifier(tree.ExtraTreeClassifier(random_state=0)).fit(X, np.c_[Y, Y > 1]),
    "function": lambda: preprocessing.FunctionTransformer(np.log1p).fit(X),
    "partial": lambda: preprocessing.FunctionTransformer(functools.partial(np.add, 1.0)).fit(X),
    "frame out": lambda: preprocessing.StandardScaler().set_output(transform="default").fit(X),
    "unfitted": lambda: ensemble.RandomForestClassifier(random_state=np.random.RandomState(3)),
    "tree object": lambda: tree.DecisionTreeClassifier(random_state=0).fit(X, Y).tree_,
    "neighbour object": lambda: neighbors.BallTree(X, leaf_size=5),
    "scorer": lambda: metrics.make_scorer(metrics.f1_score, average="macro"),
    "splitter": lambda: model_selection.StratifiedKFold(3, shuffle=True, random_state=1),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_copies_are_equal(name):
    model = MODELS[name]()
    before = fingerprint(model)
    np.random.random(3)  # of the generator that a fit without a seed keeps
    assert same(model, copy.deepcopy(model), pickle.loads(pickle.dumps(model)), saved_and_loaded(model))
    assert fingerprint(model).digest == before.digest
    assert fingerprint_node(describe(model)).digest == before.digest


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(set(MODELS) - {"boosting"}))  # which draws from the global generator
def test_a_second_fit_is_equal(name):
    assert same(MODELS[name](), MODELS[name]())


@pytest.mark.filterwarnings("ignore")
def test_all_models_differ():
    assert len({fingerprint(make()).digest for make in MODELS.values()}) == len(MODELS)


def test_use_changes_nothing():
    near, labels = MODELS["neighbours"](), preprocessing.MultiLabelBinarizer().fit([[0, 1], [2]])
    before = fingerprint([near, labels]).digest
    near.predict(X)
    labels.transform([[0]])
    assert fingerprint([near, labels]).digest == before


def test_a_diff_names_hyper_parameters_attributes_and_steps():
    old, new = (
        pipeline.Pipeline([("scale", preprocessing.StandardScaler()), ("clf", linear_model.LogisticRegression(C=c))])
        for c in (1.0, 2.0)
    )
    assert changed(old, new) == {"['clf'].params['C']"}
    fitted = copy.deepcopy(old).fit(X, Y)
    assert "['scale'].mean_" in changed(old, fitted)
    touched = copy.deepcopy(fitted)
    touched["clf"].coef_[0, 0] += 1
    assert changed(fitted, touched) == {"['clf'].coef_"}
    renamed = pipeline.Pipeline([("s", old.steps[0][1]), old.steps[1]])
    assert changed(old, renamed) == {"['scale']", "['s']"}
    assert changed(old, pipeline.Pipeline(old.steps[::-1])) != set()


def test_a_diff_names_transformers_and_their_columns():
    old, new = mixed_columns().fit(X), mixed_columns().fit(X)
    new.named_transformers_["scale"].mean_[1] = 7
    assert changed(old, new) == {".transformers_['scale'].mean_"}
    other = mixed_columns()
    other.transformers[0] = ("scale", preprocessing.StandardScaler(), [0, 2])
    assert changed(mixed_columns(), other) == {".params['transformers'].columns['scale']"}


def test_a_diff_names_the_tree_of_a_forest():
    old, new = MODELS["forest"](), MODELS["forest"]()
    new.estimators_[3].tree_.value[0] += 1
    assert changed(old, new) == {".estimators_[3].tree_.values"}


def test_class_parameters_and_fit_count():
    kind = linear_model.LogisticRegression
    models = [kind(), kind(C=2), linear_model.Ridge(), kind(C="1.0"), kind().fit(X, Y), kind().fit(X, NAMES), kind]
    assert len({fingerprint(model).digest for model in models}) == len(models)
    assert same(kind(C=1.0), kind())


def test_versions_times_and_threads_do_not_count():
    grid = MODELS["grid"]()
    old = copy.deepcopy(grid)
    old.refit_time_ = 9.0
    old.cv_results_["mean_fit_time"] = old.cv_results_["mean_fit_time"] + 1
    assert same(grid, old)
    old.cv_results_["mean_test_score"] = old.cv_results_["mean_test_score"] + 1
    assert changed(grid, old) == {".cv_results_['mean_test_score']"}
    means = MODELS["kmeans"]()
    elsewhere = copy.deepcopy(means)
    elsewhere._n_threads = 99
    assert same(means, elsewhere)
    scaler = preprocessing.StandardScaler()
    state = scaler.__getstate__()
    assert state.pop("_sklearn_version")
    stamped = preprocessing.StandardScaler()
    stamped._sklearn_version = "0.1"
    assert same(scaler, stamped)


class Cut(base.TransformerMixin, base.BaseEstimator):
    """An estimator of a project."""

    def __init__(self, least=0.0):
        self.least = least

    def fit(self, data, y=None):
        self.n_features_in_ = data.shape[1]
        self._found = np.percentile(data, 10)
        return self


class Broken(base.BaseEstimator):
    def __init__(self, rate):
        self.other = rate


def test_own_estimators():
    assert same(Cut(1.0).fit(X), copy.deepcopy(Cut(1.0).fit(X)))
    assert changed(Cut(1.0).fit(X), Cut(2.0).fit(X)) == {".params['least']"}
    assert changed(Cut().fit(X), Cut().fit(X * 2)) == {"._found"}
    with pytest.raises(FingerprintError, match=r"value\['m'\] is of type .*Broken.*get_params\(\) fails.*rate"):
        fingerprint({"m": Broken(1)})


def test_functions_inside_count_by_what_they_do():
    def make(function):
        return preprocessing.FunctionTransformer(function)

    assert same(make(lambda x: x + 1), make(lambda x: x + 1))
    assert changed(make(lambda x: x + 1), make(lambda x: x + 2)) == {".params['func'].source"}
    assert changed(make(np.log1p), make(np.log)) == {".params['func']"}
    with pytest.raises(FingerprintError, match=r"value\['clf'\]\.params\['func'\]"):
        fingerprint(pipeline.Pipeline([("clf", make(eval("lambda x: x")))]))


def test_generators_count_by_their_state():
    def make(seed):
        return ensemble.RandomForestClassifier(random_state=np.random.RandomState(seed))

    assert same(make(0), make(0))
    assert {name.partition(".state")[0] for name in changed(make(0), make(1))} == {".params['random_state']"}


def fitted(kind):
    """Return a fitted estimator of any class that scikit-learn has, or None where it takes what this doesn't know."""
    needed = {
        "estimator": linear_model.Ridge() if "Regress" in kind.__name__ else linear_model.LogisticRegression(),
        "estimators": [
            ("a", linear_model.Ridge() if "Regress" in kind.__name__ else linear_model.LogisticRegression())
        ],
        "steps": [("s", preprocessing.StandardScaler())],
        "transformer_list": [("s", preprocessing.StandardScaler())],
        "transformers": [("s", preprocessing.StandardScaler(), [0])],
        "param_grid": {"C": [0.1, 1.0]},
        "param_distributions": {"C": [0.1, 1.0]},
        "dictionary": np.eye(4)[:3],
    }
    wanted = inspect.signature(kind).parameters.values()
    arguments = {item.name: needed[item.name] for item in wanted if item.default is inspect.Parameter.empty}
    seed = {"random_state": 0} if "random_state" in {item.name for item in wanted} else {}
    data = (WORDS,) if "Vectorizer" in kind.__name__ else (X, Y)
    return kind(**arguments, **seed).fit(*data)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_estimator_of_this_version():
    done = 0
    for _, kind in all_estimators():
        try:
            first, second = fitted(kind), fitted(kind)
        except Exception:  # noqa: BLE001  # it takes other data or arguments: enough others don't
            continue
        before = fingerprint(first).digest
        for twin in (second, copy.deepcopy(first), pickle.loads(pickle.dumps(first)), saved_and_loaded(first)):
            assert fingerprint(twin).digest == before, (kind, fingerprint(first).diff(fingerprint(twin)))
        done += 1
    assert done > 140
