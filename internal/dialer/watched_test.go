//go:build race

package dialer

// Less is tried where the race detector makes each call five times as dear.
const (
	contacts = 26  // of each campaign of TestDaysOfCampaigns
	rest     = 360 // minutes, at least, for which its program does not run
)
