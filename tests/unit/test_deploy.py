"""The image and the systemd unit fit the repository. Neither a container engine nor systemd is needed."""

from __future__ import annotations

import json
import re
import shlex
import tomllib

import pytest

from gslb.api.routes import ROUTES
from tests.documents import COMMANDS, ROOT, parse_gslb, text_of

PROJECT = tomllib.loads(text_of("pyproject.toml"))["project"]


def read_dockerfile():
    """The instructions of each stage: (instruction, rest), comments left out and continued lines joined."""
    text = re.sub(r"^#.*\n", "", text_of("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    instructions = [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]
    stages = [[]]
    for instruction, rest in instructions:
        if instruction == "FROM":
            stages.append([])
        stages[-1].append((instruction, rest))
    return stages


BEFORE, BUILD, RUN = read_dockerfile()


def only(stage, instruction):
    [rest] = [rest for name, rest in stage if name == instruction]
    return rest


def test_everything_that_is_copied_exists_and_reaches_the_builder():
    allowed = {line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")}
    copied = set()
    for instruction, rest in [*BUILD, *RUN]:
        words = shlex.split(rest)
        if instruction == "COPY" and not words[0].startswith("--from="):
            copied.update(words[:-1])
    assert all((ROOT / source).exists() for source in copied)
    assert copied == allowed
    assert {PROJECT["readme"], "pyproject.toml", "constraints.txt", "dataplane", "gslb"} <= copied


def test_what_the_run_stage_takes_from_the_build_stage_is_made_there():
    commands = " ".join(rest for name, rest in BUILD if name == "RUN")
    for source in re.findall(r"--from=build (\S+)", " ".join(rest for name, rest in RUN if name == "COPY")):
        assert source.removeprefix("/src/").removesuffix("/build") in commands
    assert "/opt/gslb/bin/pip install ." in commands


def test_the_build_uses_what_the_project_pins():
    settings = " ".join(rest for name, rest in BUILD if name == "ENV")
    assert "PIP_CONSTRAINT=/src/constraints.txt" in settings
    assert "PYO3_BUILD_EXTENSION_MODULE=1" in settings
    assert "export PYO3_BUILD_EXTENSION_MODULE := 1" in text_of("Makefile")
    pinned = {
        line.partition("==")[0].lower() for line in text_of("constraints.txt").splitlines() if "==" in line
    }
    tools = re.search(r"pip install --target \S+ ([^&]+)", " ".join(rest for _, rest in BUILD))[1].split()
    wanted = {re.split(r"[<>=]", package)[0] for package in PROJECT["optional-dependencies"]["dev"]}
    assert set(tools) <= wanted
    assert {tool.lower() for tool in tools} <= pinned
    rust = tuple(map(int, only(BEFORE, "ARG").partition("=")[2].split(".")))
    needed = tomllib.loads(text_of("dataplane/Cargo.toml"))["workspace"]["package"]["rust-version"]
    assert rust >= tuple(map(int, needed.split(".")))


def test_both_stages_have_the_same_debian_and_images_name_no_host():
    images = [only(stage, "FROM").split()[0] for stage in (BUILD, RUN)]
    assert all("bookworm" in image and "/" not in image for image in images)


def test_the_unit_and_the_image_ask_for_the_same_of_the_allocator(unit):
    name, value = dict(unit)["Environment"].split("=", 1)
    assert name == "GLIBC_TUNABLES"
    assert f"{name}={value}" in only(RUN, "ENV").split()
    assert f"{name}={value}" in text_of("docs/guide/operating.md")


def test_the_container_does_not_run_as_root():
    user = only(RUN, "USER")
    made = re.search(r"useradd .*?(\S+)(?= +&&|$)", " ".join(rest for name, rest in RUN if name == "RUN"))
    assert user == made[1]
    assert user not in ("root", "0")
    assert [name for name, _ in RUN].index("USER") < [name for name, _ in RUN].index("ENTRYPOINT")


def test_the_container_serves_where_its_ports_and_its_health_check_say():
    words = json.loads(only(RUN, "ENTRYPOINT")) + json.loads(only(RUN, "CMD"))
    assert words[:2] == ["gslb", "serve"]
    parse_gslb(words[1:])
    options = dict(zip(words[2::2], words[3::2], strict=True))
    dns, api = (options[name].rpartition(":")[2] for name in ("--listen", "--api"))
    assert only(RUN, "EXPOSE").split() == [f"{dns}/udp", f"{dns}/tcp", f"{api}/tcp"]
    interpreter, flag, code = json.loads(only(RUN, "HEALTHCHECK").partition("CMD ")[2])
    assert (interpreter, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    [path] = re.findall(rf"http://127\.0\.0\.1:{api}(/[\w/]+)", code)
    [route] = [route for route in ROUTES if (route.method, route.path) == ("GET", path)]
    assert not route.needs_token


def test_the_site_and_the_state_are_volumes_at_their_default_places():
    home = only(RUN, "WORKDIR")
    [site] = [option.default for option in COMMANDS["serve"].params if option.name == "site"]
    assert json.loads(only(RUN, "VOLUME")) == [f"{home}/{site}", f"{home}/state"]


@pytest.fixture
def unit():
    lines = text_of("deploy/systemd/gslb.service").splitlines()
    return [tuple(line.split("=", 1)) for line in lines if line and not line.startswith(("#", "["))]


def test_the_unit_starts_a_command_that_parses_and_waits_for_ready(unit):
    settings = dict(unit)
    binary, *words = shlex.split(settings["ExecStart"])
    assert binary.endswith("/bin/gslb")
    parse_gslb(words)
    assert settings["Type"] == "notify"
    assert settings["ExecReload"].endswith("kill -HUP $MAINPID")


def test_the_unit_gives_no_right_but_to_bind_low_ports(unit):
    settings = dict(unit)
    assert settings["AmbientCapabilities"] == settings["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    assert settings["DynamicUser"] == settings["NoNewPrivileges"] == "yes"
    assert settings["StateDirectory"] == "gslb"
    assert int(settings["LimitNOFILE"]) >= 4_096
