"""What monitors observe: gdnsd and gslb probe the same listeners and programs, and must answer alike."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from random import Random
from typing import TYPE_CHECKING

import pytest

from gslb.health.checker import Checker
from gslb.health.probers import AnyProber
from gslb.model.clock import SystemClock
from gslb.model.health import Observed
from gslb.steering.verdict import VerdictTable
from tests.differential.gdnsd.compare import ask, query, read
from tests.differential.gdnsd.configuration import ZONE, Made
from tests.differential.gdnsd.servers import GDNSD, Converted, Gdnsd, installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gslb.model.site import SteeringConfig

ADDRESSES = tuple(f"127.0.0.{host}" for host in range(1, 6))
CNAMES = ("a.cdn.example.net.", "b.cdn.example.net.", "c.cdn.example.net.")
LACKING = tuple(f"lack{index}" for index in range(2 * len(ADDRESSES)))
"""Names whose first datacenter has no IPv6 addresses."""
NAMES = (
    "web", "both", "all", "program", "direct", "never", "most", "states", "lost", "now", "mixed", "order",
    "names", "listed", *LACKING,
)  # fmt: skip
ZONE_HEAD = "@ SOA ns1 hostmaster ( 7 7200 1800 259200 900 )\n@ NS ns1\nns1 A 192.0.2.53\n"
OBSERVE_SECONDS = 20.0


def configuration(directory: Path, web: int, mail: int) -> Made:
    """Resources with one service type and with several, of every kind that can go either way."""
    timing = "up_thresh => 1 ok_thresh => 1 down_thresh => 1 interval => 2 timeout => 1"
    command = f'cmd => [ "/usr/bin/test", "-e", "{directory}/%%ITEM%%" ]'
    addresses = " ".join(f"a{index} => {address}" for index, address in enumerate(ADDRESSES))
    multifo = {
        "web": "up_thresh => 0.01 service_types => web",
        "both": "up_thresh => 0.01 service_types => [ web, mail ]",
        "all": "up_thresh => 0.01 service_types => [ mail, program, web ]",
        "program": "up_thresh => 0.01 service_types => program",
        "direct": "up_thresh => 0.01 service_types => [ up, direct ]",
        "never": "up_thresh => 0.01 service_types => [ web, down ]",
        "states": "up_thresh => 0.01 service_types => states",
        "lost": "up_thresh => 0.01 service_types => lost",
        "now": "up_thresh => 0.01 service_types => now",
        "mixed": "up_thresh => 0.01 service_types => [ states, web ]",
        "most": "up_thresh => 0.6 service_types => [ web, program ]",
    }
    resources = "\n".join(f"{name} => {{ {settings} {addresses} }}" for name, settings in multifo.items())
    order = " ".join(f"d{index} => {address}" for index, address in enumerate(ADDRESSES))
    services = ("[ web, mail ]", "states")
    lacking = "\n".join(
        f"{name} => {{ datacenters => [ a, b ] dcmap => {{ b => 2001:db8::1"
        f" a => {{ service_types => {services[index % 2]} a => {ADDRESSES[index // 2]} }} }} }}"
        for index, name in enumerate(LACKING)
    )
    names = " ".join(f"n{index} => [ {name}, 1 ]" for index, name in enumerate(CNAMES))
    config = (
        "options => { listen => 127.0.0.1:@PORT@ udp_threads => 1 tcp_threads => 1\n"
        "  run_dir => @RUN@ state_dir => @STATE@ }\nservice_types => {\n"
        f"  web => {{ plugin => tcp_connect port => {web} {timing} }}\n"
        f"  mail => {{ plugin => tcp_connect port => {mail} {timing} }}\n"
        f"  program => {{ plugin => extmon {command} {timing} }}\n"
        f"  states => {{ plugin => extfile file => {directory}/states {timing} }}\n"
        f"  lost => {{ plugin => extfile def_down => true file => {directory}/states {timing} }}\n"
        f"  now => {{ plugin => extfile direct => true file => {directory}/states {timing} }}\n"
        f"  direct => {{ plugin => extmon direct => true {command} {timing} }}\n}}\n"
        f"plugins => {{ multifo => {{\n{resources} }}\n"
        f" weighted => {{ names => {{ service_types => program {names} }}\n"
        f" listed => {{ service_types => lost {names} }} }}\n"
        " metafo => { resources => { order => { service_types => [ web, mail ]"
        f" datacenters => [ {', '.join(f'd{index}' for index in range(len(ADDRESSES)))} ]"
        f" dcmap => {{ {order} }} }}\n{lacking} }} }} }}\n"
    )
    records = {name: f"DYNA metafo!{name}" for name in ("order", *LACKING)}
    records |= {name: f"DYNC weighted!{name}" for name in ("names", "listed")}
    zone = "".join(f"{name} 60 {records.get(name, f'DYNA multifo!{name}')}\n" for name in NAMES)
    return Made(files={"config": config, "zones/example.com": ZONE_HEAD + zone})


@contextlib.contextmanager
def listeners(random: Random) -> Iterator[int]:
    """A port that some of the addresses listen on, and that the others refuse."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in ADDRESSES]
        sockets[0].bind((ADDRESSES[0], 0))
        port: int = sockets[0].getsockname()[1]
        for one, address in zip(sockets[1:], ADDRESSES[1:], strict=True):
            one.bind((address, port))
        for one in random.sample(sockets, random.randint(1, len(sockets) - 1)):
            one.listen()
        yield port


async def observe(steering: SteeringConfig) -> list[Observed]:
    """What gslb's own probes say, once they know of every endpoint."""
    clock = SystemClock()
    checker = Checker(AnyProber(clock, allow_commands=True), clock)
    checker.reconfigure(checker.plan(steering))
    changed = asyncio.Event()
    checker.subscribe(lambda _numbers, _observed: changed.set())
    try:
        async with asyncio.timeout(OBSERVE_SECONDS):
            while any(
                known.monitors and known.observed is Observed.UNKNOWN for known in checker.health().values()
            ):
                await changed.wait()
                changed.clear()
        return checker.observed()
    finally:
        await checker.stop()


@pytest.mark.skipif(not installed(), reason=f"gdnsd is not installed: {GDNSD} is missing")
@pytest.mark.parametrize("seed", range(3))
def test_an_address_answers_while_all_of_its_service_types_are_up(tmp_path, seed):
    random = Random(f"monitors:{seed}")
    items = tmp_path / "items"
    items.mkdir()
    for item in (*ADDRESSES, *CNAMES):
        if random.random() < 0.6:
            (items / item).touch()
    lines = [f"{item} => {random.choice(('UP', 'DOWN/30', 'UP/60'))}" for item in (*ADDRESSES, *CNAMES)]
    (items / "states").write_text("# states\n" + "\n".join(random.sample(lines, len(lines) - 2)) + "\n")
    with listeners(random) as web, listeners(random) as mail:
        made = configuration(items, web, mail)
        converted = Converted(made, tmp_path)
        assert {str(one.severity) for one in converted.imported.findings} == {"info"}
        observed = asyncio.run(observe(converted.steering))
        assert {Observed.UP, Observed.DOWN} <= set(observed)
        converted.dataplane.publish_verdicts(VerdictTable(converted.steering, observed).to_bytes())
        with Gdnsd(made, tmp_path / "gdnsd", {}, query("@", "SOA", "")) as gdnsd:
            for name, rtype in itertools.product(NAMES, ("A", "AAAA")):
                wires = [query(name, rtype, "")] * (60 if name in {"names", "listed"} else 1)
                ours = {read(converted.answer(wire)).answer for wire in wires}
                theirs = {read(wire).answer for wire in ask(gdnsd, wires)}
                assert ours == theirs, f"{name}.{ZONE} {rtype}"
