# One image for every role: docker run IMAGE [up | serve | dispatch | work | migrate] …
#
#   docker build -t qubator .
#   docker run --init -p 8000:8000 -v qubator:/var/lib/qubator qubator            everything in one container
#   docker run --init -e QUBATOR_DATABASE_URL=postgresql://… qubator serve        one role of several
#
# `--init` reaps the orphans of killed jobs. Set QUBATOR_PORT rather than --port, so that the health check follows.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# The environment is made without pip: what runs the service can't install anything into it.
RUN python -m venv --without-pip /opt/qubator

# What the service stands on, at the versions of constraints.txt. Its own layer: it changes less often than the code.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
 && python -m pip --python /opt/qubator/bin/python install --only-binary :all: --constraint constraints.txt --requirement requirements.txt

COPY README.md ./
COPY api api
COPY backends backends
COPY dispatcher dispatcher
COPY ledger ledger
COPY scheduler scheduler
COPY service service
COPY simulation simulation
COPY store store
COPY workers workers
RUN python -m pip --python /opt/qubator/bin/python install --no-deps . \
 && python -m pip --python /opt/qubator/bin/python check


FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="Qubator" \
      org.opencontainers.image.description="Hybrid quantum-classical workload scheduler for an incubation zone" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/qubator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    QUBATOR_DATA=/var/lib/qubator \
    QUBATOR_HOST=0.0.0.0 \
    QUBATOR_PORT=8000 \
    QUBATOR_LOG_JSON=true

RUN groupadd --system --gid 10001 qubator \
 && useradd --system --uid 10001 --gid qubator --home-dir /var/lib/qubator --no-create-home --shell /usr/sbin/nologin qubator \
 && install --directory --owner=qubator --group=qubator --mode=0700 /var/lib/qubator

COPY --from=build /opt/qubator /opt/qubator
WORKDIR /var/lib/qubator
# By number, so that a cluster can see that it isn't root.
USER 10001:10001
VOLUME ["/var/lib/qubator"]
EXPOSE 8000
STOPSIGNAL SIGTERM

# Roles that serve no HTTP have no port to ask: they are healthy as long as they run.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; command = open('/proc/1/cmdline').read().split('\\0'); {'up', 'serve'} & set(command) and r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['QUBATOR_PORT'] + '/health/ready', timeout=4)"]

ENTRYPOINT ["qubatord"]
CMD ["up"]
