// Package webhook delivers events to the endpoints that subscribed to them:
// each delivery's stored bytes, signed, as often as its schedule says.
package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/queue"
)

// UserAgent is how deliveries introduce themselves.
const UserAgent = "Callwright-Webhook/1"

// Timeout is how long a receiver may take to answer when nothing shorter is
// asked for.
const Timeout = 10 * time.Second

// Bounds of what is under way when none are given.
const (
	DefaultWorkers     = 1024
	DefaultPerEndpoint = 16
)

// claimLimit is how many deliveries are claimed at once, and leaseTimeouts for how
// many timeouts. At worst all of a claim are for one endpoint that lets each try
// run into its timeout: then the last one starts after
// claimLimit/newcomerPlaces timeouts and ends one later, which is still within
// the lease.
const (
	claimLimit    = 2 * DefaultPerEndpoint
	leaseTimeouts = 7
)

// Options are what a Worker needs. Store and Dialects are required.
type Options struct {
	Store    domain.Store
	Dialects map[string]domain.HookDialect // by Endpoint.Dialect
	// Allow are networks that may be delivered to although they are not public,
	// and by plain http.
	Allow       []netip.Prefix
	Workers     int           // tries under way at once; 0 is DefaultWorkers
	PerEndpoint int           // of them to one endpoint; 0 is DefaultPerEndpoint, which is also the most
	Timeout     time.Duration // of one try; 0 is Timeout, which is also the most
	// Waits are the schedules that failed tries are repeated by; nil is the
	// documented ones.
	Waits  map[domain.RetrySchedule][]time.Duration
	Logger *slog.Logger
	Now    func() time.Time // nil is time.Now
	// Disable switches an endpoint off and tells its people why; nil leaves it on.
	Disable  func(ctx context.Context, s *domain.Stores, in domain.Scope, endpoint domain.ID, why string) error
	Observer domain.Observer // is told of tries; nil is nobody
}

// Worker delivers until it is stopped.
type Worker struct {
	opts     Options
	client   *http.Client
	queue    *queue.Queue[task]
	finished *queue.Batcher[finished]
	places   *places
	breakers *breakers
}

// task is a delivery and where it goes; no endpoint means that it was deleted.
type task struct {
	delivery domain.Delivery
	endpoint *domain.Endpoint
}

// New makes a worker that looks for deliveries after each commit that touched
// them. It does nothing until Run.
func New(opts Options) *Worker {
	if opts.Workers <= 0 {
		opts.Workers = DefaultWorkers
	}
	if opts.PerEndpoint <= 0 || opts.PerEndpoint > DefaultPerEndpoint {
		opts.PerEndpoint = DefaultPerEndpoint
	}
	if opts.Timeout <= 0 || opts.Timeout > Timeout {
		opts.Timeout = Timeout
	}
	if opts.Waits == nil {
		opts.Waits = schedules
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Observer == nil {
		opts.Observer = domain.Observers{}
	}
	w := &Worker{
		opts:   opts,
		client: NewClient(opts.Allow, opts.Timeout),
		places: newPlaces(opts.PerEndpoint), breakers: newBreakers(),
	}
	w.queue = queue.New(queue.Options[task]{
		Name: "deliveries", Claim: w.claim, Handle: w.handle, Workers: opts.Workers,
		Drain: opts.Timeout + time.Second, Logger: opts.Logger,
	})
	w.finished = queue.NewBatcher(0, 0, w.store)
	opts.Store.AfterCommit("deliveries", w.queue.Kick)
	return w
}

// Looked tells when it last looked for deliveries that are due; zero before the
// first time.
func (w *Worker) Looked() time.Time { return w.queue.Looked() }

// Run delivers until ctx is done and the tries under way have ended. It may be
// called once.
func (w *Worker) Run(ctx context.Context) error {
	defer w.client.CloseIdleConnections()
	defer context.AfterFunc(ctx, w.places.close)()
	return w.queue.Run(ctx)
}

// claim takes deliveries that are due and returns those that may be sent now.
// The others wait at their endpoint for a place.
func (w *Worker) claim(ctx context.Context, _ time.Time, limit int) ([]task, time.Time, error) {
	now := w.opts.Now()
	busy := append(w.places.busy(), w.breakers.shut(now)...)
	var claimed []task
	var next time.Time
	err := w.opts.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		deliveries, due, err := s.Deliveries.Claim(ctx, now, leaseTimeouts*w.opts.Timeout, min(limit, claimLimit), busy...)
		if err != nil {
			return err
		}
		next = due
		claimed, err = address(ctx, s, deliveries)
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	ready := claimed[:0]
	for _, t := range claimed {
		if w.places.enter(t) {
			ready = append(ready, t)
		}
	}
	return ready, next, nil
}

// address finds the endpoint of each delivery.
func address(ctx context.Context, s *domain.Stores, deliveries []domain.Delivery) ([]task, error) {
	endpoints := make(map[domain.ID]*domain.Endpoint)
	tasks := make([]task, len(deliveries))
	for i, d := range deliveries {
		endpoint, known := endpoints[d.EndpointID]
		if !known {
			var err error
			endpoint, err = s.Endpoints.Get(ctx, domain.Scope{Workspace: d.WorkspaceID, Mode: d.Mode}, d.EndpointID)
			if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
				return nil, err
			}
			endpoints[d.EndpointID] = endpoint
		}
		if endpoint == nil {
			var err error
			if endpoint, err = callback(ctx, s, &d); err != nil {
				return nil, err
			}
		}
		tasks[i] = task{delivery: d, endpoint: endpoint}
	}
	return tasks, nil
}

// callback is the receiver that a delivery's call has of its own, when the
// delivery is for it, else nil.
func callback(ctx context.Context, s *domain.Stores, d *domain.Delivery) (*domain.Endpoint, error) {
	if d.CallID == "" {
		return nil, nil
	}
	call, err := s.Calls.ByID(ctx, d.CallID)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if own := call.CallbackEndpoint(); own != nil && own.ID == d.EndpointID {
		return own, nil
	}
	return nil, nil
}

// handle sends t, then what waits for the place that t had.
func (w *Worker) handle(ctx context.Context, t task) {
	defer w.queue.Kick() // the endpoint may not be busy any more
	for more := true; more && ctx.Err() == nil; t, more = w.places.leave(t.delivery.EndpointID) {
		w.try(ctx, t)
	}
}

// try makes one try, unless the endpoint is to be left alone, and stores how it
// went.
func (w *Worker) try(ctx context.Context, t task) {
	d := t.delivery
	if t.endpoint != nil && t.endpoint.IsActive && !w.turn(ctx, t) {
		return
	}
	began := w.opts.Now()
	w.opts.Observer.WorkClaimed("deliveries", began.Sub(d.NextAt))
	result := w.send(ctx, t, began)
	if ctx.Err() != nil && result.err != nil {
		return // cut off by the end of the process: the lease brings it back
	}
	ended := w.opts.Now()
	schedule := domain.RetryStandard
	if t.endpoint != nil {
		schedule = t.endpoint.Schedule
		if t.endpoint.IsActive {
			w.breakers.learn(t.endpoint.ID, result.err == nil, ended)
		}
	}
	if result.err == nil {
		w.places.trust(d.EndpointID)
	}
	result.settle(&d, w.waits(schedule), ended)
	d.LatencyMs = ended.Sub(began).Milliseconds()
	w.opts.Observer.Delivered(&d)
	if d.State == domain.DeliveryFailed {
		w.opts.Logger.Warn("webhook delivery failed for good", "delivery", d.ID, "endpoint", d.EndpointID,
			"event", d.EventType, "tries", d.Attempt, "error", d.Error)
	}
	w.finish(ctx, finished{Tried: domain.Tried{Delivery: d, Try: domain.Try{
		DeliveryID: d.ID, Number: d.Attempt, At: began, StatusCode: d.StatusCode, LatencyMs: d.LatencyMs,
		Error: d.Error, Request: result.request, Response: d.Response,
	}}, gone: result.gone})
}

// turn waits until the endpoint may be sent to. When that is too long, the
// delivery is put back as if it had not been taken, and turn reports false.
func (w *Worker) turn(ctx context.Context, t task) bool {
	now := w.opts.Now()
	wait := w.breakers.pass(t.endpoint, now)
	if wait <= patience {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
			return true
		}
	}
	d := t.delivery
	d.Resent++ // it had no try
	d.NextAt, d.LeaseUntil = now.Add(wait), time.Time{}
	w.finish(ctx, finished{Tried: domain.Tried{Delivery: d}})
	return false
}

// finished is a delivery that was tried or put back.
type finished struct {
	domain.Tried
	gone bool // the receiver said that it is gone for good
}

// finish stores f, and tries again while the database is away and it is ours.
func (w *Worker) finish(ctx context.Context, f finished) {
	ours := time.Now().Add(leaseTimeouts * w.opts.Timeout)
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := w.finished.Do(ctx, f)
		if err == nil {
			return
		}
		if ctx.Err() != nil || time.Now().After(ours) {
			w.opts.Logger.Error("the outcome of a webhook delivery is lost; it will be sent again", "delivery", f.ID, "error", err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (w *Worker) store(ctx context.Context, done []finished) error {
	return w.opts.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		tried := make([]domain.Tried, len(done))
		for i := range done {
			tried[i] = done[i].Tried
		}
		if err := s.Deliveries.Finish(ctx, tried...); err != nil {
			return err
		}
		return w.judge(ctx, s, done)
	})
}
