package native

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// Usage is what was done from one day to another.
type Usage struct {
	From   domain.Day `json:"from" doc:"Days are those of UTC."`
	To     domain.Day `json:"to" doc:"Included."`
	Usage  []KeyUsage `json:"usage" doc:"A page of keys and days, the last day first."`
	Totals []DayUsage `json:"totals" doc:"Of each day over all keys, the last day first; days on which nothing happened are left out."`
	Total  int        `json:"total" doc:"How many keys and days there are in all."`
	Limit  int        `json:"limit"`
	Offset int        `json:"offset"`
}

// DayUsage is what was done on one day.
type DayUsage struct {
	Date     domain.Day     `json:"date"`
	Requests int64          `json:"requests" doc:"Answered requests, exact to those of the last seconds before a crash."`
	Statuses StatusesOfUses `json:"statuses" doc:"The requests by the class of their answer's status."`
	Calls    int64          `json:"calls" doc:"Calls that were placed, or came in, on that day."`
	Seconds  int64          `json:"seconds" doc:"Charged seconds of those calls."`
	Minutes  float64        `json:"minutes" doc:"The same in minutes, to two decimals."`
	Cost     float64        `json:"cost" doc:"Of those calls."`
	Messages int64          `json:"messages" doc:"Text messages that were taken on that day, to be sent."`
	Segments int64          `json:"segments" doc:"Parts that those are sent in."`
}

// StatusesOfUses counts answers by the class of their status.
type StatusesOfUses struct {
	Success     int64 `json:"2xx"`
	Redirect    int64 `json:"3xx"`
	ClientError int64 `json:"4xx"`
	ServerError int64 `json:"5xx"`
}

// KeyUsage is what was done with one key on one day.
type KeyUsage struct {
	KeyID *domain.ID `json:"keyId" doc:"null for what no key asked for, such as incoming calls."`
	DayUsage
}

type usageQuery struct {
	wire.Paging
	From  string    `query:"from" doc:"First day, ISO 8601; 30 days before the end when not sent."`
	To    string    `query:"to" doc:"Last day, included; today when not sent. A report covers at most 366 days."`
	KeyID domain.ID `query:"keyId" doc:"Only what was done with this key."`
}

func (f *face) usageRoutes(rt *wire.Router) {
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: Root + "/usage", ID: "get-usage", Scope: "usage:read",
		Summary: "Requests, calls, minutes, cost and messages by key and day"}, f.getUsage)
}

func (f *face) getUsage(ctx context.Context, in *usageQuery) (*struct {
	wire.PageHead
	Body Usage
}, error) {
	var from, to time.Time
	var err error
	if in.From != "" {
		if from, _, err = wire.ParseInstant("from", in.From); err != nil {
			return nil, err
		}
	}
	if in.To != "" {
		if to, _, err = wire.ParseInstant("to", in.To); err != nil {
			return nil, err
		}
	}
	page := in.Page()
	report, err := f.rules.Usage(ctx, wire.ScopeOf(ctx), from, to, in.KeyID, page)
	if err != nil {
		return nil, err
	}
	body := Usage{
		From: report.From, To: report.To, Total: report.Total, Limit: page.Limit, Offset: page.Offset,
		Usage: make([]KeyUsage, len(report.Rows)), Totals: make([]DayUsage, len(report.Days)),
	}
	for i := range report.Rows {
		body.Usage[i] = KeyUsage{KeyID: orNull(report.Rows[i].KeyID), DayUsage: dayUsage(&report.Rows[i])}
	}
	for i := range report.Days {
		body.Totals[i] = dayUsage(&report.Days[i])
	}
	return &struct {
		wire.PageHead
		Body Usage
	}{wire.HeadOf(ctx, page, report.Total), body}, nil
}

func dayUsage(u *domain.Usage) DayUsage {
	return DayUsage{
		Date: u.Day, Requests: u.Requests,
		Statuses: StatusesOfUses{Success: u.Successes, Redirect: u.Redirects, ClientError: u.ClientErrors, ServerError: u.ServerErrors},
		Calls:    u.Calls, Seconds: u.Seconds, Minutes: math.Round(float64(u.Seconds)/60*100) / 100, Cost: u.Cost.Units(),
		Messages: u.Messages, Segments: u.Segments,
	}
}
