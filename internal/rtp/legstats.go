package rtp

import "time"

// LegStats is how a leg is doing.
type LegStats struct {
	Socket   SocketStats
	Buffer   JitterStats
	Sent     uint64        // packets of sound and events
	Received uint64        // packets that were believed
	Lost     uint64        // packets that never came (RFC 3550 A.3)
	Jitter   time.Duration // interarrival jitter (RFC 3550 A.8)
	Faults   uint64        // panics of ticks
	LastAt   time.Time     // when the last packet came; zero for none

	// What the peer reported last (RFC 3550 §6.4.1); zero when it does not.
	RTT          time.Duration
	RemoteLost   int64         // of our packets, in all
	RemoteJitter time.Duration // of our packets
}

// LastReceived is when the last packet came, zero for none.
func (l *Leg) LastReceived() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.in.lastAt
}

// FirstSent is when the first packet was sent, zero for none.
func (l *Leg) FirstSent() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats.firstSent
}

// Stats returns the counts so far.
func (l *Leg) Stats() LegStats {
	socket := l.o.Socket.Stats()
	peer := l.o.Socket.peerReport()
	l.mu.Lock()
	defer l.mu.Unlock()
	return LegStats{
		RTT: peer.rtt, RemoteLost: int64(peer.block.lost), RemoteJitter: unitsTime(float64(peer.block.jitter)),
		Socket: socket, Buffer: l.in.buffer.Stats(), Sent: l.stats.sent, Received: socket.Received,
		Lost:   uint64(l.in.reception.lost()),
		Jitter: unitsTime(l.in.reception.jitter),
		Faults: l.stats.faults, LastAt: l.in.lastAt,
	}
}
