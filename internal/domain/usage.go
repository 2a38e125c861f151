package domain

import "time"

// Day is a date in UTC: 2025-02-01. Days sort as text.
type Day string

// DayOf returns the date of t in UTC.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(time.DateOnly)) }

// Usage is what was done with one key on one day, or what is to be added to
// that. KeyID "" stands for what no key asked for, such as incoming calls.
type Usage struct {
	WorkspaceID ID
	Mode        Mode
	KeyID       ID
	Day         Day
	UsageCounts
}

// UsageCounts are the figures of a Usage.
type UsageCounts struct {
	Requests     int64 // answered requests, by the classes of their status:
	Successes    int64 // 2xx
	Redirects    int64 // 3xx, which are answers 304
	ClientErrors int64 // 4xx
	ServerErrors int64 // 5xx
	Calls        int64 // calls that were placed, or came in, on that day
	Seconds      int64 // which were charged of those calls, each begun one counted
	Cost         Money // of those calls
	Messages     int64 // text messages that were taken on that day, to be sent
	Segments     int64 // parts that they are sent in, which carriers charge for
}

// Add adds more to the counts.
func (c *UsageCounts) Add(more UsageCounts) {
	c.Requests += more.Requests
	c.Successes += more.Successes
	c.Redirects += more.Redirects
	c.ClientErrors += more.ClientErrors
	c.ServerErrors += more.ServerErrors
	c.Calls += more.Calls
	c.Seconds += more.Seconds
	c.Cost += more.Cost
	c.Messages += more.Messages
	c.Segments += more.Segments
}

// UsageFilter narrows a report of usage.
type UsageFilter struct {
	From, To Day // both included
	KeyID    ID  // "" is all
}
