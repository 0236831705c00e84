# The one program, for every role: `openledger serve ledger`, `openledger migrate`, `openledger audit` …
ARG SWIFT=6.3.1
FROM swift:${SWIFT}-bookworm AS builder
# Debian's own libraries, at whatever version bookworm's security updates have reached.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libarchive-dev libcairo2-dev libcld2-dev libcurl4-openssl-dev libdivsufsort-dev libsecp256k1-dev \
        libpango1.0-dev libpq-dev librdkafka-dev libre2-dev libssl-dev libutf8proc-dev libxml2-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# The Swift runtime goes into the program; the C libraries stay outside, where security updates reach them.
# openledger-confine reads PDFs in a process that may do nothing else.
RUN swift build -c release --product openledger --static-swift-stdlib --scratch-path /build \
    && swift build -c release --product openledger-confine --static-swift-stdlib --scratch-path /build \
    && bin=$(swift build -c release --static-swift-stdlib --scratch-path /build --show-bin-path) \
    && mkdir /program \
    && for program in openledger openledger-confine; do strip --strip-debug -o "/program/$program" "$bin/$program" || exit 1; done

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates fonts-inter libarchive13 libcairo2 libcld2-0 libcurl4 libdivsufsort3 libsecp256k1-1 \
        libpango-1.0-0 libpangocairo-1.0-0 libpq5 librdkafka1 libre2-9 libssl3 libutf8proc2 libxml2 poppler-utils \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/openledger --create-home --shell /usr/sbin/nologin openledger \
    && install -d -o openledger -g openledger -m 700 /var/lib/openledger /var/lib/openledger-shared /var/lib/openledger-adapters
COPY --from=builder /program/ /usr/local/bin/
COPY --chmod=755 deploy/healthy /usr/local/bin/openledger-healthy
COPY migrations /usr/share/openledger/migrations
# The base model that ships with the product, where it has been made: the runner looks for it near the program.
COPY models /usr/share/openledger/models
# What `openledger demo` brings in.
COPY demo /usr/share/openledger/demo
ENV OPENLEDGER_MIGRATIONS=/usr/share/openledger/migrations
USER 10001:10001
WORKDIR /var/lib/openledger
VOLUME /var/lib/openledger
EXPOSE 7400-7408
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["openledger-healthy"]
ENTRYPOINT ["openledger"]
CMD ["--help"]
