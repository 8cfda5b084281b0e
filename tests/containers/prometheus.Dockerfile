# A stand-in for prom/prometheus where no image can be pulled: Debian's package, with the official image's folders,
# user and wget.
FROM docker.io/library/debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends busybox prometheus \
    && rm -rf /var/lib/apt/lists/* /etc/prometheus/* \
    && ln -s busybox /bin/wget \
    && install -d -o nobody -g nogroup /prometheus
LABEL flowcast.stand-in=true
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
EXPOSE 9090
ENTRYPOINT ["/usr/bin/prometheus"]
