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

// Service is the rules over one store. Its methods may be called at once.
type Service struct {
	store      domain.Store
	buffer     domain.Buffer
	hooks      map[string]domain.HookDialect
	recordings domain.Recordings
	live       domain.LiveCalls
	trunks     domain.TrunkStates
	checkFlow  func([]byte) ([]byte, error)
	hasLLM     func(domain.Mode) bool
	allow      []netip.Prefix
	publicURL  string
	signingKey []byte
	noSamples  bool
	signers    sync.Pool // of hash.Hash: HMACs of signingKey
	now        func() time.Time
	log        *slog.Logger

	keys       keyCache
	uses       keyUses
	unfolded   atomic.Bool // there may be usage to fold
	rates      domain.RateLimits
	background sync.WaitGroup
	watchers   watchers
}

// New returns the rules over o.Store.
func New(o Options) *Service {
	s := &Service{
		store: o.Store, buffer: o.Buffer, hooks: o.Hooks, recordings: o.Recordings,
		checkFlow: o.CheckFlow, hasLLM: o.HasLLM, allow: o.WebhookAllow,
		publicURL:  strings.TrimRight(o.PublicURL, "/"),
		signingKey: o.SigningKey, noSamples: o.NoSamples, now: o.Now, log: o.Logger,
	}
	if s.hasLLM == nil {
		s.hasLLM = func(domain.Mode) bool { return true }
	}
	if len(s.signingKey) == 0 {
		s.signingKey = make([]byte, 32)
		_, _ = rand.Read(s.signingKey) // crypto/rand.Read never fails (Go 1.24)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.watchers.gone = make(chan struct{})
	s.keys.entries = make(map[domain.ID]keyEntry)
	s.unfolded.Store(true) // what an earlier run left
	s.rates = newRates(o.Rates, s.now, s.log)
	return s
}

// Attach tells how calls that are under way in this process are reached. It is
// called once, before the first request is served; without it there are none.
func (s *Service) Attach(live domain.LiveCalls) { s.live = live }

// Close waits for what the service still writes in the background; what was noted
// of keys is FlushUses's to write.
func (s *Service) Close() { s.background.Wait() }

// clock is the present as the store keeps it: UTC microseconds.
func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
