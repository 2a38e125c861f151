package domain

import (
	"context"
	"time"
)

// MessageStatus is where a text message stands.
type MessageStatus string

// The statuses of a message. One that goes out is queued, then sent or failed;
// after sent it is delivered or failed once the carrier tells. One that came in is
// received.
const (
	MessageQueued    MessageStatus = "queued"
	MessageSent      MessageStatus = "sent" // the carrier has taken it
	MessageDelivered MessageStatus = "delivered"
	MessageFailed    MessageStatus = "failed"
	MessageReceived  MessageStatus = "received"
)

// MessageStatuses lists every status.
var MessageStatuses = []MessageStatus{MessageQueued, MessageSent, MessageDelivered, MessageFailed, MessageReceived}

// MessageEncoding is the alphabet that a message goes in (3GPP TS 23.038).
type MessageEncoding string

// The alphabets.
const (
	EncodingGSM7 MessageEncoding = "GSM-7" // the default alphabet and its extension table
	EncodingUCS2 MessageEncoding = "UCS-2" // everything else, as UTF-16
)

// JobMessage is the kind of the job that hands a message to its carrier.
const JobMessage = "message"

// Message is a text message to or from one of the workspace's own numbers.
type Message struct {
	ID            ID
	WorkspaceID   ID
	Mode          Mode
	Direction     Direction
	PhoneNumberID ID // the workspace's own number
	TrunkID       ID // over which it goes or came
	From          string
	To            string
	Text          string
	Status        MessageStatus
	Encoding      MessageEncoding
	Segments      int    // parts that it is sent in
	Error         string // why it failed, for people
	CarrierID     string // the carrier's name for it, or ""
	CallID        ID     // the call in which it was sent, or ""
	ContactID     ID     // the contact at the far end, or ""
	Extra         map[string]any
	AskedAt       time.Time // when a carrier was asked that has not answered yet; zero: none was
	SentAt        time.Time // when the carrier took it; zero before
	DeliveredAt   time.Time
	Version       int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// FarEnd is the number of the person that the message goes to or comes from.
func (m *Message) FarEnd() string {
	if m.Direction == Inbound {
		return m.From
	}
	return m.To
}

// MessageFilter narrows a list of messages; zero fields do not filter.
type MessageFilter struct {
	Direction  Direction
	Status     MessageStatus
	From       string    // E.164
	To         string    // E.164
	CreatedMin time.Time // inclusive
	CreatedMax time.Time // exclusive
}

// Messages keeps text messages.
type Messages interface {
	Collection[Message]
	// Find returns a page of the messages that the filter lets through, newest
	// first, with the exact number of all of them.
	Find(ctx context.Context, in Scope, f MessageFilter, page Page) ([]Message, int, error)
	// ByCarrier returns the message of one direction that the carrier of a trunk
	// calls by carrierID, or CodeNotFound. Create and Update refuse a second one
	// with CodeConflict.
	ByCarrier(ctx context.Context, in Scope, trunk ID, d Direction, carrierID string) (*Message, error)
}
