package domain

import (
	"slices"
	"time"
)

// AllEvents subscribes an endpoint to every event.
const AllEvents = "*"

// Endpoint is a receiver of webhooks.
type Endpoint struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	URL         string
	Events      []string // event types, or AllEvents
	Dialect     string   // native, trillet, klen
	Description string
	Secret      string // whsec_<base64>
	IsActive    bool
	Schedule    RetrySchedule
	RateLimit   int // deliveries a second; 0 is none
	// OldSecret signs beside Secret until OldSecretUntil, so that a receiver can
	// change over.
	OldSecret      string
	OldSecretUntil time.Time
	DisabledAt     time.Time // set when the system switched the endpoint off
	DisabledFor    string    // why it did, for people
	Version        int64
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Wants reports whether the endpoint subscribed to t, be it active or not.
func (e *Endpoint) Wants(t EventType) bool {
	return slices.Contains(e.Events, AllEvents) || slices.Contains(e.Events, string(t))
}

// RetrySchedule names how failed deliveries are repeated.
type RetrySchedule string

// The schedules.
const (
	RetryStandard RetrySchedule = "standard" // 30 s, 5 min, 30 min, 2 h
	RetryExtended RetrySchedule = "extended" // more than three days, as Standard Webhooks has it
)

// DeliveryState is where one event's way to one endpoint stands.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"   // waits until NextAt, or is being tried
	DeliveryDelivered DeliveryState = "delivered" // the receiver answered 2xx
	DeliveryFailed    DeliveryState = "failed"    // the schedule is used up, or no try can go better
)

// DeliveryTransitions is the table of a delivery's life.
var DeliveryTransitions = map[DeliveryState][]DeliveryState{
	DeliveryPending:   {DeliveryPending, DeliveryDelivered, DeliveryFailed},
	DeliveryDelivered: {DeliveryPending}, // sent again by hand
	DeliveryFailed:    {DeliveryPending},
}

// Delivery is one event on its way to one endpoint. Body holds the bytes that
// are signed and sent, each time the same.
type Delivery struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	EventID     ID
	EventType   EventType
	EndpointID  ID
	CallID      ID
	AboutID     ID // the contact of the event's appointment, or its message; "" is neither
	Body        []byte
	State       DeliveryState
	NextAt      time.Time
	LeaseUntil  time.Time
	Attempt     int64 // tries so far; also the fence
	Resent      int64 // of them, those before it was last sent again by hand
	StatusCode  int   // of the last try, 0 for none
	Error       string
	Response    string // head of the last answer
	LatencyMs   int64
	CreatedAt   time.Time
	FinishedAt  time.Time
}

// Round is the number of the last try since the delivery was created or sent
// again by hand: what its schedule goes by.
func (d *Delivery) Round() int { return int(d.Attempt - d.Resent) }

// DeliveryFilter narrows a list of deliveries; zero fields do not filter.
type DeliveryFilter struct {
	State      DeliveryState
	EventType  EventType
	CallID     ID
	CreatedMin time.Time // inclusive
}

// Try is one attempt to deliver, as it is logged. Secrets are not in it.
type Try struct {
	DeliveryID ID
	Number     int64 // the delivery's Attempt
	At         time.Time
	StatusCode int // 0 when there was no answer
	LatencyMs  int64
	Error      string
	Request    string // its head, at most 4 kB; the body is the delivery's
	Response   string // the head of the answer's body, at most 4 kB
}
