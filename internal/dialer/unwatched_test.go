//go:build !race

package dialer

// contacts is how many each campaign of TestDaysOfCampaigns has.
const contacts = 200
