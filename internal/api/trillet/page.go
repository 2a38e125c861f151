package trillet

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// lastPage bounds page numbers, so that offsets stay numbers.
const lastPage = 1 << 32

// Paging is the query of a list. It is embedded in the inputs of routes.
type Paging struct {
	Page  int `query:"page" minimum:"0" doc:"Which page, from 1."`
	Limit int `query:"limit" minimum:"0" doc:"How many on a page, at most 200; more is taken as 200."`
}

// rows returns the rows of the page; usual is their number when none was sent.
func (p Paging) rows(usual int) domain.Page {
	limit := min(p.Limit, wire.MaxLimit)
	if limit <= 0 {
		limit = usual
	}
	return domain.Page{Limit: limit, Offset: (min(max(p.Page, 1), lastPage) - 1) * limit}
}

// headOf returns the headers of the page p out of total rows that was asked for
// by the request of ctx.
func headOf(ctx context.Context, p domain.Page, total int) wire.PageHead {
	u := wire.RequestOf(ctx).Target
	if u == nil {
		return wire.PageHead{Total: total}
	}
	now, last := p.Offset/p.Limit+1, max(1, (total+p.Limit-1)/p.Limit)
	var links []string
	link := func(rel string, page int) {
		q := u.Query()
		q.Set("page", strconv.Itoa(page))
		q.Set("limit", strconv.Itoa(p.Limit))
		target := url.URL{Path: u.Path, RawQuery: q.Encode()}
		links = append(links, "<"+target.String()+`>; rel="`+rel+`"`)
	}
	link("first", 1)
	if now > 1 {
		link("prev", min(now-1, last))
	}
	if now < last {
		link("next", now+1)
	}
	link("last", last)
	return wire.PageHead{Total: total, Link: strings.Join(links, ", ")}
}

// listOf renders a page of rows.
func listOf[Row, T any](ctx context.Context, page domain.Page, total int, rows []Row, render func(*Row) T) *list[T] {
	out := &list[T]{PageHead: headOf(ctx, page, total), Body: make([]T, len(rows))}
	for i := range rows {
		out.Body[i] = render(&rows[i])
	}
	return out
}
