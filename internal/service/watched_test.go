//go:build race

package service_test

// How many races of the gate are run: less where the race detector makes each of
// them five times as dear.
const (
	optOutRaces = 300
	capRaces    = 400
)
