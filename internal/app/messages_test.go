package app_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/messaging"
)

// sampleNumber is what test mode calls and writes from.
const sampleNumber = "+15005550100"

// textSeen is a message as a client and its webhooks see it.
type textSeen struct {
	ID, CallID, MessageID           domain.ID
	Direction, From, To, Text       string
	Status, Error, Encoding         string
	Segments                        int
	SentAt, DeliveredAt, CreatedAt  *time.Time
	FromNumber, ToNumber, ContactID string
	PhoneNumberID                   domain.ID
}

// textHooks receives the events of messages, in one dialect.
type textHooks struct {
	header, prefix string

	mu     sync.Mutex
	secret string
	all    map[domain.ID][]string
	last   map[domain.ID]textSeen
	forged int
}

// hearTexts subscribes a receiver to the events of messages.
func hearTexts(h *house, dialect, header, prefix string) *textHooks {
	h.Helper()
	r := &textHooks{header: header, prefix: prefix, all: map[domain.ID][]string{}, last: map[domain.ID]textSeen{}}
	server := httptest.NewServer(http.HandlerFunc(r.receive))
	h.Cleanup(func() {
		server.Close()
		if r.forged > 0 {
			h.Errorf("%d %s webhooks had a wrong signature", r.forged, dialect)
		}
	})
	var hook struct{ Secret string }
	h.post("/webhooks", map[string]any{
		"url": server.URL, "dialect": dialect, "events": []string{"sms.sent", "sms.delivered", "sms.failed", "sms.received"},
	}, &hook)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = hook.Secret
	return r
}

func (r *textHooks) receive(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender tries again
	}
	var payload struct {
		Event string
		Data  textSeen
	}
	if json.Unmarshal(body, &payload) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := hmac.New(sha256.New, []byte(r.secret))
	sum.Write(body)
	if req.Header.Get(r.header) != r.prefix+hex.EncodeToString(sum.Sum(nil)) {
		r.forged++
	}
	id := payload.Data.ID + payload.Data.MessageID // one of them is empty
	r.all[id] = append(r.all[id], payload.Event)
	r.last[id] = payload.Data
}

// of returns the events of a message so far, sorted.
func (r *textHooks) of(id domain.ID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.all[id]))
}

// tell waits until exactly these events of a message have come.
func (r *textHooks) tell(h *house, id domain.ID, want ...string) {
	h.Helper()
	slices.Sort(want)
	for deadline := time.Now().Add(callLimit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if slices.Equal(r.of(id), want) {
			return
		}
	}
	h.Errorf("message %s: told %q, want %q", id, r.of(id), want)
}

// texted reads a message when it stands so.
func (h *house) texted(id domain.ID, status string) textSeen {
	h.Helper()
	var m textSeen
	for deadline := time.Now().Add(callLimit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		m = textSeen{}
		h.must(http.MethodGet, "/messages/"+string(id), nil, &m)
		if m.Status == status {
			return m
		}
	}
	h.Fatalf("the message is %s (%s), not %s", m.Status, m.Error, status)
	return m
}

// TestMessages writes to everybody who lives in the sandbox, with receivers of
// two dialects that verify what they are told.
func TestMessages(t *testing.T) {
	t.Parallel()
	h := open(t, setup{mode: domain.Test})
	native := hearTexts(h, "native", "X-VoxForge-Signature", "sha256=")
	vendor := hearTexts(h, "trillet", "X-Trillet-Signature", "")
	write := func(to string) domain.ID {
		var m textSeen
		h.post("/messages", map[string]any{"from": sampleNumber, "to": to, "text": "Hi, it's Ava"}, &m)
		if m.Status != "queued" || m.Segments != 1 || m.Encoding != "GSM-7" {
			t.Errorf("%+v", m)
		}
		return m.ID
	}
	began := time.Now()
	invalid, busy, absent, fine, leaver := write("+15007770000"), write("+15007770001"), write("+15007770002"), write("+15007770006"), write("+15007770009")

	if m := h.texted(fine, "delivered"); m.SentAt == nil || m.DeliveredAt == nil || m.DeliveredAt.Before(m.SentAt.Add(-time.Second)) || m.Error != "" {
		t.Errorf("%+v", m)
	}
	if m := h.texted(invalid, "failed"); !strings.Contains(m.Error, "no such number") || m.SentAt != nil {
		t.Errorf("%+v", m)
	}
	h.texted(busy, "delivered")
	if waited := time.Since(began); waited < time.Second {
		t.Errorf("the carrier was asked again after %s", waited)
	}
	h.texted(leaver, "delivered")
	h.texted(absent, "sent")
	for id, events := range map[domain.ID][]string{
		invalid: {"sms.failed"}, busy: {"sms.delivered", "sms.sent"}, absent: {"sms.sent"}, fine: {"sms.delivered", "sms.sent"}, leaver: {"sms.delivered", "sms.sent"},
	} {
		native.tell(h, id, events...)
		vendor.tell(h, id, slices.DeleteFunc(events, func(e string) bool { return e == "sms.failed" })...)
	}
	vendor.mu.Lock()
	if m := vendor.last[fine]; m.FromNumber != sampleNumber || m.ToNumber != "+15007770006" || m.Text != "Hi, it's Ava" {
		t.Errorf("told %+v", m)
	}
	vendor.mu.Unlock()

	// Who answered STOP is neither written to nor called again.
	var list []textSeen
	for deadline := time.Now().Add(callLimit); len(list) == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		h.must(http.MethodGet, "/messages?direction=inbound", nil, &list)
	}
	if len(list) != 1 || list[0].Text != "STOP" || list[0].From != "+15007770009" || list[0].To != sampleNumber || list[0].Status != "received" {
		t.Fatalf("%+v", list)
	}
	native.tell(h, list[0].ID, "sms.received")
	vendor.tell(h, list[0].ID)
	var entry struct{ Source string }
	h.must(http.MethodGet, "/do-not-call/+15007770009", nil, &entry)
	if entry.Source != "word" {
		t.Errorf("%+v", entry)
	}
	for path, body := range map[string]map[string]any{
		"/messages": {"from": sampleNumber, "to": "+15007770009", "text": "Please come back"},
		"/calls":    {"agentId": h.agent(nil, bye("Goodbye.")), "to": "+15007770009"},
	} {
		if status, answer := h.request(http.MethodPost, path, body); status != http.StatusForbidden {
			t.Errorf("%s answers %d %s", path, status, answer)
		}
	}
}

// TestMessageInCall has a flow write to the person on the call, and fail at
// somebody who must not be written to.
func TestMessageInCall(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{})
	heard := hearTexts(h, "native", "X-VoxForge-Signature", "sha256=")
	h.post("/do-not-call", map[string]any{"number": "+15005550166"}, &struct{}{})
	flow := func(to string) domain.ID {
		node := map[string]any{
			"id": "write", "type": "sms", "text": "See you at {{n}}.", "to": to,
			"edges": []any{map[string]any{"to": "done", "kind": "success"}, map[string]any{"to": "sorry", "kind": "failure"}},
		}
		if to == "" {
			delete(node, "to")
		}
		return h.agent(nil, ask("n", "How many people are you?", "number", "write"), node,
			map[string]any{"id": "done", "type": "end", "text": "I have sent it. Goodbye."},
			map[string]any{"id": "sorry", "type": "end", "text": "That did not work. Goodbye."})
	}
	const person = "+15001110006"
	call := h.ended(h.place(flow(""), from, person))
	if said := strings.Join(words(call, "agent"), " "); call.Status != "completed" || !strings.Contains(said, "I have sent it.") {
		t.Errorf("%s, the agent said %q", call.Status, said)
	}
	var list []textSeen
	h.must(http.MethodGet, "/messages?to=%2B15001110006", nil, &list)
	if len(list) != 1 || list[0].CallID != call.ID || list[0].PhoneNumberID != from || !strings.HasPrefix(list[0].Text, "See you at ") || strings.Contains(list[0].Text, "{") {
		t.Fatalf("%+v", list)
	}
	heard.tell(h, list[0].ID, "sms.sent", "sms.delivered")
	h.hooks.exactly(t, call.ID, "call.started", "sms.sent", "sms.delivered", "call.ended", "transcript.ready", "recording.ready", "analysis.complete")

	call = h.ended(h.place(flow("+15005550166"), from, person))
	h.wants(call, "completed", "flow-ended")
	if said := strings.Join(words(call, "agent"), " "); !strings.Contains(said, "That did not work.") {
		t.Errorf("the agent said %q", said)
	}
	if !slices.ContainsFunc(call.Notes, func(n string) bool { return strings.Contains(n, "do-not-call") }) {
		t.Errorf("notes %q", call.Notes)
	}
}

// TestMessageAfterCrash: a message whose carrier was asked by a process that is
// gone is not sent by the next one.
func TestMessageAfterCrash(t *testing.T) {
	t.Parallel()
	h := open(t, setup{mode: domain.Test})
	heard := hearTexts(h, "native", "X-VoxForge-Signature", "sha256=")
	in := domain.Scope{Workspace: h.app.First.Workspace.ID, Mode: domain.Test}
	// What a process leaves that died right after its intent was committed: the
	// claim of another courier, whose lease is over before this one looks.
	m, err := h.app.Service.SendMessage(t.Context(), in, messaging.SendRequest{From: sampleNumber, To: "+15007770002", Text: "Hi"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.texted(m.ID, "sent")
	h.leave(in, m.ID)
	if got := h.texted(m.ID, "failed"); !strings.HasPrefix(got.Error, "interrupted") {
		t.Errorf("%+v", got)
	}
	heard.tell(h, m.ID, "sms.sent", "sms.failed")
}

// leave makes a message look as if its carrier was just being asked by a process
// that is no more.
func (h *house) leave(in domain.Scope, id domain.ID) {
	h.Helper()
	now := time.Now().UTC()
	err := h.app.Service.Store.InTx(h.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		m, err := s.Messages.Get(ctx, in, id)
		if err != nil {
			return err
		}
		m.Status, m.AskedAt, m.SentAt, m.CarrierID = domain.MessageQueued, now, time.Time{}, ""
		if err := s.Messages.Update(ctx, m); err != nil {
			return err
		}
		return s.Jobs.Create(ctx, &domain.Job{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Kind: domain.JobMessage, Subject: id, State: domain.JobPending,
			Attempt: 1, NextAt: now, CreatedAt: now,
		})
	})
	if err != nil {
		h.Fatal(err)
	}
}
