// Package app wires the house together: it builds every part from the
// configuration, starts them in order and stops them in the other.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callwright/callwright/internal/analysis"
	"github.com/callwright/callwright/internal/api"
	"github.com/callwright/callwright/internal/api/klen"
	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/trillet"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/blob"
	"github.com/callwright/callwright/internal/callee"
	"github.com/callwright/callwright/internal/carrier"
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/courier"
	"github.com/callwright/callwright/internal/dialer"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/engine"
	"github.com/callwright/callwright/internal/ops"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/uptime"
	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/trunk"
	"github.com/callwright/callwright/internal/webhook"
)

// Options are what a process is started with.
type Options struct {
	Config  *config.Config
	Version string
	Logger  *slog.Logger
	// Callee is told each call of the simulated phone when it is over; nil is
	// nobody.
	Callee func(callee.Report)
	// Voices speak instead of those of this machine; the first is the default.
	Voices []speech.TTS
	// Ears hear before those that are configured, the best first; real-time text
	// needs none.
	Ears []speech.STT
	// Models think before those that are configured; the first is the default.
	Models []speech.LLM
	// Worker is the command of a process that computes voices for this one; nil:
	// they are computed here.
	Worker []string
	// Ring is how long a call may ring; 0 is 30 s.
	Ring time.Duration
	// MediaStart and MediaGap are how long a call may last without sound of the
	// far end, from its start and later; 0 is 30 s and 15 s.
	MediaStart, MediaGap time.Duration
	// MaxCalls is how many calls the process carries at once; 0 is 1,000.
	MaxCalls int
	// Observer is told what happens, beside metrics and traces; nil is nobody.
	Observer domain.Observer
	// Force, when it is closed, ends live calls that a stop lets go on.
	Force <-chan struct{}
}

// flowRequestLimit bounds a request of a flow, whatever its node says.
const flowRequestLimit = time.Minute

// App is one process of Callwright.
type App struct {
	Service *service.Service
	First   *service.FirstStart

	o          Options
	log        *slog.Logger
	key        store.Key
	store      *store.DB
	watched    domain.Store // the store, with its transactions observed
	ops        *ops.Server  // nil without --ops
	traces     *ops.Traces  // nil when nobody receives them
	observer   domain.Observers
	buffer     *store.Buffer
	carriers   *trunk.Carriers
	engine     *engine.Engine
	lineage    *lineage
	webhooks   *webhook.Worker
	analysis   *analysis.Worker
	courier    *courier.Courier
	dialer     *dialer.Dialer
	recordings domain.Recordings
	listener   net.Listener
	server     *http.Server
	voice      string
	models     *speech.Thinkers // nil when none is configured
	ears       *speech.Ears     // nil when none is configured
	board      *uptime.Board
}

// Open builds and binds everything; nothing is claimed or served before Run. An
// error says what stood in the way and what to do about it.
func Open(ctx context.Context, o Options) (_ *App, err error) {
	a := &App{o: o, log: o.Logger}
	defer func() {
		if err != nil {
			a.close(ctx)
		}
	}()
	preferZones()
	warnOfZones(o.Logger)
	if a.listener, err = listen(o.Config.HTTP); err != nil {
		return nil, err
	}
	if a.key, err = secretKey(o.Config); err != nil {
		return nil, err
	}
	if a.store, err = store.Open(ctx, store.Options{Dir: o.Config.Data, DSN: o.Config.Database, Key: a.key, Logger: o.Logger}); err != nil {
		return nil, err
	}
	if err := a.openOps(ctx); err != nil {
		return nil, err
	}
	recordings, err := blob.NewDisk(filepath.Join(o.Config.Data, "recordings"))
	if err != nil {
		return nil, err
	}
	a.recordings = recordings
	if err := a.openModels(); err != nil {
		return nil, err
	}
	if err := a.openRules(ctx, recordings); err != nil {
		return nil, err
	}
	if err := a.openEngine(recordings); err != nil {
		return nil, err
	}
	return a, a.openAPI()
}

// listen binds the HTTP address.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, domain.Errorf(domain.CodeInvalid,
			"the HTTP address %s cannot be used (%v); stop what listens there or choose another with --http", address, err)
	}
	return l, nil
}

// faces are the dialects of the API; the first one is the default.
var faces = []wire.Make{native.New, trillet.New, klen.New}

// links lead from what is told of a call to this server.
type links struct {
	call      func(prefix string) func(*domain.Call) string // the call, below a dialect's prefix
	recording func(*domain.Call) string
}

// links lead to this process.
func (a *App) links() links {
	return links{
		call: func(prefix string) func(*domain.Call) string {
			return func(c *domain.Call) string { return a.URL() + prefix + native.Root + "/calls/" + string(c.ID) }
		},
		recording: func(c *domain.Call) string { return a.URL() + a.Service.RecordingURL(c) },
	}
}

// dialects are the ways in which events are told, by the word that an
// endpoint's dialect holds.
func dialects(to links) map[string]domain.HookDialect {
	return map[string]domain.HookDialect{
		"native":     native.Hooks{CallURL: to.call(""), RecordingURL: to.recording},
		trillet.Name: trillet.Hooks{CallURL: to.call("/" + trillet.Name), RecordingURL: to.recording},
		klen.Name:    klen.Hooks{CallURL: to.call("/" + klen.Name), RecordingURL: to.recording},
	}
}

func (a *App) openRules(ctx context.Context, recordings domain.Recordings) error {
	allow, err := a.o.Config.Allow()
	if err != nil {
		return err
	}
	key, err := a.key.Bytes(a.store.Sealed())
	if err != nil {
		return err
	}
	a.buffer = store.NewBuffer(a.watched, a.log)
	told := dialects(a.links())
	a.Service = service.New(service.Options{
		Store: a.watched, Buffer: a.buffer, Hooks: told, Recordings: recordings, CheckFlow: checkFlow,
		HasLLM: func(m domain.Mode) bool { return a.model(m) != nil }, WebhookAllow: allow, Lookup: net.DefaultResolver.LookupNetIP, SigningKey: key, Rates: a.store.Rates(), Logger: a.log,
	})
	if a.First, err = a.Service.FirstStart(ctx); err != nil {
		return err
	}
	a.webhooks = webhook.New(webhook.Options{Store: a.watched, Dialects: told, Allow: allow, Disable: a.Service.DisableEndpoint, Observer: a.observer, Logger: a.log})
	a.analysis = analysis.New(analysis.Options{Store: a.watched, Complete: a.Service.CompleteAnalysis, Logger: a.log})
	return nil
}

func (a *App) openEngine(recordings domain.Recordings) error {
	addr, err := a.o.Config.SIPAddr()
	if err != nil {
		return err
	}
	external, err := a.o.Config.External()
	if err != nil {
		return err
	}
	secure, err := sipTLS(a.o.Config)
	if err != nil {
		return err
	}
	lo, hi, err := a.o.Config.Ports()
	if err != nil {
		return err
	}
	voices, err := a.openVoices()
	if err != nil {
		return err
	}
	ears, err := a.openEars()
	if err != nil {
		return err
	}
	sandbox := carrier.NewSandbox(func() (*callee.Phone, error) {
		return callee.Open(callee.Options{
			Listen: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0),
			TTS:    voices.phone, Voice: sandboxVoice(voices.phone), OnReport: a.o.Callee, Logger: a.log,
		})
	})
	if a.carriers, err = trunk.NewCarriers(carrier.SIP{}, sandbox); err != nil {
		return err
	}
	a.carriers.Listen(a.Service.Messaging)
	a.courier = courier.New(courier.Options{Store: a.watched, Rules: a.Service.Messaging, Carriers: a.carriers, Logger: a.log})
	allow, err := a.o.Config.Allow()
	if err != nil {
		return err
	}
	if a.lineage, err = openLineage(a.o.Config.Data, addr); err != nil {
		return err
	}
	predecessor, err := a.lineage.last()
	if err != nil {
		return err
	}
	left, err := a.lineage.left()
	if err != nil {
		return err
	}
	a.engine, err = engine.New(engine.Options{
		Predecessor: predecessor, Remember: a.lineage.remember, Dialogs: a.lineage, Left: left,
		Service: a.Service, Carriers: a.carriers, Recordings: recordings, Voices: voices.all, Late: voices.late, LLM: a.model,
		Router: a.router, Fillers: a.o.Config.Fillers,
		STT: ears, VAD: a.o.Config.VAD, Observer: a.observer,
		HTTP:      webhook.NewClient(allow, flowRequestLimit),
		Strangers: engine.Strangers(a.o.Config.UnknownPeers), MediaStart: a.o.MediaStart, MediaGap: a.o.MediaGap,
		Ring: a.o.Ring, MaxCalls: a.o.MaxCalls, SIP: addr, TLS: secure, ExternalIP: external, Ports: rtp.PortRange{Min: lo, Max: hi}, Logger: a.log,
	})
	if domain.CodeOf(err) == domain.CodeInvalid {
		return err
	}
	if err != nil {
		return domain.Errorf(domain.CodeInvalid, "SIP cannot be served (%v); choose another address with --sip or --sip-tls", err)
	}
	a.Service.Attach(a.engine)
	a.Service.AttachTrunks(a.engine)
	a.store.AfterCommit("attempts", a.engine.Kick)
	a.store.AfterCommit("suppressions", a.Service.Listed)
	a.dialer = dialer.New(dialer.Options{Store: a.watched, Rules: a.Service.Outreach, May: a.dials, Logger: a.log})
	return nil
}

// dials reports whether this process places calls, and has room for one.
func (a *App) dials() bool {
	return !a.engine.Draining() && !a.engine.Full() && a.engine.Working() == nil
}

func (a *App) openAPI() error {
	a.openBoard()
	proxies, err := a.o.Config.Proxies()
	if err != nil {
		return err
	}
	uploads := filepath.Join(a.o.Config.Data, "uploads")
	if err := os.MkdirAll(uploads, 0o700); err != nil {
		return domain.Errorf(domain.CodeInvalid, "the directory %s for files that are sent cannot be made (%v); see who owns the data directory", uploads, err)
	}
	handler, err := api.New(api.Options{
		Service: a.Service, Uploads: uploads, Dialects: faces, Hosts: a.o.Config.Hosts, TrustedProxies: proxies,
		Ready: a.ready, Generation: a.store.Generation, Status: a.board.Page, Version: a.o.Version, Logger: a.log,
	})
	if err != nil {
		return err
	}
	a.server = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	a.server.RegisterOnShutdown(a.Service.StopWatches)
	return nil
}

// ready tells whether this process takes work: its database can be read and it
// is not stopping.
func (a *App) ready(ctx context.Context) error {
	if a.engine.Draining() {
		return domain.Unavailable(10*time.Second, nil, "this process is stopping")
	}
	return a.store.View(ctx, func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Workspaces.First(ctx)
		return err
	})
}

// URL is where the API is served.
func (a *App) URL() string { return "http://" + a.listener.Addr().String() }

// SIPAddr is where the SIP user agent listens.
func (a *App) SIPAddr() netip.AddrPort { return a.engine.Addr() }

// SIPTLSAddr is where it takes TLS connections; not valid when it takes none.
func (a *App) SIPTLSAddr() netip.AddrPort { return a.engine.TLSAddr() }

// Run serves until ctx is done, then drains and closes everything.
func (a *App) Run(ctx context.Context) error {
	defer a.close(ctx)
	if err := a.engine.Recover(ctx); err != nil {
		a.log.Error("not everything of an earlier run could be recovered", "err", err)
	}
	// Workers outlive the engine, so that what the last calls leave is worked on.
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var group errgroup.Group
	group.Go(func() error {
		defer stopWork()
		return a.engine.Run(ctx, engine.Drain{Grace: a.o.Config.Drain, Force: a.o.Force})
	})
	group.Go(func() error { return a.webhooks.Run(work) })
	group.Go(func() error { return a.analysis.Run(work) })
	group.Go(func() error { return a.courier.Run(work) })
	group.Go(func() error { return a.dialer.Run(work) })
	group.Go(func() error { return a.keepHouse(work) })
	group.Go(func() error { return a.board.Run(work) })
	group.Go(func() error { return a.keepUses(work) })
	if a.ops != nil {
		group.Go(func() error { return a.ops.Run(work) })
	}
	group.Go(func() error {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("the HTTP server stopped: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-work.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(work), 2*time.Second)
		defer cancel()
		if err := a.server.Shutdown(ctx); err != nil {
			return a.server.Close()
		}
		return nil
	})
	return group.Wait()
}

// houseEvery is how often what is no longer needed is removed.
const houseEvery = time.Hour

// keepHouse removes what is no longer needed, until ctx is done.
func (a *App) keepHouse(ctx context.Context) error {
	tick := time.NewTicker(houseEvery)
	defer tick.Stop()
	for {
		if err := a.Service.PruneOnce(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("old idempotency keys could not be removed; trying again later", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// usesEvery is how often what was noted of keys is written, which is what a crash
// may lose of it.
const usesEvery = 5 * time.Second

// keepUses writes what was noted of keys, until ctx is done; close writes
// the rest.
func (a *App) keepUses(ctx context.Context) error {
	tick := time.NewTicker(usesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := a.Service.FlushUses(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("the uses of keys could not be written; trying again", "err", err)
		}
	}
}

// close gives back what Open took, in the other order. It takes its time even
// when ctx is done, which is why it is called.
func (a *App) close(ctx context.Context) {
	var err error
	if a.carriers != nil {
		err = errors.Join(err, a.carriers.Close())
	}
	if a.Service != nil {
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, a.Service.FlushUses(flush))
		a.Service.Close()
	}
	if a.buffer != nil {
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, a.buffer.Close(flush))
	}
	if a.store != nil {
		err = errors.Join(err, a.store.Close())
	}
	err = errors.Join(err, a.lineage.close())
	err = errors.Join(err, a.closeOps(ctx))
	if a.listener != nil {
		_ = a.listener.Close() // the server has closed it, or nobody used it
	}
	if err != nil {
		a.log.Error("stopping", "err", err)
	}
}

// RecordingPath is where the recording of a test-mode call of this workspace
// lies on this machine, or "" when there is none.
func (a *App) RecordingPath(ctx context.Context, call domain.ID) (string, error) {
	detail, err := a.Service.Call(ctx, domain.Scope{Workspace: a.First.Workspace.ID, Mode: domain.Test}, call)
	if err != nil || detail.Call.Recording == "" {
		return "", err
	}
	return a.recordings.Path(detail.Call.Recording), nil
}
