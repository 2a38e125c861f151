package domain

import "time"

// Carrier words of the trunks that Callwright brings.
const (
	CarrierSIP     = "sip"     // a SIP peer at Host:Port
	CarrierSandbox = "sandbox" // the simulated phones of this process
)

// Trunk is a connection to a carrier.
type Trunk struct {
	ID             ID
	WorkspaceID    ID
	Mode           Mode
	Name           string
	Carrier        string // CarrierSIP …
	Host           string
	Port           int
	Transport      string // udp, tcp, tls
	Username       string
	Password       string
	Register       bool
	RealtimeText   bool     // offer RFC 4103 text
	SRTP           string   // off, optional, required
	Codecs         []string // in order of preference: PCMU, PCMA …
	CallsPerSecond int
	MaxCalls       int
	Incoming       Incoming
	Version        int64
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Texts reports whether the trunk's carrier takes text messages.
func (t *Trunk) Texts() bool { return t.Carrier == CarrierSandbox }

// Incoming says who may call in over a trunk, beside the addresses of its Host.
type Incoming struct {
	Networks []string // CIDR: where callers may also come from
	Username string   // with it callers must prove the password, and may come from anywhere
	Password string
}
