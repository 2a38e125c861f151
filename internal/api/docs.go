package api

import (
	"strconv"
	"time"

	"github.com/callwright/callwright/internal/api/reference"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// faults are the errors that a client may meet, as the reference shows them.
var faults = []*domain.Error{
	domain.Invalid("to", "to must be a phone number in E.164 form, such as +15551234567"),
	domain.Errorf(domain.CodeUnauthorized, "the API key is missing, unknown, expired or revoked"),
	domain.Errorf(domain.CodeForbidden, "the API key lacks the scope calls:write"),
	domain.NotFound("Agent", "01a2012e785d3f9070119589"),
	domain.Errorf(domain.CodeMethod, "DELETE is not possible here; possible are GET, HEAD, POST"),
	domain.Errorf(domain.CodeConflict, "the call is over"),
	domain.Errorf(domain.CodePrecondition, "the object was changed meanwhile; read it again and repeat the change"),
	domain.Errorf(domain.CodeTooLarge, "the request body is over %d bytes; send less at once", wire.MaxBody),
	domain.Errorf(domain.CodeUnsupportedMedia, "the request body must be JSON in UTF-8, sent with Content-Type: application/json"),
	domain.Errorf(domain.CodeMismatch, "this Idempotency-Key was used with another request"),
	domain.Errorf(domain.CodeLimitReached, "the plan allows 25 agents"),
	{Code: domain.CodeRateLimited, Message: "too many requests; slow down", RetryAfter: 30 * time.Second},
	domain.Errorf(domain.CodeInternal, "something went wrong on our end"),
	domain.Unavailable(time.Second, nil, "the server is shutting down; try again"),
}

// plans are those whose limits the reference lists.
var plans = []domain.Plan{domain.Starter, domain.Professional, domain.Business, domain.Enterprise}

// docs renders the reference of one face of the API, and names the others.
func (s *server) docs(f *face) ([]byte, error) {
	o := reference.Options{Contract: f.Router.Contract(), Prefix: s.prefixOf(f)}
	for _, fault := range faults {
		status, body := f.Router.Shape(fault)
		raw, err := wire.Canonical(body)
		if err != nil {
			return nil, err
		}
		o.Faults = append(o.Faults, reference.Fault{Status: status, Body: string(raw)})
	}
	for _, plan := range plans {
		most := "no limit"
		if n := plan.Limits().RequestsPerMinute; n != domain.Unlimited {
			most = strconv.Itoa(n)
		}
		o.Limits = append(o.Limits, reference.Limit{Plan: string(plan), Requests: most})
	}
	for _, other := range s.faces {
		if other != f {
			o.Others = append(o.Others, reference.Link{Name: other.Name, Href: s.prefixOf(other) + "/docs"})
		}
	}
	return reference.Page(o)
}

// prefixOf is what examples write before a face's paths: nothing for the face
// that needs no prefix.
func (s *server) prefixOf(f *face) string {
	if f == s.faces[0] {
		return ""
	}
	return f.Prefix
}
