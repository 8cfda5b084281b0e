# One image a service: docker build --target capture|features|trainer|inference|notifier|cli .
# The packages change less often than the sources: a layer of their own.
FROM docker.io/library/debian:bookworm-slim AS build-packages
COPY deploy/packages/build.txt /tmp/
RUN apt-get update -qq \
    && sed 's/#.*//' /tmp/build.txt | xargs apt-get install -qq -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /tmp/build.txt

FROM build-packages AS build
WORKDIR /src
COPY . .
RUN scripts/build

# What an image consists of is in it: /usr/share/flowcast/packages.tsv (name, version, architecture, source, its version).
FROM docker.io/library/debian:bookworm-slim AS run
COPY deploy/packages/run.txt /tmp/
COPY deploy/images/list-packages deploy/images/flowcast-healthy /usr/local/bin/
RUN apt-get update -qq \
    && sed 's/#.*//' /tmp/run.txt | xargs apt-get install -qq -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /tmp/run.txt \
    && list-packages \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin flowcast \
    && install -d -o flowcast -g flowcast /var/lib/flowcast /var/lib/flowcast/models
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.vendor=flowcast \
      org.opencontainers.image.base.name=docker.io/library/debian:bookworm-slim
WORKDIR /var/lib/flowcast
USER flowcast

FROM run AS run-torch
USER root
COPY deploy/packages/run-torch.txt /tmp/
RUN apt-get update -qq \
    && sed 's/#.*//' /tmp/run-torch.txt | xargs apt-get install -qq -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /tmp/run-torch.txt \
    && list-packages
USER flowcast

# Each image asks its program for its version: a library that is missing fails the build.

# Live capture as root needs some capabilities and a volume for the spool: docs/operate.md, "Live capture".
FROM run AS capture
LABEL org.opencontainers.image.title=flowcast-capture \
      org.opencontainers.image.description="Reads packets from an interface or a capture file into Kafka"
COPY --from=build /src/build/release/bin/flowcast-capture /usr/local/bin/
RUN flowcast-capture --version
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["flowcast-healthy", "9471"]
ENTRYPOINT ["flowcast-capture"]

FROM run AS features
LABEL org.opencontainers.image.title=flowcast-features \
      org.opencontainers.image.description="Turns packets into windows of features and normalized sequences"
COPY --from=build /src/build/release/bin/flowcast-features /usr/local/bin/
RUN flowcast-features --version
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["flowcast-healthy", "9472"]
ENTRYPOINT ["flowcast-features"]

FROM run-torch AS trainer
LABEL org.opencontainers.image.title=flowcast-trainer \
      org.opencontainers.image.description="Trains forecast models from sequences and publishes them"
COPY --from=build /src/build/release/bin/flowcast-trainer /usr/local/bin/
RUN flowcast-trainer --version
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["flowcast-healthy", "9473"]
ENTRYPOINT ["flowcast-trainer"]

FROM run-torch AS inference
LABEL org.opencontainers.image.title=flowcast-inference \
      org.opencontainers.image.description="Forecasts the load of links and raises alerts before it arrives"
COPY --from=build /src/build/release/bin/flowcast-inference /usr/local/bin/
RUN flowcast-inference --version
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["flowcast-healthy", "9474"]
ENTRYPOINT ["flowcast-inference"]

FROM run AS notifier
LABEL org.opencontainers.image.title=flowcast-notifier \
      org.opencontainers.image.description="Sends alerts to web-hooks, Alertmanagers and syslog servers"
COPY --from=build /src/build/release/bin/flowcast-notifier /usr/local/bin/
RUN flowcast-notifier --version
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["flowcast-healthy", "9475"]
ENTRYPOINT ["flowcast-notifier"]

FROM run-torch AS cli
LABEL org.opencontainers.image.title=flowcast \
      org.opencontainers.image.description="The command line: topics, alerts, evaluation"
COPY --from=build /src/build/release/bin/flowcast /src/build/release/bin/flowcast-lab /usr/local/bin/
RUN flowcast --version && flowcast-lab --version
ENTRYPOINT ["flowcast"]
