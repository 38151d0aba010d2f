import pytest
from clusters import find, load

from pytest_mlrepro import Tolerance


@pytest.mark.repro
def test_the_table_has_the_statistics_we_know(golden):
    golden.check(load().describe(), rtol=1e-12, atol=1e-12)


@pytest.mark.repro(seed=7)
def test_clusters(golden):
    golden.check(find(load()), tolerance=Tolerance(rtol=1e-6, atol=1e-9))
