//go:build !race

package service_test

// How many races of the gate are run.
const (
	optOutRaces = 1000
	capRaces    = 1000
)
