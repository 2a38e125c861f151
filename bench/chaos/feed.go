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

// order is a call that the server has accepted, or a contact of a campaign.
type order struct {
	call       string
	campaign   string
	acceptedAt time.Time
	tries      int
}

// retryEvery is how long a client waits before it asks again.
const retryEvery = 100 * time.Millisecond

// release orders n more calls, at most rate a second, and returns at once.
func (f *feed) release(ctx context.Context, n int, rate float64) {
	f.mu.Lock()
	first := f.next
	f.next += n
	f.mu.Unlock()
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

// request is one POST that is repeated until it is answered.
type request struct {
	path, key string
	body      map[string]any
}

// order asks for one call until it is accepted.
func (f *feed) order(ctx context.Context, index int) {
	number := numberOf(index)
	r := request{path: "/calls", key: "order-" + number, body: map[string]any{"agentId": f.agent, "phoneNumberId": f.number, "to": number}}
	if id, tries := f.insist(ctx, r, index); id != "" {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.made[number] = order{call: id, acceptedAt: time.Now(), tries: tries}
	}
}

// insist asks one node after the other, the index-th first, and returns the id of
// what was made; "" when it was refused, or ctx is done.
func (f *feed) insist(ctx context.Context, r request, index int) (id string, tries int) {
	for try := 0; ctx.Err() == nil; try++ {
		id, again, err := f.ask(ctx, r, f.urls[(index+try)%len(f.urls)])
		if again {
			pause(ctx, retryEvery)
			continue
		}
		if err != nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.odd = append(f.odd, err.Error())
			return "", 0
		}
		return id, try + 1
	}
	return "", 0
}

// ask sends one request. again tells that nobody knows what became of it, or that
// it is to be sent again.
func (f *feed) ask(ctx context.Context, r request, url string) (id string, again bool, err error) {
	body, err := json.Marshal(r.body)
	if err != nil {
		return "", false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+r.path, bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	req.Header.Set("Authorization", "Bearer "+f.key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", r.key)
	res, err := f.client.Do(req)
	if err != nil {
		return "", true, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	var made struct{ ID string }
	switch {
	case err != nil, res.StatusCode == http.StatusServiceUnavailable, res.StatusCode == http.StatusConflict:
		return "", true, nil
	case res.StatusCode != http.StatusCreated || json.Unmarshal(answer, &made) != nil || made.ID == "":
		return "", false, fmt.Errorf("POST %s (%s) answered %d: %s", r.path, r.key, res.StatusCode, answer)
	}
	return made.ID, false, nil
}

// ordered is how many calls were asked for, and accepted how many of them the
// server has taken.
func (f *feed) ordered() (asked, accepted int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next, len(f.made)
}
