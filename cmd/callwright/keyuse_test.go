package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/store/storetest"
)

// asks sends a request with a key and returns its status.
func asks(t *testing.T, url, key string) int {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = res.Body.Close() // only its status counts
	return res.StatusCode
}

// limitedKey makes a key with so many requests a minute.
func limitedKey(t *testing.T, data, limit string) madeKey {
	t.Helper()
	out, log, exit := run(t, t.TempDir(), "key", "create", "--data", data, "--name", "k", "--rate-limit", limit, "--json")
	var key madeKey
	if err := json.Unmarshal([]byte(out), &key); err != nil || exit != 0 {
		t.Fatalf("key create: exit %d, %v: %s%s", exit, err, out, log)
	}
	return key
}

// TestTwoServersCountTogether: 50 clients ask two processes with one key.
func TestTwoServersCountTogether(t *testing.T) {
	t.Parallel()
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		one, two := twoServers(t, url)
		key := limitedKey(t, one.data, "90")
		var wg sync.WaitGroup
		var passed, limited, other atomic.Int64
		for i := range 50 {
			wg.Go(func() {
				for j := range 4 {
					switch asks(t, []*server{one, two}[(i+j)%2].api, key.Key) {
					case http.StatusOK:
						passed.Add(1)
					case http.StatusTooManyRequests:
						limited.Add(1)
					default:
						other.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if passed.Load() != 90 || limited.Load() != 110 || other.Load() != 0 {
			t.Errorf("%d passed, %d were limited, %d neither; want 90 and 110", passed.Load(), limited.Load(), other.Load())
		}
	})
}

// TestUsesAreWrittenAtTheEnd: what was noted of a key in the last seconds is there
// after a stop.
func TestUsesAreWrittenAtTheEnd(t *testing.T) {
	t.Parallel()
	data := dataDir(t)
	s := serve(t, data)
	key := limitedKey(t, data, "90")
	for range 7 {
		if status := asks(t, s.api, key.Key); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	s.signal(syscall.SIGTERM)
	if state := s.wait(30 * time.Second); !state.Success() {
		t.Fatalf("the server ended with %s", state)
	}
	client := serve(t, data).client("live")
	var usage struct{ Totals []struct{ Requests int } }
	if err := client.get(t.Context(), "/usage?keyId="+key.ID, &usage); err != nil {
		t.Fatal(err)
	}
	var shown struct {
		LastUsedAt *time.Time
		Addresses  []struct{ Address string }
	}
	if err := client.get(t.Context(), "/keys/"+key.ID, &shown); err != nil {
		t.Fatal(err)
	}
	if len(usage.Totals) == 0 || usage.Totals[0].Requests != 7 && len(usage.Totals) == 1 || shown.LastUsedAt == nil || len(shown.Addresses) != 1 || shown.Addresses[0].Address != "127.0.0.1" {
		t.Errorf("after the stop there are %+v and %+v", usage, shown)
	}
}
