# A stand-in for apache/kafka where no image can be pulled; tests/containers/kafka-image builds it.
FROM docker.io/library/debian:bookworm-slim
# The folder of man pages, which slim images lack: Java's package wants to put a link there.
RUN mkdir -p /usr/share/man/man1 \
    && apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --no-create-home appuser \
    && install -d -o appuser /var/lib/kafka /var/lib/kafka/data /etc/kafka \
    # podman gives a tmpfs the mode of the folder that it is over, whatever mode is asked for.
    && install -d -m 1777 /opt/kafka/config /opt/kafka/logs
LABEL flowcast.stand-in=true
COPY lib /opt/kafka/libs
COPY kafka-entrypoint /etc/kafka/docker/run
USER appuser
VOLUME /var/lib/kafka/data
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
