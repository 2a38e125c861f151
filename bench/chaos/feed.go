//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// feed orders calls over the API. Whoever does not get an answer asks again with
// the same Idempotency-Key, as a careful client does.
type feed struct {
	client *http.Client
	urls   []string // of the nodes; each try asks the next
	key    string
	agent  string
	number string

	work sync.WaitGroup
	mu   sync.Mutex
	made map[string]order // by number
	next int              // the index of the next contact
	odd  []string         // answers that no client should get
}

// order is a call that the server has accepted, or a contact of a campaign or a
// batch.
type order struct {
	call       string
	campaign   string // or batch
	sheet      bool   // it was in a file
	acceptedAt time.Time
	tries      int
}

// retryEvery is how long a client waits before it asks again.
const retryEvery = 100 * time.Millisecond

// release orders n more calls, at most rate a second, and returns at once.
func (f *feed) release(ctx context.Context, n int, rate float64) {
	first := f.take(n)
	for i := range n {
		f.work.Go(func() {
			if !pause(ctx, time.Duration(float64(i)/rate*float64(time.Second))) {
				return
			}
			f.order(ctx, first+i)
		})
	}
}

// pause waits, and reports whether ctx is not done.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// take has the next n contacts, of which it returns the index of the first.
func (f *feed) take(n int) (first int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first = f.next
	f.next += n
	return first
}

// accept notes that the server has accepted n contacts.
func (f *feed) accept(first, n int, o order) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range n {
		f.made[numberOf(first+i)] = o
	}
}

// oddly notes an answer that no client should get.
func (f *feed) oddly(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.odd = append(f.odd, fmt.Sprintf(format, args...))
}

// request is one POST that is repeated until it is answered.
type request struct {
	path, key string
	body      []byte
	kind      string // Content-Type
	success   int
	patience  time.Duration
}

// patience is how long a client waits for an answer before it asks again.
const patience = 3 * time.Second

// asJSON is a request that makes something.
func asJSON(path, key string, fields map[string]any) request {
	body, _ := json.Marshal(fields) // texts, numbers and lists of them
	return request{path: path, key: key, body: body, kind: "application/json", success: http.StatusCreated, patience: patience}
}

// answer is what clients read of answers.
type answer struct {
	ID         string
	Total      int // of a campaign that was given a file
	CallsTotal int // of a batch
	Sheet      struct{ Rows, Invalid int }

	tries int
}

// order asks for one call until it is accepted.
func (f *feed) order(ctx context.Context, index int) {
	number := numberOf(index)
	r := asJSON("/calls", "order-"+number, map[string]any{"agentId": f.agent, "phoneNumberId": f.number, "to": number})
	if a := f.insist(ctx, r, index); a != nil {
		f.accept(index, 1, order{call: a.ID, acceptedAt: time.Now(), tries: a.tries})
	}
}

// insist asks one node after the other, the index-th first, and returns the
// answer; nil when the request was refused, or ctx is done.
func (f *feed) insist(ctx context.Context, r request, index int) *answer {
	for try := 0; ctx.Err() == nil; try++ {
		a, again, err := f.ask(ctx, r, f.urls[(index+try)%len(f.urls)])
		if again {
			pause(ctx, retryEvery)
			continue
		}
		if err != nil {
			f.oddly("%v", err)
			return nil
		}
		a.tries = try + 1
		return a
	}
	return nil
}

// ask sends one request. again tells that nobody knows what became of it, or that
// it is to be sent again.
func (f *feed) ask(ctx context.Context, r request, url string) (a *answer, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Authorization", "Bearer "+f.key)
	req.Header.Set("Content-Type", r.kind)
	req.Header.Set("Idempotency-Key", r.key)
	res, err := f.client.Do(req)
	if err != nil {
		return nil, true, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	switch {
	case err != nil, res.StatusCode == http.StatusServiceUnavailable, res.StatusCode == http.StatusConflict:
		return nil, true, nil
	case res.StatusCode != r.success || json.Unmarshal(text, &a) != nil || a == nil || r.success == http.StatusCreated && a.ID == "":
		return nil, false, fmt.Errorf("POST %s (%s) answered %d: %s", r.path, r.key, res.StatusCode, text)
	}
	return a, false, nil
}

// ordered is how many calls were asked for, and accepted how many of them the
// server has taken.
func (f *feed) ordered() (asked, accepted int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next, len(f.made)
}
