#!/usr/bin/env python3
"""Make a City database of some million networks for the workload steer-5m.

  bench/mkmmdb.py OUT [--networks 5000000] [--seed 1]

Writes the tree itself: a writer library that takes one network after another needs many minutes for so many. The format
is MaxMind DB 2.0 (https://maxmind.github.io/MaxMind-DB/), with records of 32 bits.
"""

import argparse
import array
import random
import struct
import sys
from pathlib import Path

MARKER = b"\xab\xcd\xefMaxMind.com"
CITIES = 40_000


def text(value: str) -> bytes:
    raw = value.encode()
    assert len(raw) < 29
    return bytes([0x40 | len(raw)]) + raw


def mapping(items: dict[str, bytes]) -> bytes:
    return bytes([0xE0 | len(items)]) + b"".join(text(key) + value for key, value in items.items())


def double(value: float) -> bytes:
    return b"\x68" + struct.pack("!d", value)


def unsigned(value: int, kind: int) -> bytes:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    if kind > 7:
        return bytes([len(raw), kind - 7]) + raw
    return bytes([kind << 5 | len(raw)]) + raw


def listing(items: list[bytes]) -> bytes:
    return bytes([len(items), 4]) + b"".join(items)


def cities(rnd: random.Random) -> list[bytes]:
    places = [
        ("EU", "DE", 51, 10),
        ("EU", "FR", 47, 2),
        ("NA", "US", 39, -98),
        ("AS", "JP", 36, 138),
        ("SA", "BR", -10, -52),
        ("OC", "AU", -25, 134),
        ("AF", "ZA", -29, 24),
        ("AS", "IN", 21, 78),
    ]
    found = []
    for number in range(CITIES):
        continent, country, latitude, longitude = places[number % len(places)]
        found.append(
            mapping(
                {
                    "continent": mapping({"code": text(continent)}),
                    "country": mapping({"iso_code": text(country)}),
                    "subdivisions": listing([mapping({"iso_code": text(f"{number % 40:02d}")})]),
                    "location": mapping(
                        {
                            "latitude": double(round(latitude + rnd.uniform(-5, 5), 3)),
                            "longitude": double(round(longitude + rnd.uniform(-8, 8), 3)),
                        }
                    ),
                }
            )
        )
    return found


def make(out: Path, networks: int, seed: int) -> None:
    rnd = random.Random(seed)
    records, data = [], bytearray()
    for city in cities(rnd):
        records.append(len(data))
        data += city
    nodes = array.array("I", [0, 0])
    # Split at random until there are enough leaves: breadth first, so that the lengths stay alike.
    leaves, open_nodes, depth = 2, [0], 0
    filled = []
    while open_nodes and leaves < networks and depth < 24:
        depth += 1
        following = []
        for node in open_nodes:
            for side in (0, 1):
                if leaves < networks and depth < 24 and (depth < 16 or rnd.random() < 0.85):
                    child = len(nodes) // 2
                    nodes.extend((0, 0))
                    nodes[2 * node + side] = child
                    following.append(child)
                    leaves += 1
                else:
                    filled.append(2 * node + side)
        open_nodes = following
    filled += [2 * node + side for node in open_nodes for side in (0, 1)]
    count = len(nodes) // 2
    # Neighbours often are in one city.
    city = 0
    for slot in sorted(filled):
        if rnd.random() < 0.8:
            city = rnd.randrange(CITIES)
        nodes[slot] = count + 16 + records[city]
    if sys.byteorder == "little":
        nodes.byteswap()
    metadata = mapping(
        {
            "binary_format_major_version": unsigned(2, 5),
            "binary_format_minor_version": unsigned(0, 5),
            "build_epoch": unsigned(1_700_000_000, 9),
            "database_type": text("Made-City"),
            "description": mapping({"en": text("made up")}),
            "ip_version": unsigned(4, 5),
            "languages": listing([text("en")]),
            "node_count": unsigned(count, 6),
            "record_size": unsigned(32, 5),
        }
    )
    with out.open("wb") as file:
        nodes.tofile(file)
        file.write(bytes(16) + data + MARKER + metadata)
    print(f"{out}: {len(filled):,} networks, {count:,} nodes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--networks", type=int, default=5_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    make(options.out, options.networks, options.seed)


if __name__ == "__main__":
    main()
