# syntax=docker/dockerfile:1
# One image for every service and job: `assay service $SERVICE`, `assay migrate` … (docs/deployment.md).
# Bases are pinned by tag; who wants the same bytes each time puts `@sha256:…` behind it, for each
# platform that is built.
ARG PYTHON=3.12-slim-trixie
ARG UV=0.13.9

FROM ghcr.io/astral-sh/uv:${UV} AS uv

FROM python:${PYTHON} AS build
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /build
# Dependencies first: they change less often than the code. Wheels only: nothing foreign runs here.
COPY deploy/image/requirements.lock deploy/image/
RUN uv venv /opt/assay \
    && uv pip install --python /opt/assay/bin/python --require-hashes --only-binary :all: \
       --requirements deploy/image/requirements.lock \
    # Tests of scipy, pandas and others: 140 MB.
    && find /opt/assay/lib -type d -name tests -prune -exec rm -rf {} +
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY deploy deploy
COPY services services
COPY shared shared
COPY sdk sdk
RUN for project in . sdk; do \
        uv build --quiet --wheel --build-constraints requirements.lock --require-hashes \
            --out-dir dist "$project" || exit 1; \
    done \
    && uv pip install --python /opt/assay/bin/python --no-deps --no-index dist/*.whl \
    # The root file system may be read-only, so nobody compiles later.
    && /opt/assay/bin/python -m compileall -q /opt/assay/lib

FROM python:${PYTHON}
ARG SERVICE=""
LABEL org.opencontainers.image.title="Assay" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 assay \
    && useradd --system --uid 10001 --gid assay --no-create-home --home-dir /tmp \
       --shell /usr/sbin/nologin assay \
    && install --directory --owner assay --group assay --mode 0750 /var/lib/assay
COPY --from=build /opt/assay /opt/assay
COPY docs/asyncapi.json /opt/assay/docs/
COPY docs/schemas /opt/assay/docs/schemas
ENV PATH=/opt/assay/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SERVICE=${SERVICE} \
    ASSAY_DOCS_DIR=/opt/assay/docs \
    ASSAY_GATEWAY_HOST=0.0.0.0 \
    ASSAY_TELEMETRY_HOST=0.0.0.0 \
    ASSAY_TELEMETRY_PORT=9100
# By number: Kubernetes' runAsNonRoot cannot read names.
USER 10001:10001
WORKDIR /var/lib/assay
EXPOSE 8080 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s --start-interval=2s --retries=4 \
    CMD ["python", "-m", "deploy.image.healthy"]
# Both in exec form, so that signals reach the service itself.
ENTRYPOINT ["assay"]
CMD ["service"]
