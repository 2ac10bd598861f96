# Two images: `train` (the default) has this package and its command, `server` MLflow for a team. docs/how-to/container.md
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS environment
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY constraints.txt ./

FROM environment AS server-environment
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint constraints.txt mlflow psycopg2-binary Flask-WTF

FROM environment AS train-environment
# Of the package: onnx (export), joblib (several runs at once), gpu (TensorFlow with CUDA), jax.
ARG EXTRA=joblib,onnx
# First what the package needs, installed with an empty package: this layer stays while only the code changes.
COPY pyproject.toml README.md LICENSE ./
COPY src/activation_study/__init__.py src/activation_study/
RUN --mount=type=cache,target=/root/.cache/pip \
    mkdir -p src/hydra_plugins conf && touch src/hydra_plugins/empty.py conf/empty.yaml \
    && pip install --constraint constraints.txt ".[${EXTRA}]" \
    && pip uninstall --yes activation-study
COPY src/ src/
COPY conf/ conf/
RUN --mount=type=cache,target=/root/.cache/pip \
    rm src/hydra_plugins/empty.py conf/empty.yaml \
    && pip install --no-deps --constraint constraints.txt .

FROM ${BASE} AS server
COPY --from=server-environment /opt/venv /opt/venv
RUN install --directory --owner=1000 --group=1000 /artifacts /auth
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp \
    MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
USER 1000:1000
WORKDIR /tmp
EXPOSE 5000
ENTRYPOINT ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--serve-artifacts", "--artifacts-destination", "/artifacts"]

FROM ${BASE} AS train
COPY --from=train-environment /opt/venv /opt/venv
# Any user may run it: the folders that the libraries write to for themselves are open to all.
RUN install --directory --mode=1777 /work
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 MLFLOW_DISABLE_TELEMETRY=true
USER 1000:1000
WORKDIR /work
ENTRYPOINT ["activation-study"]
CMD ["--help"]
