"""What @pytest.mark.repro does to torch, and that nothing of it is left behind."""

from __future__ import annotations

import pytest

from tests.plugin.project import Project

torch = pytest.importorskip("torch")  # here, since pytester forgets what is imported inside of a test


def test_an_operation_without_a_deterministic_form_fails_with_its_name_and_the_way_out(project: Project) -> None:
    project.write(
        "import pytest, torch\n@pytest.mark.repro\ndef test_m():\n"
        "    torch.zeros(4).put_(torch.tensor([0, 0]), torch.ones(2))\n"
        "def test_n():\n    assert not torch.are_deterministic_algorithms_enabled()\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*put_*does not have a deterministic implementation*", "*repro(deterministic=False)*"])


def test_torch_is_seeded_and_put_back(project: Project) -> None:
    project.write(
        "import pytest, torch\n@pytest.mark.repro(seed=5)\ndef test_m():\n"
        "    assert torch.are_deterministic_algorithms_enabled()\n    drawn = torch.rand(3)\n"
        "    assert torch.equal(drawn, torch.rand(3, generator=torch.Generator().manual_seed(5)))\n"
    )
    before = torch.get_rng_state()
    project.run().assert_outcomes(passed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()
