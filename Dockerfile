FROM golang:1.26.8-bookworm AS build
WORKDIR /src
# The modules change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /thbot ./cmd/thbot
# It starts, and the example that it prints is valid.
RUN /thbot --help && /thbot config >/tmp/thbot.yaml && /thbot config --check /tmp/thbot.yaml
RUN mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /thbot /thbot
# The ledger's directory is the only one that is written to. A new volume takes
# its owner from here.
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
WORKDIR /data
USER nonroot:nonroot
# In exec form, so that SIGTERM reaches the bot itself.
ENTRYPOINT ["/thbot"]
CMD ["run", "-c", "/etc/thbot/thbot.yaml"]
