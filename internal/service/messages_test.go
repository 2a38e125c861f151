package service_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/messaging"
	"github.com/callwright/callwright/internal/trunk"
)

const (
	texter    = "+15005550177"
	textLease = time.Minute
)

// texting is a kit with somebody who hears of all messages in test mode.
type texting struct {
	*kit
	hook *domain.Endpoint
}

func newTexting(t *testing.T) *texting {
	t.Helper()
	k := newKit(t)
	hook, err := k.CreateEndpoint(t.Context(), k.test, service.EndpointChange{URL: new("https://example.com/"), Events: &[]string{"*"}}, nil)
	k.ok(err)
	return &texting{kit: k, hook: hook}
}

// text accepts a message to texter.
func (k *texting) text() *domain.Message {
	k.Helper()
	m, err := k.SendMessage(k.Context(), k.test, messaging.SendRequest{From: service.SampleNumber, To: texter, Text: "Hi"}, nil)
	k.ok(err)
	return m
}

// claims takes what is due, which must be want messages.
func (k *texting) claims(want int) []messaging.Handover {
	k.Helper()
	claimed, _, err := k.ClaimMessages(k.Context(), textLease, 10)
	k.ok(err)
	if len(claimed) != want {
		k.Fatalf("%d messages were claimed, want %d", len(claimed), want)
	}
	return claimed
}

// stands fails unless a message has the status and an error that says why.
func (k *texting) stands(id domain.ID, status domain.MessageStatus, why string) *domain.Message {
	k.Helper()
	m, err := k.Message(k.Context(), k.test, id)
	k.ok(err)
	if m.Status != status || !strings.Contains(m.Error, why) || why == "" && m.Error != "" {
		k.Fatalf("the message is %s (%q), want %s (%q)", m.Status, m.Error, status, why)
	}
	return m
}

// told fails unless exactly these events were announced, in this order.
func (k *texting) told(want ...domain.EventType) {
	k.Helper()
	rows, _, err := k.Deliveries(k.Context(), k.test, k.hook.ID, domain.DeliveryFilter{}, domain.Page{})
	k.ok(err)
	var got []domain.EventType
	for _, d := range slices.Backward(rows) {
		got = append(got, d.EventType)
	}
	if !slices.Equal(got, want) {
		k.Fatalf("announced %q, want %q", got, want)
	}
}

// lineOut is the trunk of the sample number.
func (k *texting) lineOut() domain.Trunk {
	k.Helper()
	var found domain.Trunk
	k.ok(k.store.View(k.Context(), func(ctx context.Context, st *domain.Stores) error {
		n, err := st.Numbers.ByNumber(ctx, k.test, service.SampleNumber)
		if err != nil {
			return err
		}
		t, err := st.Trunks.Get(ctx, k.test, n.TrunkID)
		if err == nil {
			found = *t
		}
		return err
	}))
	return found
}

// TestMessageIsSentAtMostOnce: a process that dies between the intent and the
// answer leaves a message that nobody sends again, and whoever was late changes
// nothing.
func TestMessageIsSentAtMostOnce(t *testing.T) {
	k := newTexting(t)
	m := k.text()
	lost := k.claims(1)[0]
	if lost.Message.ID != m.ID || lost.Message.AskedAt.IsZero() || lost.Try != 1 || lost.Trunk.Carrier != domain.CarrierSandbox {
		t.Fatalf("claimed %+v", lost)
	}
	k.claims(0)
	k.stands(m.ID, domain.MessageQueued, "")
	k.told()
	k.pass(textLease + time.Second)
	k.claims(0)
	k.stands(m.ID, domain.MessageFailed, "interrupted")
	k.told(domain.EventMessageFailed)
	k.ok(k.FinishMessage(t.Context(), &lost, "late", nil))
	k.stands(m.ID, domain.MessageFailed, "interrupted")
	k.pass(time.Hour)
	k.claims(0)
	k.told(domain.EventMessageFailed)
}

// TestMessageOutcomes: what becomes of a message by what its carrier answers.
func TestMessageOutcomes(t *testing.T) {
	busy := domain.Unavailable(0, nil, "the carrier is busy")
	for _, c := range []struct {
		name    string
		answers []error
		waits   []time.Duration // before each answer but the first
		status  domain.MessageStatus
		why     string
		told    domain.EventType
	}{
		{"taken", []error{nil}, nil, domain.MessageSent, "", domain.EventMessageSent},
		{"refused", []error{domain.Invalid("to", "no such number")}, nil, domain.MessageFailed, "no such number", domain.EventMessageFailed},
		{"no answer", []error{context.DeadlineExceeded}, nil, domain.MessageFailed, "is not known", domain.EventMessageFailed},
		{"broken", []error{errors.New("secret 10.0.0.1")}, nil, domain.MessageFailed, "is not known", domain.EventMessageFailed},
		{"busy once", []error{busy, nil}, []time.Duration{time.Second}, domain.MessageSent, "", domain.EventMessageSent},
		{"told when", []error{domain.Unavailable(time.Hour, nil, "full"), nil}, []time.Duration{time.Hour}, domain.MessageSent, "", domain.EventMessageSent},
		{"busy for ever", []error{busy, busy, busy, busy, busy, busy},
			[]time.Duration{time.Second, 4 * time.Second, 16 * time.Second, 64 * time.Second, 256 * time.Second},
			domain.MessageFailed, "busy", domain.EventMessageFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTexting(t)
			m := k.text()
			for i, answer := range c.answers {
				if i > 0 {
					k.stands(m.ID, domain.MessageQueued, answerWords(c.answers[i-1]))
					k.pass(c.waits[i-1] - time.Microsecond)
					k.claims(0)
					k.pass(time.Microsecond)
				}
				h := k.claims(1)[0]
				if h.Try != int64(i+1) {
					t.Fatalf("try %d, want %d", h.Try, i+1)
				}
				k.ok(k.FinishMessage(t.Context(), &h, "name", answer))
			}
			got := k.stands(m.ID, c.status, c.why)
			if sent := c.status == domain.MessageSent; sent != (got.CarrierID == "name") || sent == got.SentAt.IsZero() || !got.AskedAt.IsZero() || strings.Contains(got.Error, "10.0") {
				t.Errorf("%+v", got)
			}
			k.told(c.told)
			k.pass(24 * time.Hour)
			k.claims(0)
		})
	}
}

func answerWords(err error) string {
	var known *domain.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return ""
}

// TestMessageIsHeldBack: what must not be sent any more when its turn comes is
// not, and what was erased is nobody's.
func TestMessageIsHeldBack(t *testing.T) {
	k := newTexting(t)
	listed := k.text()
	k.suppress(texter)
	k.claims(0)
	k.stands(listed.ID, domain.MessageFailed, "do-not-call")
	k.told(domain.EventMessageFailed)
	_, err := k.SendMessage(t.Context(), k.test, messaging.SendRequest{From: service.SampleNumber, To: texter, Text: "Hi"}, nil)
	k.code(err, domain.CodeForbidden)
	k.ok(k.Unsuppress(t.Context(), k.test, texter))

	erased, underWay := k.text(), k.text()
	k.ok(k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		return st.Messages.Delete(ctx, k.test, erased.ID)
	}))
	h := k.claims(1)[0]
	k.ok(k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		return st.Messages.Delete(ctx, k.test, underWay.ID)
	}))
	k.ok(k.FinishMessage(t.Context(), &h, "name", nil))
	k.pass(time.Hour)
	k.claims(0)
	k.told(domain.EventMessageFailed)
}

// TestReceipts: a receipt counts once, and not before it is known that the
// carrier took the message.
func TestReceipts(t *testing.T) {
	k := newTexting(t)
	line := k.lineOut()
	for _, c := range []struct {
		why    string
		status domain.MessageStatus
		told   domain.EventType
	}{{"", domain.MessageDelivered, domain.EventMessageDelivered}, {"the phone is full", domain.MessageFailed, domain.EventMessageFailed}} {
		m := k.text()
		h := k.claims(1)[0]
		receipt := trunk.Receipt{CarrierID: string(m.ID), Error: c.why, At: k.now()}
		k.code(k.Receipt(t.Context(), line, receipt), domain.CodeNotFound)
		k.ok(k.FinishMessage(t.Context(), &h, string(m.ID), nil))
		elsewhere := line
		elsewhere.Mode = domain.Live
		k.code(k.Receipt(t.Context(), elsewhere, receipt), domain.CodeNotFound)
		k.ok(k.Receipt(t.Context(), line, receipt))
		got := k.stands(m.ID, c.status, c.why)
		if got.DeliveredAt.IsZero() != (c.status == domain.MessageFailed) {
			t.Errorf("%+v", got)
		}
		receipt.Error = "something else"
		k.ok(k.Receipt(t.Context(), line, receipt))
		k.stands(m.ID, c.status, c.why)
	}
	k.told(domain.EventMessageSent, domain.EventMessageDelivered, domain.EventMessageSent, domain.EventMessageFailed)
}

// TestIncomingMessages: each is there once; who asks not to be contacted is on
// the list at once, and takes back what was asked for, but not what others said.
func TestIncomingMessages(t *testing.T) {
	k := newTexting(t)
	line := k.lineOut()
	in := func(name, from, text string) error {
		return k.Incoming(t.Context(), line, trunk.IncomingMessage{CarrierID: name, From: from, To: service.SampleNumber, Text: text})
	}
	isListed := func(want bool, source domain.SuppressionSource) {
		t.Helper()
		entry, err := k.Suppression(t.Context(), k.test, texter)
		switch {
		case !want:
			k.code(err, domain.CodeNotFound)
		case err != nil || entry.Source != source:
			t.Fatalf("listed as %+v, %v; want the source %s", entry, err, source)
		}
	}
	k.ok(in("1", texter, "Hello?"))
	isListed(false, "")
	for range 2 {
		k.ok(in("2", texter, " Stop. "))
		isListed(true, domain.SuppressedByWord)
	}
	k.ok(in("3", texter, "START"))
	isListed(false, "")
	k.ok(in("2", texter, " Stop. ")) // said before, and heeded then
	isListed(false, "")
	k.suppress(texter)
	k.ok(in("4", texter, "start"))
	isListed(true, domain.SuppressedByAPI)
	k.ok(in("", "A bank \xff"+strings.Repeat("x", 100), "STOP"+strings.Repeat("🙂", 20_000)))
	k.code(k.Incoming(t.Context(), line, trunk.IncomingMessage{From: texter, To: "+15005559999", Text: "STOP"}), domain.CodeNotFound)

	rows, total, err := k.Messages(t.Context(), k.test, domain.MessageFilter{Direction: domain.Inbound}, domain.Page{})
	k.ok(err)
	if total != 5 || len([]rune(rows[0].Text)) != 10_000 || len([]rune(rows[0].From)) != 40 || rows[4].Text != "Hello?" || rows[4].Status != domain.MessageReceived {
		t.Errorf("%d messages came in: %.500v", total, rows)
	}
	k.told(slices.Repeat([]domain.EventType{domain.EventMessageReceived}, 5)...)
}

// TestMessagesAreCounted: for the key that asked, in parts, once under an
// Idempotency-Key, and not when they are refused.
func TestMessagesAreCounted(t *testing.T) {
	k := newTexting(t)
	key := domain.NewID()
	asked := service.AskedBy(t.Context(), key)
	send := func(to, text string) error {
		_, err := k.SendMessage(asked, k.test, messaging.SendRequest{From: service.SampleNumber, To: to, Text: text}, nil)
		return err
	}
	k.ok(send("+15005550006", "one"))
	k.ok(send("+15005550006", strings.Repeat("three ", 60)))
	k.code(send("nobody", "none"), domain.CodeInvalid)
	k.text() // by nobody's key
	report, err := k.Usage(t.Context(), k.test, time.Time{}, time.Time{}, "", domain.Page{Limit: 9})
	k.ok(err)
	got := map[domain.ID]domain.UsageCounts{}
	for _, u := range report.Rows {
		got[u.KeyID] = u.UsageCounts
	}
	want := map[domain.ID]domain.UsageCounts{key: {Messages: 2, Segments: 4}, "": {Messages: 1, Segments: 1}}
	if !maps.Equal(got, want) {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}
