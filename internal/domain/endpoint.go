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
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Wants reports whether the endpoint subscribed to t.
func (e *Endpoint) Wants(t EventType) bool {
	return e.IsActive && (slices.Contains(e.Events, AllEvents) || slices.Contains(e.Events, string(t)))
}

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
	DeliveryDelivered: {},
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
	Body        []byte
	State       DeliveryState
	NextAt      time.Time
	LeaseUntil  time.Time
	Attempt     int64 // tries so far; also the fence
	StatusCode  int   // of the last try, 0 for none
	Error       string
	Response    string // head of the last answer
	LatencyMs   int64
	CreatedAt   time.Time
	FinishedAt  time.Time
}
