//go:build race

package dialer

// contacts is how many each campaign of TestDaysOfCampaigns has: less where the
// race detector makes each call five times as dear.
const contacts = 40
