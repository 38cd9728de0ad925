# The release server with the built frontend. Written without Docker at hand: read before you rely on it.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends nodejs npm
WORKDIR /miniature
COPY . .
RUN cargo xtask dist

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* && useradd --system miniature \
    && mkdir /data && chown miniature /data
COPY --from=build /miniature/target/release/miniature-server /usr/local/bin/
COPY --from=build /miniature/dist /usr/share/miniature
ENV MINIATURE_DIST=/usr/share/miniature MINIATURE_DATA=/data MINIATURE_LISTEN=0.0.0.0:8787
USER miniature
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=5s --timeout=3s --start-period=2m CMD ["miniature-server", "healthy"]
CMD ["miniature-server", "serve"]
