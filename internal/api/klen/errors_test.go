package klen

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// TestShape: each error in the documented words.
func TestShape(t *testing.T) {
	limited := domain.Errorf(domain.CodeRateLimited, "x")
	limited.RetryAfter = 29*time.Second + time.Millisecond
	for _, c := range []struct {
		err    error
		status int
		want   Fault
	}{
		{limited, 429, Fault{Error: "rate_limit_exceeded", Message: "Rate limit exceeded. Please try again after 30 seconds."}},
		{wire.KeyMissing(), 401, Fault{Error: "authentication_required", Message: "API key is required"}},
		{domain.Errorf(domain.CodeUnauthorized, "expired"), 401, Fault{Error: "invalid_key", Message: "Invalid or inactive API key"}},
		{domain.Errorf(domain.CodeForbidden, "x").For(domain.ReasonScopeMissing, "calls:write"), 403,
			Fault{Error: "permission_denied", Message: "This API key does not have can_initiate_calls permission"}},
		{domain.Errorf(domain.CodeForbidden, "x").For(domain.ReasonScopeMissing, "appointments:write"), 403,
			Fault{Error: "permission_denied", Message: "This API key does not have can_write_calendar permission"}},
		{domain.Errorf(domain.CodeForbidden, "x").For(domain.ReasonScopeMissing, "do-not-call:read"), 403,
			Fault{Error: "permission_denied", Message: "This API key does not have can_read_do_not_call permission"}},
		{domain.Errorf(domain.CodeForbidden, "listed").For(domain.ReasonDoNotCall, "to"), 403,
			Fault{Error: "permission_denied", Message: "listed", Code: "do_not_call"}},
		{domain.Errorf(domain.CodePayment, "no credits"), 402, Fault{Error: "insufficient_funds", Message: "no credits"}},
		{domain.NotFound("Agent", "x"), 404, Fault{Error: "not_found", Message: "Agent with id x not found", Code: "agent_not_found"}},
		{domain.Invalid("to", "to must be E.164").For(domain.ReasonInvalidNumber, ""), 400,
			Fault{Error: "validation_error", Message: "phone_number must be E.164", Code: "invalid_phone_number"}},
		{domain.Invalid("phoneNumberId", "phoneNumberId is required: the agent has no phone number").For(domain.ReasonNoPhoneNumber, ""), 400,
			Fault{Error: "validation_error", Message: "the agent has no phone number", Code: "no_phone_number"}},
		{domain.Unavailable(time.Second, nil, "draining"), 503, Fault{Error: "unavailable", Message: "draining"}},
		{domain.Errorf("new", "x"), 500, Fault{Error: "server_error", Message: "x"}},
	} {
		if status, body := callShape(wire.Public(c.err)); status != c.status || body != c.want {
			t.Errorf("%v: %d %+v, want %d %+v", c.err, status, body, c.status, c.want)
		}
	}
	for code, word := range words {
		if status, _ := Shape(&domain.Error{Code: code}); status == 500 != (word == "server_error") {
			t.Errorf("%s is %d", word, status)
		}
	}
}

// TestWindow: which rows a page is, whatever is asked for.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		ask  Paging
		want domain.Page
	}{
		{Paging{}, domain.Page{Limit: 11}},
		{Paging{Page: 2, Limit: 25}, domain.Page{Limit: 26, Offset: 25}},
		{Paging{Limit: 5000}, domain.Page{Limit: 101}},
		{Paging{Page: 1 << 62, Limit: 100}, domain.Page{Limit: 101, Offset: maxOffset / 100 * 100}},
		{Paging{AfterID: "0123456789abcdef01234567", Limit: 1}, domain.Page{Limit: 2, After: "0123456789abcdef01234567"}},
		{Paging{Cursor: "0123456789abcdef01234567"}, domain.Page{Limit: 11, After: "0123456789abcdef01234567"}},
	} {
		if got, err := c.ask.window(defaultLimit); err != nil || got != c.want {
			t.Errorf("%+v: %+v %v, want %+v", c.ask, got, err, c.want)
		}
	}
	if _, err := (Paging{Cursor: "x"}).window(defaultLimit); domain.CodeOf(err) != domain.CodeInvalid {
		t.Errorf("a cursor that is no id: %v", err)
	}
	if got := (Paging{Page: 2, Limit: 25}).head(25, 157); got != (Pages{Count: 157, Page: 2, Limit: 25, Pages: 7}) {
		t.Errorf("%+v", got)
	}
}

// TestFailureWords: a failed call has one of the documented words.
func TestFailureWords(t *testing.T) {
	documented := map[string]bool{
		"twilio-failed-to-connect-call": true, "no-answer": true, "busy": true, "disconnected": true,
		"invalid-number": true, "rejected": true, "canceled": true, "failed": true,
	}
	for _, r := range []domain.EndReason{
		domain.EndBusy, domain.EndNoAnswer, domain.EndDeclined, domain.EndInvalidNumber, domain.EndBlocked, domain.EndCanceled, domain.EndUnreachable,
		domain.EndTrunkError, domain.EndConfiguration, domain.EndInterrupted, domain.EndInternal, domain.EndDoNotCall, domain.EndMediaNotAgreed,
		domain.EndCongestion, domain.EndMoved, "new",
	} {
		if !documented[failure(r)] {
			t.Errorf("%s is %q", r, failure(r))
		}
	}
}
