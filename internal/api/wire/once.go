package wire

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// Once returns what a POST hands to the rules so that its effect and its answer
// are stored together: body must render the result exactly as the route answers
// it with status. It is nil for a request without an Idempotency-Key.
func Once[T any](ctx context.Context, status int, body func(*T) any) *service.Once[T] {
	key := RequestOf(ctx).once
	if key == nil {
		return nil
	}
	return &service.Once[T]{OnceKey: *key, Render: func(result *T) (int, []byte, error) {
		raw, err := Canonical(body(result))
		return status, raw, err
	}}
}

const maxOnceKey = 255

// onceGuard answers requests that carry an Idempotency-Key which was seen
// before.
type onceGuard struct {
	rules *service.Service
	mu    sync.Mutex
	busy  map[onceSlot]struct{} // requests that are being served
}

type onceSlot struct {
	scope domain.Scope
	keyID domain.ID
	key   string
}

// enter looks at the Idempotency-Key of a POST. It returns the stored answer
// when there is one; else the request is marked as being served until leave is
// called. Without a key it does nothing.
func (g *onceGuard) enter(r *http.Request, body []byte) (stored *domain.Idempotent, leave func(), err error) {
	leave = func() {}
	key := r.Header.Get("Idempotency-Key")
	req := RequestOf(r.Context())
	if r.Method != http.MethodPost || key == "" || req.Caller == nil {
		return nil, leave, nil
	}
	if err := onceKeyText(key); err != nil {
		return nil, leave, err
	}
	once := service.OnceKey{KeyID: req.Caller.Identity.Key.ID, Key: key, RequestHash: requestHash(r, req, body)}
	slot := onceSlot{scope: req.Caller.Scope, keyID: once.KeyID, key: key}
	if !g.take(slot) {
		// It may be that only another one's replay is being served.
		if stored, err = g.rules.Replay(r.Context(), slot.scope, once); err != nil || stored != nil {
			return stored, leave, err
		}
		busy := domain.Errorf(domain.CodeConflict,
			"a request with this Idempotency-Key is being served; wait for its answer and try again")
		busy.RetryAfter = time.Second
		return nil, leave, busy
	}
	leave = func() { g.drop(slot) }
	stored, err = g.rules.Replay(r.Context(), slot.scope, once)
	if err != nil || stored != nil {
		return stored, leave, err
	}
	req.once = &once
	return nil, leave, nil
}

// lost returns the answer of the process that served the same request at the
// same time and was first, when that is why this one failed; else nil.
func (g *onceGuard) lost(ctx context.Context) *domain.Idempotent {
	req := RequestOf(ctx)
	if req.once == nil || req.Caller == nil {
		return nil
	}
	stored, err := g.rules.Replay(ctx, req.Caller.Scope, *req.once)
	if err != nil {
		return nil // what the request failed of is what its client is told
	}
	return stored
}

// replayed is a stored answer on its way through huma, which takes it for an
// error: it is none of the route's own.
type replayed struct{ *domain.Idempotent }

// Error is never shown; GetStatus, GetHeaders and MarshalJSON are how huma
// writes it.
func (replayed) Error() string                  { return "answered before" }
func (r replayed) GetStatus() int               { return r.Status }
func (r replayed) GetHeaders() http.Header      { return http.Header{"Idempotent-Replayed": {"true"}} }
func (r replayed) MarshalJSON() ([]byte, error) { return r.Body, nil }

func (g *onceGuard) take(slot onceSlot) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, taken := g.busy[slot]; taken {
		return false
	}
	if g.busy == nil {
		g.busy = make(map[onceSlot]struct{})
	}
	g.busy[slot] = struct{}{}
	return true
}

func (g *onceGuard) drop(slot onceSlot) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.busy, slot)
}

// onceKeyText refuses keys that are too long or not printable ASCII.
func onceKeyText(key string) error {
	if len(key) > maxOnceKey {
		return domain.Invalid("Idempotency-Key", "Idempotency-Key is over %d characters long", maxOnceKey)
	}
	for _, c := range []byte(key) {
		if c < 0x20 || c > 0x7e {
			return domain.Invalid("Idempotency-Key", "Idempotency-Key must be printable ASCII")
		}
	}
	return nil
}

// requestHash is SHA-256 over what makes two requests the same one.
func requestHash(r *http.Request, req *Request, body []byte) []byte {
	target := r.URL.RequestURI()
	if req.Target != nil {
		target = req.Target.RequestURI()
	}
	h := sha256.New()
	for _, part := range [][]byte{[]byte(r.Method), []byte(target), body} {
		sum := sha256.Sum256(part)
		h.Write(sum[:]) // a hash's Write never fails
	}
	return h.Sum(nil)
}

// replay answers with what was answered before.
func replay(w http.ResponseWriter, stored *domain.Idempotent) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Idempotent-Replayed", "true")
	w.WriteHeader(stored.Status)
	_, _ = w.Write(stored.Body) // a client that is gone needs no answer
}
