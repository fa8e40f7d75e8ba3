"""Configurations that are broken anyhow are refused or converted, and what is written loads."""

from __future__ import annotations

import shutil
from random import Random

import pytest

from gslb.config.loader import load_steering
from gslb.config.report import has_errors
from gslb.importers.gdnsd.run import import_gdnsd
from gslb.importers.target import ImportRefusedError
from tests.unit.importers.gdnsd.cases import SOA
from tests.unit.importers.gdnsd.test_geo import CONFIG, EXTNETS, META, RESOURCES

RECORDS = "".join(
    f"{name} 60 DYNC {plugin}!{name}\n"
    for plugin, text in (("geoip", RESOURCES), ("metafo", META))
    for name in (line.partition(" ")[0] for line in text.split("\n") if line)
)
FILES = {"config": CONFIG, "geoip/extnets": EXTNETS, "zones/example.com": SOA + RECORDS}


def broken(random: Random, text: str) -> str:
    words = text.split(" ")
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(words))
        match random.randrange(4):
            case 0:
                words[at] = random.choice(words)
            case 1:
                words.insert(at, random.choice(words))
            case 2:
                del words[at : at + random.randint(1, 3)]
            case _:
                words[at] = words[at][:1] + chr(random.randrange(256)) + words[at][2:]
        words = words or [""]
    return " ".join(words)


@pytest.mark.parametrize("seed", range(4))
def test_broken_configurations(tmp_path, seed):
    random = Random(seed)
    converted = 0
    for _ in range(15):
        shutil.rmtree(tmp_path / "etc", ignore_errors=True)
        chosen = random.choice(list(FILES))
        for name, text in FILES.items():
            path = tmp_path / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(broken(random, text) if name == chosen else text, encoding="utf-8")
        try:
            import_gdnsd(tmp_path / "etc", tmp_path / "site", force=True)
        except ImportRefusedError:
            continue
        converted += 1
        assert not has_errors(load_steering(tmp_path / "site")[1])
    assert converted
