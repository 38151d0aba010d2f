"""Each export is read back and held valid by the format's own library or published schema, on odd stores too."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pytest_mlrepro._json import Json
from pytest_mlrepro.audit.export import FORMATS, Format, export
from pytest_mlrepro.audit.in_toto import statements
from pytest_mlrepro.audit.stock import holdings, require_whole
from pytest_mlrepro.errors import GoldenError, UsageError
from tests.unit.audit_cases import kept, save, sourced, two

STORES = {"two": two, "sourced": sourced, "kept": kept}


@pytest.fixture(params=STORES)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return STORES[request.param](root)


def exported(root: Path, form: Format, **options: Any) -> Path:
    out = root.parent / f"out-{len([*root.parent.iterdir()])}"
    export(form, require_whole(root, nothing="nothing"), root, out, **options)
    subprocess.run([sys.executable, "-I", "-S", str(out / "verify.py")], check=True, capture_output=True)
    return out


def names_of(root: Path) -> set[str]:
    return {one.test for one in holdings(root)}


def test_in_toto_statements_are_read_by_the_library(root: Path) -> None:
    statement = pytest.importorskip("in_toto_attestation.v1.statement").Statement
    from google.protobuf import json_format

    read = pytest.importorskip("in_toto_attestation.v1.statement_pb2").Statement
    out = exported(root, "in-toto")
    files = sorted((out / "statements").glob("*.json"))
    assert len(files) == len(names_of(root)) + 1
    for path in files:
        parsed = json_format.Parse(path.read_text("utf-8"), read())
        statement.copy_from_pb(parsed).validate()
        back = json_format.MessageToDict(parsed)
        data = json.loads(path.read_text("utf-8"))
        assert [subject["name"] for subject in back["subject"]] == [subject["name"] for subject in data["subject"]]
        assert back["predicateType"] == data["predicateType"]


def test_in_toto_statements_bind_files_checks_sources_and_history(tmp_path: Path) -> None:
    root = sourced(tmp_path)
    (held,) = holdings(root)
    made = statements([held], root)
    (name,) = made.keys() - {"store"}
    predicate = made[name]["predicate"]
    assert predicate["test"] == held.test
    assert {check["name"] for check in predicate["checks"]} >= {"", "s", "\\udc80"}
    assert [entry["digest"] for entry in predicate["history"]] == [*held.digests]
    sources = predicate["madeFrom"]
    assert [thing["name"] for thing in sources["code"]] == ["m.fit"]
    assert {"data/plain.csv", "gone.csv", "\\udcff"} <= {thing["name"] for thing in sources["data"]}
    assert sources["packages"] == [{"name": "numpy", "version": "2.0"}, {"name": "scikit-learn", "version": "1.9"}]
    assert (sources["commit"], sources["dirty"]) == ("0" * 40, True)
    assert {one["name"]: one["digest"]["sha256"] for one in made[name]["subject"]} == {
        file.path: file.sha256 for file in held.files
    }


def test_variants_of_one_test_are_told_apart(tmp_path: Path) -> None:
    root = two(tmp_path)
    first, second = holdings(root)
    golden = replace(first.golden, variant={"device": "cuda"})
    made = statements([replace(first, golden=golden), replace(second, test=first.test)], root)
    told = {name: one["predicate"]["variant"] for name, one in made.items() if name != "store"}
    assert sorted(told.values(), key=str) == [{"device": "cuda"}, {}]
    pytest.importorskip("cyclonedx")
    from pytest_mlrepro.audit.cyclonedx import bom_text

    bom = json.loads(bom_text([replace(first, golden=golden), replace(second, test=first.test)], root))
    assert [one["name"] for one in bom["components"]].count(first.test) == 2
    assert '"mlrepro:variant:device"' in json.dumps(bom)


def test_signed_statements_are_verified_by_the_library(tmp_path: Path) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse")
    signer = pytest.importorskip("securesystemslib.signer").CryptoSigner.generate_ed25519()
    root = two(tmp_path / "project") if (tmp_path / "project").mkdir() is None else tmp_path
    out = exported(root, "in-toto", signer=signer)
    signed = sorted((out / "statements").glob("*.dsse.json"))
    assert len(signed) == 3
    for path in signed:
        envelope = dsse.Envelope.from_dict(json.loads(path.read_text("utf-8")))
        envelope.verify([signer.public_key], 1)
        plain = path.with_name(path.name.replace(".dsse", ""))
        assert json.loads(envelope.payload) == json.loads(plain.read_text("utf-8"))


def test_prov_json_comes_back_the_same_from_the_library(root: Path) -> None:
    model = pytest.importorskip("prov.model")
    text = (exported(root, "prov") / "provenance.prov.json").read_text("utf-8")
    document = model.ProvDocument.deserialize(content=text, format="json")
    again = model.ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    assert again == document
    assert unnumbered(document.serialize(format="json")) == unnumbered(text)
    names = [record.identifier for record in document.get_records() if record.is_element()]
    assert max(Counter(names).values()) == 1
    known = {str(name) for name in names}
    for record in document.get_records(model.ProvRelation):
        assert {str(end) for _, end in record.formal_attributes if str(end).startswith("mlrepro:")} <= known


def unnumbered(text: str) -> Json:
    """Return PROV-JSON without the running numbers of its relations."""
    return {
        kind: sorted(body.values(), key=json.dumps) if any(name.startswith("_:") for name in body) else body
        for kind, body in json.loads(text).items()
    }


def test_prov_tells_who_changed_what_and_which_step_used_what_another_gave(tmp_path: Path) -> None:
    pytest.importorskip("prov")
    root = kept(tmp_path)
    from pytest_mlrepro.audit.prov_json import prov_text

    data = json.loads(prov_text(holdings(root), root))
    assert {agent["prov:label"] for agent in data["agent"].values()} == {"A. Person <a@example.org>"}
    changes = [one for name, one in data["activity"].items() if ":change-" in name]
    assert {one["prov:label"] for one in changes} == {
        "first recording", "weights are thirds no more", "four steps of training",
    }  # fmt: skip
    steps = {one["prov:label"].rpartition(" ")[2]: name for name, one in data["activity"].items() if ":step-" in name}
    assert {"clean", "train"} <= steps.keys()
    gave = {one["prov:activity"]: one["prov:entity"] for one in data["wasGeneratedBy"].values()}
    used = {(one["prov:activity"], one["prov:entity"]) for one in data["used"].values()}
    assert (steps["train"], gave[steps["clean"]]) in used


def test_openlineage_events_are_built_again_by_the_client(root: Path) -> None:
    events = pytest.importorskip("openlineage.client.event_v2")
    facets = pytest.importorskip("openlineage.client.facet_v2")
    serde = pytest.importorskip("openlineage.client.serde").Serde
    lines = (exported(root, "openlineage") / "events.jsonl").read_text("utf-8").splitlines()
    begun, ended = Counter[str](), Counter[str]()
    for line in lines:
        event = rebuilt(json.loads(line), events, facets)
        assert serde.to_json(event) == line
        UUID(event.run.runId)
        begun[event.run.runId] += event.eventType is events.RunState.START
        ended[event.run.runId] += event.eventType in (events.RunState.COMPLETE, events.RunState.FAIL)
    assert {*begun.values(), *ended.values()} == {1}  # the format asks for one of each
    changes = sum(one.count for one in holdings(root))
    steps = sum(len(one.golden.steps) for one in holdings(root))
    assert len(ended) == changes + steps


CLASSES = {
    "version": ("dataset_version_dataset", "DatasetVersionDatasetFacet"),
    "jobType": ("job_type_job", "JobTypeJobFacet"),
    "documentation": ("documentation_job", "DocumentationJobFacet"),
    "test": ("test_run", "TestRunFacet"),
    "dataQualityAssertions": ("data_quality_assertions_dataset", "DataQualityAssertionsDatasetFacet"),
    "parent": ("parent_run", "ParentRunFacet"),
}


def rebuilt(data: Json, events: Any, facets: Any) -> Any:
    """Make an event of the client's classes from its JSON: they refuse fields that the format doesn't have."""

    def facet(name: str, body: Json) -> Any:
        module, kind = CLASSES[name]
        body = dict(body)
        body["producer"] = body.pop("_producer")
        schema = body.pop("_schemaURL")
        if name == "test":
            body["tests"] = [facets.test_run.TestExecution(**one) for one in body["tests"]]
        if name == "dataQualityAssertions":
            assertion = facets.data_quality_assertions_dataset.Assertion
            body["assertions"] = [assertion(**one) for one in body["assertions"]]
        if name == "parent":
            body["run"], body["job"] = facets.parent_run.Run(**body["run"]), facets.parent_run.Job(**body["job"])
        made = getattr(getattr(facets, module), kind)(**body)
        assert made._schemaURL == schema
        return made

    def all_facets(body: Json) -> Json:
        return {
            key: {name: facet(name, one) for name, one in value.items()} if key.lower().endswith("facets") else value
            for key, value in body.items()
        }

    data = dict(data)
    schema = data.pop("schemaURL")
    event = events.RunEvent(
        eventTime=data.pop("eventTime"),
        producer=data.pop("producer"),
        eventType=events.RunState(data.pop("eventType")),
        run=events.Run(**all_facets(data.pop("run"))),
        job=events.Job(**all_facets(data.pop("job"))),
        inputs=[events.InputDataset(**all_facets(one)) for one in data.pop("inputs", [])],
        outputs=[events.OutputDataset(**all_facets(one)) for one in data.pop("outputs", [])],
    )
    assert not data
    assert event.schemaURL == schema
    return event


def test_openlineage_joins_steps_by_their_outputs(tmp_path: Path) -> None:
    pytest.importorskip("openlineage.client")
    from pytest_mlrepro.audit.open_lineage import event_lines

    root = kept(tmp_path)
    events = [json.loads(line) for line in event_lines(holdings(root), root).splitlines()]
    steps = {
        event["job"]["name"].rpartition(".")[2]: event for event in events if "parent" in event["run"].get("facets", {})
    }
    cleaned = steps["clean"]["outputs"][0]
    given = {one["name"]: one["facets"]["version"]["datasetVersion"] for one in steps["train"]["inputs"]}
    assert given[cleaned["name"]] == cleaned["facets"]["version"]["datasetVersion"]


def test_the_ml_bom_keeps_the_published_schema(root: Path) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema").SchemaVersion.V1_6
    pytest.importorskip("jsonschema")
    text = (exported(root, "cyclonedx") / "bom.cdx.json").read_text("utf-8")
    assert validation.JsonStrictValidator(schema).validate_str(text) is None
    bom = json.loads(text)
    models = {
        one["name"] for one in bom["components"] if one["type"] == "machine-learning-model" and "modelCard" in one
    }
    assert models == names_of(root)
    refs = {one["bom-ref"] for one in bom["components"]}
    assert {ref for one in bom["dependencies"] for ref in [one["ref"], *one.get("dependsOn", [])]} <= refs
    datasets = [
        dataset["ref"]
        for one in bom["components"]
        for dataset in one.get("modelCard", {}).get("modelParameters", {}).get("datasets", [])
    ]
    assert {*datasets} <= refs
    pytest.importorskip("cyclonedx.model.bom").Bom.from_json(without_cards(bom))


def without_cards(bom: Json) -> Json:
    """The library has no model cards: it reads the rest back."""
    return {**bom, "components": [{k: v for k, v in one.items() if k != "modelCard"} for one in bom["components"]]}


def test_a_fault_in_the_ml_bom_is_one_that_the_schema_sees(tmp_path: Path) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema").SchemaVersion.V1_6
    pytest.importorskip("jsonschema")
    from pytest_mlrepro.audit.cyclonedx import bom_text

    root = sourced(tmp_path)
    bom = json.loads(bom_text(holdings(root), root))
    card = next(one for one in bom["components"] if "modelCard" in one)["modelCard"]
    assert {"type": "value", "value": "1.5"} in card["quantitativeAnalysis"]["performanceMetrics"]
    card["modelParameters"]["datasets"].append({"reff": "x"})
    assert validation.JsonStrictValidator(schema).validate_str(json.dumps(bom)) is not None


def test_the_ro_crate_is_read_back_by_the_library(root: Path) -> None:
    crates = pytest.importorskip("rocrate.rocrate")
    out = exported(root, "ro-crate", data=True)
    crate = crates.ROCrate(out)
    files = {one.id for one in crate.data_entities if one.type == "File"}
    on_disk = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    from urllib.parse import unquote

    assert {unquote(name) for name in files} == on_disk - {"ro-crate-metadata.json", "SHA256SUMS"}
    for one in crate.data_entities:
        assert (out / unquote(one.id)).exists(), one.id
    actions = [one for one in crate.contextual_entities if str(one.type).endswith("Action")]
    assert len(actions) == sum(one.count for one in holdings(root))
    for action in actions:
        assert action["agent"].type == "Person"
        assert action["result"].type == "Dataset"
    assert {action["result"]["name"] for action in actions} == names_of(root)
    assert crate.root_dataset["datePublished"]


def test_data_is_archived_only_if_it_is_still_what_it_was(tmp_path: Path) -> None:
    pytest.importorskip("rocrate")
    root = tmp_path / "project"
    root.mkdir()
    sourced(root)
    out = tmp_path / "out"
    done = export("ro-crate", holdings(root), root, out, data=True)
    assert sorted(path.relative_to(out / "data").as_posix() for path in (out / "data").rglob("*") if path.is_file()) == [
        "data/plain.csv", "data/with space#1 & 100%.csv", "model.bin",
    ]  # fmt: skip
    assert sorted(done.left_out) == [
        "../outside.csv: it lies outside of the root directory",
        "/etc/elsewhere.csv: it lies outside of the root directory",
        "\\udcff: it is no longer there",
        "changed.csv: it was changed since the golden was recorded",
        "gone.csv: it is no longer there",
        "table: it is a value (pandas.DataFrame), no file",
    ]
    plain = tmp_path / "plain"
    export("ro-crate", holdings(root), root, plain)
    assert not (plain / "data").exists()


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_store_gives_the_same_bytes_anywhere(root: Path, form: Format, tmp_path: Path) -> None:
    for library in {
        "prov": ["prov"],
        "openlineage": ["openlineage.client"],
        "cyclonedx": ["cyclonedx"],
        "ro-crate": ["rocrate"],
    }.get(form, []):
        pytest.importorskip(library)
    import shutil

    first = exported(root, form)
    elsewhere = tmp_path / "deeper" / "elsewhere"
    shutil.copytree(root, elsewhere)
    second = exported(elsewhere, form)
    assert (first / "SHA256SUMS").read_text("utf-8") == (second / "SHA256SUMS").read_text("utf-8")


def test_an_export_inside_the_project_is_not_taken_for_goldens(tmp_path: Path) -> None:
    root = two(tmp_path)
    export("in-toto", holdings(root), root, root / "archive")
    assert len(holdings(root)) == 2


def test_the_signature_of_the_store_goes_along(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    two(root)
    (root / "mlrepro.dsse.json").write_text("{}", "utf-8")
    assert (exported(root, "in-toto") / "mlrepro.dsse.json").read_text("utf-8") == "{}"


def test_arguments_that_cannot_be_are_named(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    held = holdings(two(root))
    with pytest.raises(UsageError, match="--data goes into an ro-crate only, and the format is prov"):
        export("prov", held, root, tmp_path / "x", data=True)
    with pytest.raises(UsageError, match="--key signs in-toto statements, and the format is prov"):
        export("prov", held, root, tmp_path / "x", signer=object())
    with pytest.raises(UsageError, match="must be a folder that is empty or not there yet"):
        export("in-toto", held, root, root)
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(UsageError, match="must be a folder that is empty or not there yet"):
        export("in-toto", held, root, tmp_path / "file")
    with pytest.raises(GoldenError, match=r"can't write the export to .* Nothing was left there"):
        export("in-toto", held, root, tmp_path / "file" / "below")
    (tmp_path / "empty").mkdir()
    export("in-toto", held, root, tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "project"]


def test_a_store_with_problems_is_not_exported(tmp_path: Path) -> None:
    folder = save(tmp_path, 1.0, "one")
    (folder / "golden.json").write_text((folder / "golden.json").read_text("utf-8").replace("1.0", "2.0"), "utf-8")
    with pytest.raises(GoldenError, match="nothing was exported, as the store is not whole"):
        require_whole(tmp_path, nothing="nothing was exported")


def test_the_payload_of_a_statement_is_canonical(tmp_path: Path) -> None:
    signing = pytest.importorskip("securesystemslib.signer")
    rfc8785 = pytest.importorskip("rfc8785")
    from pytest_mlrepro._canonical import canonical
    from pytest_mlrepro.audit.envelope import sealed

    root = sourced(tmp_path)
    for statement in statements(holdings(root), root).values():
        text, _ = sealed(canonical(statement).encode(), signing.CryptoSigner.generate_ed25519())
        assert base64.b64decode(json.loads(text)["payload"]) == rfc8785.dumps(statement)
