//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/webhook"
)

// senderRole is the argument with which this program is what is measured: a
// process that commits events and delivers them.
const senderRole = "sender"

// What a sender does.
const (
	doBacklog = "backlog" // commits everything, then delivers
	doSteady  = "steady"  // commits at a rate, and delivers meanwhile
	doChaos   = "chaos"   // commits in groups as fast as it can, and delivers meanwhile
	doBare    = "bare"    // posts with a bare HTTP client, without a database
)

// bareClients is how many goroutines post in a bare run.
const bareClients = 256

// order is what a sender is to do, its second argument as JSON.
type order struct {
	Do      string
	Dir     string // of SQLite
	DSN     string // of PostgreSQL
	URLs    []string
	Events  int
	Behind  int             // of doSteady: events that wait for the last endpoint already
	Rate    float64         // of doSteady, a second
	Timeout time.Duration   // of a try; 0 is the usual one
	Waits   []time.Duration // after failed tries; none are the usual ones
}

// scope is where everything is committed.
var scope = domain.Scope{Workspace: "w00000000000000000000000", Mode: domain.Test}

// secret signs everything.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" //nolint:gosec // nobody's

// sender is one running order. It prints a line "id nanoseconds" for each event
// whose commit has returned, and ends when its input does.
type sender struct {
	order
	store     *store.DB
	endpoints []domain.Endpoint
	turns     []domain.Turn

	mu  sync.Mutex
	out *bufio.Writer
}

func send(ctx context.Context, raw string, in io.Reader, out io.Writer) (err error) {
	s := &sender{out: bufio.NewWriter(out)}
	if err := json.Unmarshal([]byte(raw), &s.order); err != nil {
		return err
	}
	if s.Do == doBare {
		return s.bare(ctx)
	}
	if s.store, err = store.Open(ctx, store.Options{Dir: s.Dir, DSN: s.DSN}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	if err := s.introduce(ctx); err != nil {
		return err
	}
	opts := webhook.Options{
		Store: s.store, Dialects: map[string]domain.HookDialect{"native": native.Hooks{}},
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: s.Timeout,
	}
	if s.Waits != nil {
		opts.Waits = map[domain.RetrySchedule][]time.Duration{domain.RetryStandard: s.Waits}
	}
	worker := webhook.New(opts)
	if err := s.commitBefore(ctx); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "sender: delivering")
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(running) }()
	stopped := func() error {
		stop()
		return <-ended
	}
	switch s.Do {
	case doSteady:
		err = s.commitSteadily(ctx)
	case doChaos:
		err = s.commitAll(ctx, 16, 4)
	}
	if err != nil {
		return errors.Join(err, stopped())
	}
	_, _ = io.Copy(io.Discard, in) // until whoever started it is done
	return stopped()
}

// introduce makes the endpoints that are not there yet.
func (s *sender) introduce(ctx context.Context) error {
	for i := range 40 {
		s.turns = append(s.turns, domain.Turn{Role: domain.RoleAgent, Text: "We have a table at seven, or one at half past eight.", StartMs: int64(i) * 4000, EndMs: int64(i)*4000 + 3500})
	}
	return s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		s.endpoints = nil
		for i, url := range s.URLs {
			now := time.Now().UTC()
			e := domain.Endpoint{
				ID: domain.ID(fmt.Sprintf("e%023x", i)), WorkspaceID: scope.Workspace, Mode: scope.Mode, URL: url, Events: []string{domain.AllEvents},
				Dialect: "native", Secret: secret, IsActive: true, Version: 1, CreatedAt: now, UpdatedAt: now,
			}
			s.endpoints = append(s.endpoints, e)
			_, err := st.Endpoints.Get(ctx, scope, e.ID)
			if domain.CodeOf(err) == domain.CodeNotFound {
				err = st.Endpoints.Create(ctx, &e)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// commitBefore commits what waits when the deliveries begin.
func (s *sender) commitBefore(ctx context.Context) error {
	switch {
	case s.Do == doBacklog:
		return s.commitAll(ctx, 500, 1)
	case s.Behind == 0:
		return nil
	}
	all, wanted := s.endpoints, s.Events
	s.endpoints, s.Events = all[len(all)-1:], s.Behind
	err := s.commitAll(ctx, 500, 1)
	s.endpoints, s.Events = all, wanted
	return err
}

// commitAll commits all events in transactions of at most group, from so many
// goroutines.
func (s *sender) commitAll(ctx context.Context, group, goroutines int) error {
	var left sync.Mutex
	n := s.Events
	take := func() int {
		left.Lock()
		defer left.Unlock()
		mine := min(n, 1+rand.IntN(group))
		n -= mine
		return mine
	}
	errs := make([]error, goroutines)
	var all sync.WaitGroup
	for i := range goroutines {
		all.Go(func() {
			for k := take(); k > 0 && errs[i] == nil; k = take() {
				errs[i] = s.commit(ctx, k)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// commitSteadily commits one event after the other at the rate, whatever the
// commits take.
func (s *sender) commitSteadily(ctx context.Context) error {
	var mu sync.Mutex
	var failed error
	var all sync.WaitGroup
	began := time.Now()
	for i := range s.Events {
		time.Sleep(time.Until(began.Add(time.Duration(float64(i) / s.Rate * float64(time.Second)))))
		all.Go(func() {
			if err := s.commit(ctx, 1); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, err)
			}
		})
	}
	all.Wait()
	return failed
}

// commit stores n events, each with a delivery to one endpoint, in one
// transaction, and says so.
func (s *sender) commit(ctx context.Context, n int) error {
	ids := make([]domain.ID, n)
	err := s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		for i := range ids {
			var err error
			if ids[i], err = s.announce(ctx, st); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	now := time.Now().UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		fmt.Fprintf(s.out, "%s %d\n", id, now)
	}
	return s.out.Flush()
}

// announce stores a new event of a call of its own, and its way to an endpoint.
func (s *sender) announce(ctx context.Context, st *domain.Stores) (domain.ID, error) {
	now := time.Now().UTC()
	call := &domain.Call{
		ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode, Direction: domain.Outbound, State: domain.CallCompleted,
		From: "+15005550100", To: "+15005550006", AnsweredAt: now.Add(-time.Minute), EndedAt: now,
	}
	ev := &domain.Event{
		ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode, Type: domain.EventTranscriptReady, CallID: call.ID, At: now,
		Call: call, Turns: s.turns,
	}
	if err := st.Events.Append(ctx, ev); err != nil {
		return "", err
	}
	body, ok := native.Hooks{}.Encode(ev)
	if !ok {
		return "", errors.New("the event is not encoded")
	}
	to := s.endpoints[rand.IntN(len(s.endpoints))] //nolint:gosec // spreads load, keeps no secret
	return ev.ID, st.Deliveries.Create(ctx, &domain.Delivery{
		ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode, EventID: ev.ID, EventType: ev.Type, EndpointID: to.ID, CallID: call.ID,
		Body: body, State: domain.DeliveryPending, NextAt: now, CreatedAt: now,
	})
}

// bare posts as many bodies of the same size with a plain client, as fast as they
// are answered.
func (s *sender) bare(ctx context.Context) error {
	if err := s.ready(); err != nil {
		return err
	}
	body := bytes.Repeat([]byte("x"), bareBody)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: bareClients}}
	defer client.CloseIdleConnections()
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range s.Events {
			next <- i
		}
	}()
	errs := make([]error, bareClients)
	var all sync.WaitGroup
	for c := range bareClients {
		all.Go(func() {
			for i := range next {
				errs[c] = errors.Join(errs[c], post(ctx, client, s.URLs[i%len(s.URLs)], strconv.Itoa(i), body))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// bareBody is as long as the body of an event here.
const bareBody = 7_900

func (s *sender) ready() error {
	_, err := fmt.Fprintln(os.Stderr, "sender: delivering")
	return err
}

func post(ctx context.Context, client *http.Client, url, id string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Webhook-Id", id)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}
