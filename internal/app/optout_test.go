package app_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// TestWhoOptsOutIsNotCalledAgain calls somebody who asks for that, over real
// signalling and media: the number is on the list when the call is over, and
// nobody calls it any more. Then all that is left of the person is erased.
func TestWhoOptsOutIsNotCalledAgain(t *testing.T) {
	t.Parallel()
	h, from := sandbox(t, setup{ring: 2 * time.Second})
	agent := h.agent(nil, say("hello", "Hello {{first_name}}, this is Ava.", "n"), ask("n", "How many people are you?", "number", "bye"), bye("Goodbye."))
	const to = "+15003330009"
	var contact struct {
		ID        domain.ID
		DoNotCall bool
	}
	h.post("/contacts", map[string]any{"phone": to, "firstName": "Nina"}, &contact)
	id := h.place(agent, from, to)
	got := h.ended(id)
	h.wants(got, "completed", "caller-hangup")
	if said := words(got, "agent"); len(said) == 0 || !strings.HasPrefix(said[0], "Hello Nina, this is Ava.") {
		t.Errorf("the agent said %q", said)
	}
	var entry struct {
		Source string
		CallID domain.ID
	}
	h.must(http.MethodGet, "/do-not-call/"+to, nil, &entry)
	if entry.Source != "word" || entry.CallID != id {
		t.Errorf("%+v, want the call %s", entry, id)
	}
	if status, answer := h.request(http.MethodPost, "/calls", map[string]any{"agentId": agent, "phoneNumberId": from, "to": to}); status != http.StatusForbidden {
		t.Errorf("another call answers %d %s", status, answer)
	}
	h.must(http.MethodGet, "/contacts/"+string(contact.ID), nil, &contact)
	if !contact.DoNotCall {
		t.Errorf("the contact does not show it: %+v", contact)
	}

	sound := h.exact(id).Recording
	if sound == "" {
		t.Fatal("the call has no recording")
	}
	path := h.stores.Dir + "/recordings/" + sound
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	h.must(http.MethodDelete, "/contacts/"+string(contact.ID)+"?erase=true", nil, &contact)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the recording is still there: %v", err)
	}
	if status, _ := h.request(http.MethodGet, "/calls/"+string(id), nil); status != http.StatusNotFound {
		t.Errorf("the call answers %d", status)
	}
	h.must(http.MethodGet, "/do-not-call/"+to, nil, &entry) // or it would be called again
}
