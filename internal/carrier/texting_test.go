package carrier_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/carrier"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/trunk"
)

// letterbox keeps what the sandbox tells; the first refuse tellings are refused.
type letterbox struct {
	mu       sync.Mutex
	refuse   int
	asked    int
	receipts []trunk.Receipt
	letters  []trunk.IncomingMessage
	told     chan struct{}
}

func (b *letterbox) take(keep func()) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.asked <= b.refuse {
		return errors.New("not yet")
	}
	keep()
	b.told <- struct{}{}
	return nil
}

func (b *letterbox) Receipt(_ context.Context, _ domain.Trunk, r trunk.Receipt) error {
	return b.take(func() { b.receipts = append(b.receipts, r) })
}

func (b *letterbox) Incoming(_ context.Context, _ domain.Trunk, m trunk.IncomingMessage) error {
	return b.take(func() { b.letters = append(b.letters, m) })
}

func TestSandboxTexts(t *testing.T) {
	const own = "+15005550100"
	for _, c := range []struct {
		to       string
		try      int64
		refuse   int
		code     domain.Code // of the error
		receipts int
		letters  int
	}{
		{"+15005551110", 1, 0, "", 1, 0}, // nobody in particular
		{"+15001110000", 1, 0, domain.CodeInvalid, 0, 0},
		{"+15001110001", 1, 0, domain.CodeUnavailable, 0, 0},
		{"+15001110001", 2, 0, "", 1, 0},
		{"+15001110002", 1, 0, "", 0, 0},
		{"+15001110006", 1, 0, "", 1, 0},
		{"+15001110006", 1, 2, "", 1, 0}, // told until it is taken
		{"+15001110009", 1, 0, "", 1, 1},
		{"+4915112345678", 1, 0, "", 1, 0},
	} {
		box := &letterbox{refuse: c.refuse, told: make(chan struct{}, 4)}
		s := carrier.NewSandbox(nil)
		carriers, err := trunk.NewCarriers(carrier.SIP{}, s)
		if err != nil {
			t.Fatal(err)
		}
		carriers.Listen(box)
		name, err := carriers.Send(t.Context(), domain.Trunk{Carrier: domain.CarrierSandbox}, trunk.Message{From: own, To: c.to, Text: "Hi", Try: c.try})
		if domain.CodeOf(err) != c.code || (name == "") != (err != nil) {
			t.Errorf("%s, try %d: %q, %v", c.to, c.try, name, err)
		}
		for range c.receipts + c.letters {
			select {
			case <-box.told:
			case <-time.After(10 * time.Second):
				t.Errorf("%s: the sandbox told too little", c.to)
			}
		}
		if err := carriers.Close(); err != nil {
			t.Error(err)
		}
		if len(box.receipts) != c.receipts || len(box.letters) != c.letters {
			t.Errorf("%s: %+v, %+v", c.to, box.receipts, box.letters)
			continue
		}
		for _, r := range box.receipts {
			if r.CarrierID != name || r.Error != "" || r.At.IsZero() {
				t.Errorf("%s: receipt %+v of %q", c.to, r, name)
			}
		}
		for _, m := range box.letters {
			if m.From != c.to || m.To != own || m.Text != "STOP" || m.CarrierID == "" || m.CarrierID == name {
				t.Errorf("%s: answer %+v", c.to, m)
			}
		}
	}
}

// TestSandboxTellsWhenClosed: what is not told yet is told at the end, and nothing
// after it; nobody waits for an inbox that takes nothing.
func TestSandboxTellsWhenClosed(t *testing.T) {
	box := &letterbox{told: make(chan struct{}, 200)}
	s := carrier.NewSandbox(nil)
	s.Listen(box)
	line, m := domain.Trunk{Carrier: domain.CarrierSandbox}, trunk.Message{To: "+15005550177", Try: 1}
	for range 50 {
		if _, err := s.Send(t.Context(), line, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	before := len(box.told)
	if _, err := s.Send(t.Context(), line, m); err != nil {
		t.Error(err)
	}
	if n := len(box.told); n != before || n != 50 {
		t.Errorf("%d were told, then %d, want 50", before, n)
	}
	deaf := &letterbox{refuse: 1 << 30}
	s = carrier.NewSandbox(nil)
	s.Listen(deaf)
	m.To = "+15005550009"
	if _, err := s.Send(t.Context(), line, m); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil || len(deaf.receipts)+len(deaf.letters) > 0 || deaf.asked != 2 {
		t.Errorf("a deaf inbox was asked %d times: %v", deaf.asked, err)
	}
}

func TestSIPTakesNoTexts(t *testing.T) {
	carriers, err := trunk.NewCarriers(carrier.SIP{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{domain.CarrierSIP, "pigeon"} {
		_, err := carriers.Send(t.Context(), domain.Trunk{ID: "t1", Carrier: c}, trunk.Message{})
		if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), "t1") || !strings.Contains(err.Error(), c) {
			t.Errorf("%s: %v", c, err)
		}
	}
}
