// Package engine carries live calls: it claims attempts, dials them, joins
// sound and talk, records, and writes down how each call ended.
package engine

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/queue"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/trunk"
)

// Options are what the engine needs.
type Options struct {
	Service    *service.Service
	Carriers   *trunk.Carriers
	Recordings domain.Recordings
	Voices     []speech.TTS                 // the first is the default
	Late       speech.TTS                   // speaks when a voice is too late or fails; nil is nobody
	STT        []speech.STT                 // hear, the best first; nil: words come as real-time text alone
	LLM        func(domain.Mode) speech.LLM // nil, or returning nil: no model thinks
	Router     func(domain.Mode) speech.LLM // tells intents apart; nil, or returning nil: keywords do
	Fillers    []string                     // said when an answer takes long; nil: those of the agent's language
	VAD        string                       // finds the caller's voice: spectral ("" too) or silero
	HTTP       *http.Client                 // for requests of flows, to addresses that strangers chose; nil: none are sent
	SIP        netip.AddrPort               // where the user agent listens
	TLS        *sip.TLS                     // how SIP connections are secured; nil: as the system believes, and none come in
	ExternalIP string                       // the address that peers reach us at; "" is the one we bind
	Ports      rtp.PortRange
	Ring       time.Duration // how long a call may ring; 0 is 30 s
	Lease      time.Duration // between a claim and its intent; 0 is 15 s
	MaxCalls   int           // carried at once; 0 is 1,000
	// Strangers says what is done with calls from addresses that no trunk names.
	Strangers Strangers
	RingFor   time.Duration // how long incoming calls ring at least before they are answered
	// MediaStart and MediaGap are how long a call may last without a packet of
	// the far end: from its start, and after one. 0 is what package rtp has.
	MediaStart, MediaGap time.Duration
	// Predecessor is the node that this server was when it ran last: it is dead. ""
	// is none that is known. Remember is told of each epoch before it is one's own;
	// nil is nobody.
	Predecessor domain.ID
	Remember    func(epoch domain.ID) error
	Dialogs     sip.Keeper // remembers the dialogs that are up; nil is nobody
	Left        [][]byte   // those of the predecessor

	Observer domain.Observer // is told of calls, turns and sound; nil is nobody
	Logger   *slog.Logger
}

// Engine carries the calls of one process run.
type Engine struct {
	*live   // the calls that are under way
	*trunks // the trunks that are kept up

	o     Options
	log   *slog.Logger
	node  node
	ua    *sip.UA
	pacer *rtp.Pacer
	ports *rtp.Ports
	queue *queue.Queue[service.Claimed]
	rates rates
	door  door
	peers *peers
	voice *speech.Fallback
	late  sync.WaitGroup // finishes that wait for the database
}

// New binds the engine's SIP address. Run starts it.
func New(o Options) (*Engine, error) {
	if o.Ring == 0 {
		o.Ring = 30 * time.Second
	}
	if o.Lease == 0 {
		o.Lease = 15 * time.Second
	}
	if o.MaxCalls == 0 {
		o.MaxCalls = 1000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if _, err := speech.OpenVAD(o.VAD, rateOf(domain.Trunk{})); err != nil {
		return nil, err
	}
	if o.Observer == nil {
		o.Observer = domain.Observers{}
	}
	ports, err := rtp.NewPorts(o.Ports)
	if err != nil {
		return nil, err
	}
	e := &Engine{live: newLive(), o: o, log: o.Logger, ports: ports, door: door{most: o.MaxCalls},
		peers: newPeers(o.Service.CallableTrunks, o.Logger), voice: speech.NewFallback(speech.FallbackOptions{Engines: o.Voices, Late: o.Late})}
	if e.ua, err = sip.New(sip.Options{
		Listen: o.SIP, TCP: true, TLS: o.TLS, ExternalIP: o.ExternalIP, OnInvite: e.incoming, Admit: e.admit, Logger: o.Logger,
		Keeper: o.Dialogs, DigestAlgorithms: []string{"MD5"}, // what every phone and switch knows
	}); err != nil {
		return nil, err
	}
	e.pacer = rtp.NewPacer()
	e.trunks = &trunks{route: o.Carriers.Route, ua: e.ua, log: o.Logger, first: firstQuestion, list: func(ctx context.Context) ([]domain.Trunk, error) {
		return o.Service.TrunksOf(ctx, e.node.current())
	}}
	e.queue = queue.New(queue.Options[service.Claimed]{
		Name: "attempts", Workers: o.MaxCalls, Logger: o.Logger,
		Drain: 24 * time.Hour, // calls are ended by Run, not by the queue
		Claim: func(ctx context.Context, now time.Time, limit int) ([]service.Claimed, time.Time, error) {
			epoch := e.node.name()
			if epoch == "" {
				return nil, time.Time{}, nil // fenced: others may have what we would claim
			}
			return o.Service.ClaimAttempts(ctx, epoch, now, o.Lease, min(limit, 64))
		},
		Handle: e.carry,
	})
	return e, nil
}

// Working returns nil while the engine may claim calls and dial them: it is a
// node, and the database has lately heard from it.
func (e *Engine) Working() error {
	if e.node.name() == "" {
		return domain.Unavailable(time.Second, nil, "the engine is no node: the database has not heard from it")
	}
	return nil
}

// Full reports whether this process carries all the calls that it can.
func (e *Engine) Full() bool { return e.door.full() }

// Voices tells how many of the voices failed lately, and how many there are.
func (e *Engine) Voices() (failing, all int) { return e.voice.Failing() }

// Addr is where the engine's user agent listens.
func (e *Engine) Addr() netip.AddrPort { return e.ua.Addr() }

// TLSAddr is where it takes TLS connections; not valid when it takes none.
func (e *Engine) TLSAddr() netip.AddrPort { return e.ua.TLSAddr() }

// Lateness is how late the packets of all calls have left.
func (e *Engine) Lateness() rtp.Lateness { return e.pacer.Lateness() }

// Kick makes the engine look for attempts at once.
func (e *Engine) Kick() { e.queue.Kick() }
