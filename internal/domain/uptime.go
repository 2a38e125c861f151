package domain

import (
	"context"
	"time"
)

// Component is a part of the service that can fail by itself.
type Component string

// The components, in the order in which they are shown.
const (
	ComponentAPI      Component = "api"
	ComponentDatabase Component = "database"
	ComponentCalls    Component = "calls"    // the engine that dials and carries calls
	ComponentCarriers Component = "carriers" // the trunks of live mode
	ComponentSpeech   Component = "speech"   // engines that hear, talk and think
	ComponentWebhooks Component = "webhooks"
	ComponentAnalysis Component = "analysis"
	ComponentMessages Component = "messages" // text messages on their way to carriers
)

// Components lists all components.
var Components = []Component{
	ComponentAPI, ComponentDatabase, ComponentCalls, ComponentCarriers, ComponentSpeech, ComponentWebhooks, ComponentAnalysis, ComponentMessages,
}

// Health is how a component is.
type Health string

// The kinds of health, from good to bad. Unknown says nothing.
const (
	HealthUnknown  Health = ""
	HealthUp       Health = "operational"
	HealthDegraded Health = "degraded" // works, with less than it should have
	HealthDown     Health = "down"
)

// UptimeDay counts the checks of a component on one day, over all processes. A
// degraded component is up.
type UptimeDay struct {
	Component Component
	Day       time.Time // its midnight, UTC
	Good, Bad int
	CheckedAt time.Time // the last check
}

// Incident is a time in which a component was down.
type Incident struct {
	ID        ID
	Component Component
	OpenedAt  time.Time // the first check that failed
	SeenAt    time.Time // the last check that failed
	ClosedAt  time.Time // zero while it lasts
}

// Uptimes keeps what checks of our own have found.
type Uptimes interface {
	// Add adds the counts of each row to those of its component and day.
	Add(ctx context.Context, days ...UptimeDay) error
	// Days returns the days from since on, oldest first.
	Days(ctx context.Context, since time.Time) ([]UptimeDay, error)
	// Open stores a new incident; a second one of a component that lasts is
	// CodeConflict.
	Open(ctx context.Context, i *Incident) error
	// Save stores the times of an incident.
	Save(ctx context.Context, i *Incident) error
	// Incidents returns the latest ones, newest first.
	Incidents(ctx context.Context, limit int) ([]Incident, error)
	// Prune removes days before since, and incidents that ended before it or are
	// not among the latest keep.
	Prune(ctx context.Context, since time.Time, keep int) error
}
