"""The graph as text: a known answer in each format, and names that no format may choke on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.pipeline.facts import Input, Part, Step, Tie
from pytest_mlrepro.pipeline.lineage import FORMATS, Measured, lineage
from pytest_mlrepro.pipeline.opened import first_inside, opened
from tests.unit.step_book import new_pipeline

STEPS = [
    Step("load", "d1", "dict", files=(Input("data/x.csv", "d0", "file"),)),
    Step("inner", "d2", "numpy.ndarray", (Input("X", "d3", "numpy.ndarray", (Tie("load", "['X']"),)),), inside="clean"),
    Step("clean", "d2", "numpy.ndarray", (Input("X", "d3", "numpy.ndarray", (Tie("load", "['X']", changed=True),)),)),
    Step(
        "train",
        "d4",
        "sklearn.estimator",
        (Input("data", "d5", "list", (Tie("clean", at="[0]"), Tie("load", "['y']", "[1]"))), Input("C", "d6", "float")),
        opened=(Part("scale", "StandardScaler", "d7"), Part("clf", "SVC", "d8", (Part("k", "RBF", "d9"),))),
    ),
]
TREE = """t.py::test
└─ load  (dict; 12 ms; peak 3 MiB)
   │    data/x.csv: file
   └─ clean  (numpy.ndarray)
      │    X ← load['X'] (changed in place since)
      ├─ inner  (numpy.ndarray; inside clean)
      │       X ← load['X']
      └─ train  (sklearn.estimator; 2.5 s)
              data ← clean as [0], load['y'] as [1]
              C: float
              · scale: StandardScaler
              · clf: SVC
                · k: RBF
"""
MERMAID = """flowchart TD
  %% t.py::test
  s0["load"]
  subgraph s2_in["clean"]
    s2["clean"]
    s1["inner"]
  end
  subgraph s3_in["train"]
    s3["train"]
    s3_0["scale: StandardScaler"]
    subgraph s3_1_in["clf: SVC"]
      s3_1["clf: SVC"]
      s3_1_0["k: RBF"]
    end
  end
  s1 -->|"inside"| s2
  s0 -->|"X ← #91;#39;X#39;#93;"| s1
  s0 -. "X ← #91;#39;X#39;#93;, changed in place since" .-> s2
  s2 -->|"data#91;0#93;"| s3
  s0 -->|"data#91;1#93; ← #91;#39;y#39;#93;"| s3
"""
DOT = """digraph "t.py::test" {
  node [shape=box];
  s0 [label="load"];
  subgraph cluster_s2_in { label="clean";
    s2 [label="clean"];
    s1 [label="inner"];
  }
  subgraph cluster_s3_in { label="train";
    s3 [label="train"];
    s3_0 [label="scale: StandardScaler"];
    subgraph cluster_s3_1_in { label="clf: SVC";
      s3_1 [label="clf: SVC"];
      s3_1_0 [label="k: RBF"];
    }
  }
  s1 -> s2 [label="inside"];
  s0 -> s1 [label="X ← ['X']"];
  s0 -> s2 [label="X ← ['X'], changed in place since", style=dashed];
  s2 -> s3 [label="data[0]"];
  s0 -> s3 [label="data[1] ← ['y']"];
}
"""


@pytest.mark.parametrize(("form", "expected"), [("tree", TREE), ("mermaid", MERMAID), ("dot", DOT)])
def test_a_graph_in_each_format(form: Any, expected: str) -> None:
    measured = {"load": Measured(0.0123, 3 << 20), "train": Measured(2.5, None)}
    assert lineage(STEPS, title="t.py::test", form=form, measured=measured) == expected


@pytest.mark.parametrize("form", FORMATS)
def test_no_steps_give_a_graph_without_any(form: Any) -> None:
    assert "load" not in lineage([], title="t", form=form)


NASTY = [
    'a"b',
    "a]b[",
    "a\nb",
    "a\\",
    'a\\"; }',
    "ü → 漢",
    "end",
    "a;b%%c",
    "<b>&amp;`x`",
    "#35;",
    "\u202e",
    "|",
    "{}",
    "\x1b[31m",
]


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("form", FORMATS)
def test_names_are_escaped(form: Any, name: str) -> None:
    steps = [
        Step(name, "d", name, opened=(Part(name, name, "d"),)),
        Step("b", "e", "int", (Input(name, "d", "int", (Tie(name, f"[{name!r}]"),)),)),
    ]
    text = lineage(steps, title=name, form=form)
    assert all(line.isprintable() for line in text.splitlines())
    check = {"tree": lambda _: None, "mermaid": mermaid_nodes, "dot": dot_strings}[form]
    check(text)
    assert len(text.splitlines()) == len(lineage(list(map(renamed, steps)), title="t", form=form).splitlines())


def renamed(step: Step) -> Step:
    plain = {tie.step: "a" for given in step.inputs for tie in given.ties}
    name = step.name if step.name == "b" else "a"
    inputs = tuple(
        Input("x", "d", "int", tuple(Tie(plain[tie.step], "[0]") for tie in given.ties)) for given in step.inputs
    )
    return Step(name, "d", "int", inputs, opened=tuple(Part("p", "k", "d") for _ in step.opened))


def mermaid_nodes(text: str) -> None:
    """Hold each line against the few forms that are written."""
    label = r'"[^"<>\[\]{}|`\\&]*"'
    forms = (
        r"flowchart TD|end|%% .*",
        rf"s\w+\[{label}\]",
        rf"subgraph s\w+\[{label}\]",
        rf"s\w+ (-->|-->\|{label}\||-\. {label} \.->) s\w+",
    )
    for line in text.splitlines():
        assert any(re.fullmatch(form, line.strip()) for form in forms), line


def dot_strings(text: str) -> None:
    """Take out strings as Graphviz reads them; what is left has no name in it."""
    rest = re.sub(r'"(?:[^"\\]|\\.)*"', "S", text)
    for line in rest.splitlines():
        assert re.fullmatch(
            r"digraph S \{|\}|node \[shape=box\];|s\w+ \[label=S\];|subgraph cluster_\w+ \{ label=S;|"
            r"s\w+ -> s\w+ \[label=S(, style=dashed)?\];",
            line.strip(),
        ), line


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True), st.sampled_from(FORMATS))
def test_any_names_give_a_graph_that_can_be_read(names: list[str], form: Any) -> None:
    steps = [
        Step(name, "d", "int", (Input(name, "d", "int", tuple(Tie(other) for other in names[:at])),))
        for at, name in enumerate(names)
    ]
    text = lineage(steps, title=names[0], form=form)
    if form == "dot":
        dot_strings(text)
    if form == "mermaid":
        mermaid_nodes(text)
    text.encode("utf-8")


# scikit-learn's estimators that are made of others


@pytest.fixture
def sklearn() -> Any:
    return pytest.importorskip("sklearn")


def model(*, with_mean: bool = True, C: float = 1.0) -> Any:  # noqa: N803
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import StandardScaler

    columns = ColumnTransformer([("scale", StandardScaler(with_mean=with_mean), [0, 1]), ("keep", "passthrough", [2])])
    union = FeatureUnion([("pca", PCA(2, random_state=0)), ("raw", "passthrough")])
    return Pipeline([("columns", columns), ("union", union), ("clf", LogisticRegression(C=C))])


X = [[0.0, 1.0, 2.0], [1.0, 0.0, 2.5], [2.0, 3.0, 0.5], [3.0, 1.0, 1.5], [0.5, 2.0, 1.0], [2.5, 0.5, 3.0]]
Y = [0, 1, 0, 1, 0, 1]


def test_a_pipeline_is_opened_into_its_steps(sklearn: Any) -> None:
    parts = opened(model().fit(X, Y))
    assert [(part.name, part.kind) for part in parts] == [
        ("columns", "ColumnTransformer"),
        ("union", "FeatureUnion"),
        ("clf", "LogisticRegression"),
    ]
    assert [(part.name, part.kind) for part in parts[0].parts] == [
        ("scale", "StandardScaler"),
        ("keep", "FunctionTransformer"),
    ]
    assert [part.name for part in parts[1].parts] == ["pca", "raw"]
    assert opened({"a": 1, "model": model()})[0].name == "model"
    assert opened([1, "text"]) == opened(3.5) == ()


def test_the_first_step_inside_that_differs_is_found(sklearn: Any) -> None:
    one = opened(model().fit(X, Y))
    assert first_inside(one, opened(model().fit(X, Y))) == ()
    assert first_inside(one, opened(model(with_mean=False).fit(X, Y))) == ("columns", "scale")
    assert first_inside(one, opened(model(C=0.5).fit(X, Y))) == ("clf",)
    assert first_inside(one, one[:2]) == ("clf",)
    assert first_inside(one[:2], one) == ("clf",)


def test_a_search_is_opened_at_its_best_estimator(sklearn: Any) -> None:
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(model(), {"clf__C": [0.5, 1.0]}, cv=2).fit(X, Y)
    (best,) = opened(search)
    assert best.name == "best_estimator_"
    assert [part.name for part in best.parts] == ["columns", "union", "clf"]


def test_a_fit_counts_the_fitted_estimator_and_an_estimator_inside_a_pipeline_is_tied(sklearn: Any) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline, book = new_pipeline(wanted=True)
    scaler = StandardScaler()
    pipeline.step("scale", scaler.fit, X)
    assert book["scale"].kind == "sklearn.estimator"
    whole = make_pipeline(scaler, LogisticRegression())
    pipeline.step("predict", lambda model, data: len(data) / 4, whole, X)
    assert book.ties("predict") == {"model": ["scale as ['standardscaler']"]}
    clf = LogisticRegression()
    fitted = pipeline.step("fit", clf.fit, X, Y)
    pipeline.step("score", fitted.score, X, Y)
    assert book.ties("score") == {"self": ["fit"]}
    assert book["fit"].output != book["scale"].output
    pipeline.step("whole", whole.fit, X, Y)
    assert [part.name for part in book["whole"].opened] == ["standardscaler", "logisticregression"]
