package wire

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// The bounds of a list.
const (
	DefaultLimit = 50
	MaxLimit     = 200
	maxOffset    = 1 << 40
)

// Paging is the query of a list. It is embedded in the inputs of routes.
type Paging struct {
	Limit  int `query:"limit" minimum:"0" doc:"How many to return: 50 when not sent, at most 200; more is taken as 200."`
	Offset int `query:"offset" minimum:"0" doc:"How many to pass over."`
}

// Page returns the rows to read.
func (p Paging) Page() domain.Page {
	limit := p.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	return domain.Page{Limit: min(limit, MaxLimit), Offset: min(p.Offset, maxOffset)}
}

// PageHead is the headers of a list. It is embedded in the outputs of routes.
type PageHead struct {
	Total int    `header:"X-Total-Count" doc:"How many there are in all."`
	Link  string `header:"Link" doc:"Where the first, previous, next and last page are (RFC 8288)."`
}

// HeadOf returns the headers of the page p out of total rows that was asked for
// by the request of ctx.
func HeadOf(ctx context.Context, p domain.Page, total int) PageHead {
	u := RequestOf(ctx).Target
	if u == nil || p.Limit <= 0 {
		return PageHead{Total: total}
	}
	var links []string
	link := func(rel string, offset int) {
		q := u.Query()
		q.Set("limit", strconv.Itoa(p.Limit))
		q.Set("offset", strconv.Itoa(offset))
		target := url.URL{Path: u.Path, RawQuery: q.Encode()}
		links = append(links, "<"+target.String()+`>; rel="`+rel+`"`)
	}
	link("first", 0)
	if p.Offset > 0 {
		link("prev", max(0, p.Offset-p.Limit))
	}
	if p.Offset+p.Limit < total {
		link("next", p.Offset+p.Limit)
	}
	link("last", max(0, total-1)/p.Limit*p.Limit)
	return PageHead{Total: total, Link: strings.Join(links, ", ")}
}
