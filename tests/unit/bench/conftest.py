"""The benchmarks are scripts beside the package: their directory is where their modules are found."""

import sys

from tests.documents import ROOT

sys.path.insert(0, str(ROOT / "bench"))
