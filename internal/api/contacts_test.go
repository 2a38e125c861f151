package api_test

import (
	"net/http"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// What an answer shows of the do-not-call list is not taken for unchanged when
// the list has changed; a change of the contact still names its version only.
func TestContactTagFollowsTheList(t *testing.T) {
	a := start(t, domain.Enterprise)
	id := a.create("/api/v1/contacts", a.key, `{"phone":"+14155552671"}`)
	path := "/api/v1/contacts/" + id
	before := a.send("GET", path, a.key, "").header.Get("ETag")
	if r := a.send("GET", path, a.key, "", "If-None-Match: "+before); r.status != http.StatusNotModified {
		t.Errorf("unchanged: %d", r.status)
	}
	a.want(a.send("POST", "/api/v1/do-not-call", a.key, `{"number":"+14155552671"}`), http.StatusCreated, "")
	r := a.send("GET", path, a.key, "", "If-None-Match: "+before)
	if r.status != http.StatusOK || r.json(t)["doNotCall"] != true {
		t.Errorf("listed since: %d %s", r.status, r.body)
	}
	// An edit takes back only its own mark, not the person's wish.
	r = a.send("PATCH", path, a.key, `{"doNotCall":false,"company":"Acme"}`, "If-Match: "+before)
	if r.status != http.StatusOK || r.json(t)["doNotCall"] != true {
		t.Errorf("edited: %d %s", r.status, r.body)
	}
	// The check of a number says so as well.
	if r := a.send("GET", "/api/v1/dialing/check?to=%2B14155552671", a.key, ""); r.json(t)["reason"] != domain.ReasonDoNotCall {
		t.Errorf("checked: %s", r.body)
	}
	if r := a.send("GET", "/api/v1/dialing/check?rules=window&to=%2B14155552671", a.key, ""); r.json(t)["reason"] == domain.ReasonDoNotCall {
		t.Errorf("checked for the hours only: %s", r.body)
	}
	a.want(a.send("PATCH", path, a.key, `{"company":"B"}`, "If-Match: "+before), http.StatusPreconditionFailed, "PRECONDITION_FAILED")
}

// TestContactFaults: whatever a body holds, the answer names what is wrong.
func TestContactFaults(t *testing.T) {
	a := start(t, domain.Enterprise)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/contacts", `{"phone":null}`, 400},
		{"POST", "/contacts", `{"phone":["+14155552671"]}`, 400},
		{"POST", "/contacts", `{"phones":{}}`, 400},
		{"POST", "/contacts", `{"phones":[null]}`, 400},
		{"POST", "/contacts", `{"phones":[{"id":"x"}]}`, 400},
		{"POST", "/contacts", `{"phone":"+14155552671","tags":[1]}`, 400},
		{"POST", "/contacts", `{"phone":"+14155552671","stage":""}`, 400},
		{"POST", "/contacts", `{"phone":"+14155552671","address":{"planet":"Mars"}}`, 400},
		{"POST", "/contacts", `{"phone":"+14155552671","variables":[]}`, 400},
		{"POST", "/contacts", `{"phone":"+14155552671","doNotCall":"yes"}`, 400},
		{"POST", "/contacts", `{"phone":"+14155552671","phones":[{"number":"+14155552672"}]}`, 201},
		{"GET", "/contacts?limit=-1", "", 400},
		{"GET", "/contacts?limit=9999", "", 200},
		{"GET", "/contacts?search=%25%27%22%00", "", 200},
		{"GET", "/contacts/nonsense", "", 404},
		{"DELETE", "/contacts/0123456789abcdef01234567?erase=true", "", 404},
		{"DELETE", "/contacts/0123456789abcdef01234567?erase=perhaps", "", 400},
		{"POST", "/do-not-call", `{"number":15}`, 400},
		{"POST", "/do-not-call", `{"numbers":["+14155552671",5]}`, 400},
		{"POST", "/do-not-call", `[]`, 400},
		{"GET", "/do-not-call/%00", "", 404},
		{"DELETE", "/do-not-call/%ff", "", 404},
	} {
		r := a.send(c.method, "/api/v1"+c.path, a.key, c.body)
		if r.status != c.status || c.status >= 400 && r.code() == "" {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, r.status, r.body)
		}
	}
}
