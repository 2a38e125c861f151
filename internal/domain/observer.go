package domain

import "time"

// Observer is told what happens, for metrics and traces. Its methods return at
// once and may be called from any goroutine, but never from the one that paces
// sound.
type Observer interface {
	// CallChanged tells that a call has come to its State. The call is the
	// observer's to read until it returns.
	CallChanged(c *Call)
	// TurnEnded tells a turn of a live call.
	TurnEnded(t *Turn)
	// MediaEnded tells how the sound of a call was, once.
	MediaEnded(m *MediaReport)
	// SIPAnswered tells the final response to a request of ours; 0 when none came.
	SIPAnswered(method string, status int)
	// WorkClaimed tells how long after it was due an item of a queue was claimed.
	WorkClaimed(queue string, late time.Duration)
	// Delivered tells one try of a webhook delivery.
	Delivered(d *Delivery)
	// Committed tells how long a transaction took, from the wish to the disk.
	Committed(lane Lane, took time.Duration, err error)
}

// MediaReport is how the sound of one call was, over all of it.
type MediaReport struct {
	CallID     ID
	Codec      string
	Sent       uint64        // packets
	Received   uint64        // packets that were believed
	Lost       uint64        // packets that never came (RFC 3550 A.3)
	Late       uint64        // packets that came after their time
	Concealed  uint64        // frames of which a part had to be made up
	Jitter     time.Duration // interarrival jitter at the end (RFC 3550 A.8)
	Buffered   time.Duration // what sound waited in the jitter buffer at the end
	FirstAfter time.Duration // from the answer to the first packet; 0 when none was sent
}

// Observers tells each of several.
type Observers []Observer

// CallChanged tells each.
func (o Observers) CallChanged(c *Call) {
	for _, one := range o {
		one.CallChanged(c)
	}
}

// TurnEnded tells each.
func (o Observers) TurnEnded(t *Turn) {
	for _, one := range o {
		one.TurnEnded(t)
	}
}

// MediaEnded tells each.
func (o Observers) MediaEnded(m *MediaReport) {
	for _, one := range o {
		one.MediaEnded(m)
	}
}

// SIPAnswered tells each.
func (o Observers) SIPAnswered(method string, status int) {
	for _, one := range o {
		one.SIPAnswered(method, status)
	}
}

// WorkClaimed tells each.
func (o Observers) WorkClaimed(queue string, late time.Duration) {
	for _, one := range o {
		one.WorkClaimed(queue, late)
	}
}

// Delivered tells each.
func (o Observers) Delivered(d *Delivery) {
	for _, one := range o {
		one.Delivered(d)
	}
}

// Committed tells each.
func (o Observers) Committed(lane Lane, took time.Duration, err error) {
	for _, one := range o {
		one.Committed(lane, took, err)
	}
}

var _ Observer = Observers(nil)
