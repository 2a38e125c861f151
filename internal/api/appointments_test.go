package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// TestAppointmentTimes proves what the exchanges do not show: times as they are
// answered, bounds of a list, tags, and the file for calendars.
func TestAppointmentTimes(t *testing.T) {
	a := start(t, domain.Professional)
	const path = "/api/v1/appointments"
	made := a.send("POST", path, a.key, `{"title":"T","startTime":"2025-02-15T10:00:00.9+01:00","endTime":"2025-02-16"}`)
	if body := made.json(t); body["startTime"] != "2025-02-15T09:00:00Z" || body["endTime"] != "2025-02-16T00:00:00Z" {
		t.Fatalf("%s", made.body)
	}
	id := made.json(t)["id"].(string)
	for query, want := range map[string]string{
		"from=2025-02-15": "1", "from=2025-02-16": "0", "to=2025-02-15": "1", "to=2025-02-14": "0", "from=2025-02-15T09:00:00Z": "1",
		"from=2025-02-15T09:00:01Z": "0", "to=2025-02-15T09:00:00Z": "1", "to=2025-02-15T08:59:59Z": "0", "from=2025-02-15T10:00:00+01:00": "1",
	} {
		if got := a.send("GET", path+"?"+query, a.key, "").header.Get("X-Total-Count"); got != want {
			t.Errorf("%s: %q, want %s", query, got, want)
		}
	}
	tag := a.send("GET", path+"/"+id, a.key, "").header.Get("ETag")
	if tag == "" || tag != made.header.Get("ETag") {
		t.Errorf("made as %q, read as %q", made.header.Get("ETag"), tag)
	}
	a.want(a.send("GET", path+"/"+id, a.key, "", "If-None-Match: "+tag), http.StatusNotModified, "")
	other := a.create(path, a.key, `{"title":"O","startTime":"2025-02-15T11:00:00Z","endTime":"2025-02-15T12:00:00Z"}`)
	seen := a.send("GET", path+"/"+id, a.key, "", "If-None-Match: "+tag)
	if seen.status != http.StatusOK || !strings.Contains(seen.body, `"overlaps":["`+other+`"]`) {
		t.Errorf("what overlaps was not seen: %d %s", seen.status, seen.body)
	}
	// The tag from before still names the version that is there.
	a.want(a.send("PATCH", path+"/"+id, a.key, `{"notes":"a, b"}`, "If-Match: "+tag), http.StatusOK, "")
	a.want(a.send("PATCH", path+"/"+id, a.key, `{"notes":"c"}`, "If-Match: "+tag), http.StatusPreconditionFailed, "PRECONDITION_FAILED")
	ics := a.send("GET", path+"/"+id+"/calendar.ics", a.key, "")
	if ics.status != http.StatusOK || ics.header.Get("Content-Type") != "text/calendar; charset=utf-8" ||
		!strings.Contains(ics.body, "DTSTART:20250215T090000Z\r\nDTEND:20250216T000000Z\r\nSEQUENCE:2\r\nSTATUS:TENTATIVE\r\nSUMMARY:T\r\nDESCRIPTION:a\\, b\r\n") {
		t.Errorf("%d %v %s", ics.status, ics.header, ics.body)
	}
}
