# The image of gslb: a virtual environment built on Debian 12, carried over to a Debian 12 with nothing but Python.
# docs/guide/operating.md says how to run it.

ARG RUST_VERSION=1.95

FROM rust:${RUST_VERSION}-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Versions are pinned by the same file as everywhere. pyo3 would otherwise look for a libpython to link against.
ENV PIP_CONSTRAINT=/src/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYO3_BUILD_EXTENSION_MODULE=1
COPY constraints.txt pyproject.toml README.md ./
COPY dataplane dataplane
COPY gslb gslb
RUN python3 -m venv /opt/gslb && /opt/gslb/bin/pip install .
# The example site's geo databases, by tools that the image does not need.
COPY geo_fixtures geo_fixtures
RUN /opt/gslb/bin/pip install --target /tmp/tools mmdb_writer netaddr \
    && PYTHONPATH=/tmp/tools /opt/gslb/bin/python geo_fixtures/build.py
# A running container has no use for them.
RUN /opt/gslb/bin/pip uninstall --yes setuptools pip

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10053 --user-group --no-log-init --no-create-home --home-dir /srv/gslb --shell /usr/sbin/nologin gslb \
    && install --directory --owner gslb --group gslb --mode 0700 /srv/gslb/state
COPY --from=build /opt/gslb /opt/gslb
COPY --from=build /src/geo_fixtures/build /srv/gslb/geo_fixtures/build
COPY zones /srv/gslb/zones
# Tables in huge pages: answers over large zones and geo databases take less CPU.
ENV PATH=/opt/gslb/bin:$PATH \
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1
WORKDIR /srv/gslb
USER gslb
# The site, and what must outlive the container.
VOLUME ["/srv/gslb/zones", "/srv/gslb/state"]
EXPOSE 5353/udp 5353/tcp 8053/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8053/v1/ready', timeout=2)"]
ENTRYPOINT ["gslb", "serve"]
CMD ["--listen", "0.0.0.0:5353", "--api", "0.0.0.0:8053"]
