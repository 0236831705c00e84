# The one program, for every role: `openledger serve ledger`, `openledger migrate`, `openledger audit` …
ARG SWIFT=6.3.1
FROM swift:${SWIFT}-bookworm AS builder
# Debian's own libraries, at whatever version bookworm's security updates have reached.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libarchive-dev libcld2-dev libcurl4-openssl-dev libdivsufsort-dev libpq-dev \
        librdkafka-dev libre2-dev libssl-dev libutf8proc-dev libxml2-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# The Swift runtime goes into the program; the C libraries stay outside, where security updates reach them.
RUN swift build -c release --product openledger --static-swift-stdlib --scratch-path /build \
    && strip --strip-debug -o /openledger "$(swift build -c release --static-swift-stdlib --scratch-path /build --show-bin-path)/openledger"

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libarchive13 libcld2-0 libcurl4 libdivsufsort3 libpq5 librdkafka1 \
        libre2-9 libssl3 libutf8proc2 libxml2 poppler-utils \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/openledger --create-home --shell /usr/sbin/nologin openledger
COPY --from=builder /openledger /usr/local/bin/openledger
COPY --chmod=755 deploy/healthy /usr/local/bin/openledger-healthy
COPY migrations /usr/share/openledger/migrations
ENV OPENLEDGER_MIGRATIONS=/usr/share/openledger/migrations
USER 10001:10001
WORKDIR /var/lib/openledger
VOLUME /var/lib/openledger
EXPOSE 7400-7408
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["openledger-healthy"]
ENTRYPOINT ["openledger"]
CMD ["--help"]
