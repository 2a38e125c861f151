// Package service holds every rule of the application, one file a noun: who may
// have what, what a new object must have, what one change brings with it. Each
// face of the API calls it; none has rules of its own.
package service

import (
	"crypto/rand"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
	"github.com/callwright/callwright/internal/service/messaging"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/people"
	"github.com/callwright/callwright/internal/service/rule"
)

// Options are what the rules need.
type Options struct {
	Store domain.Store // required
	// Buffer takes what is noted of live calls without waiting for the disk. nil
	// is for processes that carry no calls.
	Buffer domain.Buffer
	// Hooks encodes events for webhook receivers, by the word that an endpoint's
	// Dialect holds. Only these words are accepted.
	Hooks map[string]domain.HookDialect
	// Recordings keeps the sound of calls; nil when there is none to give out.
	Recordings domain.Recordings
	// CheckFlow reads a flow's JSON strictly and returns its canonical form; its
	// errors are domain errors that name the node at fault. Required.
	CheckFlow func(raw []byte) (canonical []byte, err error)
	// HasLLM reports whether a mode has a language model (or, in test mode, the
	// deterministic one). nil means that both have.
	HasLLM func(domain.Mode) bool
	// WebhookAllow lists private networks that may receive webhooks, also over
	// plain http.
	WebhookAllow []netip.Prefix
	// Lookup resolves the names of webhook receivers when they are given; nil
	// leaves that to whoever sends.
	Lookup rule.Lookup
	// PublicURL is where this server is reached from outside, without a slash at
	// its end; "" when only a request's Host tells.
	PublicURL string
	// SigningKey signs links to recordings. Without one a random key is used and
	// links end with the process.
	SigningKey []byte
	// NoSamples leaves the test mode of a new store without sample data.
	NoSamples bool
	// Rates counts requests for all processes that share the store; nil counts in
	// this one.
	Rates  domain.RateLimits
	Now    func() time.Time // time.Now when nil
	Logger *slog.Logger     // slog.Default() when nil
}

// What rules are made of, and those who ask have to say.
type (
	// Change is one field of an update: nil leaves what is there.
	Change[T any] = rule.Change[T]
	// Once makes one effect happen once.
	Once[T any] = rule.Once[T]
	// OnceKey names a request that is to have its effect once.
	OnceKey = rule.OnceKey
)

// Service is the rules over one store. Its methods may be called at once.
type Service struct {
	rule.Kit
	*access.Access
	*people.People
	*messaging.Messaging
	*outreach.Outreach
	buffer     domain.Buffer
	hooks      map[string]domain.HookDialect
	recordings domain.Recordings
	live       domain.LiveCalls
	trunks     domain.TrunkStates
	checkFlow  func([]byte) ([]byte, error)
	hasLLM     func(domain.Mode) bool
	receivers  rule.Receivers
	publicURL  string
	signingKey []byte
	noSamples  bool
	signers    sync.Pool // of hash.Hash: HMACs of signingKey

	background sync.WaitGroup
	listed     atomic.Bool // a do-not-call list has grown that was not looked at yet
	watchers   *rule.Watchers
}

// New returns the rules over o.Store.
func New(o Options) *Service {
	s := &Service{
		Kit: rule.Kit{Store: o.Store, Now: o.Now, Log: o.Logger}, buffer: o.Buffer, hooks: o.Hooks, recordings: o.Recordings,
		checkFlow: o.CheckFlow, hasLLM: o.HasLLM, receivers: rule.Receivers{Allow: o.WebhookAllow, Lookup: o.Lookup},
		publicURL:  strings.TrimRight(o.PublicURL, "/"),
		signingKey: o.SigningKey, noSamples: o.NoSamples,
	}
	if s.hasLLM == nil {
		s.hasLLM = func(domain.Mode) bool { return true }
	}
	if len(s.signingKey) == 0 {
		s.signingKey = make([]byte, 32)
		_, _ = rand.Read(s.signingKey) // crypto/rand.Read never fails (Go 1.24)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	s.watchers = rule.NewWatchers()
	s.Access, s.People = access.New(s.Kit, o.Rates), people.New(s.Kit, s.stopRinging)
	s.Messaging = messaging.New(s.Kit, messaging.Options{Announce: s.announce, StopRinging: s.stopRinging, AskedBy: keyOf, AddUsage: s.AddUsage})
	s.Outreach = outreach.New(s.Kit, outreach.Options{Ready: s.ready, Place: s.placeFor, Watchers: s.watchers})
	return s
}

// Attach tells how calls that are under way in this process are reached. It is
// called once, before the first request is served; without it there are none.
func (s *Service) Attach(live domain.LiveCalls) { s.live = live }

// Close waits for what the service still writes in the background; what was noted
// of keys is FlushUses's to write.
func (s *Service) Close() { s.background.Wait() }
