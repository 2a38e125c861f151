//go:build !race

package dialer

const (
	contacts = 200 // of each campaign of TestDaysOfCampaigns
	rest     = 120 // minutes, at least, for which its program does not run
)
